package ssh

import (
	"context"
	"errors"
	"sync"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// hopPool shares connections to bastions: however many hosts stand behind
// one, it is logged in to once. A connection that no host uses is closed after
// a while; one that has died is forgotten, and the next dial makes a new one.
type hopPool struct {
	dialer *Dialer
	mu     sync.Mutex
	hops   map[string]*hop
	closed bool
}

// hop is one shared connection to the last of a chain of bastions.
type hop struct {
	key   string
	name  string
	ready chan struct{} // closed when client or err is set

	client *xssh.Client
	wire   *wire
	pulse  *pulse
	before func() // gives back the bastion before this one
	err    error
	until  time.Time // until when err counts for further dials

	// Under the pool's mutex.
	users int
	idle  *time.Timer
}

var errPoolClosed = errors.New("the dialer is closed")

// through makes a stream to p through bastions. A shared connection that has
// died since it was last used shows it only now: then a new one is made, once.
// open bounds the making of one stream.
func (s *hopPool) through(ctx context.Context, p *peer, via []peer, open time.Duration) (*wire, func(), error) {
	w, release, h, err := s.over(ctx, p, via, open)
	if err != nil && h != nil && lostBastion(err) && ctx.Err() == nil {
		s.forget(h)
		w, release, h, err = s.over(ctx, p, via, open)
	}
	if err == nil || h == nil {
		return w, release, err
	}
	if ctx.Err() != nil {
		return nil, nil, transports.ContextError(ctx, p.host, p.op(opConnect), transports.Unreachable)
	}
	e := hopDialError(p.host, p.endpoint(), h.name, open, err)
	e.Op = p.op(e.Op)
	return nil, nil, e
}

// over makes a stream over the shared connection. Without one there is no hop,
// and the error is whole; with one, it is that of the stream.
func (s *hopPool) over(ctx context.Context, p *peer, via []peer, open time.Duration) (*wire, func(), *hop, error) {
	h, err := s.take(ctx, p, via)
	if err != nil {
		return nil, nil, nil, err
	}
	release := sync.OnceFunc(func() { s.give(h) })
	limited, cancel := context.WithTimeout(ctx, open)
	defer cancel()
	conn, err := h.client.DialContext(limited, "tcp", p.endpoint())
	if err != nil {
		release()
		return nil, nil, h, err
	}
	return newWire(conn), release, h, nil
}

// take returns the connection to the last bastion of via, and counts a user.
func (s *hopPool) take(ctx context.Context, p *peer, via []peer) (*hop, error) {
	key := chainKey(via)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, &transports.Error{Class: transports.LostContact, Host: p.host, Op: p.op(opConnect), Err: errPoolClosed}
	}
	h := s.hops[key]
	if h == nil || h.spent(s.dialer.cfg.Now()) {
		h = &hop{key: key, name: via[len(via)-1].bastion, ready: make(chan struct{})}
		s.hops[key] = h
		h.users++ // the one that opens
		go s.open(h, via)
	}
	h.users++
	if h.idle != nil {
		h.idle.Stop()
		h.idle = nil
	}
	s.mu.Unlock()
	select {
	case <-h.ready:
	case <-ctx.Done():
		s.give(h)
		return nil, transports.ContextError(ctx, p.host, opConnect+" to bastion "+h.name, transports.Unreachable)
	}
	if h.err != nil {
		s.give(h)
		return nil, forHost(h.err, p.host)
	}
	return h, nil
}

// spent reports whether a hop has failed and its failure no longer counts.
func (h *hop) spent(now time.Time) bool {
	select {
	case <-h.ready:
		return h.err != nil && !now.Before(h.until)
	default:
		return false
	}
}

// forHost is a bastion's error as the error of a host behind it.
func forHost(err error, host string) error {
	e, ok := errors.AsType[*transports.Error](err)
	if !ok {
		return err
	}
	own := *e
	own.Host = host
	return &own
}

// open connects and logs in. It is not bound to the host that asked first:
// others wait for it too. Its stages have their own deadlines.
func (s *hopPool) open(h *hop, via []peer) {
	defer s.give(h)
	defer close(h.ready)
	cfg, p := s.dialer.cfg, &via[len(via)-1]
	w, before, e, err := s.logIn(p, via[:len(via)-1])
	if err == nil {
		h.client = xssh.NewClient(e.conn, e.channels, e.requests)
		h.wire, h.before, h.pulse = w, before, newPulse(w, e.conn, cfg)
	} else {
		h.err = err
		switch transports.ClassOf(err) {
		case transports.Auth, transports.Untrusted:
			h.until = cfg.Now().Add(cfg.HopAgain)
		}
		s.dialer.cfg.Logger.Warn("no connection to a bastion", keyBastion, h.name, keyError, err)
		return
	}
	h.pulse.start()
	go func() {
		_ = h.client.Wait() // the reason is in each host's own error
		h.pulse.stop()
		h.before()
		s.forget(h)
	}()
	s.endIfClosed(h)
}

// logIn makes a connection to a bastion that stands behind others. Its login
// counts once, however many hosts wait for it; so the error is none of theirs.
func (s *hopPool) logIn(p *peer, via []peer) (w *wire, before func(), e *established, err error) {
	cfg := s.dialer.cfg
	as := p.cred
	as.User = p.user
	ctx, attempt, err := cfg.Guard.Watch(context.Background(), "bastion "+p.bastion, as)
	if err != nil {
		if stopped, ok := errors.AsType[*transports.Error](err); ok {
			stopped.Op = p.op(stopped.Op)
		}
		return nil, nil, nil, err
	}
	if w, before, err = s.dialer.reach(ctx, p, via, limits{cfg.Connect, cfg.Open}); err == nil {
		if e, err = s.dialer.handshake(ctx, p, w); err != nil {
			before()
		}
	}
	attempt.End(err)
	if refused, ok := errors.AsType[*transports.Error](err); ok {
		own := *refused
		own.NoLogin = own.Class == transports.Auth
		err = &own
	}
	return w, before, e, err
}

// endIfClosed ends a connection that was made while the pool closed.
func (s *hopPool) endIfClosed(h *hop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		h.wire.kill(errPoolClosed)
	}
}

func (s *hopPool) forget(h *hop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hops[h.key] == h {
		delete(s.hops, h.key)
	}
}

// give takes a user off; the last one starts the clock for its end.
func (s *hopPool) give(h *hop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.users--; h.users > 0 || h.wire == nil {
		return
	}
	if s.closed {
		h.wire.kill(errPoolClosed)
		return
	}
	h.idle = time.AfterFunc(s.dialer.cfg.HopIdle, func() { s.endIdle(h) })
}

func (s *hopPool) endIdle(h *hop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.users == 0 && s.hops[h.key] == h {
		delete(s.hops, h.key)
		h.wire.kill(errClosed)
	}
}

// close ends all connections.
func (s *hopPool) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for key, h := range s.hops {
		if h.idle != nil {
			h.idle.Stop()
		}
		select {
		case <-h.ready:
			if h.wire != nil {
				h.wire.kill(errPoolClosed)
			}
		default: // open ends it
		}
		delete(s.hops, key)
	}
}
