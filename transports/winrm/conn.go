package winrm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"oust/transports"
)

// conn is a connection to one host, with its shell. It holds no goroutine
// between commands.
type conn struct {
	dialer *Dialer
	cfg    *Config
	peer   *peer
	// life ends with Close, and after an error that leaves no more use.
	life context.Context
	end  context.CancelCauseFunc
	busy atomic.Bool

	mu     sync.Mutex
	link   *link
	shell  *shell // nil until the first command
	closed bool
}

var _ transports.Conn = (*conn)(nil)

func newConn(d *Dialer, p *peer, l *link) *conn {
	c := &conn{dialer: d, cfg: &d.cfg, peer: p, link: l}
	c.life, c.end = context.WithCancelCause(context.Background())
	return c
}

// Close implements transports.Conn. The shell is deleted in the background,
// which ends a command that still runs in it.
func (c *conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	l, s := c.link, c.shell
	c.shell = nil
	c.mu.Unlock()
	c.end(errClosed)
	c.dialer.farewell(c.peer, l, s)
	return nil
}

// Run implements transports.Conn.
func (c *conn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	if ctx.Err() != nil {
		return transports.Result{}, transports.ContextError(ctx, c.peer.host, opRun, transports.LostContact)
	}
	if !c.busy.CompareAndSwap(false, true) {
		return transports.Result{}, c.fail(transports.Internal, errBusyConn)
	}
	defer c.busy.Store(false)
	if c.life.Err() != nil {
		return transports.Result{}, askError(c.peer, opRun, context.Cause(c.life))
	}
	if err := checkLine(cmd.Line); err != nil {
		e := c.fail(transports.Unsupported, err)
		e.Advice = "hand a long script over on stdin"
		return transports.Result{}, e
	}
	if cmd.Elevate && c.peer.become != "" {
		e := c.fail(transports.Privilege, errors.New("there is no "+transports.Clean(c.peer.become)+" on Windows"))
		e.Advice = "an administrator's login by WinRM is elevated already; take become out of " + c.peer.account.credName()
		return transports.Result{}, e
	}
	work, done := c.work(ctx)
	defer done()
	return c.newExecution(cmd).run(ctx, work)
}

// work ends with ctx, and with the connection's life.
func (c *conn) work(ctx context.Context) (context.Context, func()) {
	work, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.life, func() { cancel(context.Cause(c.life)) })
	return work, func() { stop(); cancel(nil) }
}

func (c *conn) fail(class transports.Class, err error) *transports.Error {
	return &transports.Error{Class: class, Host: c.peer.host, Op: opRun, Err: err}
}

// connected returns the connection, or a new one if the old does not serve any
// more, as when the host has closed it for being idle.
func (c *conn) connected(ctx context.Context) (*link, error) {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l.alive() {
		return l, nil
	}
	fresh, err := c.dialer.reachAgain(ctx, c.peer)
	if err != nil {
		return nil, err
	}
	if !fresh.alive() {
		e := c.fail(transports.Unsupported, errors.New("the host closes the connection after the login"))
		e.Advice = "does a proxy stand between that does not keep connections open?"
		return nil, e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		fresh.close()
		return nil, errClosed
	}
	l.close()
	c.link = fresh
	return fresh, nil
}

// ask sends a request over the connection.
func (c *conn) ask(ctx context.Context, r request) (*reply, error) {
	l, err := c.connected(ctx)
	if err != nil {
		return nil, err
	}
	return l.ask(ctx, r, c.cfg.Grace)
}

// leastWait is the OperationTimeout of what should be over within Farewell.
func (d *Dialer) leastWait() time.Duration { return max(leastOperation, d.cfg.Farewell) }

// brief is a context for a word to the host at the end of a command, also
// when the caller's has ended.
func (c *conn) brief() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(c.life, c.cfg.Farewell, errNoAnswer)
}
