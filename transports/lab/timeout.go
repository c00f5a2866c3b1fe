package lab

import (
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
)

// exitTimedOut is the exit code of timeout for a program that was ended.
const exitTimedOut = 124

// timeout runs a program and ends it after some time. No program of a host
// withstands a signal, so that -k has nothing to do.
func timeout(c *call) int {
	args, signal := c.args[1:], "TERM"
	for len(args) > 1 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		switch args[0] {
		case "-k":
			if _, ok := parseInterval(args[1]); !ok {
				c.failf("invalid time interval '%s'", args[1])
				return exitEnv
			}
		case "-s":
			signal = strings.TrimPrefix(args[1], "SIG")
		default:
			c.failf("invalid option -- '%s'", args[0])
			return exitEnv
		}
		args = args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	number, known := signalsByName[signal]
	if len(args) < 2 || !known {
		c.failf("want [-k TIME] [-s SIGNAL] TIME COMMAND")
		return exitEnv
	}
	limit, ok := parseInterval(args[0])
	if !ok {
		c.failf("invalid time interval '%s'", args[0])
		return exitEnv
	}
	if limit == 0 {
		limit = forever
	}
	args = args[1:]
	if _, err := c.lookPath(args[0]); err != nil {
		fmt.Fprintf(c.err, "timeout: failed to run command '%s': No such file or directory\n", args[0])
		return exitNotFound
	}
	p := c.proc.host.spawn(c.ctx, c.proc, args)
	var late atomic.Bool
	c.proc.host.fleet.spawn(c.proc.host, func() {
		if c.proc.host.fleet.clock.Sleep(p.context(), limit) == nil {
			late.Store(true)
			p.kill(number)
		}
	})
	code := c.with(c.env, args).runAs(p, program{run: (*call).program}, true)
	switch {
	case late.Load() && number == syscall.SIGKILL:
		return 128 + int(syscall.SIGKILL)
	case late.Load():
		return exitTimedOut
	}
	return code
}
