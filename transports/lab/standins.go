package lab

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"mvdan.cc/sh/v3/interp"
)

// sourced marks a path that the interpreter is to open for `.`, so that it
// does not look for the file on the real machine first: no real path holds a
// zero byte, and none with one reaches the kernel.
const sourced = "\x00"

// absent are builtins of the interpreter that a POSIX sh does not have.
var absent = []string{
	"bind", "builtin", "caller", "compgen", "complete", "compopt", "dirs", "disown", "enable", "history", "help",
	"logout", "mapfile", "readarray", "popd", "pushd", "shopt", "suspend", "fc", "bg", "fg", "jobs", "newgrp", "let",
}

// standIns are what simple commands are turned into: builtins that the
// interpreter lacks, or that would look at the real machine.
var standIns = map[string]func(s *shell, c *call) int{
	cmdFork:        (*shell).fork,
	cmdEnd:         (*shell).endFork,
	".lab.command": (*shell).command,
	".lab.kill":    func(_ *shell, c *call) int { return kill(c) },
	".lab.umask":   (*shell).umask,
	".lab.pwd":     (*shell).pwd,
	".lab.wait":    (*shell).wait,
	".lab.absent": func(_ *shell, c *call) int {
		fmt.Fprintf(c.err, "sh: %s: not found\n", c.args[1])
		return exitNotFound
	},
}

// call sees every simple command before it runs, and may replace it.
func (s *shell) call(ctx context.Context, args []string) (_ []string, err error) {
	defer s.guard(&err)
	hc := interp.HandlerCtx(ctx)
	if s.self(hc).dead() {
		return nil, errEnded
	}
	if s.declared(args[0]) {
		return args, nil
	}
	switch args[0] {
	case "eval":
		return s.text(hc, args[:1], strings.Join(args[1:], " "), "eval")
	case "trap":
		return s.trap(hc, args)
	case ".", "source":
		return s.source(hc, args)
	case "command":
		return s.commandCall(ctx, args)
	case "type":
		return append([]string{".lab.command", "-V"}, args[1:]...), nil
	case "read":
		return args, s.awaitInput(ctx, hc)
	case "[", "test":
		return s.sameFile(ctx, args), nil
	case "set":
		if len(args) == 2 && (args[1] == "-m" || args[1] == "+m") {
			return []string{":"}, nil
		}
	case "wait":
		if len(args) > 1 {
			return append([]string{".lab.wait"}, args[1:]...), nil
		}
	case "kill", "umask":
		return append([]string{".lab." + args[0]}, args[1:]...), nil
	case "pwd":
		if slices.Contains(args[1:], "-P") {
			return []string{".lab.pwd"}, nil
		}
	case "ulimit", "hash", "times":
		return []string{":"}, nil
	}
	if slices.Contains(absent, args[0]) {
		return []string{".lab.absent", args[0]}, nil
	}
	return args, nil
}

// awaitInput waits until the builtin read finds something, or the end.
func (s *shell) awaitInput(ctx context.Context, hc interp.HandlerContext) error {
	p := s.proc.host.patience(ctx)
	if f, ok := hc.Stdin.(*os.File); ok && f != nil && p.clock != nil {
		return p.readable(f)
	}
	return nil
}

// fatal is the end of a shell by an error of a special builtin (POSIX, 2.8.1).
func fatal(hc interp.HandlerContext, format string, args ...any) []string {
	fmt.Fprintf(hc.Stderr, "sh: "+format+"\n", args...)
	return []string{"exit", "2"}
}

// text rewrites code that a builtin is to run.
func (s *shell) text(hc interp.HandlerContext, before []string, code, name string) ([]string, error) {
	p, err := s.proc.host.fleet.parses.shell(code, name, s.known())
	if err != nil {
		return fatal(hc, "%s: syntax error: %v", name, err), nil
	}
	s.declare(p.funcs)
	return append(before, p.text), nil
}

// trap keeps EXIT and drops signals, which nothing sends to a handler here.
func (s *shell) trap(hc interp.HandlerContext, args []string) ([]string, error) {
	if len(args) < 3 {
		return args, nil
	}
	rest := args[1:]
	if rest[0] == "--" {
		rest = rest[1:]
	}
	exit := slices.Contains(rest[1:], "EXIT") || slices.Contains(rest[1:], "0")
	if !exit {
		return []string{":"}, nil
	}
	if rest[0] == "-" || rest[0] == "" {
		return []string{"trap", "-", "EXIT"}, nil
	}
	out, err := s.text(hc, []string{"trap", "--"}, rest[0], "trap")
	if err != nil || out[0] != "trap" {
		return out, err
	}
	return append(out, "EXIT"), nil
}

func (s *shell) source(hc interp.HandlerContext, args []string) ([]string, error) {
	if len(args) < 2 {
		return fatal(hc, ".: filename argument required"), nil
	}
	v := s.self(hc).view()
	data, err := v.readFile(absolute(hc.Dir, args[1]))
	if err != nil {
		return fatal(hc, ".: cannot open %s: %s", args[1], strerror(err)), nil
	}
	p, err := s.proc.host.fleet.parses.shell(string(data), args[1], s.known())
	if err != nil {
		return fatal(hc, "%s: syntax error: %v", args[1], err), nil
	}
	if p.altered { // it must run rewritten
		return s.text(hc, []string{"eval"}, string(data), args[1])
	}
	s.declare(p.funcs)
	return append([]string{".", sourced + args[1]}, args[2:]...), nil
}

// commandCall resolves `command NAME`, which passes by functions.
func (s *shell) commandCall(ctx context.Context, args []string) ([]string, error) {
	rest := args[1:]
	for len(rest) > 0 && rest[0] == "-p" {
		rest = rest[1:]
	}
	switch {
	case len(rest) == 0:
		return []string{":"}, nil
	case rest[0] == "-v" || rest[0] == "-V":
		return append([]string{".lab.command"}, rest...), nil
	case rest[0] == "--":
		rest = rest[1:]
	}
	if len(rest) == 0 || s.declared(rest[0]) {
		return append([]string{"command"}, rest...), nil
	}
	return s.call(ctx, rest)
}

// sameFile answers `[ A -ef B ]`, for which the interpreter asks the real
// machine's files.
func (s *shell) sameFile(ctx context.Context, args []string) []string {
	at := slices.Index(args, "-ef")
	if at < 2 || at+1 >= len(args) {
		return args
	}
	v, hc := s.view(ctx)
	answer := "false"
	if a, err := v.stat(absolute(hc.Dir, args[at-1]), true); err == nil {
		if b, err := v.stat(absolute(hc.Dir, args[at+1]), true); err == nil && a.ino == b.ino {
			answer = "true"
		}
	}
	if answer == "true" != (args[1] == "!") {
		return []string{"true"}
	}
	return []string{"false"}
}

// fork makes the process of a background command and prints its pid.
func (s *shell) fork(c *call) int {
	child := c.proc.host.spawn(c.ctx, c.proc, c.proc.args())
	s.proc.adopt(child)
	stop := context.AfterFunc(c.ctx, func() { child.end(128+int(syscall.SIGHUP), syscall.SIGHUP) })
	child.mu.Lock()
	if !child.over {
		child.onEnd = stop
	}
	child.mu.Unlock()
	s.mu.Lock()
	if s.forks == nil {
		s.forks = make(map[string]*process)
	}
	s.forks[strconv.Itoa(child.pid)] = child
	s.mu.Unlock()
	fmt.Fprintln(c.out, child.pid)
	return 0
}

// endFork ends the process of a background command.
func (s *shell) endFork(c *call) int {
	code, _ := strconv.Atoi(c.args[1])
	c.proc.end(code, 0)
	return code
}

// command is `command -v` and `command -V`.
func (s *shell) command(c *call) int {
	code := 0
	for _, name := range c.args[2:] {
		file := name
		if !s.declared(name) && (!interp.IsBuiltin(name) || slices.Contains(absent, name)) {
			var err error
			if file, err = c.lookPath(name); err != nil {
				code = exitNotFound
				if c.args[1] == "-V" {
					fmt.Fprintf(c.out, "%s: not found\n", name)
				}
				continue
			}
		}
		if c.args[1] == "-V" && file != name {
			file = name + " is " + file
		}
		fmt.Fprintln(c.out, file)
	}
	return code
}

func (s *shell) umask(c *call) int {
	p := c.proc
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(c.args) == 1 {
		fmt.Fprintf(c.out, "%04o\n", p.umask)
		return 0
	}
	n, err := strconv.ParseUint(c.args[1], 8, 32)
	if err != nil || n > 0o777 {
		fmt.Fprintf(c.err, "sh: umask: Illegal mode: %s\n", c.args[1])
		return 2
	}
	p.umask = fs.FileMode(n)
	return 0
}

func (s *shell) pwd(c *call) int {
	dir, err := c.view().realpath(c.dir)
	if err != nil {
		return c.failf("%s", strerror(err))
	}
	fmt.Fprintln(c.out, dir)
	return 0
}

// wait waits for background commands of this shell by their pids.
func (s *shell) wait(c *call) int {
	code := 0
	for _, arg := range c.args[1:] {
		pid, err := strconv.Atoi(arg)
		if err != nil {
			fmt.Fprintf(c.err, "sh: wait: Illegal number: %s\n", arg)
			return 2
		}
		p := s.proc.child(pid)
		if p == nil {
			code = exitNotFound
			continue
		}
		select {
		case <-p.ended:
			code, _ = p.result()
		case <-c.ctx.Done():
			return 128 + int(syscall.SIGKILL)
		}
	}
	return code
}
