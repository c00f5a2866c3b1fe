package playbooks

import (
	"errors"
	"strings"
)

// ErrNUL: a value with a NUL byte cannot be given to a shell.
var ErrNUL = errors.New("a NUL byte cannot be quoted for a shell")

// QuoteSh makes one word of sh out of any bytes: POSIX sh, dash, bash and
// busybox ash read back exactly s. Words of harmless characters stay as they
// are, so that scripts are easy to read. It returns ErrNUL for a value that
// no shell can hold.
func QuoteSh(s string) (string, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return "", ErrNUL
	}
	if s != "" && strings.IndexFunc(s, needsQuote) < 0 && !strings.HasPrefix(s, "-") {
		return s, nil
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// needsQuote is true for all but the characters that mean nothing to a shell
// anywhere in a word. '=' and '~' are left out: they can.
func needsQuote(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._-+@%:,", r)
}
