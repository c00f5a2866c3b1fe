package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// checkAfter reports every After that names no playbook.
func (l *Library) checkAfter() error {
	var problems []Problem
	names := append(l.Names(), l.known...)
	for _, p := range l.list {
		problems = append(problems, p.unknownAfter(names)...)
	}
	return invalid(problems)
}

func (p *Playbook) unknownAfter(names []string) []Problem {
	var out []Problem
	for i, a := range p.After {
		if slices.Contains(names, a) {
			continue
		}
		msg := fmt.Sprintf("after names %q, which is no playbook", a)
		if near := remediate.Nearest(a, names); near != "" {
			msg += "; did you mean " + near + "?"
		}
		out = append(out, p.problem(ruleAfter, msg, "after", i))
	}
	return out
}

// checkCycles reports playbooks that wait for each other.
func (l *Library) checkCycles() error {
	const visiting, visited = 1, 2
	state := map[string]int{}
	var trail []string
	var visit func(p *Playbook) error
	visit = func(p *Playbook) error {
		state[p.Name] = visiting
		trail = append(trail, p.Name)
		for i, a := range p.After {
			next, ok := l.Get(a)
			if !ok || state[a] == visited {
				continue
			}
			if state[a] == visiting {
				cycle := append(trail[slices.Index(trail, a):], a)
				return &InvalidError{Problems: []Problem{p.problem(ruleAfter,
					"after goes in a circle: "+strings.Join(cycle, " after "), "after", i)}}
			}
			if err := visit(next); err != nil {
				return err
			}
		}
		trail = trail[:len(trail)-1]
		state[p.Name] = visited
		return nil
	}
	for _, p := range l.list {
		if state[p.Name] == 0 {
			if err := visit(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// ordered puts playbooks into the order of removal: each after those that it
// names in After, directly or through others of the library, else by name.
func (l *Library) ordered(set []*Playbook) []*Playbook {
	want := map[string]bool{}
	for _, p := range set {
		want[p.Name] = true
	}
	var out []*Playbook
	seen := map[string]bool{}
	var visit func(p *Playbook)
	visit = func(p *Playbook) {
		if seen[p.Name] {
			return
		}
		seen[p.Name] = true
		for _, a := range slices.Sorted(slices.Values(p.After)) {
			if next, ok := l.Get(a); ok {
				visit(next)
			}
		}
		if want[p.Name] {
			out = append(out, p)
		}
	}
	for _, p := range l.list {
		if want[p.Name] {
			visit(p)
		}
	}
	return out
}
