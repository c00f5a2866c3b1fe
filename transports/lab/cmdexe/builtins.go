package cmdexe

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
)

var (
	builtinsOnce sync.Once
	builtinTable map[string]func(*session, string) int
)

// builtins are what cmd.exe does itself: given what follows the name, they
// return the code for && and ||, and set ERRORLEVEL where cmd.exe does. They
// are made late, for some of them ask for others.
func builtins() map[string]func(*session, string) int {
	builtinsOnce.Do(func() { builtinTable = makeBuiltins() })
	return builtinTable
}

func makeBuiltins() map[string]func(*session, string) int {
	quiet := func(*session, string) int { return 0 }
	return map[string]func(*session, string) int{
		"call": (*session).call, "goto": (*session).jump, "exit": (*session).exit,
		"echo": (*session).say, "set": (*session).setCommand, "rem": quiet, "title": quiet, "cls": quiet,
		"pause": quiet, "verify": quiet, "setlocal": (*session).local,
		"endlocal": func(s *session, _ string) int { s.endLocal(); return 0 },
		"shift":    (*session).shift, "cd": (*session).cd, "chdir": (*session).cd, "pushd": (*session).pushd,
		"popd": (*session).popd, "ver": (*session).ver, "chcp": (*session).chcp, "path": (*session).path,
		"type": (*session).typeFiles, "del": (*session).del, "erase": (*session).del,
		"md": (*session).md, "mkdir": (*session).md, "rd": (*session).rd, "rmdir": (*session).rd,
		"ren": (*session).ren, "rename": (*session).ren, "move": (*session).move, "copy": (*session).copyFiles,
		"dir": (*session).list, "start": (*session).startProgram,
		"date": func(s *session, _ string) int { v, _ := s.get("DATE"); return s.ok(v) },
		"time": func(s *session, _ string) int { return s.ok(s.c.Now().Format("03:04 PM")) },
	}
}

// ok prints a line and sets ERRORLEVEL to 0.
func (s *session) ok(line string) int {
	s.level = 0
	if line != "" {
		fmt.Fprint(s.out, line, "\r\n")
	}
	return 0
}

func (s *session) say(t string) int {
	switch word := strings.ToLower(strings.TrimSpace(t)); {
	case word == "on" || word == "off":
		s.echo = word == "on"
		return 0
	case word == "":
		state := "off"
		if s.echo {
			state = "on"
		}
		fmt.Fprintf(s.out, "ECHO is %s.\r\n", state)
		return 0
	}
	if _, err := fmt.Fprint(s.out, t[1:], "\r\n"); err != nil {
		return s.fail(1, "There is not enough space on the disk.")
	}
	return 0
}

func (s *session) setCommand(t string) int {
	t = strings.TrimLeft(t, delims)
	switch low := strings.ToLower(t); {
	case strings.HasPrefix(low, "/a"):
		return s.setNumber(t[2:])
	case strings.HasPrefix(low, "/p"):
		return s.setInput(strings.TrimLeft(t[2:], " "))
	}
	if strings.HasPrefix(t, `"`) {
		t = t[1:]
		if i := strings.LastIndexByte(t, '"'); i >= 0 {
			t = t[:i]
		}
	}
	name, value, has := strings.Cut(t, "=")
	if has {
		if name == "" {
			return s.fail(1, "The syntax of the command is incorrect.")
		}
		_, was := s.env[strings.ToUpper(name)]
		if !s.set(name, value) {
			return s.fail(1, "Not enough memory resources are available to process this command.")
		}
		if value == "" && !was {
			s.level = 1
		}
		return 0
	}
	found := false
	prefix := strings.ToUpper(strings.TrimRight(t, " "))
	for _, e := range s.environ() {
		if strings.HasPrefix(strings.ToUpper(e), prefix) {
			found = true
			fmt.Fprint(s.out, e, "\r\n")
		}
	}
	if !found && t != "" {
		return s.fail(1, "Environment variable "+t+" not defined")
	}
	return 0
}

// setInput is SET /P: one line of at most 1,023 characters.
func (s *session) setInput(t string) int {
	name, prompt, _ := strings.Cut(strings.Trim(t, `"`), "=")
	fmt.Fprint(s.out, strings.Trim(prompt, `"`))
	var b []byte
	var c [1]byte
	for len(b) < 1023 && s.ctx.Err() == nil {
		n, err := s.in.Read(c[:])
		if n == 1 {
			if c[0] == '\n' {
				break
			}
			b = append(b, c[0])
		}
		if err != nil && len(b) == 0 {
			s.level = 1
			return 1
		}
		if err != nil {
			break
		}
	}
	v := strings.TrimSuffix(string(b), "\r")
	if v == "" {
		s.level = 1
		return 1
	}
	s.set(name, v)
	return 0
}

func (s *session) local(t string) int {
	if s.frame == nil {
		return 0
	}
	if !s.setLocal() {
		return s.fail(1, "Maximum setlocal recursion level reached.")
	}
	switch strings.ToLower(strings.TrimSpace(t)) {
	case "enabledelayedexpansion":
		s.delayed = true
	case "disabledelayedexpansion":
		s.delayed = false
	}
	s.level = 0
	return 0
}

func (s *session) shift(t string) int {
	n := 0
	if t = strings.TrimSpace(t); strings.HasPrefix(t, "/") {
		n, _ = strconv.Atoi(t[1:])
	}
	if s.frame != nil && n >= 0 && n < len(s.frame.args) {
		a := append([]string(nil), s.frame.args[:n]...)
		s.frame.args = append(a, s.frame.args[n+1:]...)
	}
	return 0
}

func (s *session) cd(t string) int {
	t = strings.TrimSpace(t)
	drive := false
	if len(t) >= 2 && strings.EqualFold(t[:2], "/d") {
		drive = true
		t = strings.TrimSpace(t[2:])
	}
	if t == "" {
		return s.ok(s.dir)
	}
	p := s.abs(t)
	if i, err := s.c.Files.Stat(p); err != nil || !i.Dir {
		return s.fail(1, "The system cannot find the path specified.")
	}
	if drive || strings.EqualFold(p[:2], s.dir[:2]) {
		s.dir = p
	}
	return s.ok("")
}

func (s *session) pushd(t string) int {
	old := s.dir
	if len(s.pushed) >= maxNesting {
		return s.fail(1, "Not enough memory resources are available to process this command.")
	}
	if code := s.cd("/d " + t); code != 0 {
		return code
	}
	s.pushed = append(s.pushed, old)
	return 0
}

func (s *session) popd(string) int {
	if n := len(s.pushed); n > 0 {
		s.dir = s.pushed[n-1]
		s.pushed = s.pushed[:n-1]
		return 0
	}
	return 1
}

func (s *session) ver(string) int { return s.ok("\r\n" + s.c.Version) }

func (s *session) chcp(t string) int {
	if t = strings.TrimSpace(t); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n <= 0 || n > 65535 {
			return s.fail(1, "Invalid code page")
		}
		s.page = n
	}
	return s.ok(fmt.Sprintf("Active code page: %d", s.page))
}

func (s *session) path(t string) int {
	if t = strings.TrimLeft(t, delims); t != "" {
		s.set("PATH", t)
		return 0
	}
	v, _ := s.get("PATH")
	fmt.Fprintf(s.out, "PATH=%s\r\n", v)
	return 0
}

// startProgram is START: it waits for the program whether told to or not.
func (s *session) startProgram(t string) int {
	t = strings.TrimLeft(t, " ")
	if strings.HasPrefix(t, `"`) { // the window's title
		_, t = cutWord(t)
		t = strings.TrimLeft(t, " ")
	}
	wait := false
	for strings.HasPrefix(t, "/") {
		word, rest, _ := strings.Cut(t, " ")
		wait = wait || strings.EqualFold(word, "/wait")
		t = strings.TrimLeft(rest, " ")
	}
	level := s.level
	c := s.child()
	c.level = 0
	if s.nesting < maxNesting {
		c.simple(t)
	}
	if s.level = c.level; !wait {
		s.level = level
	}
	return s.level
}

func (s *session) typeFiles(t string) int {
	code := 0
	for _, p := range split(t) {
		r, err := s.open(unquote(p))
		if err != nil {
			code = s.fail(1, words(err))
			continue
		}
		err = typeOut(s.out, r)
		r.Close()
		if err != nil {
			code = s.fail(1, words(err))
		}
	}
	s.level = code
	return code
}

// typeOut copies a file. What begins with the byte order mark of UTF-16 comes
// out as text, as TYPE does it, which then is UTF-8 here whatever CHCP says.
func typeOut(w io.Writer, r io.Reader) error {
	b := bufio.NewReader(r)
	if mark, _ := b.Peek(2); string(mark) != "\xff\xfe" {
		_, err := io.Copy(w, b)
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(b, maxFile))
	if err != nil {
		return err
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 2; i+1 < len(raw); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(raw[i:]))
	}
	_, err = io.WriteString(w, string(utf16.Decode(units)))
	return err
}
