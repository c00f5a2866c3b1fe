package transports

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/time/rate"
)

// Knocker is what a Dialer may be able to do besides: find out whether a host
// answers, without a login there.
//
// Knock connects by the route of Dial, waits for the first thing that only a
// living server says, and hangs up; nil means that there is one. What a login
// would make of it, and whether the host can be trusted, Knock does not say.
// It ends within seconds of its own, whatever the peer does, and at once when
// ctx is cancelled; the first knock through a bastion may take that login
// longer. Errors are of type *Error, with the classes that Dial's have;
// errors.ErrUnsupported is in the chain of a decorator's when what it
// decorates cannot knock. Knock is safe for concurrent use and may be
// repeated.
type Knocker interface {
	Knock(ctx context.Context, target Target) error
}

// Knock knocks at a host. With a dialer that cannot, it dials and closes: a
// host that refuses the login, or is not trusted, has answered all the same.
func Knock(ctx context.Context, d Dialer, target Target) error {
	err := passKnock(ctx, d, target)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	conn, err := d.Dial(ctx, target)
	if err == nil {
		_ = conn.Close() // nothing was asked of it
		return nil
	}
	switch e, _ := errors.AsType[*Error](err); {
	case e != nil && e.Class == Auth && !e.NoLogin, e != nil && e.Class == Untrusted:
		return nil
	}
	return err
}

// passKnock is Knock of a decorator: the fallback is left to the outermost
// caller, whose Dial goes through all decorators.
func passKnock(ctx context.Context, next Dialer, target Target) error {
	if k, ok := next.(Knocker); ok {
		return k.Knock(ctx, target)
	}
	return &Error{
		Class: Internal, Host: target.Host, Op: "knock",
		Err: Worded("the transport cannot knock", errors.ErrUnsupported),
	}
}

// KnockRate returns a decorator that bounds how many knocks a second the hosts
// of one Target.Site get, evenly spaced; 0 or less means no bound. A Knock
// that waits ends with its context, and at once if its turn comes later than
// the context's deadline. Dials pass.
func KnockRate(perSite float64) func(Dialer) Dialer {
	return func(next Dialer) Dialer {
		return &pacer{next: next, perSite: rate.Limit(perSite), sites: make(map[string]*rate.Limiter)}
	}
}

type pacer struct {
	next    Dialer
	perSite rate.Limit

	mu    sync.Mutex
	sites map[string]*rate.Limiter
}

// Dial dials.
func (p *pacer) Dial(ctx context.Context, target Target) (Conn, error) {
	return p.next.Dial(ctx, target)
}

// Knock waits for its turn and knocks.
func (p *pacer) Knock(ctx context.Context, target Target) error {
	if p.perSite > 0 {
		if err := p.site(target.Site).Wait(ctx); err != nil {
			const op = "wait to knock"
			if ctx.Err() != nil {
				return ContextError(ctx, target.Host, op, Unreachable)
			}
			return &Error{Class: Timeout, Host: target.Host, Op: op, Err: Worded("its turn comes too late", context.DeadlineExceeded)}
		}
	}
	return passKnock(ctx, p.next, target)
}

func (p *pacer) site(name string) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.sites[name]
	if !ok {
		l = rate.NewLimiter(p.perSite, 1)
		p.sites[name] = l
	}
	return l
}

var (
	_ Dialer  = (*pacer)(nil)
	_ Knocker = (*pacer)(nil)
)
