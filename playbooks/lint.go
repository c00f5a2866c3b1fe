package playbooks

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"oust/remediate/strictyaml"
)

// Lint returns all problems of a playbook's text, warnings included, in the
// order of the file. It never returns an error: text that is no playbook at
// all is a problem of the rule "syntax".
func Lint(file string, data []byte) []Problem {
	_, problems := lint(file, data)
	return problems
}

// lint returns the playbook too, if the text is one at all.
func lint(file string, data []byte) (*Playbook, []Problem) {
	p, err := decode(file, data)
	if err != nil {
		if bad, ok := errors.AsType[*InvalidError](err); ok {
			return nil, bad.Problems
		}
		p := Problem{File: file, Severity: SeverityError, Rule: ruleSyntax, Message: err.Error()}
		if bad, ok := errors.AsType[*strictyaml.Error](err); ok {
			p.Line, p.Column, p.Message = bad.Line, bad.Column, bad.Msg
			p.Excerpt = excerpt(canonical(data), p.Line, p.Column)
		}
		return nil, []Problem{p}
	}
	return p, check(p)
}

// File is the text of a playbook that is to be checked with others.
type File struct {
	Name string
	Data []byte
}

// LintFiles checks playbooks as one campaign would load them: each as Lint
// does, and then whether their names are distinct and what After says can be
// done. The playbooks of l may be named in After. A file counts once; the
// problems are in the order of the files' names and of their lines.
func (l *Library) LintFiles(files []File) []Problem {
	var out []Problem
	var list []*Playbook
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	files = slices.CompactFunc(files, func(a, b File) bool { return a.Name == b.Name })
	for _, f := range files {
		p, problems := lint(f.Name, f.Data)
		out = append(out, problems...)
		if p != nil && namePattern.MatchString(p.Name) {
			list = append(list, p)
		}
	}
	first := map[string]*Playbook{}
	names := l.Names()
	for _, p := range list {
		if twin := first[p.Name]; twin != nil {
			out = append(out, p.problem(ruleName, fmt.Sprintf("the name %s is also in %s", p.Name, twin.file), "name"))
			continue
		}
		first[p.Name] = p
		names = append(names, p.Name)
		if shipped, ok := l.Get(p.Name); ok && shipped.digest != p.digest {
			w := p.problem(warnShips, fmt.Sprintf("a playbook %s ships with oust; a campaign takes one of the two", p.Name), "name")
			w.Severity = SeverityWarning
			out = append(out, w)
		}
	}
	list = slices.DeleteFunc(list, func(p *Playbook) bool { return first[p.Name] != p })
	for _, p := range list {
		out = append(out, p.unknownAfter(names)...)
	}
	_, err := newLibrary(list, names)
	if bad, ok := errors.AsType[*InvalidError](err); ok {
		out = append(out, bad.Problems...)
	}
	sortProblems(out)
	return out
}
