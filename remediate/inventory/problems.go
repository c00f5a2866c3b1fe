package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of what is told at once. Past them a number is told.
const (
	maxProblems = 50
	maxWarnings = 50
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
	return fmt.Sprintf("%s:%d", p.File, p.Line)
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
	more     int // notes beyond the bound
}

// note is a warning that may hold for many places.
type note struct {
	first Place
	times int
	text  string
}

func (r *report) problem(p Place, format string, args ...any) {
	if len(r.problems.Problems) == maxProblems {
		r.problems.More++
		return
	}
	r.problems.Problems = append(r.problems.Problems, Problem{Place: p, Msg: fmt.Sprintf(format, args...)})
}

// warn records a warning; equal texts are told once, with the first place and
// their number.
func (r *report) warn(p Place, text string) {
	i := slices.IndexFunc(r.notes, func(n *note) bool { return n.text == text })
	switch {
	case i >= 0:
		r.notes[i].times++
	case len(r.notes) == maxWarnings:
		r.more++
	default:
		r.notes = append(r.notes, &note{first: p, times: 1, text: text})
	}
}

func (r *report) warnings() []string {
	var out []string
	for _, n := range r.notes {
		text := n.first.String() + ": " + n.text
		if n.times > 1 {
			text += fmt.Sprintf(" (and at %d more places)", n.times-1)
		}
		out = append(out, text)
	}
	if r.more > 0 {
		out = append(out, fmt.Sprintf("and %d more warnings", r.more))
	}
	return out
}

// err is nil where there is no problem.
func (r *report) err() error {
	if len(r.problems.Problems) == 0 {
		return nil
	}
	e := r.problems
	return &e
}
