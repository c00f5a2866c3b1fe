package wsman

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"
)

// shell is a cmd shell of a user: a name for what its commands have in common.
type shell struct {
	id    string
	owner account
	spec  Shell

	mu       sync.Mutex
	gone     bool
	commands map[string]*command
	used     time.Time // by the server's clock
	// ran counts the commands so far, for the quota.
	ran int
}

// create makes a shell.
func (s *Server) create(x *exchange, r *request) ([]byte, *Fault) {
	spec, fault := shellSpec(r)
	if fault != nil {
		return nil, fault
	}
	s.sweep()
	sh := &shell{id: newID(), owner: x.who, spec: spec, used: s.config.Clock.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := 0
	for _, other := range s.shells {
		if other.owner.is(x.who) {
			mine++
		}
	}
	switch {
	case s.closed:
		return nil, faultAborted()
	case mine >= s.config.Shells:
		return nil, faultShells(s.config.Shells)
	}
	if s.shells == nil {
		s.shells = make(map[string]*shell)
	}
	s.shells[sh.id] = sh
	return createdReply(r, sh.id, x.who.String()), nil
}

// shellSpec reads what a client wants of a shell.
func shellSpec(r *request) (Shell, *Fault) {
	spec := Shell{CodePage: 437, NoProfile: r.option("WINRS_NOPROFILE")}
	if text := r.options["WINRS_CODEPAGE"]; text != "" {
		page, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return spec, faultHeader("WINRS_CODEPAGE", text)
		}
		spec.CodePage = int(page)
	}
	body := r.body.Shell
	if body == nil || len(body.Environment) > mostEnv {
		return spec, faultInvalidBody()
	}
	spec.Dir = strings.TrimSpace(body.Dir)
	for _, v := range body.Environment {
		if v.Name == "" || strings.ContainsAny(v.Name, "=\x00") {
			return spec, faultInvalidBody()
		}
		spec.Env = append(spec.Env, v.Name+"="+v.Value)
	}
	return spec, nil
}

// find returns the shell of a request. Another user's shell is refused.
func (s *Server) find(x *exchange, r *request) (*shell, *Fault) {
	s.sweep()
	s.mu.Lock()
	sh := s.shells[r.shellID]
	s.mu.Unlock()
	if sh == nil {
		return nil, faultNoShell(r.shellID)
	}
	if !sh.owner.is(x.who) {
		return nil, faultAccessDenied()
	}
	sh.mu.Lock()
	sh.used = s.config.Clock.Now()
	sh.mu.Unlock()
	return sh, nil
}

// drop ends a shell with its commands; false if it is not there any more.
func (s *Server) drop(sh *shell) bool {
	s.mu.Lock()
	_, there := s.shells[sh.id]
	delete(s.shells, sh.id)
	if len(s.shells) == 0 {
		s.shells = nil
	}
	s.mu.Unlock()
	sh.end(ErrShellGone)
	return there
}

// sweep ends shells that nobody has used for too long. Windows has a timer;
// here it happens when the next request comes, which is when it shows.
func (s *Server) sweep() {
	limit := s.config.Clock.Now().Add(-s.config.ShellIdle)
	s.mu.Lock()
	var old []*shell
	for _, sh := range s.shells {
		if sh.idleSince(limit) {
			old = append(old, sh)
		}
	}
	s.mu.Unlock()
	for _, sh := range old {
		s.drop(sh)
	}
}

// idleSince reports whether the shell was last used before t. What its
// commands do is not use.
func (sh *shell) idleSince(t time.Time) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.used.Before(t)
}

// end ends all commands of the shell.
func (sh *shell) end(why error) {
	sh.mu.Lock()
	sh.gone = true
	commands := sh.commands
	sh.commands = nil
	sh.mu.Unlock()
	for c := range maps.Values(commands) {
		c.abandon(why)
	}
}

// operations counts the commands that a user's shells have run.
func (s *Server) operations(who account) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, sh := range s.shells {
		if sh.owner.is(who) {
			sh.mu.Lock()
			n += sh.ran
			sh.mu.Unlock()
		}
	}
	return n
}

// run starts a command in a shell.
func (s *Server) run(x *exchange, sh *shell, r *request) ([]byte, *Fault) {
	body := r.body.Command
	if body == nil || strings.TrimSpace(body.Command) == "" {
		return nil, faultInvalidBody()
	}
	if s.operations(x.who) >= s.config.Operations {
		return nil, faultOperations(s.config.Operations)
	}
	c := newCommand()
	ctx, cancel := context.WithCancelCause(context.Background())
	c.cancel = cancel
	process, err := s.config.Backend.Start(ctx, Command{
		User: x.who.user, Domain: x.who.domain,
		Line:      strings.Join(append([]string{body.Command}, body.Arguments...), " "),
		SkipShell: r.option("WINRS_SKIP_CMD_SHELL"),
		Console:   r.option("WINRS_CONSOLEMODE_STDIN"),
		Shell:     sh.spec, Stdin: &c.stdin, Stdout: &c.stdout, Stderr: &c.stderr,
	})
	if err != nil {
		cancel(err)
		c.abandon(err)
		return nil, asFault(err)
	}
	s.running.Add(1) // a request runs, so that Close still waits
	go func() {
		defer s.running.Done()
		exit, err := process.Wait()
		c.exited(exit, err)
		cancel(nil)
		if err != nil {
			s.config.Logger.Debug("the end of a command is not known", "error", err)
			s.drop(sh)
		}
	}()
	if !sh.adopt(c) {
		c.abandon(ErrShellGone)
		return nil, faultNoShell(sh.id)
	}
	return reply(r, "<rsp:CommandResponse><rsp:CommandId>"+c.id+"</rsp:CommandId></rsp:CommandResponse>"), nil
}

// adopt enters a command, unless the shell is gone.
func (sh *shell) adopt(c *command) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.gone {
		return false
	}
	if sh.commands == nil {
		sh.commands = make(map[string]*command)
	}
	sh.commands[c.id] = c
	sh.ran++
	return true
}

// command returns a command by its id, or nil.
func (sh *shell) command(id string) *command {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.commands[strings.ToUpper(id)]
}

func (sh *shell) forget(c *command) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.commands, c.id)
}
