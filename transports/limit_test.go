package transports_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"oust/transports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeConn counts how often it was closed.
type fakeConn struct{ closed atomic.Int32 }

func (c *fakeConn) Run(context.Context, transports.Command) (transports.Result, error) {
	return transports.Result{}, nil
}
func (c *fakeConn) Close() error { c.closed.Add(1); return nil }

func accept(context.Context, transports.Target) (transports.Conn, error) { return &fakeConn{}, nil }

func TestLimitBoundsTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := transports.Limit(2, 0)(transports.DialerFunc(accept))
		first, second := dialOK(t, d, "a"), dialOK(t, d, "b")
		third := make(chan transports.Conn)
		go func() { third <- dialOK(t, d, "c") }()
		synctest.Wait()
		select {
		case <-third:
			t.Fatal("a third connection was made with two open")
		default:
		}
		closeTwice(t, first) // gives one place back, not two
		(<-third).Close()
		second.Close()
		held := []transports.Conn{dialOK(t, d, "d"), dialOK(t, d, "e")}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.Dial(ctx, transports.Target{Host: "f"}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
		for _, c := range held {
			c.Close()
		}
	})
}

func TestLimitBoundsSites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := transports.Limit(2, 1)(transports.DialerFunc(accept))
		a1 := dialSite(t, d, "a")
		waiting := make(chan transports.Conn)
		go func() { waiting <- dialSite(t, d, "a") }()
		synctest.Wait()
		b1 := dialSite(t, d, "b") // a full site holds no place of another
		a1.Close()
		(<-waiting).Close()
		b1.Close()
	})
}

func TestLimitGivesBackAfterFailure(t *testing.T) {
	refused := errors.New("refused")
	d := transports.Limit(1, 1)(transports.DialerFunc(func(context.Context, transports.Target) (transports.Conn, error) {
		return nil, refused
	}))
	for range 3 {
		if _, err := d.Dial(t.Context(), transports.Target{Host: "a"}); !errors.Is(err, refused) {
			t.Fatalf("error %v, want %v", err, refused)
		}
	}
}

func TestLimitWaitEndsWithContext(t *testing.T) {
	for name, sites := range map[string]int{"total": 0, "site": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				total := 1 - sites
				d := transports.Limit(total, sites)(transports.DialerFunc(accept))
				held := dialOK(t, d, "a")
				defer held.Close()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() {
					_, err := d.Dial(ctx, transports.Target{Host: "b"})
					done <- err
				}()
				synctest.Wait()
				cancel()
				err := <-done
				if !errors.Is(err, context.Canceled) || transports.ClassOf(err) != transports.Unreachable {
					t.Errorf("error %v of class %s", err, transports.ClassOf(err))
				}
			})
		})
	}
}

func dialOK(t *testing.T, d transports.Dialer, host string) transports.Conn {
	conn, err := d.Dial(t.Context(), transports.Target{Host: host})
	if err != nil {
		t.Errorf("dial %s: %v", host, err)
		return &fakeConn{}
	}
	return conn
}

func dialSite(t *testing.T, d transports.Dialer, site string) transports.Conn {
	conn, err := d.Dial(t.Context(), transports.Target{Host: "h", Site: site})
	if err != nil {
		t.Errorf("dial in %s: %v", site, err)
		return &fakeConn{}
	}
	return conn
}

func closeTwice(t *testing.T, c transports.Conn) {
	t.Helper()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
