package transporttest

import (
	"context"
	"errors"
	"strings"
	"time"

	"oust/transports"
)

// knockCases are about finding out whether a host answers. A dialer that
// cannot knock dials in place of it.
var knockCases = []testCase{
	{"living host", knockLiving},
	{"many at once", knockMany},
	{"a refused login does not matter", func(s *suite) { s.answers("WrongPassword", s.h.WrongPassword) }},
	{"an unknown key does not matter", func(s *suite) { s.answers("UnknownKey", s.h.UnknownKey) }},
	{"a changed key does not matter", func(s *suite) { s.answers("ChangedKey", s.h.ChangedKey) }},
	{"closed port", func(s *suite) { s.noAnswer("RefusedPort", s.h.RefusedPort, transports.Unreachable) }},
	{"silent port", func(s *suite) { s.noAnswer("SilentPeer", s.h.SilentPeer, transports.Timeout) }},
	{"a cancelled context", knockCancelled},
}

// knock knocks, and fails if that made a login.
func (s *suite) knock(ctx context.Context, dialer transports.Dialer, target transports.Target) error {
	s.Helper()
	if _, can := dialer.(transports.Knocker); !can || s.h.Logins == nil {
		return transports.Knock(ctx, dialer, target)
	}
	before := s.h.Logins()
	err := transports.Knock(ctx, dialer, target)
	if n := s.h.Logins() - before; n != 0 {
		s.Errorf("the knock made %d logins", n)
	}
	return err
}

func knockLiving(s *suite) {
	dialer := s.h.Dialer(s.T)
	for range 3 {
		if err := s.knock(s.context(), dialer, s.h.Target); err != nil {
			s.Error(err)
		}
	}
	conn, err := dialer.Dial(s.context(), s.h.Target)
	if err != nil {
		s.Fatalf("dial after knocks: %v", err)
	}
	_ = conn.Close()
}

func knockMany(s *suite) {
	ctx, dialer := s.context(), s.h.Dialer(s.T)
	each(s.h.Parallel, func(int) {
		if err := transports.Knock(ctx, dialer, s.h.Target); err != nil {
			s.Error(err)
		}
	})
}

// answers knocks at what Dial must not accept, and is alive.
func (s *suite) answers(name string, fault fault) {
	s.Helper()
	if fault == nil {
		s.Skipf("the harness has no %s", name)
	}
	dialer, target := fault(s.T)
	if err := s.knock(s.context(), dialer, target); err != nil {
		s.Error(err)
	}
}

// noAnswer knocks where nobody answers, in time and in the class.
func (s *suite) noAnswer(name string, fault fault, want transports.Class) {
	s.Helper()
	if fault == nil {
		s.Skipf("the harness has no %s", name)
	}
	dialer, target := fault(s.T)
	start := time.Now()
	err := s.knock(s.context(), dialer, target)
	s.wantClass(err, want)
	if !strings.Contains(err.Error(), target.Host) {
		s.Errorf("the error does not name the host %s: %v", target.Host, err)
	}
	if took := time.Since(start); took > knockTime {
		s.Errorf("the knock took %v, want less than %v", took, knockTime)
	}
}

// knockTime is what a knock may take where nobody answers.
const knockTime = 12 * time.Second

func knockCancelled(s *suite) {
	ctx, cancel := context.WithCancel(s.context())
	cancel()
	start := time.Now()
	if err := s.knock(ctx, s.h.Dialer(s.T), s.h.Target); err == nil || !errors.Is(err, context.Canceled) {
		s.Errorf("error %v, want that of the cancelled context", err)
	}
	s.quick("knock", start)
	if s.h.SilentPeer == nil {
		return
	}
	dialer, target := s.h.SilentPeer(s.T)
	ctx, cancel = context.WithTimeout(s.context(), time.Millisecond)
	defer cancel()
	if err := s.knock(ctx, dialer, target); err == nil {
		s.Error("a silent port: no error for a context that has ended")
	}
}
