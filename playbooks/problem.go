package playbooks

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Severity tells what a problem does to a playbook.
type Severity string

// Severities.
const (
	SeverityError   Severity = "error"   // the playbook does not load
	SeverityWarning Severity = "warning" // it loads; somebody should look
)

// Problem is one thing that is wrong with a playbook.
type Problem struct {
	File     string   `json:"file"`
	Line     int      `json:"line"` // from 1; 0 when the problem is the whole file's
	Column   int      `json:"column"`
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Message  string   `json:"message"`
}

// String is file:line:col: message [rule].
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s [%s]", p.File, p.Message, p.Rule)
	}
	return fmt.Sprintf("%s:%d:%d: %s [%s]", p.File, p.Line, p.Column, p.Message, p.Rule)
}

// InvalidError is why a playbook does not load: all its problems of severity
// error, in the order of the file.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func invalid(problems []Problem) error {
	errs := slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Severity != SeverityError })
	if len(errs) == 0 {
		return nil
	}
	return &InvalidError{Problems: errs}
}

func sortProblems(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Lint returns all problems of a playbook's text, warnings included, in the
// order of the file. It never returns an error: text that is no playbook at
// all is a problem of the rule "syntax".
func Lint(file string, data []byte) []Problem {
	p, err := decode(file, data)
	if err != nil {
		if bad, ok := errors.AsType[*InvalidError](err); ok {
			return bad.Problems
		}
		return []Problem{{File: file, Severity: SeverityError, Rule: ruleSyntax, Message: err.Error()}}
	}
	return append([]Problem(nil), check(p)...)
}
