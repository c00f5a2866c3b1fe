package cmdexe

import (
	"fmt"
	"strings"
)

// simple runs a command without redirections.
func (s *session) simple(t string) int {
	t = strings.TrimLeft(t, delims+"@")
	if t == "" {
		return 0
	}
	if len(t) > maxLine {
		return s.fail(1, "The command line is too long.")
	}
	if len(t) == 2 && t[1] == ':' {
		return s.cd("/d " + t + `\`)
	}
	if t[0] != '"' {
		end := strings.IndexAny(t, delims+`./\+[]:("`)
		if end < 0 {
			end = len(t)
		}
		name := strings.ToLower(t[:end])
		if f, ok := builtins()[name]; ok && (end == len(t) || t[end] != '.' || name == "echo" || strings.HasPrefix(t[end:], `.`) && (name == "cd" || name == "dir")) {
			return f(s, t[end:])
		}
	}
	word, rest := cutWord(t)
	return s.external(unquote(word), rest)
}

// cutWord cuts off the first word, quotes and all.
func cutWord(t string) (word, rest string) {
	quoted := false
	for i := range len(t) {
		switch {
		case t[i] == '"':
			quoted = !quoted
		case !quoted && (strings.IndexByte(delims, t[i]) >= 0 || t[i] == '/' && i > 0):
			return t[:i], t[i:]
		}
	}
	return t, ""
}

// external runs a batch file or a program.
func (s *session) external(name, rest string) int {
	low := strings.ToLower(name)
	if base := low[strings.LastIndexByte(low, '\\')+1:]; base == "cmd" || base == "cmd.exe" {
		return s.cmd(rest)
	}
	if path := s.findBatch(name); path != "" {
		code := s.batch(path, name, rest)
		if s.frame != nil && s.stop == goOn {
			s.stop = endFrame // without CALL the caller does not go on
		}
		return code
	}
	look := name
	if strings.Contains(name, `\`) {
		look = s.abs(name)
	}
	var p Program
	if s.c.Lookup != nil {
		p = s.c.Lookup(look)
	}
	if p == nil {
		return s.fail(9009, "'"+name+"' is not recognized as an internal or external command,\r\noperable program or batch file.")
	}
	get := func(n string) string { v, _ := s.get(n); return v }
	s.level = p(s.ctx, &Call{Name: name, Line: rest, Args: arguments(rest), Dir: s.dir, Getenv: get, Environ: s.environ, Stdin: s.in, Stdout: s.out, Stderr: s.err})
	return s.level
}

// cmd starts another cmd.exe.
func (s *session) cmd(rest string) int {
	if s.nesting >= maxNesting {
		return s.fail(1, "Not enough memory resources are available to process this command.")
	}
	c := s.child()
	c.frame, c.vars, c.echo, c.delayed, c.level = nil, nil, true, false, 0
	s.level = c.start(rest)
	return s.level
}

// findBatch is the path of a batch file, or "".
func (s *session) findBatch(name string) string {
	dirs := []string{s.dir}
	if strings.ContainsAny(name, `\/:`) {
		dirs = []string{""}
	} else if v, ok := s.get("PATH"); ok {
		dirs = append(dirs, strings.Split(v, ";")...)
	}
	for _, d := range dirs {
		if d != "" {
			d = strings.TrimSuffix(d, `\`) + `\`
		}
		for _, ext := range []string{"", ".bat", ".cmd"} {
			if ext == "" && !isBatch(name) {
				continue
			}
			p := s.abs(d + name + ext)
			if !isBatch(p) {
				continue
			}
			if i, err := s.c.Files.Stat(p); err == nil && !i.Dir {
				return p
			}
		}
	}
	return ""
}

// isBatch reports whether a name is that of a batch file, as far as it goes.
func isBatch(name string) bool {
	name = strings.TrimRight(strings.ReplaceAll(name, `"`, ""), ` \/`)
	if len(name) < len(".cmd") {
		return false
	}
	ext := name[len(name)-len(".cmd"):]
	return strings.EqualFold(ext, ".bat") || strings.EqualFold(ext, ".cmd")
}

// arguments cuts a line as Microsoft's C runtime does:
// https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
func arguments(t string) []string {
	var out []string
	for {
		t = strings.TrimLeft(t, " \t")
		if t == "" {
			return out
		}
		var b strings.Builder
		quoted := false
		for t != "" && (quoted || t[0] != ' ' && t[0] != '\t') {
			n := len(t) - len(strings.TrimLeft(t, `\`))
			if n < len(t) && t[n] == '"' {
				b.WriteString(strings.Repeat(`\`, n/2))
				t = t[n:]
				switch {
				case n%2 == 1:
					b.WriteByte('"')
				case quoted && strings.HasPrefix(t, `""`):
					b.WriteByte('"')
					t = t[1:]
				default:
					quoted = !quoted
				}
				t = t[1:]
				continue
			}
			if n == 0 {
				n = 1
			}
			b.WriteString(t[:n])
			t = t[n:]
		}
		out = append(out, b.String())
	}
}

func (s *session) call(t string) int {
	t = strings.TrimLeft(s.percent(t), delims)
	if !strings.HasPrefix(t, ":") {
		word, rest := cutWord(t)
		if path := s.findBatch(unquote(word)); path != "" {
			return s.batch(path, unquote(word), rest)
		}
		return s.simple(t)
	}
	if s.frame == nil {
		return s.fail(1, "Invalid attempt to call batch label outside of batch script.")
	}
	word, rest := cutWord(t)
	f := &frame{lines: s.frame.lines, at: s.frame.at, path: s.frame.path, args: append([]string{word}, split(rest)...), rest: strings.TrimLeft(rest, " \t")}
	if len(word) < 2 || !f.label(word[1:]) {
		return s.fail(1, "The system cannot find the batch label specified - "+word[1:])
	}
	return s.script(f)
}

func (s *session) jump(t string) int {
	if s.frame == nil {
		return s.level
	}
	t = strings.TrimLeft(t, " \t")
	name := strings.TrimPrefix(t, ":")
	if i := strings.IndexAny(name, delims); i >= 0 {
		name = name[:i]
	}
	if strings.EqualFold(name, "eof") && t[0] == ':' {
		s.stop = endFrame
		return s.level
	}
	if !s.frame.label(name) {
		s.stop = endFrame
		return s.fail(1, "The system cannot find the batch label specified - "+name)
	}
	s.stop = jump
	return s.level
}

func (s *session) exit(t string) int {
	t = strings.TrimSpace(t)
	s.stop = endSession
	if len(t) >= 2 && strings.EqualFold(t[:2], "/b") {
		t = strings.TrimSpace(t[2:])
		if s.frame != nil {
			s.stop = endFrame
		}
	}
	var n int32
	if _, err := fmt.Sscan(t, &n); err == nil {
		s.level = int(n)
	}
	return s.level
}
