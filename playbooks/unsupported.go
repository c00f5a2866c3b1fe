package playbooks

import "strings"

// UnsupportedError says that nothing of what was found on a host can be
// removed there, and what a person must do. A plan leaves such a host out.
type UnsupportedError struct {
	// Left are the findings and the reason for each, in the order of removal.
	Left []Left
}

// Left is a finding that a script leaves alone.
type Left struct {
	Playbook string
	Reason   string // one line
	// Manual is what the playbook says that a person must do; one line, may be empty.
	Manual string
}

func (e *UnsupportedError) Error() string {
	parts := make([]string, len(e.Left))
	for i, l := range e.Left {
		parts[i] = l.String()
	}
	return strings.Join(parts, "; ")
}

// String is one line: the playbook, the reason and what to do.
func (l Left) String() string {
	s := l.Playbook + ": " + l.Reason
	if l.Manual != "" {
		s += "; " + l.Manual
	}
	return s
}
