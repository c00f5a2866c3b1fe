package transports_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/transports"
)

var errDropped = &transports.Error{
	Class: transports.Unreachable, Host: "web1", Op: "connect", Temporary: true, Err: errors.New("dropped"),
}

// failing returns a dialer that fails n times with err, and the times of its calls.
func failing(n int, err error) (transports.Dialer, *[]time.Duration) {
	start, calls := time.Now(), &[]time.Duration{}
	return transports.DialerFunc(func(context.Context, transports.Target) (transports.Conn, error) {
		*calls = append(*calls, time.Since(start))
		if len(*calls) <= n {
			return nil, err
		}
		return &fakeConn{}, nil
	}), calls
}

// half is the draw that makes each wait exactly its middle.
func half(n int64) int64 { return n / 2 }

func TestRetry(t *testing.T) {
	lockout := &transports.Error{Class: transports.Auth, Host: "web1", Op: "login", Err: errors.New("refused")}
	s := time.Second
	for _, c := range []struct {
		name   string
		fails  int
		err    error
		config transports.RetryConfig
		calls  []time.Duration
		ok     bool
	}{
		{name: "at once", calls: []time.Duration{0}, ok: true},
		{name: "twice", fails: 2, err: errDropped, config: transports.RetryConfig{Base: s},
			calls: []time.Duration{0, s, 3 * s}, ok: true},
		{name: "bounded in number", fails: 9, err: errDropped, config: transports.RetryConfig{Base: s, Tries: 3},
			calls: []time.Duration{0, s, 3 * s}},
		{name: "bounded in one wait", fails: 9, err: errDropped, config: transports.RetryConfig{Base: s, Cap: 2 * s, Tries: 5},
			calls: []time.Duration{0, s, 3 * s, 5 * s, 7 * s}},
		{name: "bounded in time", fails: 9, err: errDropped, config: transports.RetryConfig{Base: s, Tries: 9, Total: 4 * s},
			calls: []time.Duration{0, s, 3 * s}},
		{name: "a refused login is not repeated", fails: 9, err: lockout, calls: []time.Duration{0}},
		{name: "an unknown error is not repeated", fails: 9, err: errors.New("odd"), calls: []time.Duration{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next, calls := failing(c.fails, c.err)
				c.config.Rand = half
				decorate, err := transports.Retry(c.config)
				if err != nil {
					t.Fatal(err)
				}
				_, err = decorate(next).Dial(t.Context(), transports.Target{Host: "web1"})
				if (err == nil) != c.ok || (err != nil && !errors.Is(err, c.err)) {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(c.calls, *calls); diff != "" {
					t.Errorf("times of dials (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRetryJitterStaysInBounds(t *testing.T) {
	for _, draw := range []func(int64) int64{
		func(int64) int64 { return 0 }, func(n int64) int64 { return n - 1 },
	} {
		synctest.Test(t, func(t *testing.T) {
			next, calls := failing(1, errDropped)
			decorate, err := transports.Retry(transports.RetryConfig{Base: time.Second, Rand: draw})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decorate(next).Dial(t.Context(), transports.Target{}); err != nil {
				t.Fatal(err)
			}
			if wait := (*calls)[1]; wait < time.Second/2 || wait > 3*time.Second/2 {
				t.Errorf("waited %v, want between 0.5 s and 1.5 s", wait)
			}
		})
	}
}

func TestRetryEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next, calls := failing(9, errDropped)
		decorate, err := transports.Retry(transports.RetryConfig{Base: time.Hour, Total: 24 * time.Hour, Cap: time.Hour, Rand: half})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := decorate(next).Dial(ctx, transports.Target{}); !errors.Is(err, errDropped) {
			t.Errorf("error %v, want the last of the dialer", err)
		}
		if took := time.Since(start); took != time.Minute || len(*calls) != 1 {
			t.Errorf("took %v with %d dials, want 1m0s and 1", took, len(*calls))
		}
		_, err = decorate(next).Dial(ctx, transports.Target{Host: "web1"})
		if !errors.Is(err, context.DeadlineExceeded) || transports.ClassOf(err) != transports.Unreachable || len(*calls) != 1 {
			t.Errorf("error %v after %d dials, want the context's and no further dial", err, len(*calls))
		}
	})
}

func TestRetryRefusesNegativeBounds(t *testing.T) {
	for _, c := range []transports.RetryConfig{{Tries: -1}, {Base: -1}, {Cap: -1}, {Total: -1}} {
		if _, err := transports.Retry(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
