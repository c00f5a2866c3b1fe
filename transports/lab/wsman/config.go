package wsman

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/transports"
)

// How strictly channel binding tokens of NTLM and Kerberos over TLS are
// checked, as the service's CbtHardeningLevel.
const (
	// BindingsIgnored takes every login, also with a wrong token.
	BindingsIgnored = "none"
	// BindingsRelaxed checks a token that is given.
	BindingsRelaxed = "relaxed"
	// BindingsStrict refuses logins without a token.
	BindingsStrict = "strict"
)

// Clock is the time that operations are measured by.
type Clock interface {
	Now() time.Time
	// Sleep waits for d of the clock's time, or until ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// Config says what a server offers. The zero value of a field is its default.
type Config struct {
	// Backend runs the commands; required.
	Backend Backend
	// Logins looks an account up; required with Basic or NTLM. The domain is
	// "" where the client named none; a name such as user@realm comes whole,
	// as user.
	Logins func(user, domain string) (password transports.Secret, ok bool)
	// TLS, if set, makes every connection of Serve and ServeConn TLS. Its
	// first certificate is the one that channel binding tokens are for.
	TLS *tls.Config

	// Basic and NTLM say which logins are offered. Without AllowUnencrypted,
	// Basic is offered over TLS only.
	Basic, NTLM bool
	// Certificate, if set, maps a TLS client certificate to an account. The
	// handshake has shown that the client has its key; all other checks are
	// the function's.
	Certificate func(*x509.Certificate) (user string, ok bool)
	// Kerberos, if set, takes logins by Kerberos.
	Kerberos *Kerberos
	// AllowUnencrypted takes messages that are neither sealed nor sent over
	// TLS, and offers Basic there.
	AllowUnencrypted bool
	// Bindings is BindingsIgnored, BindingsRelaxed (the default) or
	// BindingsStrict.
	Bindings string

	// EnvelopeLimit bounds a request and a reply, in bytes of XML; default
	// 512,000 (MaxEnvelopeSizekb 500).
	EnvelopeLimit int
	// OperationTimeout is the longest that a request may wait, by Clock;
	// default 60 s (MaxTimeoutms). Requests may ask for less.
	OperationTimeout time.Duration
	// Shells bounds the shells of a user; default 30 (MaxShellsPerUser).
	Shells int
	// Operations bounds the commands that a user's shells have run; default
	// 1500 (MaxConcurrentOperationsPerUser). A command counts until its shell
	// is deleted, also after it was terminated (MS-WSMV, note 118).
	Operations int
	// ShellIdle is how long a shell lives that nobody uses, by Clock; default
	// 2 h (IdleTimeout).
	ShellIdle time.Duration

	// Grace bounds, in real time, what a peer may take to send a request once
	// it has begun, or to take a reply; default 30 s.
	Grace time.Duration
	// Idle bounds, in real time, a connection between requests; default 2 min.
	Idle time.Duration
	// Machine is the host's name in faults and challenges; default "WINDOWS".
	Machine string
	// Clock is the time of operations; default the real one.
	Clock Clock
	// OnRequest, if set, is told of each message of an account that has logged
	// in, before it is answered. It must be safe for concurrent use.
	OnRequest func(Seen)
	// Logger takes what happens; default none.
	Logger hclog.Logger
}

// Seen is a message as OnRequest is told of it.
type Seen struct {
	// Action is the last part of the action's name, such as Receive.
	Action string
	// User is the account, as DOMAIN\user or user.
	User string
	// Remote is the client's end of the connection.
	Remote string
	// Sealed says that the message was sealed; TLS, that it came over TLS.
	Sealed, TLS bool
}

// WithDefaults returns c with its zero fields filled.
func (c Config) WithDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.OperationTimeout, time.Minute}, {&c.ShellIdle, 2 * time.Hour},
		{&c.Grace, 30 * time.Second}, {&c.Idle, 2 * time.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, n := range []struct {
		field *int
		value int
	}{{&c.EnvelopeLimit, 512_000}, {&c.Shells, 30}, {&c.Operations, 1500}} {
		if *n.field == 0 {
			*n.field = n.value
		}
	}
	if c.Bindings == "" {
		c.Bindings = BindingsRelaxed
	}
	if c.Machine == "" {
		c.Machine = "WINDOWS"
	}
	if c.Clock == nil {
		c.Clock = realClock{}
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Backend == nil:
		return errors.New("wsman: there is no backend")
	case !c.Basic && !c.NTLM && c.Certificate == nil && c.Kerberos == nil:
		return errors.New("wsman: no way to log in is offered")
	case (c.Basic || c.NTLM) && c.Logins == nil:
		return errors.New("wsman: Basic and NTLM need Logins")
	case c.Certificate != nil && c.TLS == nil:
		return errors.New("wsman: client certificates need TLS")
	case c.Bindings != BindingsIgnored && c.Bindings != BindingsRelaxed && c.Bindings != BindingsStrict:
		return fmt.Errorf("wsman: bindings %q; want %s, %s or %s", c.Bindings, BindingsIgnored, BindingsRelaxed, BindingsStrict)
	case c.EnvelopeLimit < leastEnvelope:
		return fmt.Errorf("wsman: envelope limit %d; want at least %d", c.EnvelopeLimit, leastEnvelope)
	case c.Shells < 0 || c.Operations < 0:
		return errors.New("wsman: limits must not be negative")
	case c.OperationTimeout < 0 || c.ShellIdle < 0 || c.Grace < 0 || c.Idle < 0:
		return errors.New("wsman: durations must not be negative")
	}
	return nil
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var _ Clock = realClock{}
