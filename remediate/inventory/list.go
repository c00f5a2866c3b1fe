package inventory

import (
	"bytes"
	"strings"
	"unicode"
)

// parseList reads one host a line: [user@]host[:port], with # comments.
func (l *loader) parseList(s source) {
	n := 0
	for line := range bytes.Lines(s.text) {
		n++
		if at := bytes.IndexByte(line, '#'); at >= 0 {
			line = line[:at]
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		l.addLine(Place{File: s.name, Line: n}, string(line))
	}
}

// addLine adds [user@]host[:port]. A user may have an @ in it too. What stands
// behind the host is not repeated: it may be a password.
func (l *loader) addLine(at Place, text string) {
	if strings.ContainsFunc(text, unicode.IsSpace) {
		l.problem(at, "more than one word; a plain list has one [user@]host[:port] on a line")
		return
	}
	e := entry{place: at}
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		e.text[colUser], text = text[:i], text[i+1:]
		if i == 0 {
			l.problem(at, "no user stands before the @")
			return
		}
	}
	e.text[colName], e.text[colPort] = splitPort(text)
	l.add(&e)
}
