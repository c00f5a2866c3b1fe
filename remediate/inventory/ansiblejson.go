package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseJSON reads what ansible-inventory --list prints, with or without
// --export, and what inventory scripts print for --list. It is an inventory of
// its own: what group_vars and host_vars say is in it already.
func (l *loader) parseJSON(s source) {
	p := &jsonReader{r: &l.report, a: newAnsible(l.max), file: s.name, text: s.text, dec: json.NewDecoder(bytes.NewReader(s.text))}
	p.dec.UseNumber()
	if err := p.document(); err != nil {
		l.problem(p.at(), "%v", err)
		return
	}
	for _, c := range p.children {
		if g := p.a.group(p.r, c.place, c.name); g != nil {
			p.a.addChild(p.r, c.place, c.parent, g)
		}
	}
	p.a.resolve(l)
}

// jsonReader reads token by token, so that large values which oust has no use
// for cost no memory.
type jsonReader struct {
	r    *report
	a    *ansible
	file string
	text []byte
	dec  *json.Decoder

	offset, line int // where lines were counted to
	children     []awaited
}

var errNotInventory = errors.New("not the JSON of ansible-inventory --list: want a map of groups, and _meta with hostvars")

// at is where the reader stands.
func (p *jsonReader) at() Place {
	now := min(int(p.dec.InputOffset()), len(p.text))
	p.line += bytes.Count(p.text[p.offset:now], []byte("\n"))
	p.offset = now
	return Place{File: p.file, Line: p.line + 1}
}

func (p *jsonReader) document() error {
	if err := p.object(func(name string) error {
		if name == "_meta" {
			return p.meta()
		}
		return p.group(name)
	}); err != nil {
		return err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more text behind the end of the JSON")
	}
	return nil
}

// token reads one token and gives errors plain words.
func (p *jsonReader) token() (json.Token, error) {
	t, err := p.dec.Token()
	return t, plain(err)
}

func plain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends in the middle")
	}
	return fmt.Errorf("not JSON: %s", cut(err.Error()))
}

// object reads a map and calls back for each key; the callback reads the
// value.
func (p *jsonReader) object(each func(key string) error) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errNotInventory
	}
	for p.dec.More() {
		key, err := p.token()
		if err != nil {
			return err
		}
		if err := each(key.(string)); err != nil { // a key is a string, or an error
			return err
		}
	}
	_, err = p.token()
	return err
}

// words reads a list of strings.
func (p *jsonReader) words(each func(string)) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return errNotInventory
	}
	return p.restOfWords(each)
}

func (p *jsonReader) restOfWords(each func(string)) error {
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return err
		}
		word, ok := t.(string)
		if !ok {
			return errors.New("want a list of names")
		}
		each(word)
	}
	_, err := p.token()
	return err
}

// skip passes over one value.
func (p *jsonReader) skip() error {
	depth := 0
	for {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		if depth > maxDepth {
			return fmt.Errorf("values are nested deeper than %d", maxDepth)
		}
	}
}

// group reads {"hosts": [], "children": [], "vars": {}}, or the hosts alone.
func (p *jsonReader) group(name string) error {
	g := p.a.group(p.r, p.at(), name)
	if g == nil {
		return p.skip()
	}
	addHost := func(host string) { p.a.addHost(p.r, p.at(), g, host) }
	t, err := p.token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('['):
		return p.restOfWords(addHost)
	case json.Delim('{'):
	default:
		return errNotInventory
	}
	for p.dec.More() {
		key, err := p.token()
		if err != nil {
			return err
		}
		switch key {
		case "hosts":
			err = p.words(addHost)
		case "children":
			err = p.words(func(child string) {
				p.children = append(p.children, awaited{place: p.at(), name: child, parent: g})
			})
		case "vars":
			err = p.variables(func(v variable) { g.vars = put(g.vars, v) })
		default:
			err = p.skip()
		}
		if err != nil {
			return err
		}
	}
	_, err = p.token()
	return err
}

// meta reads {"hostvars": {HOST: {}}}.
func (p *jsonReader) meta() error {
	return p.object(func(key string) error {
		if key != "hostvars" {
			return p.skip()
		}
		return p.object(func(name string) error {
			h := p.a.addHost(p.r, p.at(), nil, name)
			return p.variables(func(v variable) {
				if h != nil {
					h.vars = put(h.vars, v)
				}
			})
		})
	})
}

// variables calls back for those that oust has a use for.
func (p *jsonReader) variables(each func(variable)) error {
	return p.object(func(name string) error {
		if !strings.HasPrefix(name, "ansible_") && !strings.HasPrefix(name, ourPrefix) {
			return p.skip()
		}
		at := p.at()
		if _, known := ids[name]; !known {
			p.r.variable(at, name, value{})
			return p.skip()
		}
		val, err := p.value()
		if err != nil {
			return err
		}
		if v, ok := p.r.variable(at, name, val); ok {
			each(v)
		}
		return nil
	})
}

// value reads a scalar, a list of words, or a marked text of Ansible
// (ansible/parsing/ajson.py).
func (p *jsonReader) value() (value, error) {
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return value{}, plain(err)
	}
	var (
		text   string
		words  []string
		marked map[string]json.RawMessage
	)
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return value{kind: valueNone}, nil
	case json.Unmarshal(raw, &text) == nil:
		return textValue(text), nil
	case json.Unmarshal(raw, &words) == nil:
		return value{text: strings.Join(words, ","), kind: valueList}, nil
	case json.Unmarshal(raw, &marked) == nil:
		if _, ok := marked["__ansible_vault"]; ok {
			return value{kind: valueVault}, nil
		}
		if json.Unmarshal(marked["__ansible_unsafe"], &text) == nil {
			return value{text: text}, nil // never a template
		}
		return value{kind: valueMap}, nil
	case raw[0] == '[':
		return value{kind: valueMap}, nil
	}
	return textValue(string(raw)), nil // a number, true or false
}
