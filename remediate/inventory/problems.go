package inventory

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of what is told at once. Past them a number is told.
const (
	maxProblems = 50
	maxWarnings = 50
	maxExamples = 3
)

// Place is where something stands in a file.
type Place struct {
	File string
	// Line counts from 1; 0 means the whole file.
	Line int
}

// String is file:line, or the file.
func (p Place) String() string {
	if p.Line <= 0 {
		return p.File
	}
	var room [128]byte // of most: there is a place for each of 100,000 hosts
	return string(strconv.AppendInt(append(append(room[:0], p.File...), ':'), int64(p.Line), 10))
}

// Problem is one thing that is wrong with an inventory.
type Problem struct {
	Place
	Msg string
}

// Error holds all that is wrong with an inventory's files, in the order of
// reading, so that one look is enough to put them right.
type Error struct {
	// Problems are the first 50.
	Problems []Problem
	// More is how many there are beyond those.
	More int
}

// Error is one line "file:line: message" for each problem.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	for _, p := range e.Problems {
		lines = append(lines, p.Place.String()+": "+p.Msg)
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// report gathers problems and warnings while files are read.
type report struct {
	problems Error
	notes    []*note
	byText   map[string]*note
	more     int // notes beyond the bound
}

// note is a warning that may hold for many places.
type note struct {
	first Place
	text  string
	times int
	// hosts are the first few that it is about.
	hosts []string
}

func (r *report) problem(p Place, format string, args ...any) {
	if len(r.problems.Problems) == maxProblems {
		r.problems.More++
		return
	}
	r.problems.Problems = append(r.problems.Problems, Problem{Place: p, Msg: fmt.Sprintf(format, args...)})
}

// faults is how many problems there are so far.
func (r *report) faults() int { return len(r.problems.Problems) + r.problems.More }

// warn records a warning about a host, or about none. Equal texts are told
// once, with the first place and the first few hosts.
func (r *report) warn(p Place, host, text string) {
	n := r.byText[text]
	if n == nil {
		if len(r.notes) == maxWarnings {
			r.more++
			return
		}
		n = &note{first: p, text: text}
		if r.byText == nil {
			r.byText = map[string]*note{}
		}
		r.byText[text] = n
		r.notes = append(r.notes, n)
	}
	n.times++
	if host != "" && len(n.hosts) < maxExamples {
		n.hosts = append(n.hosts, host)
	}
}

func (r *report) warnings() []string {
	var out []string
	for _, n := range r.notes {
		out = append(out, n.String())
	}
	if r.more > 0 {
		out = append(out, fmt.Sprintf("and %d more warnings", r.more))
	}
	return out
}

// String is "file:line: text", and for whom or how often it holds.
func (n *note) String() string {
	s := n.first.String() + ": " + n.text
	switch rest := n.times - len(n.hosts); {
	case len(n.hosts) > 0 && rest > 0:
		s += fmt.Sprintf(" (%s and %d more)", strings.Join(n.hosts, ", "), rest)
	case len(n.hosts) > 0:
		s += " (" + strings.Join(n.hosts, ", ") + ")"
	case n.times > 1:
		s += fmt.Sprintf(" (%d times)", n.times)
	}
	return s
}

// err is nil where there is no problem.
func (r *report) err() error {
	if r.faults() == 0 {
		return nil
	}
	e := r.problems
	return &e
}
