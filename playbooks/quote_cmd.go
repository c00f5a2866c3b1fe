package playbooks

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxCmdLine is the longest line that cmd.exe reads, in UTF-16 units
// (Microsoft, "Command prompt line string limitation", KB830473).
const maxCmdLine = 8191

// ErrCmdValue: a value that a line of a batch file cannot hold.
var ErrCmdValue = errors.New("cmd cannot hold this value")

// SetCmd makes the line of a batch file that sets a variable to exactly the
// value, whatever stands in it, while delayed expansion is off. The value is
// to be used as !NAME! with delayed expansion on: what comes from there is not
// read for signs again.
//
// It returns ErrCmdValue for what no line can hold: control characters but
// tab, bytes that are not UTF-8, and lines of more than 8,191 characters.
//
// cmd.exe reads a line twice: first for percent signs, also within quotes;
// then for quotes and, outside of them, for the signs ^ & | < > ( ). The
// whole assignment stands in quotes, which SET takes away, the first and the
// last of the line; a quote within the value ends and begins the part in which
// signs mean nothing.
func SetCmd(name, value string) (string, error) {
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("%w: it is not UTF-8", ErrCmdValue)
	}
	var b strings.Builder
	b.WriteString(`set "` + name + `=`)
	quoted := true
	for _, r := range value {
		switch {
		case r < ' ' && r != '\t':
			return "", fmt.Errorf("%w: control character %U", ErrCmdValue, r)
		case r == '%':
			b.WriteString("%%")
			continue
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune("^&|<>()", r):
			b.WriteByte('^')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	line := b.String()
	if n := utf16Len(line); n > maxCmdLine {
		return "", fmt.Errorf("%w: its line has %d characters, at most %d are read", ErrCmdValue, n, maxCmdLine)
	}
	return line, nil
}

// utf16Len is the length of a text in UTF-16 units, in which Windows counts.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}
