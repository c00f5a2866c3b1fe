package ssh

import (
	"context"
	"errors"
	"strings"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// Dialer reaches hosts over SSH. Keys, agent, known_hosts and ssh_config are
// read once, and bastions are shared; so one Dialer should serve a whole run.
type Dialer struct {
	cfg      Config
	keys     keyring
	agent    agentClient
	resolver *resolver
	notes    *notes
	hops     hopPool
}

var _ transports.Dialer = (*Dialer)(nil)

// NewDialer checks the configuration and reads the ssh_config file. An error
// is about one of these two.
func NewDialer(config Config) (*Dialer, error) {
	config = config.WithDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	d := &Dialer{cfg: config, notes: &notes{log: config.Logger}}
	d.agent = agentClient{socket: config.AgentSocket, patience: config.Login}
	d.keys.notes = d.notes
	resolver, err := newResolver(config, d.notes)
	if err != nil {
		return nil, err
	}
	d.resolver = resolver
	d.hops = hopPool{dialer: d, hops: make(map[string]*hop)}
	return d, nil
}

// Close ends the connections to bastions and to the agent. Connections that
// lead through a bastion end with it.
func (d *Dialer) Close() error {
	d.hops.close()
	d.agent.close()
	return nil
}

// Dial connects and logs in. See transports.Dialer for what it promises.
func (d *Dialer) Dial(ctx context.Context, target transports.Target) (transports.Conn, error) {
	if ctx.Err() != nil {
		return nil, transports.ContextError(ctx, target.Host, opConnect, transports.Unreachable)
	}
	p, err := d.resolver.target(target)
	if err != nil {
		return nil, settingsError(target.Host, err)
	}
	base, release, err := d.reach(ctx, p, p.via, limits{d.cfg.Connect, d.cfg.Open})
	if err != nil {
		return nil, err
	}
	established, err := d.handshake(ctx, p, base)
	if err != nil {
		release()
		return nil, err
	}
	return newConn(&d.cfg, p, base, established, release), nil
}

// settingsError is the error for a target that cannot be resolved.
func settingsError(host string, err error) *transports.Error {
	e := &transports.Error{
		Class: transports.Unsupported, Host: host, Op: opConfig, Err: err,
		Advice: "mend the inventory or the ssh_config file, or set ssh.config: none",
	}
	if errors.Is(err, errNoUser) {
		e.Class, e.NoLogin, e.Advice = transports.Auth, true, "write one in the campaign, the inventory or ssh_config"
	}
	return e
}

// limits bound the making of a stream: connect is for one of TCP, open for one
// that a bastion makes.
type limits struct{ connect, open time.Duration }

// reach makes the byte stream to a peer, through bastions if there are any.
// release gives the bastion back.
func (d *Dialer) reach(ctx context.Context, p *peer, via []peer, within limits) (w *wire, release func(), err error) {
	if len(via) > 0 {
		return d.hops.through(ctx, p, via, within.open)
	}
	limited, cancel := context.WithTimeout(ctx, within.connect)
	defer cancel()
	conn, err := d.cfg.DialContext(limited, "tcp", p.endpoint())
	switch {
	case err == nil:
		return newWire(conn), func() {}, nil
	case ctx.Err() != nil:
		return nil, nil, transports.ContextError(ctx, p.host, p.op(opConnect), transports.Unreachable)
	}
	e := transports.ConnectError(p.host, p.endpoint(), within.connect, nobodyListens, err)
	e.Op = p.op(e.Op)
	return nil, nil, e
}

// established is a connection that is logged in.
type established struct {
	conn     xssh.Conn
	channels <-chan xssh.NewChannel
	requests <-chan *xssh.Request
}

// handshake exchanges keys and logs in, each in its time. On error the stream
// is ended.
func (d *Dialer) handshake(ctx context.Context, p *peer, w *wire) (*established, error) {
	at, err := splitEndpoint(p.endpoint())
	if err != nil {
		w.kill(err)
		return nil, &transports.Error{Class: transports.Internal, Host: p.host, Op: p.op(opConfig), Err: err}
	}
	l, err := d.newLogin(ctx, p)
	if err != nil {
		w.kill(err)
		if ctx.Err() != nil {
			return nil, transports.ContextError(ctx, p.host, p.op(opLogin), transports.Unreachable)
		}
		return nil, &transports.Error{
			Class: transports.Auth, NoLogin: true, Host: p.host, Op: p.op(opLogin), Err: err, Advice: "check " + p.credName(),
		}
	}
	check := &hostKeyCheck{dialer: d, peer: p, at: at, known: p.trust.lookup(at), passed: make(chan struct{}, 1)}
	config := &xssh.ClientConfig{
		User: p.user, AuthCallback: l.next, HostKeyCallback: check.check,
		HostKeyAlgorithms: check.known.algorithms(), ClientVersion: "SSH-2.0-oust",
	}
	done := make(chan handshakeEnd)
	go func() {
		var end handshakeEnd
		end.conn, end.channels, end.requests, end.err = xssh.NewClientConn(w, p.endpoint(), config)
		end.deliver(done, w)
	}()
	return d.await(ctx, p, w, check, l, done)
}

type handshakeEnd struct {
	established
	err error
}

// deliver hands the end over, or, where nobody waits any more, takes care of a
// connection that came too late: what the host still sends must go somewhere,
// or the library waits for ever to hand it on.
func (e handshakeEnd) deliver(done chan<- handshakeEnd, w *wire) {
	select {
	case done <- e:
	case <-w.dead:
		if e.err == nil {
			(&conn{release: func() {}}).serve(e.channels, e.requests)
		}
	}
}

// await waits for the end of a handshake, stage by stage. While the login
// waits for others only ctx bounds it.
func (d *Dialer) await(
	ctx context.Context, p *peer, w *wire, check *hostKeyCheck, l *login, done <-chan handshakeEnd,
) (*established, error) {
	op, limit := opKeyExchange, d.cfg.KeyExchange
	timer := time.NewTimer(limit)
	defer timer.Stop()
	passed, waiting, admitted := check.passed, l.waiting, l.admitted
	for {
		select {
		case end := <-done:
			if end.err == nil {
				return &end.established, nil
			}
			if stageOver(check, passed) {
				op = opLogin
			}
			w.kill(end.err)
			return nil, d.handshakeError(p, op, w, check, l, end.err)
		case <-passed:
			op, limit, passed = opLogin, d.cfg.Login, nil
			timer.Reset(limit)
		case <-waiting:
			op, limit, passed, waiting = opLogin, d.cfg.Login, nil, nil
			timer.Stop()
		case <-admitted:
			op, limit, passed, waiting, admitted = opLogin, d.cfg.Login, nil, nil, nil
			timer.Reset(limit)
		case <-timer.C:
			w.kill(context.DeadlineExceeded)
			return nil, stageTimeout(p, op, limit, w)
		case <-ctx.Done():
			w.kill(ctx.Err())
			return nil, transports.ContextError(ctx, p.host, p.op(op), transports.Unreachable)
		}
	}
}

// stageOver reports whether the key exchange was over when the handshake ended.
func stageOver(check *hostKeyCheck, passed chan struct{}) bool {
	if passed == nil {
		return true
	}
	select {
	case <-check.passed:
		return true
	default:
		return false
	}
}

// handshakeError says why a handshake failed.
func (d *Dialer) handshakeError(p *peer, op string, w *wire, check *hostKeyCheck, l *login, err error) *transports.Error {
	if refusal := check.refusal(); refusal != nil {
		return refusal
	}
	if barred, ok := errors.AsType[*transports.Error](l.refusedHere()); ok {
		own := *barred
		own.Op = p.op(own.Op)
		return &own
	}
	// The library has no type for the peer's own words when it disconnects.
	said := strings.Contains(err.Error(), "ssh: disconnect, reason")
	if op == opLogin && (said || !w.hungUp()) {
		return l.failure(p, err)
	}
	var algorithms *xssh.AlgorithmNegotiationError
	e := &transports.Error{Class: transports.Unsupported, Host: p.host, Op: op}
	switch {
	case errors.As(err, &algorithms):
		e.Err = transports.Worded(transports.Clean(err.Error()), err)
		e.Advice = "the host's sshd is too old for safe algorithms, or set up too strictly"
	case said:
		e.Class = transports.LostContact
		e.Err = transports.Worded(transports.Clean(err.Error()), err)
	case w.hungUp() || transports.IsDrop(err):
		e = dropped(p.host, op, w, err)
	default:
		e.Err = transports.Worded(transports.Clean(err.Error()), err)
		e.Advice = "is it an SSH server?"
	}
	e.Op = p.op(e.Op)
	return e
}

// stageTimeout is the error for a stage that took longer than its time.
func stageTimeout(p *peer, op string, limit time.Duration, w *wire) *transports.Error {
	words := "not done in " + limit.String()
	if _, silent := w.beforeVersion(); silent {
		words = "connected, and the host said nothing for " + limit.String()
	}
	return &transports.Error{
		Class: transports.Timeout, Host: p.host, Op: p.op(op), Err: transports.Worded(words, context.DeadlineExceeded),
	}
}
