package winrm

import (
	"context"
	"errors"
	"net"
	"net/http"

	"oust/transports"
)

// Knock connects as Dial does, proxies and bastions included, and waits for
// what only the listener can say, since a port forward or a load balancer
// takes connections for hosts that are not there: over TLS it is the
// handshake, whatever its certificate is worth, and without TLS the answer to
// a request without a login. That is 401, and Windows makes no logon of it.
func (d *Dialer) Knock(ctx context.Context, target transports.Target) error {
	if ctx.Err() != nil {
		return transports.ContextError(ctx, target.Host, opConnect, transports.Unreachable)
	}
	p, err := d.peerOf(target)
	if err != nil {
		return settingsError(target.Host, err)
	}
	raw, err := d.connect(ctx, p, min(d.cfg.Knock, d.cfg.Connect))
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	if p.tls == nil {
		return d.hello(ctx, p, raw)
	}
	_, err = d.handshake(ctx, p, raw, min(d.cfg.Knock, d.cfg.Handshake))
	if transports.ClassOf(err) == transports.Untrusted {
		return nil // it has answered
	}
	return err
}

var _ transports.Knocker = (*Dialer)(nil)

// hello sends a request without a login.
func (d *Dialer) hello(ctx context.Context, p *peer, raw net.Conn) error {
	limit := min(d.cfg.Knock, d.cfg.Login)
	limited, cancel := context.WithTimeoutCause(ctx, limit, errNoAnswer)
	defer cancel()
	l := newLink(raw, raw, p.url)
	defer l.close()
	a, err := l.exchange(limited, soapType, "", nil)
	const op = "knock"
	switch {
	case err == nil && (a.status == http.StatusUnauthorized || a.status == http.StatusOK):
		return nil
	case err == nil:
		e := &transports.Error{Host: p.host, Op: op, Err: statusError(a.status)}
		if classifyStatus(e, a.status); e.Class == transports.Auth { // of something in between
			e.Class = transports.Unsupported
		}
		return e
	case ctx.Err() != nil:
		return transports.ContextError(ctx, p.host, op, transports.Unreachable)
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return stageTimeout(p.host, op, limit)
	}
	e := loginError(p, err)
	e.Op = op
	return e
}
