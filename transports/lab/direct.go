package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"oust/transports"
)

// Dialer connects to the fleet's hosts without a network in between, whether
// they listen or not. A host is found by Target.Host. Logins, commands and
// faults are those of a host that is reached over SSH or WinRM, and so are the
// classes of errors; keys and certificates are not looked at. A password that
// is given must be right, unless there is a key too.
// It is a transports.Knocker too.
func (f *Fleet) Dialer() transports.Dialer { return &direct{fleet: f, patience: answerTime} }

type direct struct {
	fleet *Fleet
	// patience is how long Dial waits for a host that says nothing.
	patience time.Duration
}

var (
	_ transports.Dialer  = (*direct)(nil)
	_ transports.Knocker = (*direct)(nil)
)

// station is a host of either kind, as a direct connection sees it.
type station interface {
	hasFault(name string) bool
	// life ends when the host stops or is started again.
	life() context.Context
	// admit enters a connection, unless the host is away; leave takes it out.
	admit(l *line) bool
	leave(l *line)
	// listening is the advice for a port on which nothing listens.
	listening() string
	// stranger is the error for a host that is not who it should be, or nil.
	stranger(t transports.Target) *transports.Error
	// allows reports whether the host lets the account in.
	allows(c transports.Credential) bool
	// perform runs a command and returns how it ended; started in a goroutine
	// of its own by spawn.
	perform(ctx context.Context, x *execution) ending
	spawn(work func()) bool
}

// The steps that errors name.
const (
	opConnect     = "connect"
	opKeyExchange = "key exchange"
	opTLS         = "TLS handshake"
	opLogin       = "login"
	opShell       = "open shell"
	opBecome      = "become root"
	opRun         = "run"
)

// How long a client waits for a host that says nothing: the defaults of the
// adapters, in the client's time.
const (
	connectTime = 10 * time.Second
	answerTime  = 15 * time.Second
	knockTime   = 5 * time.Second
	commandTime = 2 * time.Minute
)

// Why a connection ended.
var (
	errClosed    = errors.New("the connection was closed here")
	errCut       = errors.New("the connection was lost")
	errShellGone = errors.New("the host answers with fault 2150858843: the shell is not there any more")
	errNoAnswer  = errors.New("the host stopped answering")
	errNotXML    = errors.New("the host's answer is no answer of WinRM: it is not XML")
	errNoExit    = errors.New("the host's answer is no answer of WinRM: the command's end comes without an exit code")
)

// Dial connects and logs in. See transports.Dialer for what it promises.
func (d *direct) Dial(ctx context.Context, target transports.Target) (transports.Conn, error) {
	s, l, err := d.reach(ctx, target, d.patience)
	if err != nil {
		return nil, err
	}
	if err := d.enter(ctx, s, l, target); err != nil {
		s.leave(l)
		l.end(errClosed)
		return nil, err
	}
	return &directConn{fleet: d.fleet, station: s, line: l, target: target}, nil
}

// Knock connects, waits for the first sign of life and hangs up, without a
// login. It ends within some seconds; errors have the classes that Dial's have.
func (d *direct) Knock(ctx context.Context, target transports.Target) error {
	s, l, err := d.reach(ctx, target, min(d.patience, knockTime))
	if err != nil {
		return err
	}
	s.leave(l)
	l.end(errClosed)
	return nil
}

// reach makes the connection and waits for the host to say something.
func (d *direct) reach(ctx context.Context, target transports.Target, patience time.Duration) (station, *line, error) {
	if ctx.Err() != nil {
		return nil, nil, transports.ContextError(ctx, target.Host, opConnect, transports.Unreachable)
	}
	s := d.station(target.Host)
	refused := func(err error) error {
		advice := ""
		if s != nil {
			advice = s.listening()
		}
		return transports.ConnectError(target.Host, net.JoinHostPort(target.Address, fmt.Sprint(target.Port)), connectTime, advice, err)
	}
	if s == nil {
		return nil, nil, refused(&net.DNSError{Err: "no such host", Name: target.Host, IsNotFound: true})
	}
	if s.hasFault(faultRefused) {
		return nil, nil, refused(syscall.ECONNREFUSED)
	}
	l := newLine(s.life())
	if !s.admit(l) {
		l.end(errCut)
		return nil, nil, refused(syscall.EHOSTUNREACH)
	}
	if err := d.greet(ctx, s, l, target, patience); err != nil {
		s.leave(l)
		l.end(errClosed)
		return nil, nil, err
	}
	return s, l, nil
}

// station finds a host by its name.
func (d *direct) station(name string) station {
	if h := d.fleet.byName[name]; h != nil {
		return linuxStation{h}
	}
	if w := d.fleet.winByName[name]; w != nil {
		return winStation{w}
	}
	return nil
}

// greet waits for the host's first words.
func (d *direct) greet(ctx context.Context, s station, l *line, target transports.Target, patience time.Duration) error {
	switch {
	case s.hasFault(faultSilent):
		if err := l.wait(ctx, patience); err != nil {
			return l.failure(ctx, target.Host, opKeyExchange)
		}
		return &transports.Error{
			Class: transports.Timeout, Host: target.Host, Op: opKeyExchange,
			Err: transports.Worded(fmt.Sprintf("connected, and the host gave no answer for %v", patience), context.DeadlineExceeded),
		}
	case s.hasFault(faultSlow):
		if err := l.wait(ctx, greetPackets*d.fleet.config.Delay); err != nil {
			return l.failure(ctx, target.Host, opKeyExchange)
		}
	}
	return nil
}

// What a slow host sends: packets in answer to a connection, a login and a
// command.
const (
	greetPackets = 2
	loginPackets = 3
	runPackets   = 3
)

// enter checks who the host is, and logs in.
func (d *direct) enter(ctx context.Context, s station, l *line, target transports.Target) error {
	if e := s.stranger(target); e != nil {
		return e
	}
	if s.hasFault(faultSlow) {
		if err := l.wait(ctx, loginPackets*d.fleet.config.Delay); err != nil {
			return l.failure(ctx, target.Host, opLogin)
		}
	}
	if target.Credential.User == "" {
		return &transports.Error{
			Class: transports.Auth, NoLogin: true, Host: target.Host, Op: opLogin, Err: errors.New("no user to log in as"),
			Advice: "write one in the campaign or the inventory",
		}
	}
	if !s.allows(target.Credential) {
		return &transports.Error{
			Class: transports.Auth, Host: target.Host, Op: opLogin,
			Err:    fmt.Errorf("user %s: the host refused the login", transports.Clean(target.Credential.User)),
			Advice: "check the user and the secrets of credential " + transports.Clean(target.Credential.Name),
		}
	}
	if l.life.Err() != nil {
		return l.failure(ctx, target.Host, opLogin)
	}
	return nil
}

// account is a user's name without its domain or realm.
func account(user string) string {
	if _, name, ok := strings.Cut(user, `\`); ok {
		return name
	}
	name, _, _ := strings.Cut(user, "@")
	return name
}

// makeAddresses gives the hosts of a fleet that does not listen addresses of
// the network for benchmarks (RFC 2544, C.2.2).
func (f *Fleet) makeAddresses() {
	for i, h := range f.hosts {
		h.net.addr = &net.TCPAddr{IP: net.IPv4(198, 18, byte((i+1)>>8), byte(i+1)), Port: 22}
	}
	for i, w := range f.windows {
		w.port.mu.Lock()
		w.port.addr = &net.TCPAddr{IP: net.IPv4(198, 19, byte((i+1)>>8), byte(i+1)), Port: 5986}
		w.port.offline = true
		w.port.mu.Unlock()
	}
}
