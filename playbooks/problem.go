package playbooks

import (
	"cmp"
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
	// Excerpt is the line of the file that the problem stands in.
	Excerpt string `json:"excerpt,omitempty"`
}

// String is file:line:col: message [rule].
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s [%s]", p.File, p.Message, p.Rule)
	}
	return fmt.Sprintf("%s:%d:%d: %s [%s]", p.File, p.Line, p.Column, p.Message, p.Rule)
}

// problem is an error at a place of the playbook; see positions.at.
func (p *Playbook) problem(rule, msg string, at ...any) Problem {
	line, col := p.pos.at(at...)
	return Problem{File: p.file, Line: line, Column: col, Severity: SeverityError, Rule: rule, Message: msg,
		Excerpt: excerpt(p.text, line, col)}
}

// InvalidError is why a playbook does not load: all its problems of severity
// error, in the order of the file.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(append(lines, p.String()), p.Shown()...)
	}
	return strings.Join(lines, "\n")
}

// Shown are the lines that show the place: the line of the file and a mark
// under the column; none where the problem is the whole file's.
func (p Problem) Shown() []string {
	if p.Excerpt == "" || p.Column < 1 {
		return nil
	}
	return []string{fmt.Sprintf("%5d | %s", p.Line, p.Excerpt), "      | " + strings.Repeat(" ", p.Column-1) + "^"}
}

// excerpt is a line of the text, without what would break the message.
func excerpt(text []byte, line, column int) string {
	const most = 160
	lines := strings.Split(string(text), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	l := []rune(strings.TrimRight(lines[line-1], "\r"))
	if column < 1 || column > min(len(l), most) {
		return ""
	}
	return string(l[:min(len(l), most)])
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
