package winrm

import (
	"context"
)

// shell is a shell on the host: what its commands have in common.
type shell struct {
	id  string
	ran int // commands so far
}

// opened returns a shell that may run one more command.
func (c *conn) opened(ctx context.Context) (*shell, error) {
	c.mu.Lock()
	s := c.shell
	c.mu.Unlock()
	if s != nil && s.ran < c.cfg.ShellCommands {
		return s, nil
	}
	if s != nil {
		c.forget(s)
		c.remove(ctx, s)
	}
	r, err := c.ask(ctx, c.peer.requests.create(c.cfg.Operation))
	if err != nil {
		return nil, askError(c.peer, opShell, err)
	}
	id, err := r.shellID()
	if err != nil {
		return nil, askError(c.peer, opShell, err)
	}
	s = &shell{id: id}
	c.mu.Lock()
	closed, l := c.closed, c.link
	if !closed {
		c.shell = s
	}
	c.mu.Unlock()
	if closed {
		c.dialer.farewell(c.peer, l, s)
		return nil, errClosed
	}
	return s, nil
}

// forget lets go of a shell that is gone, or not to be used again.
func (c *conn) forget(s *shell) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shell == s {
		c.shell = nil
	}
}

// remove deletes a shell in passing. The host ends one that stays, in its own
// time.
func (c *conn) remove(ctx context.Context, s *shell) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Farewell, errNoAnswer)
	defer cancel()
	if _, err := c.ask(ctx, c.peer.requests.delete(c.dialer.leastWait(), s.id)); err != nil {
		c.cfg.Logger.Debug("a shell could not be deleted", keyHost, c.peer.host, keyError, askError(c.peer, opShell, err))
	}
}

// start starts a command and returns its name. A shell that has gone since the
// last command is made anew, for the host has then started nothing; so is one
// whose own commands may have used up what the account is allowed.
func (c *conn) start(ctx context.Context, line string) (s *shell, command string, err error) {
	for again := false; ; again = true {
		if s, err = c.opened(ctx); err != nil {
			return nil, "", err
		}
		var r *reply
		if r, err = c.ask(ctx, c.peer.requests.command(c.cfg.Operation, s.id, line)); err == nil {
			s.ran++
			command, err = r.commandID()
			return s, command, err
		}
		code := codeOf(err)
		switch {
		case !again && code == codeShellNotFound:
			c.forget(s)
		case !again && code == codeOperationsQuota && s.ran > 0:
			c.forget(s)
			c.remove(ctx, s)
		default:
			return s, "", err
		}
	}
}
