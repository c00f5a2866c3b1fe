package cmdexe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Bounds of a session.
const (
	maxNesting = 100      // CALL and cmd within each other
	maxEnv     = 1 << 20  // bytes of all variables
	maxPiped   = 16 << 20 // bytes that a pipe holds
	maxBatch   = 4 << 20  // bytes of a batch file
)

type stop int

const (
	goOn stop = iota
	endFrame
	endSession
	jump // the frame's place has changed
)

type variable struct{ name, value string }

// session is one cmd.exe.
type session struct {
	c       Config
	ctx     context.Context
	in      io.Reader
	out     io.Writer
	err     io.Writer
	env     map[string]variable // by name in upper case
	envSize int
	dir     string
	level   int // ERRORLEVEL
	echo    bool
	delayed bool
	stop    stop
	frame   *frame // of the batch file; nil at the prompt
	vars    map[byte]string
	saved   []saved
	pushed  []string
	nesting int
	line    string
	page    int
}

// saved is what ENDLOCAL brings back.
type saved struct {
	env     map[string]variable
	size    int
	dir     string
	delayed bool
}

// frame is a batch file at work.
type frame struct {
	lines []string
	at    int
	path  string
	args  []string // with the name first
	rest  string   // what %* is
}

func (f *frame) arg(n int) string {
	if n < len(f.args) {
		return f.args[n]
	}
	return ""
}

// Run does what cmd.exe does with a command line, such as
// "/d /q /s /c echo x", and returns its exit code. Without /c it reads
// commands from the standard input. It ends soon after ctx does; a read of the
// standard input that waits is the caller's to end.
func Run(ctx context.Context, c Config, line string) (exit int) {
	s := newSession(ctx, c)
	return s.start(line)
}

func newSession(ctx context.Context, c Config) *session {
	s := &session{c: c, ctx: ctx, in: c.Stdin, out: c.Stdout, err: c.Stderr, env: map[string]variable{}, dir: clean(c.Dir), echo: true, page: c.CodePage}
	if s.in == nil {
		s.in = strings.NewReader("")
	}
	for _, e := range c.Env {
		if name, value, ok := strings.Cut(e, "="); ok && name != "" {
			s.set(name, value)
		}
	}
	return s
}

func (s *session) start(line string) int {
	s.line = "cmd " + line
	rest := strings.TrimLeft(line, " ")
	strip, quiet := false, false
	for strings.HasPrefix(rest, "/") && len(rest) > 1 {
		o := rest[1] | 0x20
		end := strings.IndexByte(rest, ' ')
		word := rest
		if end >= 0 {
			word = rest[:end]
		}
		switch o {
		case 'c', 'k', 'r':
			s.echo = s.echo && !quiet
			s.source(stripQuotes(strings.TrimLeft(rest[2:], " "), strip), nil)
			if o != 'k' {
				return s.level
			}
			s.prompt()
			return s.level
		case 's':
			strip = true
		case 'q':
			quiet = true
			s.echo = false
		case 'v':
			s.delayed = !strings.HasSuffix(strings.ToLower(word), ":off")
		}
		rest = strings.TrimLeft(rest[len(word):], " ")
	}
	fmt.Fprintf(s.out, "%s\r\n(c) Microsoft Corporation. All rights reserved.\r\n\r\n", s.c.Version)
	s.prompt()
	return s.level
}

// stripQuotes does what cmd /? says of the quotes of /c.
func stripQuotes(t string, always bool) string {
	if !strings.HasPrefix(t, `"`) {
		return t
	}
	last := strings.LastIndexByte(t, '"')
	if !always && strings.Count(t, `"`) == 2 && !strings.ContainsAny(t, "&<>()@^|") && strings.ContainsAny(t[1:last], " \t") {
		return t
	}
	if last == 0 {
		return t[1:]
	}
	return t[1:last] + t[last+1:]
}

// prompt runs the commands of the standard input.
func (s *session) prompt() {
	r := bufio.NewReaderSize(s.in, 512)
	s.in = r
	read := func() (string, bool) {
		var b []byte
		for s.ctx.Err() == nil {
			c, err := r.ReadByte()
			if err != nil {
				return string(b), len(b) > 0
			}
			if c == '\n' {
				return strings.TrimSuffix(string(b), "\r"), true
			}
			if len(b) < 2*maxLine {
				b = append(b, c)
			}
		}
		return "", false
	}
	for s.stop != endSession && s.ctx.Err() == nil {
		if s.echo {
			fmt.Fprintf(s.out, "%s>", s.dir)
		}
		l, ok := read()
		if !ok {
			return
		}
		s.source(l, read)
		if s.echo {
			fmt.Fprint(s.out, "\r\n")
		}
		if s.stop != endSession {
			s.stop = goOn
		}
	}
}

// source runs one line, and those that it needs to be whole.
func (s *session) source(l string, read func() (string, bool)) {
	if len(l) > maxLine {
		s.fail(1, "The input line is too long.")
		return
	}
	more := func() (string, bool) {
		if read == nil || s.ctx.Err() != nil {
			return "", false
		}
		t, ok := read()
		return s.percent(t), ok
	}
	t := s.percent(l)
	if len(t) > maxLine {
		s.fail(1, "The input line is too long.")
		return
	}
	n, err := (&parser{line: t, more: more}).parse()
	if err != nil {
		s.fail(255, "The syntax of the command is incorrect.")
		if s.frame != nil {
			s.stop = endSession
		}
		return
	}
	if n == nil {
		return
	}
	if s.echo && s.frame != nil && !strings.HasPrefix(strings.TrimLeft(t, delims), "@") {
		fmt.Fprintf(s.out, "\r\n%s>%s \r\n", s.dir, strings.TrimLeft(t, " "))
	}
	s.exec(n)
}

// fail prints words and sets ERRORLEVEL.
func (s *session) fail(code int, words string) int {
	fmt.Fprint(s.err, words, "\r\n")
	s.level = code
	return code
}

// script runs the lines of a batch file, from a place on.
func (s *session) script(f *frame) int {
	if s.nesting >= maxNesting {
		s.stop = endSession
		return s.fail(1, "******  B A T C H   R E C U R S I O N  exceeds STACK limits ******")
	}
	old, vars, locals := s.frame, s.vars, len(s.saved)
	s.frame, s.vars = f, nil
	s.nesting++
	read := func() (string, bool) {
		if f.at >= len(f.lines) {
			return "", false
		}
		f.at++
		return f.lines[f.at-1], true
	}
	for s.ctx.Err() == nil && s.stop != endSession && s.stop != endFrame {
		s.stop = goOn
		l, ok := read()
		if !ok {
			break
		}
		s.source(l, read)
	}
	if s.stop != endSession {
		s.stop = goOn
	}
	for len(s.saved) > locals {
		s.endLocal()
	}
	s.nesting--
	s.frame, s.vars = old, vars
	return s.level
}

// batch runs a batch file.
func (s *session) batch(path, name, rest string) int {
	b, err := s.readFile(path)
	if err != nil {
		return s.fail(1, words(err))
	}
	lines := strings.Split(strings.ReplaceAll(b, "\r\n", "\n"), "\n")
	rest = strings.TrimLeft(rest, " \t")
	return s.script(&frame{lines: lines, path: path, args: append([]string{name}, split(rest)...), rest: rest})
}

func (s *session) readFile(path string) (string, error) {
	r, err := s.c.Files.Open(path)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxBatch))
	return string(b), err
}

// label moves the frame to a label, from its place on and then from the top.
func (f *frame) label(name string) bool {
	n := len(f.lines)
	for i := range n {
		at := (f.at + i) % n
		l := strings.TrimLeft(f.lines[at], delims)
		if !strings.HasPrefix(l, ":") || strings.HasPrefix(l, "::") {
			continue
		}
		l = strings.TrimLeft(l[1:], delims)
		if end := strings.IndexAny(l, delims+":+&|<>"); end >= 0 {
			l = l[:end]
		}
		if strings.EqualFold(l, name) {
			f.at = at + 1
			return true
		}
	}
	return false
}

// get reads a variable or a pseudo-variable.
func (s *session) get(name string) (string, bool) {
	key := strings.ToUpper(name)
	if v, ok := s.env[key]; ok {
		return v.value, true
	}
	switch key {
	case "ERRORLEVEL":
		return fmt.Sprint(s.level), true
	case "CD":
		return s.dir, true
	case "DATE":
		return s.c.Now().Format("Mon 01/02/2006"), true
	case "TIME":
		t := s.c.Now()
		return fmt.Sprintf("%2d:%s.%02d", t.Hour(), t.Format("04:05"), t.Nanosecond()/1e7), true
	case "RANDOM":
		return fmt.Sprint(rand.IntN(32768)), true //nolint:gosec // %RANDOM% is no secret on Windows either
	case "CMDCMDLINE":
		return s.line, true
	case "CMDEXTVERSION":
		return "2", true
	}
	return "", false
}

// set sets a variable, or removes it if value is empty.
func (s *session) set(name, value string) bool {
	key := strings.ToUpper(name)
	old := s.env[key]
	size := s.envSize - len(old.name) - len(old.value)
	if value == "" {
		delete(s.env, key)
		s.envSize = size
		return true
	}
	if size += len(name) + len(value); size > maxEnv || len(name)+len(value) > 4*maxLine {
		return false
	}
	if old.name != "" {
		size += len(old.name) - len(name)
		name = old.name
	}
	s.env[key] = variable{name, value}
	s.envSize = size
	return true
}

func (s *session) environ() []string {
	var all []string
	for _, v := range s.env {
		all = append(all, v.name+"="+v.value)
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToUpper(a), strings.ToUpper(b)) })
	return all
}

func (s *session) setLocal() bool {
	if len(s.saved) >= 32 {
		return false
	}
	s.saved = append(s.saved, saved{maps.Clone(s.env), s.envSize, s.dir, s.delayed})
	return true
}

func (s *session) endLocal() {
	if n := len(s.saved); n > 0 {
		l := s.saved[n-1]
		s.saved = s.saved[:n-1]
		s.env, s.envSize, s.dir, s.delayed = l.env, l.size, l.dir, l.delayed
	}
}

// child is a cmd.exe that this one starts: it changes nothing of this one.
func (s *session) child() *session {
	c := *s
	c.env = maps.Clone(s.env)
	c.vars = maps.Clone(s.vars)
	c.saved, c.pushed = nil, nil
	c.nesting++
	return &c
}

// bounded keeps what is written, up to a size.
type bounded struct{ b []byte }

var errFull = errors.New("the pipe is full")

func (w *bounded) Write(p []byte) (int, error) {
	if len(w.b)+len(p) > maxPiped {
		return 0, errFull
	}
	w.b = append(w.b, p...)
	return len(p), nil
}
