package ssh

import (
	"context"
	"errors"
	"time"

	"oust/transports"
)

// Knock waits for the version line that a server says by itself (RFC 4253
// section 4.2), since a port forward or a load balancer takes connections for
// hosts that are not there. Nothing is said to the host, and its key is not
// looked at; only bastions on the way are logged in to, as for a Dial.
//
// sshd counts it as a client that left without a login: from OpenSSH 9.8 on
// that costs the address a second (PerSourcePenalties, noauth), which has no
// effect until 15 of them have come together.
func (d *Dialer) Knock(ctx context.Context, target transports.Target) error {
	if ctx.Err() != nil {
		return transports.ContextError(ctx, target.Host, opConnect, transports.Unreachable)
	}
	p, err := d.resolver.target(target)
	if err != nil {
		return settingsError(target.Host, err)
	}
	w, release, err := d.reach(ctx, p, p.via, limits{min(d.cfg.Knock, d.cfg.Connect), min(d.cfg.Knock, d.cfg.Open)})
	if err != nil {
		return err
	}
	defer release()
	return d.greeted(ctx, p, w)
}

var _ transports.Knocker = (*Dialer)(nil)

// greeted waits for the version line, and ends the stream.
func (d *Dialer) greeted(ctx context.Context, p *peer, w *wire) error {
	limit := min(d.cfg.Knock, d.cfg.KeyExchange)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	said := make(chan error, 1)
	go func() { said <- w.version() }()
	select {
	case err := <-said:
		w.kill(errClosed)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errNoVersion):
			return &transports.Error{
				Class: transports.Unsupported, Host: p.host, Op: p.op(opKeyExchange), Err: err, Advice: "is it an SSH server?",
			}
		}
		e := dropped(p.host, opKeyExchange, w, err)
		e.Op = p.op(e.Op)
		return e
	case <-timer.C:
		w.kill(context.DeadlineExceeded)
		return stageTimeout(p, opKeyExchange, limit, w)
	case <-ctx.Done():
		w.kill(ctx.Err())
		return transports.ContextError(ctx, p.host, p.op(opKeyExchange), transports.Unreachable)
	}
}

var errNoVersion = errors.New("the host says something, and no version of SSH")

// version reads until the peer has begun its version line.
func (w *wire) version() error {
	buf := make([]byte, firstMost)
	for {
		if _, missing := w.beforeVersion(); !missing {
			return nil
		}
		if w.heard.Load() >= firstMost {
			return errNoVersion
		}
		if n, err := w.Read(buf); err != nil && n == 0 {
			return err
		}
	}
}
