package winrm

import (
	"context"
	"errors"
	"sync"
)

// farewell closes a connection in the background, and has the host delete its
// shell before, if there is one: over a new connection if the old one does not
// serve any more. All of it is bounded by Config.Farewell.
func (d *Dialer) farewell(p *peer, l *link, s *shell) {
	if s == nil {
		l.close()
		return
	}
	d.byes.enter()
	go func() {
		defer d.byes.leave()
		ctx, cancel := context.WithTimeoutCause(context.Background(), d.cfg.Farewell, errNoAnswer)
		defer cancel()
		ask := func() (err error) {
			if !l.alive() {
				l.close()
				if l, err = d.reachAgain(ctx, p); err != nil {
					return err
				}
			}
			_, err = l.ask(ctx, p.requests.delete(d.leastWait(), s.id), 0)
			return err
		}
		defer func() {
			if l != nil {
				l.close()
			}
		}()
		err := ask()
		if errors.Is(err, errBroken) { // by a command that ended in between
			err = ask()
		}
		if err != nil {
			d.cfg.Logger.Debug("a shell could not be deleted", keyHost, p.host, keyError, askError(p, opShell, err))
		}
	}()
}

// crowd counts what goes on. It may be entered while someone waits, which a
// sync.WaitGroup does not allow.
type crowd struct {
	mu    sync.Mutex
	n     int
	empty chan struct{} // closed when n becomes 0
}

func (c *crowd) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == 0 {
		c.empty = make(chan struct{})
	}
	c.n++
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 {
		close(c.empty)
	}
}

// wait waits until nothing goes on.
func (c *crowd) wait() {
	c.mu.Lock()
	empty, n := c.empty, c.n
	c.mu.Unlock()
	if n > 0 {
		<-empty
	}
}
