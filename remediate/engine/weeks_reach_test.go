package engine_test

import (
	"context"
	"errors"
	"time"

	"oust/transports"
)

// life is one process that works on the campaign, from its start to its end.
type life struct {
	w *weeks
	// All below is under w.mu. writes is how many more writes the store takes
	// before it is gone; negative means no such end.
	writes  int
	conns   map[string]int    // open connections and knocks, by host
	intents map[string]string // attempts without an outcome, by host
	refused map[string]int    // logins refused in a row, by credential
}

var errGone = errors.New("the disk is gone")

// write counts a write to the store, and fails once it is gone.
func (p *life) write() error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.writes == 0 {
		return errGone
	}
	if p.writes > 0 {
		p.writes--
	}
	return nil
}

// come notes that a host is worked on, and go_ that it is not any more.
func (p *life) come(host string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.conns[host]++
	p.checkLimits(host)
}

func (p *life) leave(host string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.conns[host]--; p.conns[host] == 0 {
		delete(p.conns, host)
	}
}

// checkLimits holds the hosts in flight to the limits; host is the newest.
func (p *life) checkLimits(host string) {
	inFlight := map[string]bool{}
	for h := range p.conns {
		inFlight[h] = true
	}
	for h := range p.intents {
		inFlight[h] = true
	}
	site, limits := 0, p.w.config.limits
	for h := range inFlight {
		if p.w.byName[h].Site == p.w.byName[host].Site {
			site++
		}
	}
	if len(inFlight) > limits.Hosts || site > limits.PerSite {
		p.w.complain("%s: %d hosts are in flight, %d of its site", host, len(inFlight), site)
	}
	p.w.count.most = max(p.w.count.most, len(inFlight))
}

// reach is the way to the hosts, laptops' hours included.
type reach struct {
	p    *life
	next transports.Dialer
}

var (
	_ transports.Dialer  = (*reach)(nil)
	_ transports.Knocker = (*reach)(nil)
)

func noRoute(host, op string) error {
	return &transports.Error{Class: transports.Unreachable, Host: host, Op: op, Err: errors.New("no route to host")}
}

// Dial implements transports.Dialer.
func (r *reach) Dial(ctx context.Context, t transports.Target) (transports.Conn, error) {
	there, until := r.p.w.there(t.Host, time.Now())
	if !there {
		return nil, noRoute(t.Host, "connect")
	}
	r.p.come(t.Host)
	conn, err := r.login(ctx, t)
	if err != nil {
		r.p.leave(t.Host)
		return nil, err
	}
	return &officeConn{Conn: conn, r: r, target: t, until: until}, nil
}

// login logs in, and holds what is refused to the guard's promise.
func (r *reach) login(ctx context.Context, t transports.Target) (transports.Conn, error) {
	if err := transports.BeginLogin(ctx); err != nil {
		return nil, err
	}
	conn, err := r.next.Dial(ctx, t)
	w := r.p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		r.p.refused[t.Credential.Name] = 0
	case transports.ClassOf(err) == transports.Auth:
		w.count.refused++
		w.refused[t.Host]++
		r.p.refused[t.Credential.Name]++
		if n := r.p.refused[t.Credential.Name]; n > 3 {
			w.complain("%s: credential %s was refused %d times in a row", t.Host, t.Credential.Name, n)
		}
		if n := w.refused[t.Host]; n > 1+w.allowed[t.Host] {
			w.complain("%s refused a login %d times, and %d were asked for", t.Host, n, 1+w.allowed[t.Host])
		}
	}
	return conn, err
}

// Knock implements transports.Knocker.
func (r *reach) Knock(ctx context.Context, t transports.Target) error {
	w := r.p.w
	w.mu.Lock()
	w.count.knocks++
	w.mu.Unlock()
	if there, _ := w.there(t.Host, time.Now()); !there {
		return noRoute(t.Host, "knock")
	}
	r.p.come(t.Host)
	defer r.p.leave(t.Host)
	return transports.Knock(ctx, r.next, t)
}

// officeConn is a connection that breaks off when people go home.
type officeConn struct {
	transports.Conn
	r      *reach
	target transports.Target
	until  time.Time
	closed bool
}

// Run implements transports.Conn.
func (c *officeConn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	if c.until.IsZero() {
		return c.Conn.Run(ctx, cmd)
	}
	short, cancel := context.WithDeadline(ctx, c.until)
	defer cancel()
	res, err := c.Conn.Run(short, cmd)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		err = &transports.Error{Class: transports.LostContact, Host: c.target.Host, Op: "run", Err: errors.New("the connection was lost")}
	}
	return res, err
}

// Close implements transports.Conn.
func (c *officeConn) Close() error {
	if !c.closed {
		c.closed = true
		c.r.p.leave(c.target.Host)
	}
	return c.Conn.Close()
}
