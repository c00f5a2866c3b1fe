package ssh

import (
	"context"
	"errors"
	"sync/atomic"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// conn is a connection to one host. Beside the goroutines of the ssh library
// it holds one, and a timer while a command runs.
type conn struct {
	cfg     *Config
	peer    *peer
	wire    *wire
	ssh     xssh.Conn
	pulse   *pulse
	release func() // gives a bastion back; may be called again
	busy    atomic.Bool
}

var _ transports.Conn = (*conn)(nil)

func newConn(cfg *Config, p *peer, w *wire, e *established, release func()) *conn {
	c := &conn{cfg: cfg, peer: p, wire: w, ssh: e.conn, pulse: newPulse(w, e.conn, *cfg), release: release}
	go c.serve(e.channels, e.requests)
	return c
}

// serve refuses what the host asks for by itself: it may not open channels,
// and its keepalives need an answer. It ends with the connection.
func (c *conn) serve(channels <-chan xssh.NewChannel, requests <-chan *xssh.Request) {
	defer c.release()
	for channels != nil || requests != nil {
		select {
		case ch, ok := <-channels:
			if !ok {
				channels = nil
				continue
			}
			_ = ch.Reject(xssh.UnknownChannelType, "") // a lost answer shows elsewhere
		case r, ok := <-requests:
			if !ok {
				requests = nil
				continue
			}
			_ = r.Reply(false, nil)
		}
	}
}

// Close implements transports.Conn.
func (c *conn) Close() error {
	c.wire.kill(errClosed)
	c.release()
	return nil
}

// Run implements transports.Conn.
func (c *conn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	if ctx.Err() != nil {
		return transports.Result{}, transports.ContextError(ctx, c.peer.host, opRun, transports.LostContact)
	}
	if !c.busy.CompareAndSwap(false, true) {
		return transports.Result{}, c.fail(transports.Internal, opRun, errors.New("another command runs on this connection"))
	}
	defer c.busy.Store(false)
	select {
	case <-c.wire.dead:
		return transports.Result{}, c.lost(opRun)
	default:
	}
	x, err := c.newExecution(cmd)
	if err != nil {
		return transports.Result{}, err
	}
	timeout := cmd.Timeout
	if timeout <= 0 {
		timeout = c.cfg.Command
	}
	c.pulse.start()
	defer c.pulse.stop()
	defer close(x.stop)
	go x.perform()
	return x.watch(ctx, timeout)
}

func (c *conn) fail(class transports.Class, op string, err error) *transports.Error {
	return &transports.Error{Class: class, Host: c.peer.host, Op: op, Err: err}
}

// lost is the error for a connection that has ended.
func (c *conn) lost(op string) *transports.Error {
	e := c.fail(transports.LostContact, op, c.wire.reason())
	switch {
	case e.Err == nil:
		e.Err = errors.New("the host ended the session")
	case transports.IsDrop(e.Err):
		e.Err = transports.Worded("the connection was lost", e.Err)
	case !errors.Is(e.Err, errClosed) && !errors.Is(e.Err, errSilent):
		e.Err = transports.Worded("the connection was lost: "+transports.Clean(e.Err.Error()), e.Err)
	}
	return e
}
