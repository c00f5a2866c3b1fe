package inventory

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"oust/remediate"
)

// ansibleYAML reads YAML as Ansible does: with aliases and merge keys.
type ansibleYAML struct {
	r     *report
	a     *ansible
	file  string
	nodes int // looked at
	most  int // of nodes
	full  bool
}

// groupKeys are the parts of a group (ansible/plugins/inventory/yaml.py).
var groupKeys = []string{"hosts", "children", "vars"}

func (l *loader) parseAnsibleYAML(file string, root *yaml.Node) {
	y := &ansibleYAML{r: &l.report, a: l.ansible, file: file, most: l.max.nodes}
	pairs := y.pairs(root, 0)
	for _, p := range pairs {
		if p.key.Value == "plugin" && p.value.Kind == yaml.ScalarNode {
			l.problem(y.at(p.key), "the settings of an inventory plugin, which oust does not run; write its output into a file (ansible-inventory -i FILE --list >hosts.json) and name that")
			return
		}
	}
	for _, p := range pairs {
		y.group(p, nil, 0)
	}
}

func (y *ansibleYAML) at(n *yaml.Node) Place { return Place{File: y.file, Line: n.Line} }

type pair struct{ key, value *yaml.Node }

// pairs are the entries of a map, merged ones first so that its own win.
func (y *ansibleYAML) pairs(n *yaml.Node, depth int) []pair {
	n = y.follow(n)
	if n == nil || depth > maxDepth {
		return nil
	}
	var merged, own []pair
	var known keyIndex // of own
	for i := 0; i+1 < len(n.Content); i += 2 {
		if y.nodes++; y.nodes > y.most {
			y.tooMuch(n)
			return nil
		}
		key, value := n.Content[i], y.follow(n.Content[i+1])
		switch {
		case value == nil:
		case key.ShortTag() != "!!merge":
			if i := known.find(own, key.Value); i >= 0 {
				y.r.warn(y.at(key), "", "the key "+cut(key.Value)+" is there at line "+strconv.Itoa(own[i].key.Line)+" too; Ansible takes the later one")
				own[i].value = value
				continue
			}
			own = append(own, pair{key, value})
		case value.Kind == yaml.SequenceNode: // the first of several wins
			for _, v := range slices.Backward(value.Content) {
				merged = append(merged, y.mapPairs(v, depth+1)...)
			}
		default:
			merged = append(merged, y.mapPairs(value, depth+1)...)
		}
	}
	if len(merged) == 0 {
		return own
	}
	merged = slices.DeleteFunc(merged, func(p pair) bool {
		return known.find(own, p.key.Value) >= 0
	})
	return append(merged, own...)
}

// keyIndex finds keys among pairs that only grow.
type keyIndex struct {
	seen map[string]int
	upTo int
}

// find is the index of a key, or -1. A small map is looked through.
func (x *keyIndex) find(pairs []pair, key string) int {
	const small = 8
	if len(pairs) <= small {
		return slices.IndexFunc(pairs, func(p pair) bool { return p.key.Value == key })
	}
	if x.seen == nil {
		x.seen = map[string]int{}
	}
	for ; x.upTo < len(pairs); x.upTo++ {
		x.seen[pairs[x.upTo].key.Value] = x.upTo
	}
	if i, ok := x.seen[key]; ok {
		return i
	}
	return -1
}

func (y *ansibleYAML) mapPairs(n *yaml.Node, depth int) []pair {
	if n = y.follow(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	return y.pairs(n, depth)
}

// follow goes to what an alias stands for.
func (y *ansibleYAML) follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (y *ansibleYAML) tooMuch(n *yaml.Node) {
	if !y.full {
		y.full = true
		y.r.problem(y.at(n), "more than %d values, aliases followed", y.most)
	}
}

// group reads a group and what is in it.
func (y *ansibleYAML) group(p pair, parent *group, depth int) {
	if depth > maxDepth {
		y.r.problem(y.at(p.key), "groups are nested deeper than %d", maxDepth)
		return
	}
	if p.value.Kind != yaml.MappingNode && !isNull(p.value) {
		y.r.problem(y.at(p.key), "the group %s: want a map with hosts, children or vars", cut(p.key.Value))
		return
	}
	g := y.a.group(y.r, y.at(p.key), p.key.Value)
	if g == nil {
		return
	}
	if parent != nil {
		y.a.addChild(y.r, y.at(p.key), parent, g)
	}
	parts := y.mapPairs(p.value, 0)
	for _, part := range parts {
		y.part(g, part, depth)
	}
}

func (y *ansibleYAML) part(g *group, part pair, depth int) {
	name := part.key.Value
	if !slices.Contains(groupKeys, name) {
		near := remediate.Nearest(strings.ToLower(name), groupKeys)
		if near != "" {
			y.r.problem(y.at(part.key), "%v", unknown("key", cut(name), groupKeys))
			return
		}
		y.r.warn(y.at(part.key), "", "the key "+cut(name)+" of the group "+g.name+" is none of hosts, children and vars; Ansible leaves it alone, and so does oust")
		return
	}
	var entries []pair
	switch v := part.value; {
	case isNull(v):
		return
	case v.Kind == yaml.MappingNode:
		entries = y.mapPairs(v, 0)
	case v.Kind == yaml.ScalarNode && name != "vars": // one name alone
		entries = []pair{{v, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: v.Line}}}
	default:
		y.r.problem(y.at(part.key), "%s of the group %s: want a map (each name with a colon, no dash)", name, g.name)
		return
	}
	for _, e := range entries {
		switch name {
		case "children":
			y.group(e, g, depth+1)
		case "vars":
			if v, ok := y.r.variable(y.at(e.key), e.key.Value, y.value(e.value)); ok {
				g.vars = put(g.vars, v)
			}
		case "hosts":
			y.host(g, e)
		}
	}
}

func (y *ansibleYAML) host(g *group, e pair) {
	vars := y.variables(e.value)
	y.a.addPattern(y.r, y.at(e.key), g, e.key.Value, vars)
}

// variables are those of a map that oust has a use for.
func (y *ansibleYAML) variables(n *yaml.Node) []variable {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		y.r.problem(y.at(n), "want a map of variables")
		return nil
	}
	var out []variable
	for _, p := range y.pairs(n, 0) {
		if v, ok := y.r.variable(y.at(p.key), p.key.Value, y.value(p.value)); ok {
			out = put(out, v)
		}
	}
	return out
}

// value is what a variable holds, without looking into maps.
func (y *ansibleYAML) value(n *yaml.Node) value {
	switch {
	case n.Tag == "!vault" || n.Tag == "!vault-encrypted":
		return value{kind: valueVault}
	case isNull(n):
		return value{kind: valueNone}
	case n.Tag == "!unsafe": // never a template
		return value{text: n.Value}
	case n.Kind == yaml.ScalarNode:
		return textValue(n.Value)
	case n.Kind == yaml.SequenceNode:
		if text, ok := joinWords(n); ok {
			return value{text: text, kind: valueList}
		}
	}
	return value{kind: valueMap}
}
