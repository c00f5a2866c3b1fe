// Package transporttest is the conformance suite of the transports contract.
// Every adapter runs it against real hosts, and the simulated lab runs it too,
// so that all of them mean the same thing by an exit code, a timeout or a class.
package transporttest

import (
	"context"
	"testing"
	"time"

	"oust/transports"
)

// Harness is what the suite needs to know of a transport. Fields under
// "Abilities" may be left empty; their cases are then skipped by name.
type Harness struct {
	// Dialer returns a dialer that reaches Target; the suite calls it once
	// for each case.
	Dialer func(t *testing.T) transports.Dialer
	// Target is a host where a login works and nothing else runs.
	Target transports.Target

	// Abilities.

	// Shell is what Command.Line and scripts on stdin are written for: "sh",
	// the default, or "cmd". Cases that a shell has no words for are skipped.
	Shell string
	// Copy is a line that copies lines from stdin to stdout, where the shell's
	// own words for it are not there.
	Copy string
	// CopyMost is the longest input that Copy brings back unchanged, in bytes;
	// 0 is for any.
	CopyMost int
	// Signals says that `kill -TERM $$` kills the command alone.
	Signals bool
	// Parallel is how many connections are opened at once; default 8.
	Parallel int
	// Patience bounds what should end at once, such as a cancelled command;
	// default 5 s.
	Patience time.Duration

	// Faults. Each returns a dialer and a target for which Dial must fail in
	// the named class; nil skips the case.
	WrongPassword func(t *testing.T) (transports.Dialer, transports.Target) // auth
	UnknownKey    func(t *testing.T) (transports.Dialer, transports.Target) // untrusted
	ChangedKey    func(t *testing.T) (transports.Dialer, transports.Target) // untrusted
	RefusedPort   func(t *testing.T) (transports.Dialer, transports.Target) // unreachable
	// SilentPeer accepts and says nothing; the dialer's deadlines should be
	// short. The class must be timeout.
	SilentPeer func(t *testing.T) (transports.Dialer, transports.Target)

	// Logins counts the logins that hosts were asked for so far, refused ones
	// too; nil skips the checks of it.
	Logins func() int

	// Elevation. Each is a target (for Dialer) whose login user is not root;
	// nil skips the case.
	ElevatePassword   *transports.Target // become works with BecomePassword
	ElevateNoPassword *transports.Target // become works without a password
	ElevateWrong      *transports.Target // BecomePassword is wrong: class privilege
	ElevateForbidden  *transports.Target // the user may not become root: class privilege

	// Secrets are all passwords and passphrases in use here; no error text
	// and no log line may hold one.
	Secrets []transports.Secret
	// Log returns everything that the dialers logged so far.
	Log func() string
}

// Run runs every case as a subtest of t.
func Run(t *testing.T, h Harness) {
	h = h.withDefaults()
	in, known := dialects[h.Shell]
	if !known {
		t.Fatalf("the suite does not speak %q", h.Shell)
	}
	in.copy = h.Copy
	groups := []struct {
		name  string
		cases []testCase
	}{
		{"run", runCases},
		{"output", outputCases},
		{"end", endCases},
		{"dial", dialCases},
		{"knock", knockCases},
		{"elevate", elevateCases},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) { c.run(&suite{T: t, h: h, in: in}) })
			}
		})
	}
	t.Run("secrets in the log", func(t *testing.T) {
		if h.Log == nil {
			t.Skip("the harness has no log")
		}
		(&suite{T: t, h: h}).noSecrets("log", h.Log())
	})
}

func (h Harness) withDefaults() Harness {
	if h.Shell == "" {
		h.Shell = "sh"
	}
	if in := dialects[h.Shell]; h.Copy == "" {
		h.Copy = in.copy
	}
	if h.Parallel == 0 {
		h.Parallel = 8
	}
	if h.Patience == 0 {
		h.Patience = 5 * time.Second
	}
	return h
}

type testCase struct {
	name string
	run  func(s *suite)
}

// suite is one case under way.
type suite struct {
	*testing.T
	h Harness
	// in is the harness's shell.
	in dialect
}

// caseTime bounds one case, so that a transport that hangs fails the case and
// not the test binary.
const caseTime = 2 * time.Minute

func (s *suite) context() context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), caseTime)
	s.Cleanup(cancel)
	return ctx
}

// dial opens a connection to the target and closes it when the case ends.
func (s *suite) dial(target transports.Target) transports.Conn {
	s.Helper()
	conn, err := s.h.Dialer(s.T).Dial(s.context(), target)
	if err != nil {
		s.Fatalf("dial: %v", err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}

// run runs a command that must end with an exit code.
func (s *suite) run(conn transports.Conn, cmd transports.Command) transports.Result {
	s.Helper()
	if cmd.Timeout == 0 {
		cmd.Timeout = time.Minute
	}
	res, err := conn.Run(s.context(), cmd)
	if err != nil {
		s.Fatalf("run %q: %v (stdout %q, stderr %q)", cmd.Line, err, clip(res.Stdout), clip(res.Stderr))
	}
	return res
}

// script runs a script that stands on stdin.
func (s *suite) script(conn transports.Conn, text string) transports.Result {
	s.Helper()
	return s.run(conn, transports.Command{Line: s.in.eval, Stdin: []byte(text)})
}

// wantClass fails unless err has the class, and never names a secret.
func (s *suite) wantClass(err error, want transports.Class) {
	s.Helper()
	if err == nil {
		s.Fatalf("no error, want class %s", want)
	}
	if got := transports.ClassOf(err); got != want {
		s.Errorf("class %s, want %s: %v", got, want, err)
	}
	s.noSecrets("error", err.Error())
}

func clip(b []byte) []byte {
	const most = 200
	if len(b) > most {
		return b[:most]
	}
	return b
}
