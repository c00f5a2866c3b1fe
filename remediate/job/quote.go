package job

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"oust/remediate"
)

// quote makes one word of sh out of text without NUL bytes.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" }

// printfFormat makes a format, to stand between single quotes, with which
// printf(1) prints exactly data. What a shell or its reader might alter
// (control characters, carriage returns, bytes that are not UTF-8) becomes an
// octal escape.
func printfFormat(data []byte) string {
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch c := data[i]; {
		case c == '%':
			b.WriteString("%%")
		case c == '\n', c == '\t', c >= ' ' && c < 0x7f && c != '\'' && c != '\\' && (c != '-' || i > 0):
			b.WriteByte(c)
		case c >= utf8.RuneSelf && r != utf8.RuneError && n > 1:
			b.Write(data[i : i+n])
		default:
			for _, c := range data[i : i+n] {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		}
		i += n
	}
	return b.String()
}

// validNonce: remediate checks it when it reads; a bad one must not get into
// a script either.
func validNonce(n remediate.Nonce) bool {
	return len(n) == 32 && strings.Trim(string(n), "0123456789abcdef") == ""
}
