package transporttest

import (
	"bytes"
	"strings"

	"oust/transports"
)

// outputCases are about what comes out.
var outputCases = []testCase{
	{"stdout and stderr apart", apart},
	{"binary output", binaryOutput},
	{"output is bounded and the rest counted", bounded},
	{"the bound is for both streams together", boundedTogether},
	{"endless output ends with the timeout", endless},
	{"no newline at the end", noNewline},
}

func apart(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.script(conn, s.in.apart)
	if !strings.HasSuffix(string(res.Stdout), "to-out"+s.in.newline) || strings.Contains(string(res.Stdout), "to-err") {
		s.Errorf("stdout %q", res.Stdout)
	}
	if !strings.HasSuffix(string(res.Stderr), "to-err"+s.in.newline) || strings.Contains(string(res.Stderr), "to-out") {
		s.Errorf("stderr %q", res.Stderr)
	}
}

func binaryOutput(s *suite) {
	if !s.in.binary {
		s.Skipf("%s has no command that copies bytes", s.h.Shell)
	}
	conn := s.dial(s.h.Target)
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	res := s.run(conn, transports.Command{Line: s.in.copy, Stdin: all})
	if !bytes.HasSuffix(res.Stdout, all) {
		s.Errorf("got %q", res.Stdout)
	}
}

func bounded(s *suite) {
	conn := s.dial(s.h.Target)
	const sent, most = 300_000, 10_000
	in := s.noise(sent)
	res := s.run(conn, transports.Command{Line: s.in.copy, Stdin: in, MaxOutput: most})
	got := len(res.Stdout) + len(res.Stderr)
	if got != most || !res.Truncated || res.Dropped < sent-most {
		s.Errorf("kept %d, truncated %v, dropped %d; want %d kept of %d", got, res.Truncated, res.Dropped, most, sent)
	}
	if res.Exit != 0 {
		s.Errorf("exit %d, want 0", res.Exit)
	}
}

func boundedTogether(s *suite) {
	conn := s.dial(s.h.Target)
	res := s.run(conn, transports.Command{Line: s.in.eval, Stdin: []byte(s.in.bothOften), MaxOutput: 1000})
	if got := len(res.Stdout) + len(res.Stderr); got != 1000 || !res.Truncated {
		s.Errorf("kept %d bytes, truncated %v; want 1000 and true", got, res.Truncated)
	}
}

func endless(s *suite) {
	conn := s.dial(s.h.Target)
	res, err := conn.Run(s.context(), transports.Command{
		Line: s.in.eval, Stdin: []byte(s.in.endless),
		Timeout: soon, MaxOutput: 2000,
	})
	s.wantClass(err, transports.Timeout)
	if got := len(res.Stdout) + len(res.Stderr); got > 2000 {
		s.Errorf("kept %d bytes, want at most 2000", got)
	}
	s.stillUsable(conn)
}

func noNewline(s *suite) {
	conn := s.dial(s.h.Target)
	if res := s.script(conn, s.in.noNewline); !strings.HasSuffix(string(res.Stdout), "last") {
		s.Errorf("got %q", res.Stdout)
	}
}
