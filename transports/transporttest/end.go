package transporttest

import (
	"context"
	"strings"
	"sync"
	"time"

	"oust/transports"
)

// endCases are about commands and connections that end early.
var endCases = []testCase{
	{"a timeout leaves the connection usable", timeoutUsable},
	{"output before a timeout is kept", timeoutKeepsOutput},
	{"cancel returns at once", cancelAtOnce},
	{"a cancelled context runs nothing", cancelledBefore},
	{"close twice", closeTwice},
	{"close during a command", closeDuring},
	{"run after close", runAfterClose},
}

func timeoutUsable(s *suite) {
	conn := s.dial(s.h.Target)
	start := time.Now()
	_, err := conn.Run(s.context(), transports.Command{Line: s.in.sleep, Timeout: soon})
	s.wantClass(err, transports.Timeout)
	s.quick("timeout", start)
	s.stillUsable(conn)
}

func timeoutKeepsOutput(s *suite) {
	conn := s.dial(s.h.Target)
	res, err := conn.Run(s.context(), transports.Command{
		Line: s.in.eval, Stdin: []byte(s.in.echoAndSleep), Timeout: time.Second,
	})
	s.wantClass(err, transports.Timeout)
	if !strings.Contains(string(res.Stdout), "before") {
		s.Errorf("stdout %q, want what came before the timeout", res.Stdout)
	}
}

func cancelAtOnce(s *suite) {
	conn := s.dial(s.h.Target)
	ctx, cancel := context.WithCancel(s.context())
	timer := time.AfterFunc(soon, cancel)
	defer timer.Stop()
	start := time.Now()
	_, err := conn.Run(ctx, transports.Command{Line: s.in.sleep, Timeout: time.Minute})
	if err == nil || ctx.Err() == nil {
		s.Fatalf("error %v, want one for the cancelled context", err)
	}
	s.quick("cancel", start)
	s.noSecrets("error", err.Error())
}

func cancelledBefore(s *suite) {
	conn := s.dial(s.h.Target)
	ctx, cancel := context.WithCancel(s.context())
	cancel()
	if _, err := conn.Run(ctx, transports.Command{Line: s.in.exit(0)}); err == nil {
		s.Error("no error for a context that was cancelled before")
	}
	if _, err := s.h.Dialer(s.T).Dial(ctx, s.h.Target); err == nil {
		s.Error("dial: no error for a context that was cancelled before")
	}
}

func closeTwice(s *suite) {
	conn := s.dial(s.h.Target)
	for i := range 2 {
		if err := conn.Close(); err != nil {
			s.Errorf("close %d: %v", i+1, err)
		}
	}
}

func closeDuring(s *suite) {
	conn := s.dial(s.h.Target)
	timer := time.AfterFunc(soon, func() { _ = conn.Close() })
	defer timer.Stop()
	start := time.Now()
	_, err := conn.Run(s.context(), transports.Command{Line: s.in.sleep, Timeout: time.Minute})
	s.wantClass(err, transports.LostContact)
	s.quick("close", start)
}

func runAfterClose(s *suite) {
	conn := s.dial(s.h.Target)
	_ = conn.Close()
	_, err := conn.Run(s.context(), transports.Command{Line: s.in.exit(0)})
	s.wantClass(err, transports.LostContact)
}

// stillUsable runs one more command.
func (s *suite) stillUsable(conn transports.Conn) {
	s.Helper()
	if res := s.run(conn, transports.Command{Line: s.in.exit(5)}); res.Exit != 5 {
		s.Errorf("the next command: exit %d, want 5", res.Exit)
	}
}

// quick fails if more than the harness's patience has passed since start.
func (s *suite) quick(what string, start time.Time) {
	s.Helper()
	if took := time.Since(start); took > s.h.Patience {
		s.Errorf("%s took %v, want less than %v", what, took, s.h.Patience)
	}
}

// each calls f n times at once and waits.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
