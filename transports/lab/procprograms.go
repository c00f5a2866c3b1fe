package lab

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// kill sends signals: to processes by pid, as the builtin and the program do.
func kill(c *call) int {
	signal, pids, ok := killArgs(c.args[1:])
	if !ok || len(pids) == 0 {
		fmt.Fprintln(c.err, "kill: usage: kill [-SIGNAL] PID...")
		return usage
	}
	code := 0
	for _, arg := range pids {
		pid, err := strconv.Atoi(arg)
		if err != nil {
			fmt.Fprintf(c.err, "sh: kill: Illegal number: %s\n", arg)
			return usage
		}
		if err := c.signal(max(pid, -pid), signal); err != nil {
			fmt.Fprintf(c.err, "sh: kill: (%d) - %s\n", pid, strerror(err))
			code = 1
		}
	}
	return code
}

func (c *call) signal(pid int, signal syscall.Signal) error {
	p := c.proc.host.process(pid)
	switch {
	case p == nil:
		return syscall.ESRCH
	case c.proc.user.uid != 0 && c.proc.user.uid != p.user.uid:
		return syscall.EPERM
	case signal != 0:
		p.kill(signal)
	}
	return nil
}

// killArgs parses `-9`, `-KILL`, `-s KILL` and what follows.
func killArgs(args []string) (syscall.Signal, []string, bool) {
	name := "TERM"
	if len(args) > 0 && args[0] != "--" && strings.HasPrefix(args[0], "-") {
		name, args = args[0][1:], args[1:]
		if name == "s" && len(args) > 0 {
			name, args = args[0], args[1:]
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	signal, ok := signalsByName[strings.TrimPrefix(name, "SIG")]
	return signal, args, ok
}

func pkill(c *call) int {
	signal, full := "TERM", false
	args := c.args[1:]
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-f":
			full = true
		case "-x":
		default:
			signal = strings.TrimPrefix(args[0][1:], "SIG")
		}
		args = args[1:]
	}
	number, ok := signalsByName[signal]
	if !ok || len(args) != 1 {
		return c.failf("the simulated pkill knows [-SIGNAL] [-f] [-x] PATTERN")
	}
	re, err := grepPattern(args[0], false, true, false, false)
	if err != nil {
		return c.failf("%v", err)
	}
	code := 1
	for _, p := range c.proc.host.processes() {
		text := p.comm()
		if full {
			text = strings.Join(p.args(), " ")
		}
		if p.pid != c.proc.pid && p.pid != 1 && re.MatchString(text) && c.signal(p.pid, number) == nil {
			code = 0
		}
	}
	return code
}

// ps lists all processes, whatever it is asked; -p chooses one, -o columns.
func ps(c *call) int {
	o, ok := c.options("eAfao:p:wx", "no-headers")
	if !ok {
		return 1
	}
	columns := strings.FieldsFunc(cmp.Or(o.has["o"], "pid,comm,args"), func(r rune) bool { return r == ',' || r == '\n' })
	if !o.is("o") {
		fmt.Fprintln(c.out, "    PID COMMAND         COMMAND")
	}
	code := 1
	for _, p := range c.proc.host.processes() {
		if o.is("p") && o.has["p"] != strconv.Itoa(p.pid) {
			continue
		}
		code = 0
		var cells []string
		for _, col := range columns {
			cells = append(cells, p.column(strings.TrimSuffix(col, "=")))
		}
		fmt.Fprintln(c.out, strings.Join(cells, " "))
	}
	return code
}

func (p *process) column(name string) string {
	switch name {
	case "pid":
		return fmt.Sprintf("%7d", p.pid)
	case "ppid":
		return fmt.Sprintf("%7d", p.ppid)
	case "user":
		return p.user.name
	case "stat":
		return "S"
	case "lstart":
		return p.start.UTC().Format("Mon Jan _2 15:04:05 2006")
	case "comm":
		return p.comm()
	}
	return strings.Join(p.args(), " ")
}
