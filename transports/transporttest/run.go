package transporttest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"oust/transports"
)

// runCases are about exit codes and what goes in.
var runCases = []testCase{
	{"exit codes", exitCodes},
	{"script on stdin", scriptOnStdin},
	{"command not found is an exit code", notFound},
	{"death by signal", deathBySignal},
	{"stdin of many sizes comes back", stdinSizes},
	{"stdin that nobody reads", stdinUnread},
	{"commands in sequence", inSequence},
	{"nothing carries over between commands", nothingCarriesOver},
}

func exitCodes(s *suite) {
	conn := s.dial(s.h.Target)
	for _, code := range s.in.codes {
		if res := s.run(conn, transports.Command{Line: s.in.exit(code)}); res.Exit != code {
			s.Errorf("%s: exit %d, want %d", s.in.exit(code), res.Exit, code)
		}
	}
}

func scriptOnStdin(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.script(conn, s.in.words)
	if got := string(res.Stdout); !strings.HasSuffix(got, s.in.wordsOut) || res.Exit != 7 {
		s.Errorf("got %q exit %d, want the printed words and exit 7", got, res.Exit)
	}
}

func notFound(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.run(conn, transports.Command{Line: s.in.unknown})
	if !slices.Contains(s.in.unknownExits, res.Exit) {
		s.Errorf("exit %d, want one of %d", res.Exit, s.in.unknownExits)
	}
}

func deathBySignal(s *suite) {
	if !s.h.Signals {
		s.Skip("the harness has no signals")
	}
	conn := s.dial(s.h.Target)
	for _, c := range []struct {
		line string
		exit int
	}{
		{`/bin/sh -c 'kill -TERM $$'`, 143},
		{`/bin/sh -c 'kill -KILL $$'`, 137},
	} {
		if res := s.run(conn, transports.Command{Line: c.line}); res.Exit != c.exit {
			s.Errorf("%s: exit %d, want %d", c.line, res.Exit, c.exit)
		}
	}
}

func stdinSizes(s *suite) {
	conn := s.dial(s.h.Target)
	for _, size := range s.in.sizes {
		if s.h.CopyMost > 0 && size > s.h.CopyMost {
			continue
		}
		in := s.noise(size)
		res := s.run(conn, transports.Command{Line: s.in.copy, Stdin: in, MaxOutput: size + 4096})
		if !bytes.HasSuffix(res.Stdout, in) || res.Truncated {
			s.Errorf("%d bytes: %d came back, truncated %v", size, len(res.Stdout), res.Truncated)
		}
	}
}

func stdinUnread(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.run(conn, transports.Command{Line: s.in.exit(4), Stdin: s.noise(4 << 20)})
	if res.Exit != 4 {
		s.Errorf("exit %d, want 4", res.Exit)
	}
}

func inSequence(s *suite) {
	conn := s.dial(s.h.Target)
	for i := range 20 {
		in := append([]byte{byte('a' + i)}, s.in.newline...)
		res := s.run(conn, transports.Command{Line: s.in.copy, Stdin: in})
		if !bytes.HasSuffix(res.Stdout, in) {
			s.Fatalf("command %d: got %q, want %q", i, res.Stdout, in)
		}
	}
}

func nothingCarriesOver(s *suite) {
	conn := s.dial(s.h.Target)
	s.script(conn, s.in.leave)
	res := s.script(conn, s.in.left)
	for _, nothing := range s.in.leftNothing {
		if strings.HasSuffix(string(res.Stdout), nothing) {
			return
		}
	}
	s.Errorf("got %q, want an empty variable", res.Stdout)
}

// noise returns size bytes that a shell can copy, the same each time: of every
// value, or lines of text.
func (s *suite) noise(size int) []byte {
	b := noise(size)
	if s.in.binary || size == 0 {
		return b
	}
	const letters, line = "abcdefghijklmnopqrstuvwxyz012345", 72
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	for i := line; i < size; i += line {
		copy(b[i-2:], "\r\n")
	}
	copy(b[size-2:], "\r\n")
	return b
}

// noise returns size bytes of every value, the same each time.
func noise(size int) []byte {
	src := rand.NewChaCha8([32]byte{1})
	b := make([]byte, size)
	_, _ = src.Read(b)
	return b
}

// soon is a timeout for commands that are meant to pass it.
const soon = 300 * time.Millisecond
