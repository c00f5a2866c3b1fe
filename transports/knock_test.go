package transports_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oust/transports"
)

// bell is a dialer that can knock; it counts what it is asked for.
type bell struct {
	err error

	mu     sync.Mutex
	dials  int
	knocks []time.Time
}

func (b *bell) Dial(context.Context, transports.Target) (transports.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials++
	return &fakeConn{}, nil
}

func (b *bell) Knock(context.Context, transports.Target) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.knocks = append(b.knocks, time.Now())
	return b.err
}

// stack is all decorators, in the order in which a campaign has them.
func stack(t *testing.T, d transports.Dialer) transports.Dialer {
	t.Helper()
	again, err := transports.Retry(transports.RetryConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return transports.KnockRate(1000)(again(transports.LockOut(transports.LockOutConfig{})(transports.Limit(5, 5)(d))))
}

func TestKnockPassesDecorators(t *testing.T) {
	gone := &transports.Error{Class: transports.Unreachable, Host: "web1", Temporary: true, Err: errors.New("gone")}
	for _, want := range []error{nil, gone} {
		b := &bell{err: want}
		if err := transports.Knock(t.Context(), stack(t, b), to("web1")); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		if len(b.knocks) != 1 || b.dials != 0 {
			t.Errorf("%d knocks and %d dials, want one knock", len(b.knocks), b.dials)
		}
	}
}

// TestKnockFallsBackToDial: through all decorators, so that a refused login
// counts.
func TestKnockFallsBackToDial(t *testing.T) {
	conn := &fakeConn{}
	d := stack(t, transports.DialerFunc(func(context.Context, transports.Target) (transports.Conn, error) { return conn, nil }))
	for range 10 { // more than Limit has places
		if err := transports.Knock(t.Context(), d, to("web1")); err != nil {
			t.Fatal(err)
		}
	}
	if n := conn.closed.Load(); n != 10 {
		t.Errorf("%d connections were closed, want 10", n)
	}
	if err := d.(transports.Knocker).Knock(t.Context(), to("web1")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v of a knock without a fallback", err)
	}
	for _, c := range []struct {
		err   *transports.Error
		alive bool
	}{
		{&transports.Error{Class: transports.Auth}, true},
		{&transports.Error{Class: transports.Untrusted}, true},
		{&transports.Error{Class: transports.Auth, NoLogin: true}, false},
		{&transports.Error{Class: transports.Unreachable}, false},
		{&transports.Error{Class: transports.Timeout}, false},
	} {
		c.err.Err = errors.New("why")
		d := stack(t, transports.DialerFunc(func(context.Context, transports.Target) (transports.Conn, error) { return nil, c.err }))
		for i := range 4 {
			err := transports.Knock(t.Context(), d, to("web1"))
			alive := c.alive && (c.err.Class != transports.Auth || i < 3) // the fourth login is not made
			if (err == nil) != alive {
				t.Errorf("knock %d at %v: %v", i, c.err, err)
			}
		}
	}
}

func TestKnockTakesAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bell{}
		d := transports.Limit(1, 0)(b)
		conn := dialOK(t, d, "web1")
		done := make(chan error)
		go func() { done <- transports.Knock(t.Context(), d, to("web2")) }()
		synctest.Wait()
		if len(b.knocks) != 0 {
			t.Error("a knock had no place")
		}
		conn.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		dialOK(t, d, "web3").Close() // the place was given back
	})
}

func TestKnockRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bell{}
		d := transports.KnockRate(2)(b)
		var wg sync.WaitGroup
		start := time.Now()
		for i := range 40 {
			target := to(fmt.Sprint("web", i))
			target.Site = fmt.Sprint("site", i%2)
			wg.Go(func() {
				if err := transports.Knock(t.Context(), d, target); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != 9500*time.Millisecond {
			t.Errorf("20 knocks at each of two sites took %v, want 9.5s", took)
		}
		within := 0
		for _, at := range b.knocks {
			if at.Sub(start) < time.Second {
				within++
			}
		}
		if within != 4 {
			t.Errorf("%d knocks within the first second, want 2 for each site", within)
		}
		dialOK(t, d, "web1").Close() // waits for nothing
		if took := time.Since(start); took != 9500*time.Millisecond {
			t.Errorf("a dial waited %v", took-9500*time.Millisecond)
		}
	})
}

func TestKnockRateWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bell{}
		d := transports.KnockRate(0.1)(b)
		if err := transports.Knock(t.Context(), d, to("web1")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := transports.Knock(ctx, d, to("web1")); transports.ClassOf(err) != transports.Timeout || time.Since(start) != 0 {
			t.Errorf("after %v: %v of class %s", time.Since(start), err, transports.ClassOf(err))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := transports.Knock(ctx, d, to("web1"))
		if !errors.Is(err, context.Canceled) || transports.ClassOf(err) != transports.Unreachable || time.Since(start) != time.Second {
			t.Errorf("after %v: %v of class %s", time.Since(start), err, transports.ClassOf(err))
		}
		if len(b.knocks) != 1 {
			t.Errorf("%d knocks, want 1", len(b.knocks))
		}
	})
}

func TestKnockRateWithoutBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for _, d := range []transports.Dialer{transports.KnockRate(0)(&bell{}), transports.KnockRate(-1)(&bell{})} {
			for range 100 {
				if err := transports.Knock(t.Context(), d, to("web1")); err != nil {
					t.Error(err)
				}
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}
