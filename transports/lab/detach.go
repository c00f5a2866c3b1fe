package lab

import (
	"strings"
	"syscall"
)

// start runs a program in a process that belongs to the host: neither the
// end of the session nor that of the connection reaches it. With own, the
// call's process becomes that process.
func (c *call) start(args []string, own bool) *process {
	h := c.proc.host
	p := c.proc
	if own {
		p.setArgs(args)
		p.detach()
	} else {
		p = h.spawnAs(h.context(), nil, args, c.proc.user)
	}
	c.launch(p, args)
	return p
}

// launch runs a program in a process that outlives the call.
func (c *call) launch(p *process, args []string) {
	child := *c
	child.proc, child.ctx, child.args = p, p.context(), args
	child.in = nil // what is detached reads nothing
	child.env = inherit(c.env)
	if !p.host.fleet.spawn(p.host, func() { child.finish(child.program) }) {
		p.kill(syscall.SIGKILL)
	}
}

// finish runs the program of the call's process to its end, and ends the
// process with it.
func (c *call) finish(program func() int) {
	defer func() { c.proc.host.survives(c.proc, recover()) }()
	c.proc.end(program(), 0)
}

// program finds and runs the call's program in the call's own process.
func (c *call) program() int {
	prog, script, code := c.lookup()
	if code != 0 {
		return code
	}
	if script != nil {
		return c.interpret(string(script), c.args[0], nil, c.args[1:])
	}
	return prog.run(c)
}

// await waits for a detached process, or until ended is closed.
func await(p *process, ended <-chan struct{}) int {
	select {
	case <-p.ended:
		code, _ := p.result()
		return code
	case <-ended:
		return 128
	}
}

// nohup and setsid run a program that outlives its session.
func nohup(c *call) int {
	if len(c.args) < 2 {
		c.failf("missing operand")
		return exitEnv
	}
	if _, err := c.lookPath(c.args[1]); err != nil {
		c.failf("failed to run command '%s': No such file or directory", c.args[1])
		return exitNotFound
	}
	session := c.ctx.Done()
	return await(c.start(c.args[1:], true), session)
}

func setsid(c *call) int {
	args, fork := c.args[1:], false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-f", "--fork":
			fork = true
		case "-w", "--wait":
		default:
			return c.failf("unknown option %s", args[0])
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return c.failf("no command specified")
	}
	if _, err := c.lookPath(args[0]); err != nil {
		c.failf("failed to execute %s: No such file or directory", args[0])
		return exitNotFound
	}
	if fork {
		c.start(args, false)
		return 0
	}
	session := c.ctx.Done()
	return await(c.start(args, true), session)
}
