package transports

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// LockOutConfig says when a credential is not tried any more. The zero value
// is ready to use, and a value below 0 is as good as 0.
type LockOutConfig struct {
	// Refusals is how many refused logins in a row stop a credential; default 3.
	Refusals int
	// Patience is how long a login that gets no answer keeps others from being
	// tried; default 10 s.
	Patience time.Duration
	// OnStop is told of each credential that is stopped, once: its name, the
	// user, and why, in one line. It must be safe for concurrent use.
	OnStop func(name, user, why string)
}

// WithDefaults returns c with its zero fields filled.
func (c LockOutConfig) WithDefaults() LockOutConfig {
	if c.Refusals <= 0 {
		c.Refusals = 3
	}
	if c.Patience <= 0 {
		c.Patience = 10 * time.Second
	}
	if c.OnStop == nil {
		c.OnStop = func(string, string, string) {}
	}
	return c
}

// ErrStopped is in the chain of each error of a credential that is not tried
// any more: the host was not asked.
var ErrStopped = errors.New("the credential is stopped")

// adviceStopped goes with ErrStopped.
const adviceStopped = "it is not tried again in this run, so that no account is locked: correct it, then run again"

// LockOut returns a decorator with a Guard of its own.
func LockOut(config LockOutConfig) func(Dialer) Dialer { return NewGuard(config).Dialer }

// Dialer is next with the guard before it: a Dial of a stopped credential
// fails at once with class auth, ErrStopped, and why in its text.
//
// It belongs inside Retry, so that each login counts, and outside Limit, so
// that a stopped credential waits for no place. Knocks pass, for they are no
// logins.
func (g *Guard) Dialer(next Dialer) Dialer { return &guardedDialer{guard: g, next: next} }

type guardedDialer struct {
	guard *Guard
	next  Dialer
}

// Dial dials unless the credential is stopped.
func (d *guardedDialer) Dial(ctx context.Context, target Target) (Conn, error) {
	watched, attempt, err := d.guard.Watch(ctx, target.Host, target.Credential)
	if err != nil {
		return nil, err
	}
	conn, err := d.next.Dial(watched, target)
	attempt.End(err)
	return conn, err
}

// Knock passes a knock on.
func (d *guardedDialer) Knock(ctx context.Context, target Target) error {
	return passKnock(ctx, d.next, target)
}

// hostsShown bounds how many hosts the reason of a stop lists.
const hostsShown = 10

// reason is why a credential is stopped, for a person.
func reason(name string, hosts []string, last error) string {
	words := "the login was refused"
	if e, ok := errors.AsType[*Error](last); ok && e.Err != nil {
		words = e.Err.Error()
	}
	if name == "" {
		name = "the credential"
	} else {
		name = "credential " + Clean(name)
	}
	var distinct []string
	for _, h := range hosts {
		if !slices.Contains(distinct, h) {
			distinct = append(distinct, h)
		}
	}
	by := fmt.Sprintf("by %d hosts in a row", len(hosts))
	if len(distinct) < len(hosts) {
		by = fmt.Sprintf("%d times in a row", len(hosts))
	}
	list := strings.Join(distinct[:min(len(distinct), hostsShown)], ", ")
	if more := len(distinct) - hostsShown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s was refused %s (%s: %s)", name, by, list, Clean(words))
}

// isRefusal reports whether err is a host's refusal of the credential that was
// shown to it. That the login user may not become root is another class.
func isRefusal(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Class == Auth && !e.NoLogin
}

var (
	_ Dialer  = (*guardedDialer)(nil)
	_ Knocker = (*guardedDialer)(nil)
)
