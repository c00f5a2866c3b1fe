package lab

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// systemdRun starts a program as a transient service.
func systemdRun(c *call) int {
	args, flags, ok := c.systemdRunArgs()
	if !ok || len(args) == 0 {
		return c.failf("Command line to execute required.")
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
	p, err := run.startTransient(name, args)
	if err != nil {
		fmt.Fprintln(c.err, err)
		return 1
	}
	if flags["quiet"] == "" {
		fmt.Fprintf(c.err, "Running as unit: %s.service\n", name)
	}
	if flags["wait"] != "" || flags["scope"] != "" || flags["pipe"] != "" {
		return await(p, c.ctx.Done())
	}
	return 0
}

// startTransient starts the process of a unit. The unit is forgotten when it
// has ended. Errors are in systemd's words.
func (c *call) startTransient(name string, args []string) (*process, error) {
	h := c.proc.host
	if _, err := c.lookPath(args[0]); err != nil {
		return nil, errors.New("Failed to find executable " + args[0] + ": No such file or directory")
	}
	h.mu.Lock()
	if u, ok := h.unitLocked(name); ok && (u.transient == nil || u.runs) {
		h.mu.Unlock()
		return nil, errors.New("Failed to start transient service unit: Unit " + name + ".service was already loaded or has a fragment file.")
	}
	if h.units == nil {
		h.units = make(map[string]*process)
	}
	h.units[name] = c.proc // holds the name until the unit's own process is there
	h.mu.Unlock()
	p := c.start(args, false)
	h.mu.Lock()
	if h.units != nil {
		h.units[name] = p
	}
	h.mu.Unlock()
	h.fleet.wg.Go(func() {
		<-p.ended
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.units[name] == p {
			delete(h.units, name)
		}
	})
	return p, nil
}

// systemdRunArgs parses options, which end at the first word that is none.
func (c *call) systemdRunArgs() (args []string, flags map[string]string, ok bool) {
	flags = make(map[string]string)
	long := map[string]string{"u": "unit", "E": "setenv", "G": "collect", "q": "quiet", "P": "pipe", "p": "property", "r": "remain-after-exit"}
	args = c.args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		a := args[0]
		args = args[1:]
		if a == "--" {
			break
		}
		name, value, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if l, ok := long[name]; ok {
			name = l
		}
		switch name {
		case "unit", "property", "description", "setenv", "slice", "uid":
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
		case "collect", "quiet", "no-block", "wait", "pipe", "scope", "no-ask-password", "remain-after-exit":
			flags[name] = "yes"
		default:
			return nil, nil, false
		}
	}
	return args, flags, true
}
