package transports

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/sethvargo/go-retry"
)

// RetryConfig bounds the repetition of dials. The zero value is ready to use.
type RetryConfig struct {
	// Tries is the number of dials in all; default 4.
	Tries int
	// Base is the middle of the first wait, which doubles each time; default
	// 500 ms. Each wait is drawn between half and one and a half of it, so
	// that hosts behind one bastion do not come back together.
	Base time.Duration
	// Cap bounds one wait before it is drawn; default 8 s.
	Cap time.Duration
	// Total is the time after which no further dial is started; default 30 s.
	Total time.Duration
	// Rand returns a number in [0, n); default math/rand/v2.
	Rand func(n int64) int64
	// Now is the clock for Total; default time.Now.
	Now func() time.Time
}

// WithDefaults returns c with its zero fields filled.
func (c RetryConfig) WithDefaults() RetryConfig {
	if c.Tries == 0 {
		c.Tries = 4
	}
	if c.Base == 0 {
		c.Base = 500 * time.Millisecond
	}
	if c.Cap == 0 {
		c.Cap = 8 * time.Second
	}
	if c.Total == 0 {
		c.Total = 30 * time.Second
	}
	if c.Rand == nil {
		c.Rand = rand.Int64N
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c RetryConfig) validate() error {
	if c.Tries < 1 || c.Base < 0 || c.Cap < 0 || c.Total < 0 {
		return errors.New("retry: tries and times must be positive")
	}
	return nil
}

// Retry returns a decorator that repeats a Dial which failed with an *Error
// marked Temporary, such as a connection that sshd dropped for MaxStartups.
// Nothing else is repeated, a refused login least of all, nor is a Knock. It
// ends when the context does, with the last error of the dialer.
func Retry(config RetryConfig) (func(Dialer) Dialer, error) {
	config = config.WithDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	return func(next Dialer) Dialer { return &retrier{next: next, config: config} }, nil
}

type retrier struct {
	next   Dialer
	config RetryConfig
}

// Dial dials until it works, or should not be repeated.
func (r *retrier) Dial(ctx context.Context, target Target) (Conn, error) {
	return retryDial(ctx, r.next, target, r.config)
}

// Knock knocks once.
func (r *retrier) Knock(ctx context.Context, target Target) error {
	return passKnock(ctx, r.next, target)
}

func retryDial(ctx context.Context, next Dialer, target Target, config RetryConfig) (Conn, error) {
	var last error
	conn, err := retry.DoValue(ctx, config.backoff(), func(ctx context.Context) (Conn, error) {
		conn, err := next.Dial(ctx, target)
		if err == nil {
			return conn, nil
		}
		last = err
		if e, ok := errors.AsType[*Error](err); ok && e.Temporary {
			return nil, retry.RetryableError(err)
		}
		return nil, err
	})
	if err == nil {
		return conn, nil
	}
	if last == nil { // ctx had ended before the first dial
		return nil, &Error{Class: Unreachable, Host: target.Host, Op: "connect", Err: err}
	}
	return nil, last
}

// backoff doubles from Base to Cap with jitter, and stops after Tries-1 waits
// or when Total would be passed.
func (c RetryConfig) backoff() retry.Backoff {
	start, wait := c.Now(), min(c.Base, c.Cap)
	jittered := retry.BackoffFunc(func() (time.Duration, bool) {
		next := wait/2 + time.Duration(c.Rand(int64(wait)+1))
		wait = min(wait*2, c.Cap)
		return next, c.Now().Add(next).Sub(start) > c.Total
	})
	return retry.WithMaxRetries(uint64(c.Tries-1), jittered)
}

var (
	_ Dialer  = (*retrier)(nil)
	_ Knocker = (*retrier)(nil)
)
