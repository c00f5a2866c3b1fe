package transports

import (
	"context"
	"sync"
	"time"
)

// Guard keeps accounts from being locked: after a number of refused logins in
// a row it stops a credential for its own life, which is that of a run. Keys
// count as passwords do, though they lock no account: a wrong one is of as
// little use at the next host. However many keys of an agent are shown to a
// host, it is one login. A credential is its name with the user, since hosts
// may have users of their own.
//
// Refusals count in the order in which they come, of whichever host; one login
// that worked sets the count to zero. Of a credential that has not worked yet,
// or whose last login was refused, only as many logins are under way at a time
// as are left before it would be stopped. So no more than these reach hosts,
// however many are dialled at once, but for hosts that take longer than
// LockOutConfig.Patience to refuse. While the last login worked there is no
// bound.
//
// A Guard is safe for concurrent use.
type Guard struct {
	config LockOutConfig

	mu          sync.Mutex
	credentials map[credentialKey]*standing
}

type credentialKey struct{ name, user string }

// standing is what is known of a credential, under the guard's mutex.
type standing struct {
	works    bool     // the last login that ended worked
	refused  []string // hosts that refused it since one worked
	underway int      // logins that others wait for
	stopped  string   // why; empty if it is not
	// changed is closed when something of this changes; nil if nobody waits.
	changed chan struct{}
}

// NewGuard returns a guard that has seen no login yet.
func NewGuard(config LockOutConfig) *Guard {
	return &Guard{config: config.WithDefaults(), credentials: make(map[credentialKey]*standing)}
}

// Watch begins to watch one attempt to log in to a host, or to a bastion. The
// context is for the attempt, and carries what BeginLogin needs; the result
// must be given to Attempt.End. The error is that of a stopped credential.
func (g *Guard) Watch(ctx context.Context, host string, c Credential) (context.Context, *Attempt, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := credentialKey{c.Name, c.User}
	s := g.credentials[key]
	if s == nil {
		s = &standing{}
		g.credentials[key] = s
	}
	a := &Attempt{guard: g, standing: s, host: host, credential: key}
	if s.stopped != "" {
		return ctx, nil, a.stopped()
	}
	return context.WithValue(ctx, attemptKey{}, a), a, nil
}

type attemptKey struct{}

// BeginLogin is called by a Dialer once in a Dial, right before it shows a
// credential to the host, with the context that it was given. It waits while
// other logins of the credential have to end first; the time for the login
// should begin after it. The error is of type *Error: the credential was
// stopped meanwhile, and must not be shown, or ctx has ended.
//
// A Dialer that does not call it is guarded as well, but all logins that are
// under way when a credential is stopped may reach their hosts.
func BeginLogin(ctx context.Context) error {
	if a, ok := ctx.Value(attemptKey{}).(*Attempt); ok {
		return a.begin(ctx)
	}
	return nil
}

// Again is for a Dialer whose connections may have to log in once more: it
// returns a function that watches such a login as Watch does, by the guard
// that ctx, a Dial's, has come through. Without one it watches nothing.
func Again(ctx context.Context) func(context.Context) (context.Context, *Attempt, error) {
	first, ok := ctx.Value(attemptKey{}).(*Attempt)
	if !ok {
		return func(ctx context.Context) (context.Context, *Attempt, error) { return ctx, nil, nil }
	}
	g, host, key := first.guard, first.host, first.credential
	return func(ctx context.Context) (context.Context, *Attempt, error) {
		return g.Watch(ctx, host, Credential{Name: key.name, User: key.user})
	}
}

// Attempt is one attempt to log in. That of nil counts nothing.
type Attempt struct {
	guard      *Guard
	standing   *standing
	host       string
	credential credentialKey

	// Under the guard's mutex.
	held     bool // it counts as under way
	begun    bool
	ended    bool
	patience *time.Timer
}

func (a *Attempt) begin(ctx context.Context) error {
	for {
		wait, err := a.enter()
		if wait == nil {
			return err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ContextError(ctx, a.host, "wait for other logins", Unreachable)
		}
	}
}

// enter counts the login as under way, or returns what to wait for.
func (a *Attempt) enter() (wait <-chan struct{}, err error) {
	g, s := a.guard, a.standing
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case a.begun || a.ended:
		return nil, nil
	case s.stopped != "":
		return nil, a.stopped()
	case !s.works && s.underway+len(s.refused) >= g.config.Refusals:
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		return s.changed, nil
	}
	s.underway++
	a.held, a.begun = true, true
	a.patience = time.AfterFunc(g.config.Patience, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		a.letGo()
	})
	return nil, nil
}

// letGo lets others be tried; the caller holds the guard's mutex.
func (a *Attempt) letGo() {
	if a.held {
		a.held = false
		a.standing.underway--
		a.standing.tell()
	}
}

// tell wakes all who wait.
func (s *standing) tell() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// End tells how the attempt ended: nil for a login that worked, an *Error of
// class auth without NoLogin for one that the host refused. Other errors say
// nothing of the credential. What comes after the first call counts nothing.
func (a *Attempt) End(err error) {
	if a == nil {
		return
	}
	if why := a.end(err); why != "" {
		a.guard.config.OnStop(a.credential.name, a.credential.user, why+"; "+adviceStopped)
	}
}

// end returns why the credential is stopped, if it is so by this attempt.
func (a *Attempt) end(err error) string {
	g, s := a.guard, a.standing
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.ended {
		return ""
	}
	a.ended = true
	if a.patience != nil {
		a.patience.Stop()
	}
	a.letGo()
	defer s.tell()
	switch {
	case s.stopped != "":
	case err == nil:
		s.works, s.refused = true, nil
	case isRefusal(err):
		s.works, s.refused = false, append(s.refused, a.host)
		if len(s.refused) >= g.config.Refusals {
			s.stopped = reason(a.credential.name, s.refused, err)
			return s.stopped
		}
	}
	return ""
}

// stopped is the error of an attempt that is not made; the caller holds the
// guard's mutex.
func (a *Attempt) stopped() *Error {
	return &Error{
		Class: Auth, Host: a.host, Op: "login", NoLogin: true,
		Err: Worded(a.standing.stopped, ErrStopped), Advice: adviceStopped,
	}
}
