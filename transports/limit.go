package transports

import (
	"context"
	"sync"
)

// Limit returns a decorator that bounds how many connections exist at once:
// total over all hosts and perSite for hosts of one Target.Site. A number of 0
// or less means no such bound. A place is taken before Dial and given back
// when the Conn is closed, or at once if Dial fails; a Knock has one until it
// ends. A call that waits for a place ends when its context does.
//
// The site's place is taken first, so that hosts of a full site wait without
// holding a place that another site could use.
func Limit(total, perSite int) func(Dialer) Dialer {
	return func(next Dialer) Dialer {
		l := &limiter{next: next, perSite: perSite, sites: make(map[string]places)}
		if total > 0 {
			l.total = make(places, total)
		}
		return l
	}
}

type limiter struct {
	next    Dialer
	total   places
	perSite int

	mu    sync.Mutex
	sites map[string]places
}

// Dial waits for a place and calls the next dialer.
func (l *limiter) Dial(ctx context.Context, target Target) (Conn, error) {
	give, err := l.take(ctx, target)
	if err != nil {
		return nil, err
	}
	conn, err := l.next.Dial(ctx, target)
	if err != nil {
		give()
		return nil, err
	}
	return &limitedConn{Conn: conn, give: give}, nil
}

// Knock waits for a place and knocks.
func (l *limiter) Knock(ctx context.Context, target Target) error {
	give, err := l.take(ctx, target)
	if err != nil {
		return err
	}
	defer give()
	return passKnock(ctx, l.next, target)
}

// take waits for a place at the target's site and one in all.
func (l *limiter) take(ctx context.Context, target Target) (give func(), err error) {
	site := l.site(target.Site)
	if err := site.take(ctx); err != nil {
		return nil, noPlace(target, err)
	}
	if err := l.total.take(ctx); err != nil {
		site.give()
		return nil, noPlace(target, err)
	}
	return func() { l.total.give(); site.give() }, nil
}

func (l *limiter) site(name string) places {
	if l.perSite <= 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.sites[name]
	if !ok {
		p = make(places, l.perSite)
		l.sites[name] = p
	}
	return p
}

func noPlace(target Target, err error) error {
	return &Error{Class: Unreachable, Host: target.Host, Op: "wait for a free connection", Err: err}
}

// places is a counting semaphore; nil has no bound.
type places chan struct{}

func (p places) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil || p == nil {
		return err
	}
	select {
	case p <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p places) give() {
	if p != nil {
		<-p
	}
}

type limitedConn struct {
	Conn
	once sync.Once
	give func()
}

// Close closes the connection and gives its place back.
func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.give)
	return err
}

var (
	_ Dialer  = (*limiter)(nil)
	_ Knocker = (*limiter)(nil)
	_ Conn    = (*limitedConn)(nil)
)
