package campaign

import (
	"fmt"
	"strconv"
	"time"

	"oust/remediate/strictyaml"
)

// word is a scalar that is judged by check, so that all problems of a file are
// told at once, and the line that it stands on.
type word struct {
	text string
	line int // 0 if it was left out
}

// UnmarshalYAML takes any scalar.
func (w *word) UnmarshalYAML(n strictyaml.Node) error {
	return scalar(n, func(s string) error {
		*w = word{s, lineOf(n)}
		return nil
	})
}

// listed is one word or a list of words, and the line where it begins.
type listed struct {
	words
	line int // 0 if it was left out
}

// UnmarshalYAML takes a string or a list.
func (l *listed) UnmarshalYAML(n strictyaml.Node) error {
	l.line = lineOf(n)
	return l.words.UnmarshalYAML(n)
}

func lineOf(n strictyaml.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// spot is where problems are told: a key by its path, and for an entry of a
// list, whose keys have no path, also its line and its name.
type spot struct {
	key  string
	line int
	name string
}

func (s spot) below(name string) spot {
	if s.name != "" {
		return spot{s.key, s.line, s.name + " " + name + ": "}
	}
	return spot{key: s.key + "." + name}
}

// add tells a problem of a spot, at the word's own line if it has one.
func (s spot) add(p *problems, line int, format string, args ...any) {
	if line == 0 || s.name == "" {
		line = s.line
	}
	p.list = append(p.list, problem{s.key, line, s.name + fmt.Sprintf(format, args...)})
}

// duration reads a time that must lie in bounds; zero if it was left out or is
// wrong.
func (p *problems) duration(at spot, w word, from, to time.Duration) time.Duration {
	if w.line == 0 {
		return 0
	}
	d, err := parseDuration(w.text)
	switch {
	case err != nil:
		at.add(p, w.line, "%v", err)
	case d < from || d > to:
		at.add(p, w.line, "%q is not a time from %s to %s", w.text, days(from), days(to))
	default:
		return d
	}
	return 0
}

// days writes a duration as the file does.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return d.String()
}

// nameKnown reads one of several names; "" if it was left out or is wrong.
func (p *problems) nameKnown(at spot, w word, known ...string) string {
	if w.line == 0 {
		return ""
	}
	for _, k := range known {
		if w.text == k {
			return k
		}
	}
	at.add(p, w.line, "%s", unknown(w.text, known))
	return ""
}
