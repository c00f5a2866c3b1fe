package inventory

import (
	"errors"
	"regexp"
	"strings"
)

// splitWords takes a line apart as Python's shlex does in POSIX mode with
// comments: quotes, backslashes, and # anywhere outside of quotes.
func splitWords(line string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
	)
	end := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\r', '\n':
			end()
		case '#':
			end()
			return words, nil
		case '\\':
			if i++; i == len(line) {
				return nil, errors.New("a backslash at the end of the line")
			}
			inWord = true
			word.WriteByte(line[i])
		case '\'', '"':
			n, err := quoted(line[i:], &word)
			if err != nil {
				return nil, err
			}
			inWord = true
			i += n - 1
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	end()
	return words, nil
}

// quoted writes what is in the quotes that a text begins with, and returns
// the length with the quotes.
func quoted(s string, out *strings.Builder) (int, error) {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1, nil
		case s[i] == '\\' && quote == '"' && i+1 < len(s) && (s[i+1] == quote || s[i+1] == '\\'):
			i++
		}
		out.WriteByte(s[i])
	}
	return 0, errors.New("a quote that is not closed")
}

var (
	numberLiteral = regexp.MustCompile(`^([+-]?(?:0|[1-9][0-9]*))\s*(?:#.*)?$`)
	stringLiteral = regexp.MustCompile(`^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?$`)
	noneLiteral   = regexp.MustCompile(`^None\s*(?:#.*)?$`)
	escape        = regexp.MustCompile(`\\(.)`)
)

// literal reads a value as Ansible does in INI: as a literal of Python where
// it is one, else as the text that it is.
func literal(s string) value {
	if m := numberLiteral.FindStringSubmatch(s); m != nil {
		return value{text: m[1]}
	}
	if noneLiteral.MatchString(s) {
		return value{kind: valueNone}
	}
	if m := stringLiteral.FindStringSubmatch(s); m != nil {
		text := m[1] + m[2]
		return textValue(escape.ReplaceAllStringFunc(text, func(e string) string {
			switch e[1] {
			case 'n':
				return "\n"
			case 't':
				return "\t"
			case '\\', '\'', '"':
				return e[1:]
			}
			return e
		}))
	}
	return textValue(s)
}
