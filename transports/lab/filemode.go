package lab

import (
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"
)

func chmod(c *call) int {
	args := c.args[1:]
	for len(args) > 0 && (args[0] == "-f" || args[0] == "--") {
		args = args[1:]
	}
	recursive := len(args) > 0 && args[0] == "-R"
	if recursive {
		args = args[1:]
	}
	if len(args) < 2 {
		return c.failf("missing operand")
	}
	set, ok := parseMode(args[0])
	if !ok {
		return c.failf("invalid mode: '%s'", args[0])
	}
	code := 0
	for _, name := range args[1:] {
		c.chmodTree(c.path(name), set, recursive, func(err error) {
			what := "cannot access"
			if errors.Is(err, syscall.EPERM) {
				what = "changing permissions of"
			}
			code = c.failf("%s '%s': %s", what, name, strerror(err))
		})
	}
	return code
}

func (c *call) chmodTree(name string, set setMode, recursive bool, fail func(error)) {
	v := c.view()
	if err := v.chmod(name, set); err != nil {
		fail(err)
		return
	}
	kids, err := v.readDir(name)
	if !recursive || err != nil {
		return
	}
	for _, k := range kids {
		if !k.isLink() {
			c.chmodTree(path.Join(name, k.name), set, true, fail)
		}
	}
}

// setMode is what a mode makes of the mode that a file has.
type setMode func(old fs.FileMode) fs.FileMode

// parseMode reads an octal mode, or symbolic clauses such as u+x,go-w.
func parseMode(s string) (setMode, bool) {
	if n, err := strconv.ParseUint(s, 8, 32); err == nil && n <= 0o7777 {
		mode := fs.FileMode(n & 0o777)
		for _, b := range specialBits {
			if uint32(n)&b.octal != 0 {
				mode |= b.mode
			}
		}
		return func(fs.FileMode) fs.FileMode { return mode }, true
	}
	var clauses []setMode
	for clause := range strings.SplitSeq(s, ",") {
		set, ok := parseClause(clause)
		if !ok {
			return nil, false
		}
		clauses = append(clauses, set)
	}
	return func(mode fs.FileMode) fs.FileMode {
		for _, set := range clauses {
			mode = set(mode)
		}
		return mode
	}, true
}

// parseClause reads one symbolic clause.
func parseClause(s string) (setMode, bool) {
	at := strings.IndexAny(s, "+-=")
	if at < 0 {
		return nil, false
	}
	who, ok := modeLetters(s[:at], map[rune]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777})
	if who == 0 {
		who = 0o777
	}
	bits, known := modeLetters(s[at+1:], map[rune]fs.FileMode{'r': 0o444, 'w': 0o222, 'x': 0o111})
	bits &= who
	return func(old fs.FileMode) fs.FileMode {
		switch s[at] {
		case '+':
			return old | bits
		case '-':
			return old &^ bits
		}
		return old&^who | bits
	}, ok && known
}

func modeLetters(s string, letters map[rune]fs.FileMode) (bits fs.FileMode, ok bool) {
	for _, l := range s {
		m, known := letters[l]
		if !known {
			return 0, false
		}
		bits |= m
	}
	return bits, true
}

// specialBits are the bits of a mode beside permissions.
var specialBits = []struct {
	octal uint32
	mode  fs.FileMode
}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}}

func octalMode(m fs.FileMode) uint32 {
	n := uint32(m.Perm())
	for _, b := range specialBits {
		if m&b.mode != 0 {
			n |= b.octal
		}
	}
	return n
}

// modeString is a mode as ls shows it, such as drwxr-xr-x.
func modeString(m fs.FileMode) string {
	out := []byte("-rwxrwxrwx")
	switch {
	case m.IsDir():
		out[0] = 'd'
	case m&fs.ModeSymlink != 0:
		out[0] = 'l'
	case m&fs.ModeCharDevice != 0:
		out[0] = 'c'
	}
	for i := range 9 {
		if m&(1<<(8-i)) == 0 {
			out[i+1] = '-'
		}
	}
	if m&fs.ModeSticky != 0 {
		out[9] = map[byte]byte{'x': 't', '-': 'T'}[out[9]]
	}
	if m&fs.ModeSetuid != 0 {
		out[3] = map[byte]byte{'x': 's', '-': 'S'}[out[3]]
	}
	if m&fs.ModeSetgid != 0 {
		out[6] = map[byte]byte{'x': 's', '-': 'S'}[out[6]]
	}
	return string(out)
}
