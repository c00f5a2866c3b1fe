package transporttest

import (
	"bytes"
	"math/rand/v2"
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
	for _, c := range []struct {
		line string
		exit int
	}{
		{`/bin/sh -c 'exit 0'`, 0},
		{`/bin/sh -c 'exit 1'`, 1},
		{`/bin/sh -c 'exit 3'`, 3},
		{`/bin/sh -c 'exit 255'`, 255},
	} {
		if res := s.run(conn, transports.Command{Line: c.line}); res.Exit != c.exit {
			s.Errorf("%s: exit %d, want %d", c.line, res.Exit, c.exit)
		}
	}
}

func scriptOnStdin(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.script(conn, "a='two words'\nprintf '%s|' \"$a\" end\nexit 7\n")
	if got := string(res.Stdout); !strings.HasSuffix(got, "two words|end|") || res.Exit != 7 {
		s.Errorf("got %q exit %d, want the printed words and exit 7", got, res.Exit)
	}
}

func notFound(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.script(conn, "no-such-command-anywhere\n")
	if res.Exit != 127 {
		s.Errorf("exit %d, want 127", res.Exit)
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
	for _, size := range []int{0, 1, 4095, 32768, 32769, 100_000, 3 << 20} {
		in := noise(size)
		res := s.run(conn, transports.Command{Line: "cat", Stdin: in, MaxOutput: size + 4096})
		if !bytes.HasSuffix(res.Stdout, in) || res.Truncated {
			s.Errorf("%d bytes: %d came back, truncated %v", size, len(res.Stdout), res.Truncated)
		}
	}
}

func stdinUnread(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.run(conn, transports.Command{Line: `/bin/sh -c 'exit 4'`, Stdin: noise(4 << 20)})
	if res.Exit != 4 {
		s.Errorf("exit %d, want 4", res.Exit)
	}
}

func inSequence(s *suite) {
	conn := s.dial(s.h.Target)
	for i := range 20 {
		in := []byte{byte('a' + i)}
		res := s.run(conn, transports.Command{Line: "cat", Stdin: in})
		if !bytes.HasSuffix(res.Stdout, in) {
			s.Fatalf("command %d: got %q, want %q", i, res.Stdout, in)
		}
	}
}

func nothingCarriesOver(s *suite) {
	conn := s.dial(s.h.Target)
	s.script(conn, "OUST_LEFT=over; export OUST_LEFT; cd /\n")
	res := s.script(conn, `printf '[%s]' "$OUST_LEFT"`)
	if !strings.HasSuffix(string(res.Stdout), "[]") {
		s.Errorf("got %q, want an empty variable", res.Stdout)
	}
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
