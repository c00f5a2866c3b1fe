package playbooks

import (
	"fmt"
	"strings"
	"sync"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// positions finds where a value stands in a YAML text.
type positions struct{ root func() ast.Node }

// locate parses the text once more for its positions, when somebody asks. A
// text that does not parse has none.
func locate(data []byte) positions {
	return positions{root: sync.OnceValue(func() ast.Node {
		f, err := parser.ParseBytes(data, 0)
		if err != nil || len(f.Docs) == 0 {
			return nil
		}
		return f.Docs[0].Body
	})}
}

func (p positions) top() ast.Node {
	if p.root == nil {
		return nil
	}
	return p.root()
}

// at returns line and column, from 1, of what the steps (a key of a mapping or
// an index of a list) lead to: of a scalar itself, else of the key that holds
// it. Where the way ends early, the last place that exists is returned.
func (p positions) at(steps ...any) (line, col int) {
	line, col = 1, 1
	mark := func(t *token.Token) {
		if t != nil && t.Position != nil {
			line, col = t.Position.Line, t.Position.Column
		}
	}
	node := p.top()
	for _, s := range steps {
		var key ast.Node
		key, node = child(node, s)
		if node == nil {
			return line, col
		}
		if key != nil {
			mark(key.GetToken())
		}
		if leaf(node) || key == nil && container(node) {
			mark(firstToken(node))
		}
	}
	return line, col
}

// within returns the place in the file of a place (from 1) in a literal
// block, a value that is written with |. ok is false for other values.
func (p positions) within(text []byte, line, col int, steps ...any) (fileLine, fileCol int, ok bool) {
	node := p.top()
	for _, s := range steps {
		_, node = child(node, s)
	}
	block, ok := node.(*ast.LiteralNode)
	if !ok || block.Start == nil || block.Start.Position == nil || !strings.HasPrefix(block.Start.Value, "|") {
		return 0, 0, false
	}
	lines := strings.Split(string(text), "\n")[min(block.Start.Position.Line, strings.Count(string(text), "\n")):]
	indent := 0
	for _, l := range lines {
		if trimmed := strings.TrimLeft(l, " "); trimmed != "" {
			indent = len(l) - len(trimmed)
			break
		}
	}
	return block.Start.Position.Line + line, indent + col, true
}

func child(node ast.Node, step any) (key, value ast.Node) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if v.Key.GetToken().Value == fmt.Sprint(step) {
				return v.Key, v.Value
			}
		}
	case *ast.MappingValueNode:
		if n.Key.GetToken().Value == fmt.Sprint(step) {
			return n.Key, n.Value
		}
	case *ast.SequenceNode:
		if i, ok := step.(int); ok && i < len(n.Values) {
			return nil, n.Values[i]
		}
	}
	return nil, nil
}

func leaf(n ast.Node) bool { return !container(n) }

func container(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return true
	}
	return false
}

// firstToken is the token at which a node begins to be read: for a mapping,
// its first key.
func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}
