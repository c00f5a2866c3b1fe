package transporttest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"oust/transports"
)

// dialCases are about connections that are made, and those that are not.
var dialCases = []testCase{
	{"many at once", manyAtOnce},
	{"many from one dialer", manyFromOne},
	{"wrong password", func(s *suite) { s.refused("WrongPassword", s.h.WrongPassword, transports.Auth) }},
	{"wrong password stops a credential", lockedOut},
	{"unknown key", func(s *suite) { s.refused("UnknownKey", s.h.UnknownKey, transports.Untrusted) }},
	{"changed key", func(s *suite) { s.refused("ChangedKey", s.h.ChangedKey, transports.Untrusted) }},
	{"refused port", func(s *suite) { s.refused("RefusedPort", s.h.RefusedPort, transports.Unreachable) }},
	{"silent peer", func(s *suite) { s.refused("SilentPeer", s.h.SilentPeer, transports.Timeout) }},
}

func manyAtOnce(s *suite) {
	ctx := s.context()
	errs := make([]error, s.h.Parallel)
	dialers := make([]transports.Dialer, s.h.Parallel)
	for i := range dialers {
		dialers[i] = s.h.Dialer(s.T)
	}
	each(s.h.Parallel, func(i int) {
		conn, err := dialers[i].Dial(ctx, s.h.Target)
		if err != nil {
			errs[i] = err
			return
		}
		defer conn.Close()
		_, errs[i] = conn.Run(ctx, transports.Command{Line: s.in.exit(0), Timeout: time.Minute})
	})
	for i, err := range errs {
		if err != nil {
			s.Errorf("connection %d: %v", i, err)
		}
	}
}

func manyFromOne(s *suite) {
	ctx, dialer := s.context(), s.h.Dialer(s.T)
	errs := make([]error, s.h.Parallel)
	each(s.h.Parallel, func(i int) {
		conn, err := dialer.Dial(ctx, s.h.Target)
		if err != nil {
			errs[i] = err
			return
		}
		defer conn.Close()
		word := fmt.Sprintf("word-%d\r\n", i)
		res, err := conn.Run(ctx, transports.Command{Line: s.in.copy, Stdin: []byte(word), Timeout: time.Minute})
		if err == nil && !strings.HasSuffix(string(res.Stdout), word) {
			err = fmt.Errorf("got %q, want %q", res.Stdout, word)
		}
		errs[i] = err
	})
	for i, err := range errs {
		if err != nil {
			s.Errorf("connection %d: %v", i, err)
		}
	}
}

// lockedOut dials with a wrong password behind a guard: each Dial is one login,
// and after three there are no more.
func lockedOut(s *suite) {
	if s.h.WrongPassword == nil {
		s.Skip("the harness has no WrongPassword")
	}
	dialer, target := s.h.WrongPassword(s.T)
	guarded := transports.LockOut(transports.LockOutConfig{})(dialer)
	for i := range 5 {
		before := 0
		if s.h.Logins != nil {
			before = s.h.Logins()
		}
		_, err := guarded.Dial(s.context(), target)
		s.wantClass(err, transports.Auth)
		want := 1
		if stopped := errors.Is(err, transports.ErrStopped); stopped != (i >= 3) {
			s.Errorf("dial %d: stopped is %v: %v", i+1, stopped, err)
		} else if stopped {
			want = 0
		}
		if s.h.Logins == nil {
			continue
		}
		if n := s.h.Logins() - before; n != want {
			s.Errorf("dial %d made %d logins, want %d", i+1, n, want)
		}
	}
}

// fault returns a dialer and a target for which Dial must fail.
type fault = func(*testing.T) (transports.Dialer, transports.Target)

// refused dials what must fail in the class, twice: a dialer does not learn
// to accept.
func (s *suite) refused(name string, fault fault, want transports.Class) {
	s.Helper()
	if fault == nil {
		s.Skipf("the harness has no %s", name)
	}
	dialer, target := fault(s.T)
	for range 2 {
		conn, err := dialer.Dial(s.context(), target)
		if err == nil {
			_ = conn.Close()
			s.Fatalf("dial worked, want class %s", want)
		}
		s.wantClass(err, want)
		if !strings.Contains(err.Error(), target.Host) {
			s.Errorf("the error does not name the host %s: %v", target.Host, err)
		}
	}
}
