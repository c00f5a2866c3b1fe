package lab

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// systemdRun starts a program as a transient service.
func systemdRun(c *call) int {
	args, flags, ok := c.systemdRunArgs()
	if !ok {
		return 1
	}
	if c.proc.user.uid != 0 {
		fmt.Fprintln(c.err, "Failed to start transient service unit: Interactive authentication required.")
		return 1
	}
	name := strings.TrimSuffix(flags["unit"], ".service")
	if name == "" {
		name = fmt.Sprintf("run-r%08x", c.proc.pid)
	}
	run := *c
	e := environ{}
	e.set("PATH", defaultPath)
	e.set("LANG", "C.UTF-8")
	for pair := range strings.SplitSeq(flags["setenv"], "\n") {
		if n, v, ok := strings.Cut(pair, "="); ok {
			e.set(n, v)
		}
	}
	run.env, run.dir = e, "/"
	if flags["pipe"] == "" {
		run.out, run.err = io.Discard, io.Discard // the journal has them
	}
	p := c.startTransient(&run, name, args)
	if p == nil {
		return 1
	}
	if flags["quiet"] == "" {
		fmt.Fprintf(c.err, "Running as unit: %s.service\n", name)
	}
	if flags["wait"] != "" || flags["pipe"] != "" {
		return await(p, c.ctx.Done())
	}
	return 0
}

// startTransient starts the process of a unit, in which run is to be run. The
// unit is forgotten when the process has ended. It is nil if there can be none;
// c.err was told why.
func (c *call) startTransient(run *call, name string, args []string) *process {
	h := c.proc.host
	if _, err := c.lookPath(args[0]); err != nil {
		fmt.Fprintf(c.err, "Failed to find executable %s: No such file or directory\n", args[0])
		return nil
	}
	p := h.spawnAs(h.context(), nil, args, c.proc.user)
	if !h.addUnit(name, p) {
		p.end(1, 0)
		fmt.Fprintf(c.err, "Failed to start transient service unit: Unit %s.service was already loaded or has a fragment file.\n", name)
		return nil
	}
	run.launch(p, args)
	return p
}

// systemdRunLong are the long names of systemd-run's short options.
var systemdRunLong = map[string]string{"u": "unit", "E": "setenv", "G": "collect", "q": "quiet", "P": "pipe", "p": "property"}

// systemdRunArgs parses options, which end at the first word that is none.
func (c *call) systemdRunArgs() (args []string, flags map[string]string, ok bool) {
	flags = make(map[string]string)
	args = c.args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		a := args[0]
		args = args[1:]
		if a == "--" {
			break
		}
		name, value, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		name = cmp.Or(systemdRunLong[name], name)
		switch name {
		case "unit", "property", "description", "setenv":
			if !given {
				if len(args) == 0 {
					return nil, nil, false
				}
				value, args = args[0], args[1:]
			}
			if name == "setenv" {
				value += "\n" + flags[name]
			}
			flags[name] = value
		case "collect", "quiet", "no-block", "wait", "pipe", "no-ask-password":
			flags[name] = "yes"
		default:
			c.failf("the simulated systemd-run does not know %s", a)
			return nil, nil, false
		}
	}
	if len(args) == 0 {
		c.failf("Command line to execute required.")
	}
	return args, flags, len(args) > 0
}
