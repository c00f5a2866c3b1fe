package inventory

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"oust/remediate/strictyaml"
)

// maxDepth bounds values in one another.
const maxDepth = 100

// parseYAML reads our own YAML or Ansible's, told apart by the key hosts at
// the top: ours is a list.
func (l *loader) parseYAML(s source) {
	root, fault := readYAML(s.text, l.max.yaml)
	if fault != nil {
		l.problem(Place{File: s.name, Line: fault.Line}, "%s", fault.Msg)
		return
	}
	if root == nil {
		return
	}
	if root.Kind != yaml.MappingNode {
		l.problem(Place{File: s.name, Line: root.Line}, "neither the key hosts with a list, nor the groups of an Ansible inventory")
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		value := root.Content[i+1]
		if root.Content[i].Value == "hosts" && (value.Kind == yaml.SequenceNode || isNull(value)) {
			l.parseOwnYAML(s.name, root)
			return
		}
	}
	l.parseAnsibleYAML(s.name, root)
}

// readYAML parses one document; nil stands for an empty one.
func readYAML(text []byte, most int) (*yaml.Node, *Problem) {
	if len(text) > most {
		return nil, &Problem{Msg: "YAML of " + strconv.Itoa(len(text)) + " bytes; at most " + strconv.Itoa(most) + " are read: write it as CSV, or as JSON with ansible-inventory --list"}
	}
	if deepest(text) > maxDepth {
		return nil, &Problem{Msg: "values are nested deeper than " + strconv.Itoa(maxDepth)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, yamlFault(text, err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &Problem{Place: Place{Line: second.Line}, Msg: "a second document; write one document a file"}
	case !errors.Is(err, io.EOF):
		return nil, yamlFault(text, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlFault says where text is not YAML. The library that reads large files
// often names another line than the wrong one, so the stricter reader is asked
// where the text is small enough for it.
func yamlFault(text []byte, err error) *Problem {
	const most = 256 << 10
	if len(text) <= most {
		if own, ok := errors.AsType[*strictyaml.Error](strictyaml.Syntax("", text)); ok && own.Line > 0 {
			return &Problem{Place: Place{Line: own.Line}, Msg: "not YAML: " + cut(own.Msg)}
		}
	}
	msg, line := err.Error(), 0
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		msg = msg[len(m[0]):]
		line, _ = strconv.Atoi(m[1]) // 0 where there is none
	}
	return &Problem{Place: Place{Line: line}, Msg: "not YAML: " + cut(msg)}
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// deepest is an upper bound of the nesting, by indentation and brackets,
// found before the parser is asked to follow it.
func deepest(text []byte) int {
	most, open := 0, 0
	for line := range bytes.Lines(text) {
		body := bytes.TrimLeft(line, " -")
		indent := len(line) - len(body)
		for _, c := range body {
			switch c {
			case '[', '{':
				open++
				most = max(most, open+indent/2)
			case ']', '}':
				open = max(0, open-1)
			}
		}
		if len(bytes.TrimSpace(body)) > 0 {
			most = max(most, indent/2)
		}
	}
	return most
}

// parseOwnYAML reads the list under hosts. It is as strict as campaign.yaml.
func (l *loader) parseOwnYAML(file string, root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		at := Place{File: file, Line: key.Line}
		switch {
		case key.Value != "hosts":
			l.problem(at, "%v", unknown("key", cut(key.Value), []string{"hosts"}))
		case i > 0 && root.Content[0].Value == key.Value:
			l.problem(at, "the key hosts is there twice")
		default:
			for _, item := range value.Content {
				l.ownHost(file, item)
			}
		}
	}
}

// ownHost reads a map with columns, or one line of a plain list.
func (l *loader) ownHost(file string, n *yaml.Node) {
	at := Place{File: file, Line: n.Line}
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		l.problem(at, "anchors and aliases are not used here; write the values out")
		return
	}
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		l.addLine(at, n.Value)
		return
	}
	if n.Kind != yaml.MappingNode {
		l.problem(at, "want a host's name, or its keys")
		return
	}
	e := entry{place: at}
	good := true
	var seen [numColumns]bool
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := Place{File: file, Line: key.Line}
		c, err := columnNamed(wordKey, key.Value)
		if err == nil && seen[c] {
			err = errors.New("the key " + key.Value + " is there twice")
		}
		text, ok := ownText(c, value)
		if err == nil && !ok {
			err = errors.New(key.Value + ": want one word")
		}
		if err != nil {
			l.problem(at, "%v", err)
			good = false
			continue
		}
		seen[c] = true
		e.set(c, text, at)
	}
	if good {
		l.add(&e)
	}
}

// ownText is a scalar as it is written; tags may be a list.
func ownText(c column, n *yaml.Node) (string, bool) {
	switch {
	case n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		return "", false
	case isNull(n):
		return "", true
	case n.Kind == yaml.ScalarNode:
		return strings.TrimSpace(n.Value), true
	case n.Kind != yaml.SequenceNode || c != colTags:
		return "", false
	}
	return joinWords(n)
}

// joinWords makes one text of a list of words, as tags are written in a table.
func joinWords(n *yaml.Node) (string, bool) {
	words := make([]string, 0, len(n.Content))
	for _, v := range n.Content {
		if v.Kind != yaml.ScalarNode || isNull(v) {
			return "", false
		}
		words = append(words, v.Value)
	}
	return strings.Join(words, ","), true
}
