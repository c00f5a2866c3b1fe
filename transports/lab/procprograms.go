package lab

import (
	"cmp"
	"fmt"
	"slices"
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

// ps lists the processes of the caller's session, all with -e or -A, or one
// with -p; -o chooses the columns, an "=" behind one leaves out its head.
func ps(c *call) int {
	o, ok := c.options("eAfo:p:wx", "no-headers")
	if !ok {
		return 1
	}
	asked := cmp.Or(o.has["o"], map[bool]string{true: "user,pid,ppid,lstart,args", false: "pid,stat,comm"}[o.is("f")])
	var columns []psColumn
	for name := range strings.FieldsFuncSeq(asked, func(r rune) bool { return r == ',' || r == '\n' }) {
		name, bare := strings.CutSuffix(name, "=")
		col, known := psColumns[name]
		if !known {
			return c.failf("the simulated ps does not know the column %s", name)
		}
		if bare || o.is("no-headers") {
			col.head = ""
		}
		columns = append(columns, col)
	}
	if slices.ContainsFunc(columns, func(col psColumn) bool { return col.head != "" }) {
		c.psLine(columns, func(col psColumn) string { return col.head })
	}
	code := 1
	for _, p := range c.proc.host.processes() {
		switch {
		case o.is("p") && o.has["p"] != strconv.Itoa(p.pid):
		case !o.any("p", "e", "A") && p.sid != c.proc.sid:
		default:
			code = 0
			c.psLine(columns, func(col psColumn) string { return col.cell(p) })
		}
	}
	return code
}

// psColumn is one column: the width of a number is given, texts have none.
type psColumn struct {
	head  string
	width int
	cell  func(p *process) string
}

var psColumns = map[string]psColumn{
	"pid":    {"PID", 7, func(p *process) string { return strconv.Itoa(p.pid) }},
	"ppid":   {"PPID", 7, func(p *process) string { return strconv.Itoa(p.ppid) }},
	"user":   {"USER", 0, func(p *process) string { return p.user.name }},
	"stat":   {"STAT", 0, func(*process) string { return "S" }},
	"lstart": {"STARTED", 0, func(p *process) string { return p.start.UTC().Format("Mon Jan _2 15:04:05 2006") }},
	"comm":   {"COMMAND", 0, (*process).comm},
	"args":   {"COMMAND", 0, func(p *process) string { return strings.Join(p.args(), " ") }},
}

func (c *call) psLine(columns []psColumn, cell func(psColumn) string) {
	cells := make([]string, len(columns))
	for i, col := range columns {
		cells[i] = fmt.Sprintf("%*s", col.width, cell(col))
	}
	fmt.Fprintln(c.out, strings.Join(cells, " "))
}
