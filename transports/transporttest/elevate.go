package transporttest

import (
	"bytes"
	"strings"
	"time"

	"oust/transports"
)

// elevateCases are about becoming root.
var elevateCases = []testCase{
	{"with a password", func(s *suite) { s.elevates("ElevatePassword", s.h.ElevatePassword) }},
	{"without a password", func(s *suite) { s.elevates("ElevateNoPassword", s.h.ElevateNoPassword) }},
	{"stdin reaches the command whole", elevatedStdin},
	{"wrong password", func(s *suite) { s.notElevated("ElevateWrong", s.h.ElevateWrong) }},
	{"not allowed", func(s *suite) { s.notElevated("ElevateForbidden", s.h.ElevateForbidden) }},
}

// elevates checks that the command is root, keeps its exit code, and that
// output holds neither prompt nor password.
func (s *suite) elevates(name string, target *transports.Target) {
	s.Helper()
	conn := s.dial(s.need(name, target))
	if res := s.script(conn, "echo\nid -u\n"); strings.HasSuffix(string(res.Stdout), "\n0\n") {
		s.Fatalf("the login user is root already: %q", res.Stdout)
	}
	for range 2 {
		res := s.run(conn, transports.Command{
			Line: s.in.eval, Stdin: []byte("echo\nid -u\necho err >&2\nexit 9\n"), Elevate: true,
		})
		if !strings.HasSuffix(string(res.Stdout), "\n0\n") || res.Exit != 9 {
			s.Errorf("stdout %q exit %d, want id 0 and exit 9 (stderr %q)", res.Stdout, res.Exit, res.Stderr)
		}
		if !strings.HasSuffix(string(res.Stderr), "err\n") {
			s.Errorf("stderr %q", res.Stderr)
		}
		s.noSecrets("output", string(res.Stdout)+string(res.Stderr))
	}
}

func elevatedStdin(s *suite) {
	conn := s.dial(s.need("ElevatePassword", s.h.ElevatePassword))
	in := noise(200_000)
	res := s.run(conn, transports.Command{Line: s.in.copy, Stdin: in, Elevate: true})
	if !bytes.HasSuffix(res.Stdout, in) {
		s.Errorf("%d of %d bytes came back", len(res.Stdout), len(in))
	}
}

// notElevated checks that the command does not run and the answer is quick.
func (s *suite) notElevated(name string, target *transports.Target) {
	s.Helper()
	conn := s.dial(s.need(name, target))
	res, err := conn.Run(s.context(), transports.Command{
		Line: s.in.eval, Stdin: []byte("echo it-ran\n"), Elevate: true, Timeout: 30 * time.Second,
	})
	s.wantClass(err, transports.Privilege)
	if strings.Contains(string(res.Stdout), "it-ran") {
		s.Error("the command ran")
	}
	s.noSecrets("output", string(res.Stdout)+string(res.Stderr))
}

func (s *suite) need(name string, target *transports.Target) transports.Target {
	s.Helper()
	if target == nil {
		s.Skipf("the harness has no %s", name)
	}
	return *target
}

// noSecrets fails if text holds one of the harness's secrets.
func (s *suite) noSecrets(what, text string) {
	s.Helper()
	for _, secret := range s.h.Secrets {
		if !secret.Empty() && strings.Contains(text, secret.Reveal()) {
			s.Errorf("the %s holds a secret", what)
		}
	}
}
