package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// shell is one run of sh: a process with an interpreter.
type shell struct {
	proc *process
	mu   sync.Mutex
	// funcs are the functions that its code has declared so far.
	funcs map[string]bool
	// forks are its background commands by pid.
	forks map[string]*process
}

// environ is the environment of a shell's start.
type environ map[string]expand.Variable

func (e environ) Get(name string) expand.Variable { return e[name] }

func (e environ) Each(f func(name string, v expand.Variable) bool) {
	for name, v := range e {
		if !f(name, v) {
			return
		}
	}
}

func (e environ) set(name, value string) {
	e[name] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
}

// inherit copies what a program hands on to its children.
func inherit(from expand.Environ) environ {
	e := make(environ, 16)
	from.Each(func(name string, v expand.Variable) bool {
		switch {
		case !v.IsSet():
			delete(e, name)
		case v.Exported && !strings.HasPrefix(name, "__lab_"):
			e[name] = v
		}
		return true
	})
	return e
}

// before is the environment in which a runner is made: it keeps the runner
// from looking at the real machine's. The folder of its fifos is a name that
// no path of a script can have.
var before = environ{
	"TMPDIR": {Set: true, Kind: expand.String, Str: "/\x00"},
	"HOME":   {Set: true, Kind: expand.String, Str: "/"},
	"UID":    {Set: true, Kind: expand.String, Str: "0"},
	"EUID":   {Set: true, Kind: expand.String, Str: "0"},
	"GID":    {Set: true, Kind: expand.String, Str: "0"},
}

// runShell runs a program in the call's process, which is a shell's own.
func (c *call) runShell(p parsed, params []string) int {
	s := &shell{proc: c.proc, funcs: make(map[string]bool)}
	s.declare(p.funcs)
	in, closeIn, err := c.shellInput()
	if err != nil {
		return c.failf("%v", err)
	}
	defer closeIn()
	r, err := interp.New(
		func(r *interp.Runner) error { r.Dir, r.Params = c.dir, params; return nil },
		interp.Env(before),
		interp.StdIO(in, c.out, c.err),
		interp.CallHandler(s.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return s.exec }),
		interp.OpenHandler(s.open),
		interp.StatHandler(s.stat),
		interp.AccessHandler(s.access),
		interp.ReadDirHandler2(s.readDir),
	)
	if err != nil {
		return c.failf("%v", err)
	}
	r.Reset()
	r.Env = c.shellEnv()
	r.Reset()
	return exitCode(r.Run(c.ctx, p.file))
}

// shellEnv is what the shell starts with: the caller's environment, and the
// variables that rewritten code uses.
func (c *call) shellEnv() environ {
	e := inherit(c.env)
	hidden := func(name, value string) {
		e[name] = expand.Variable{Set: true, Kind: expand.String, Str: value}
	}
	hidden(varPID, strconv.Itoa(c.proc.pid))
	hidden(varPPID, strconv.Itoa(c.proc.ppid))
	hidden(varBack, "")
	if !e["HOME"].IsSet() {
		hidden("HOME", "") // or the interpreter takes that of the real machine
	}
	for _, name := range []string{"UID", "EUID", "GID"} {
		hidden(name, strconv.Itoa(int(c.proc.user.uid)))
	}
	return e
}

// shellInput makes the input a file, which the interpreter needs.
func (c *call) shellInput() (io.Reader, func(), error) {
	switch in := c.in.(type) {
	case nil:
		return nil, func() {}, nil
	case *os.File:
		return in, func() {}, nil
	}
	r, err := c.proc.host.pipeOf(c.ctx, c.in)
	if err != nil {
		return nil, nil, err
	}
	return r, func() { _ = r.Close() }, nil
}

// exitCode is what the interpreter's end means. An error that is no exit code
// is the end of a context: the process was killed.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if s, ok := errors.AsType[interp.ExitStatus](err); ok {
		return int(s)
	}
	return 128 + int(syscall.SIGKILL)
}

func (s *shell) declare(funcs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range funcs {
		s.funcs[f] = true
	}
}

func (s *shell) declared(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.funcs[name]
}

func (s *shell) known() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.funcs)
}

// self is the process that a handler acts for: the shell's, or that of the
// background command that it stands in.
func (s *shell) self(hc interp.HandlerContext) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.forks) > 0 {
		if p := s.forks[hc.Env.Get(varSelf).String()]; p != nil {
			return p
		}
	}
	return s.proc
}

func (s *shell) newCall(ctx context.Context, p *process, args []string) *call {
	hc := interp.HandlerCtx(ctx)
	return &call{
		ctx: ctx, proc: p, args: args, dir: hc.Dir, env: hc.Env,
		in: hc.Stdin, out: p.host.patience(ctx).writer(hc.Stdout), err: p.host.patience(ctx).writer(hc.Stderr), status: hc.LastExitStatus,
	}
}

// errEnded ends an interpreter whose process was killed.
var errEnded = errors.New("killed")

// sh is the program sh.
func sh(c *call) int {
	o, ok := c.shellOptions()
	if !ok {
		return 2
	}
	code, name, params := o.code, "sh", o.args
	switch {
	case o.command:
		if len(params) > 0 {
			name, params = params[0], params[1:]
		}
	case len(params) > 0 && !o.stdin:
		data, err := c.view().readFile(c.path(params[0]))
		if err != nil {
			fmt.Fprintf(c.err, "sh: 0: cannot open %s: %s\n", params[0], strerror(err))
			return 2
		}
		code, name, params = string(data), params[0], params[1:]
	default:
		data, err := io.ReadAll(io.LimitReader(c.stdin(), mostScript))
		if err != nil {
			return 2
		}
		code, c.in = string(data), nil
	}
	return c.interpret(code, name, o.set, params)
}

// mostScript bounds a script that comes by standard input, in bytes.
const mostScript = 16 << 20

// interpret runs code. Code that only reads its input and runs it, as oust's
// own command line does, is run without the detour.
func (c *call) interpret(code, name string, set []string, params []string) int {
	parses := &c.proc.host.fleet.parses
	p, err := parses.shell(code, name, nil)
	if err != nil {
		fmt.Fprintf(c.err, "%s: syntax error: %v\n", name, err)
		return 2
	}
	if readsScript(p.file) && len(set) == 0 {
		data, err := io.ReadAll(io.LimitReader(c.stdin(), mostScript))
		if err != nil {
			return 128 + int(syscall.SIGHUP)
		}
		c.in = nil
		if p, err = parses.shell(string(data), name, nil); err != nil {
			fmt.Fprintf(c.err, "%s: eval: syntax error: %v\n", name, err)
			return 2
		}
	}
	if len(set) > 0 {
		// Single letters each, see shellOptions.
		first, err := parses.shell("set "+strings.Join(set, " "), name, nil)
		if err != nil {
			return c.failf("%v", err)
		}
		p = joinParsed([]parsed{first, p}, name)
	}
	return c.runShell(p, params)
}

type shellOptions struct {
	command, stdin bool
	code           string
	set            []string // options for the builtin set
	args           []string
}

// shellOptions parses `sh [-efux] [-c CODE] [-s] [--] [FILE] [ARG]...`.
func (c *call) shellOptions() (o shellOptions, ok bool) {
	args := c.args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		a := args[0]
		args = args[1:]
		if a == "--" {
			break
		}
		for _, l := range a[1:] {
			switch l {
			case 'c':
				o.command = true
			case 's':
				o.stdin = true
			case 'e', 'f', 'u', 'x', 'a':
				o.set = append(o.set, "-"+string(l))
			case 'l', 'i':
			default:
				fmt.Fprintf(c.err, "sh: 0: Illegal option -%c\n", l)
				return o, false
			}
		}
	}
	if o.command {
		if len(args) == 0 {
			fmt.Fprintf(c.err, "sh: 0: -c requires an argument\n")
			return o, false
		}
		o.code, args = args[0], args[1:]
	}
	o.args = args
	return o, true
}
