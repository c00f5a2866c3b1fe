package inventory

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

// iniReader reads Ansible's INI (ansible/plugins/inventory/ini.py).
type iniReader struct {
	r    *report
	a    *ansible
	file string
	line int

	name    string // of the section
	kind    string
	group   *group
	waiting []awaited // groups named before they are declared
}

// awaited is a group that some section has to declare.
type awaited struct {
	place  Place
	name   string
	parent *group // nil for a section of variables
	vars   []variable
}

// Kinds of sections; a section without one holds hosts.
const (
	kindHosts    = "hosts"
	kindChildren = "children"
	kindVars     = "vars"
)

var (
	sectionLine = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	groupLine   = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
)

func (l *loader) parseINI(s source) {
	p := &iniReader{r: &l.report, a: l.ansible, file: s.name, kind: kindHosts}
	p.group = p.a.groups[groupUngrouped]
	for line := range bytes.Lines(s.text) {
		p.line++
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		p.parseLine(text)
	}
	p.settle()
}

func (p *iniReader) at() Place { return Place{File: p.file, Line: p.line} }

func (p *iniReader) parseLine(text string) {
	if m := sectionLine.FindStringSubmatch(text); m != nil {
		p.section(m[1], m[2])
		return
	}
	if text[0] == '[' && text[len(text)-1] == ']' && !isBracketedIP(text) {
		p.r.problem(p.at(), "%s is no section: a section is [GROUP], [GROUP:children] or [GROUP:vars], without spaces", cut(text))
		return
	}
	switch p.kind {
	case kindHosts:
		p.host(text)
	case kindChildren:
		p.child(text)
	case kindVars:
		p.setting(text)
	}
}

func isBracketedIP(text string) bool {
	_, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return err == nil
}

// section begins a section. One of hosts or of children declares the group.
func (p *iniReader) section(name, kind string) {
	p.name, p.kind, p.group = name, kind, nil
	switch kind {
	case "":
		p.kind = kindHosts
	case kindHosts, kindChildren, kindVars:
	default:
		p.kind = "" // its lines are skipped
		p.r.problem(p.at(), "[%s:%s]: %v", name, kind, unknown("kind of section", kind, []string{kindChildren, kindVars}))
		return
	}
	if _, known := p.a.groups[name]; p.kind == kindVars && !known {
		p.waiting = append(p.waiting, awaited{place: p.at(), name: name})
		return
	}
	p.group = p.a.group(p.r, p.at(), name)
}

// host reads NAME key=value ... The words are not repeated in errors: one may
// be a password.
func (p *iniReader) host(text string) {
	words, err := splitWords(text)
	if err != nil {
		p.r.problem(p.at(), "%v", err)
		return
	}
	if len(words) == 0 || p.group == nil {
		return
	}
	if words[0] == "---" {
		p.r.problem(p.at(), "--- begins a YAML file; give the file a name that ends in .yaml")
		return
	}
	var vars []variable
	for i, w := range words[1:] {
		name, text, ok := strings.Cut(w, "=")
		if !ok {
			p.r.problem(p.at(), "word %d of the host %s is no key=value; quote a value that has spaces in it", i+2, cut(words[0]))
			return
		}
		if v, ok := p.r.variable(p.at(), name, literal(text)); ok {
			vars = put(vars, v)
		}
	}
	p.a.addPattern(p.r, p.at(), p.group, words[0], vars)
}

func (p *iniReader) child(text string) {
	m := groupLine.FindStringSubmatch(text)
	if m == nil {
		p.r.problem(p.at(), "a line of [%s:children] is the name of one group", p.name)
		return
	}
	if p.group == nil {
		return
	}
	if child, ok := p.a.groups[m[1]]; ok {
		p.a.addChild(p.r, p.at(), p.group, child)
		return
	}
	p.waiting = append(p.waiting, awaited{place: p.at(), name: m[1], parent: p.group})
}

func (p *iniReader) setting(text string) {
	name, rest, ok := strings.Cut(text, "=")
	if !ok {
		p.r.problem(p.at(), "a line of [%s:vars] is key=value", p.name)
		return
	}
	v, ok := p.r.variable(p.at(), strings.TrimSpace(name), literal(strings.TrimSpace(rest)))
	if !ok {
		return
	}
	if p.group != nil {
		p.group.vars = put(p.group.vars, v)
		return
	}
	last := len(p.waiting) - 1
	p.waiting[last].vars = append(p.waiting[last].vars, v)
}

// settle connects the groups that were declared after they were named.
func (p *iniReader) settle() {
	var names []string
	for _, g := range p.a.ordered {
		names = append(names, g.name)
	}
	for _, w := range p.waiting {
		g, ok := p.a.groups[w.name]
		switch {
		case !ok:
			hint := ""
			if near := remediate.Nearest(w.name, names); near != "" {
				hint = "; did you mean " + near + "?"
			}
			p.r.problem(w.place, "there is no group %s%s", cut(w.name), hint)
		case w.parent != nil:
			p.a.addChild(p.r, w.place, w.parent, g)
		default:
			for _, v := range w.vars {
				// A later section of variables may have set it already.
				if !slices.ContainsFunc(g.vars, func(old variable) bool { return old.id == v.id && old.place.Line > v.place.Line }) {
					g.vars = put(g.vars, v)
				}
			}
		}
	}
}
