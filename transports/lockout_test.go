package transports_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"oust/transports"
)

// clerk is a dialer that counts the logins that reach hosts, and refuses those
// that it is told to after a while.
type clerk struct {
	takes   time.Duration
	verdict func(host string) error

	mu     sync.Mutex
	logins []string
}

func (c *clerk) Dial(ctx context.Context, target transports.Target) (transports.Conn, error) {
	if err := transports.BeginLogin(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.logins = append(c.logins, target.Host)
	c.mu.Unlock()
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
		return nil, transports.ContextError(ctx, target.Host, "login", transports.Unreachable)
	}
	if err := c.verdict(target.Host); err != nil {
		return nil, err
	}
	return &fakeConn{}, nil
}

func (c *clerk) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.logins)
}

func refusal(host string) error {
	return &transports.Error{Class: transports.Auth, Host: host, Op: "login", Err: errors.New("user ops: wrong")}
}

func refuseAll(host string) error { return refusal(host) }

func acceptAll(string) error { return nil }

func to(host string) transports.Target {
	return transports.Target{Host: host, Credential: transports.Credential{Name: "linux", User: "ops"}}
}

// dialAll dials hosts web0 and so on at once, and returns their errors.
func dialAll(ctx context.Context, d transports.Dialer, hosts int) []error {
	errs := make([]error, hosts)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = d.Dial(ctx, to(fmt.Sprint("web", i))) })
	}
	wg.Wait()
	return errs
}

func TestLockOutStopsAWrongCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		c := &clerk{takes: 2 * time.Second, verdict: refuseAll}
		d := transports.LockOut(transports.LockOutConfig{
			OnStop: func(name, user, why string) { told = append(told, name, user, why) },
		})(c)
		start := time.Now()
		stopped := 0
		for _, err := range dialAll(t.Context(), d, 5000) {
			if transports.ClassOf(err) != transports.Auth {
				t.Fatalf("class %s: %v", transports.ClassOf(err), err)
			}
			if errors.Is(err, transports.ErrStopped) {
				stopped++
			}
		}
		if n := c.count(); n != 3 || stopped != 4997 {
			t.Errorf("%d logins reached hosts, and %d were stopped; want 3 and 4997", n, stopped)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want the 2s of one login", took)
		}
		_, err := d.Dial(t.Context(), to("late"))
		want := "late: login: credential linux was refused by 3 hosts in a row ("
		rest := ": user ops: wrong); it is not tried again in this run, so that no account is locked: correct it, then run again"
		if !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), rest) {
			t.Errorf("error %q", err)
		}
		if len(told) != 3 || told[0] != "linux" || told[1] != "ops" || !strings.HasSuffix(told[2], rest) {
			t.Errorf("OnStop was told %q", told)
		}
	})
}

// TestLockOutCounts goes through verdicts one after the other: y worked, n was
// refused, other letters say nothing of the credential.
func TestLockOutCounts(t *testing.T) {
	errs := map[byte]error{
		'y': nil,
		'n': refusal("web1"),
		'u': &transports.Error{Class: transports.Unreachable, Err: errors.New("gone")},
		'p': &transports.Error{Class: transports.Privilege, Err: errors.New("no sudo")},
		'k': &transports.Error{Class: transports.Auth, NoLogin: true, Err: errors.New("no such key file")},
		'x': errors.New("odd"),
	}
	for _, c := range []struct {
		verdicts string
		refusals int
		stopped  bool
	}{
		{"nnn", 0, true}, {"nn", 0, false}, {"nynn", 0, false}, {"ynnn", 0, true}, {"nnynnynn", 0, false},
		{"nunpkn", 0, true}, {"nunpk", 0, false}, {"kkkkkk", 0, false}, {"pppppp", 0, false}, {"xxxuuu", 0, false},
		{"n", 1, true}, {"nnnn", 5, false}, {"nnnnn", 5, true}, {"nnn", -1, true},
	} {
		t.Run(c.verdicts, func(t *testing.T) {
			at := 0
			d := transports.LockOut(transports.LockOutConfig{Refusals: c.refusals})(&clerk{verdict: func(string) error {
				if at++; at > len(c.verdicts) {
					return nil
				}
				return errs[c.verdicts[at-1]]
			}})
			for range c.verdicts {
				if _, err := d.Dial(t.Context(), to("web1")); errors.Is(err, transports.ErrStopped) {
					t.Fatalf("stopped after %d", at)
				}
			}
			_, err := d.Dial(t.Context(), to("web2"))
			if errors.Is(err, transports.ErrStopped) != c.stopped {
				t.Errorf("%v, want stopped to be %v", err, c.stopped)
			}
		})
	}
}

func TestLockOutNamesEachHostOnce(t *testing.T) {
	d := transports.LockOut(transports.LockOutConfig{})(&clerk{verdict: refuseAll})
	for _, host := range []string{"web2", "web1", "web2"} {
		_, _ = d.Dial(t.Context(), to(host)) // counted
	}
	_, err := d.Dial(t.Context(), to("web3"))
	if !strings.Contains(err.Error(), "credential linux was refused 3 times in a row (web2, web1: user ops: wrong)") {
		t.Error(err)
	}
}

func TestLockOutKeepsCredentialsApart(t *testing.T) {
	d := transports.LockOut(transports.LockOutConfig{})(&clerk{verdict: func(host string) error {
		if host == "good" {
			return nil
		}
		return refusal(host)
	}})
	for range 3 {
		_, _ = d.Dial(t.Context(), to("bad")) // counted
	}
	otherUser, otherName := to("good"), to("good")
	otherUser.Credential.User = "root"
	otherName.Credential.Name = "windows"
	for _, target := range []transports.Target{otherUser, otherName} {
		if _, err := d.Dial(t.Context(), target); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Dial(t.Context(), to("good")); !errors.Is(err, transports.ErrStopped) {
		t.Errorf("error %v, want a stopped credential", err)
	}
}

// TestLockOutHasNoBoundAfterSuccess: all logins go at once, also when one of
// them is refused now and then.
func TestLockOutHasNoBoundAfterSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clerk{takes: time.Second, verdict: acceptAll}
		d := transports.LockOut(transports.LockOutConfig{})(c)
		start := time.Now()
		if _, err := d.Dial(t.Context(), to("first")); err != nil {
			t.Fatal(err)
		}
		for _, err := range dialAll(t.Context(), d, 500) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want 2s", took)
		}
	})
}

// TestLockOutWhenThePasswordChanges: those under way are refused, and nobody
// else is tried.
func TestLockOutWhenThePasswordChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changed atomic.Bool
		c := &clerk{takes: time.Second, verdict: func(host string) error {
			if changed.Load() {
				return refusal(host)
			}
			return nil
		}}
		d := transports.LockOut(transports.LockOutConfig{})(c)
		if _, err := d.Dial(t.Context(), to("first")); err != nil {
			t.Fatal(err)
		}
		changed.Store(true)
		_, err := d.Dial(t.Context(), to("second"))
		if transports.ClassOf(err) != transports.Auth || errors.Is(err, transports.ErrStopped) {
			t.Fatal(err)
		}
		dialAll(t.Context(), d, 500)
		if n := c.count(); n != 4 {
			t.Errorf("%d logins reached hosts, want 4: the first and three more", n)
		}
	})
}

// TestLockOutIsNotHeldUpBySilence: hosts that never answer a login are waited
// for by others, but not for long.
func TestLockOutIsNotHeldUpBySilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clerk{verdict: acceptAll}
		silent := transports.DialerFunc(func(ctx context.Context, target transports.Target) (transports.Conn, error) {
			if !strings.HasPrefix(target.Host, "silent") {
				return c.Dial(ctx, target)
			}
			if err := transports.BeginLogin(ctx); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, transports.ContextError(ctx, target.Host, "login", transports.Unreachable)
		})
		d := transports.LockOut(transports.LockOutConfig{Patience: 4 * time.Second})(silent)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { _, _ = d.Dial(ctx, to(fmt.Sprint("silent", i))) })
		}
		synctest.Wait()
		start := time.Now()
		if _, err := d.Dial(t.Context(), to("web1")); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("waited %v, want 4s", took)
		}
		wg.Wait()
	})
}

func TestLockOutWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := transports.LockOut(transports.LockOutConfig{})(&clerk{takes: 5 * time.Second, verdict: acceptAll})
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { _, _ = d.Dial(t.Context(), to(fmt.Sprint("slow", i))) })
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(time.Second, cancel)
		_, err := d.Dial(ctx, to("web1"))
		if !errors.Is(err, context.Canceled) || transports.ClassOf(err) != transports.Unreachable || time.Since(start) != time.Second {
			t.Errorf("after %v: %v of class %s", time.Since(start), err, transports.ClassOf(err))
		}
		wg.Wait()
	})
}

// TestLockOutOfADialerThatTellsNothing: it counts all the same.
func TestLockOutOfADialerThatTellsNothing(t *testing.T) {
	calls := 0
	d := transports.LockOut(transports.LockOutConfig{})(transports.DialerFunc(
		func(_ context.Context, target transports.Target) (transports.Conn, error) {
			calls++
			return nil, fmt.Errorf("scan: %w", refusal(target.Host))
		}))
	for range 10 {
		_, _ = d.Dial(t.Context(), to("web1")) // counted
	}
	if calls != 3 {
		t.Errorf("%d dials, want 3", calls)
	}
}

// TestGuardIsSharedByAttempts: what counts is the order in which attempts end,
// and each counts once.
func TestGuardIsSharedByAttempts(t *testing.T) {
	g := transports.NewGuard(transports.LockOutConfig{})
	var attempts []*transports.Attempt
	for i := range 4 {
		_, a, err := g.Watch(t.Context(), fmt.Sprint("h", i), to("").Credential)
		if err != nil {
			t.Fatal(err)
		}
		attempts = append(attempts, a)
	}
	for range 5 {
		attempts[0].End(refusal("h0"))
	}
	attempts[1].End(refusal("h1"))
	if _, _, err := g.Watch(t.Context(), "h", to("").Credential); err != nil {
		t.Fatalf("stopped after two: %v", err)
	}
	attempts[2].End(refusal("h2"))
	attempts[3].End(nil) // too late
	_, _, err := g.Watch(t.Context(), "h", to("").Credential)
	if !errors.Is(err, transports.ErrStopped) || !strings.Contains(err.Error(), "(h0, h1, h2: ") {
		t.Error(err)
	}
}

func TestLockOutListsFewHosts(t *testing.T) {
	d := transports.LockOut(transports.LockOutConfig{Refusals: 12})(&clerk{verdict: refuseAll})
	var hosts []string
	for i := range 12 {
		hosts = append(hosts, fmt.Sprintf("h%02d", i))
		_, _ = d.Dial(t.Context(), to(hosts[i])) // counted
	}
	_, err := d.Dial(t.Context(), to("late"))
	want := strings.Join(slices.Clip(hosts[:10]), ", ") + " and 2 more: user ops: wrong"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not hold %q", err, want)
	}
}
