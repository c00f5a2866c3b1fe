package inventory

import (
	"bytes"
	"strings"
)

// parseList reads one host a line: [user@]host[:port], with # comments.
func (l *loader) parseList(s source) {
	n := 0
	for line := range bytes.Lines(s.text) {
		n++
		text, _, _ := strings.Cut(string(line), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		e := entry{place: Place{File: s.name, Line: n}}
		if user, rest, ok := strings.Cut(text, "@"); ok {
			e.text[colUser], text = user, rest
		}
		e.text[colName], e.text[colPort] = splitPort(text)
		l.add(&e)
	}
}

// splitPort takes host:port and [host]:port apart; an IPv6 address without
// brackets has no port.
func splitPort(s string) (host, port string) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		if inner, after, ok := strings.Cut(rest, "]"); ok && (after == "" || after[0] == ':') {
			return inner, strings.TrimPrefix(after, ":")
		}
	}
	if strings.Count(s, ":") == 1 {
		host, port, _ = strings.Cut(s, ":")
		return host, port
	}
	return s, ""
}
