package lab

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// exitTimedOut is the exit code of timeout for a program that was ended.
const exitTimedOut = 124

// timeout runs a program and ends it after some time.
func timeout(c *call) int {
	limit, signal, args, err := timeoutArgs(c.args[1:])
	if err != nil {
		c.failf("%v", err)
		return exitEnv
	}
	if _, err := c.lookPath(args[0]); err != nil {
		c.failf("failed to run command '%s': No such file or directory", args[0])
		return exitNotFound
	}
	h := c.proc.host
	p := h.spawn(c.ctx, c.proc, args)
	var late atomic.Bool
	h.fleet.spawn(h, func() {
		if h.fleet.clock.Sleep(p.context(), limit) == nil {
			late.Store(true)
			p.kill(signal)
		}
	})
	code := c.with(c.env, args).runAs(p, program{run: (*call).program}, true)
	if late.Load() && signal != syscall.SIGKILL {
		return exitTimedOut
	}
	return code
}

// timeoutArgs reads [-k TIME] [-s SIGNAL] [--] TIME COMMAND. No program of a
// host withstands a signal, so that -k has nothing to do.
func timeoutArgs(args []string) (limit time.Duration, signal syscall.Signal, command []string, err error) {
	signal = syscall.SIGTERM
	var known bool
	for len(args) > 1 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		switch args[0] {
		case "-k":
			_, known = parseInterval(args[1])
		case "-s":
			signal, known = signalsByName[strings.TrimPrefix(args[1], "SIG")]
		default:
			known = false
		}
		if !known {
			return 0, 0, nil, fmt.Errorf("the simulated timeout does not know %s %s", args[0], args[1])
		}
		args = args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		return 0, 0, nil, errors.New("missing operand")
	}
	if limit, known = parseInterval(args[0]); !known {
		return 0, 0, nil, fmt.Errorf("invalid time interval '%s'", args[0])
	}
	if limit == 0 {
		limit = forever
	}
	return limit, signal, args[1:], nil
}
