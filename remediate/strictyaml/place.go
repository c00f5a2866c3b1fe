package strictyaml

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Node is a value of a file, as UnmarshalYAML methods are given it, so that
// their errors can name its place (see At).
type Node = ast.Node

// Text returns a scalar as it is written, without quotes.
func Text(n Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case ast.ScalarNode:
		return n.GetToken().Value, nil
	}
	return "", errors.New("want one word, not a list or a map")
}

// Texts returns a scalar, or the scalars of a list.
func Texts(n Node) ([]string, error) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		one, err := Text(n)
		if err != nil {
			return nil, errors.New("want a word or a list of words")
		}
		return []string{one}, nil
	}
	out := make([]string, 0, len(list.Values))
	for _, v := range list.Values {
		s, err := Text(v)
		if err != nil {
			return nil, At(v, errors.New("want a word"))
		}
		out = append(out, s)
	}
	return out, nil
}

// At gives an error the place of a value. An error that has a place, or is
// nil, stays as it is.
func At(n Node, err error) error {
	if err == nil {
		return nil
	}
	if _, placed := errors.AsType[*Error](err); placed {
		return err
	}
	return at("", n.GetToken(), err.Error())
}

// Lines tells on which line each key of a document stands, by its path of keys
// joined with dots, such as "credentials.linux.user"; entries of a list are
// counted from 0, such as "windows[0].days". Text that Decode refuses gives
// fewer of them, or none.
func Lines(data []byte) map[string]int {
	out := map[string]int{}
	text, err := checkText("", data)
	if err != nil || len(data) > DefaultLimit || deepest(text) > maxDepth {
		return out
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return out
	}
	for _, d := range parsed.Docs {
		addLines(out, "", d.Body)
	}
	return out
}

func addLines(out map[string]int, path string, n ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			addLines(out, path, v)
		}
	case *ast.MappingValueNode:
		key := n.Key.GetToken()
		name := path + key.Value
		if _, known := out[name]; !known && key.Position != nil {
			out[name] = key.Position.Line
		}
		addLines(out, name+".", n.Value)
		addEntries(out, name, n.Value)
	}
}

// addEntries tells the lines of a list's entries.
func addEntries(out map[string]int, path string, n ast.Node) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return
	}
	for i, v := range list.Values {
		name := fmt.Sprintf("%s[%d]", path, i)
		if t := firstToken(v); t != nil && t.Position != nil {
			out[name] = t.Position.Line
		}
		addLines(out, name+".", v)
		addEntries(out, name, v)
	}
}

// firstToken is where a value begins.
func firstToken(n ast.Node) *token.Token {
	if pairs, ok := pairsOf(n); ok && len(pairs) > 0 {
		return pairs[0].Key.GetToken()
	}
	return n.GetToken()
}
