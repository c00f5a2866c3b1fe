package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/expand"
)

func sleep(c *call) int {
	if len(c.args) < 2 {
		return c.failf("missing operand")
	}
	var total time.Duration
	for _, a := range c.args[1:] {
		d, ok := parseInterval(a)
		if !ok {
			return c.failf("invalid time interval '%s'", a)
		}
		total += d
	}
	if c.proc.host.fleet.clock.Sleep(c.ctx, total) != nil {
		return 128 + int(syscall.SIGKILL)
	}
	return 0
}

// forever is what `sleep infinity` waits.
const forever = 10 * 365 * 24 * time.Hour

func parseInterval(s string) (time.Duration, bool) {
	if s == "infinity" || s == "inf" {
		return forever, true
	}
	unit := time.Second
	if i := strings.IndexAny(s, "smhd"); i == len(s)-1 && i > 0 {
		unit = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[s[i]]
		s = s[:i]
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 || n != n {
		return 0, false
	}
	if n > forever.Seconds() {
		return forever, true
	}
	return time.Duration(n * float64(unit)), true
}

func date(c *call) int {
	o, ok := c.options("ud:", "utc date=")
	if !ok {
		return 1
	}
	now := c.proc.host.now().UTC()
	if o.is("d") || o.is("date") {
		unix, found := strings.CutPrefix(o.has["d"]+o.has["date"], "@")
		n, err := strconv.ParseInt(unix, 10, 64)
		if !found || err != nil {
			return c.failf("the simulated date knows -d @SECONDS only")
		}
		now = time.Unix(n, 0).UTC()
	}
	if len(o.list) == 0 {
		return echoLine(c, now.Format("Mon Jan _2 15:04:05 UTC 2006"))
	}
	format, ok := strings.CutPrefix(o.list[0], "+")
	if !ok {
		return c.failf("cannot set date: Operation not permitted")
	}
	out, bad := dateFormat(format, now)
	if bad != 0 {
		return c.failf("the simulated date does not know %%%c", bad)
	}
	return echoLine(c, out)
}

func dateLayout(letter byte) string {
	switch letter {
	case 'Y':
		return "2006"
	case 'm':
		return "01"
	case 'd':
		return "02"
	case 'H':
		return "15"
	case 'M':
		return "04"
	case 'S':
		return "05"
	case 'F':
		return "2006-01-02"
	case 'T':
		return "15:04:05"
	case 'Z':
		return "UTC"
	case 'z':
		return "-0700"
	}
	return ""
}

func dateFormat(format string, t time.Time) (out string, bad byte) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		layout := dateLayout(format[i])
		switch {
		case format[i] == '%':
			b.WriteByte('%')
		case format[i] == 's':
			fmt.Fprint(&b, t.Unix())
		case format[i] == 'N':
			fmt.Fprintf(&b, "%09d", t.Nanosecond())
		case layout != "":
			b.WriteString(t.Format(layout))
		default:
			return "", format[i]
		}
	}
	return b.String(), 0
}

func uname(c *call) int {
	o, ok := c.options("asnrvmo", "all")
	if !ok {
		return 1
	}
	k := c.proc.host.image.kind
	fields := []struct{ letter, value string }{
		{"s", "Linux"}, {"n", c.proc.host.name}, {"r", k.kernel}, {"v", "#1 SMP PREEMPT_DYNAMIC"},
		{"m", "x86_64"}, {"o", "GNU/Linux"},
	}
	var out []string
	for _, f := range fields {
		if o.is(f.letter) || o.is("a") || o.is("all") || len(o.has) == 0 && f.letter == "s" {
			out = append(out, f.value)
		}
	}
	return echoLine(c, strings.Join(out, " "))
}

func id(c *call) int {
	o, ok := c.options("ungrG", "user name group real groups")
	if !ok {
		return 1
	}
	u := c.proc.user
	if len(o.list) > 0 {
		if u = userNamed(o.list[0]); u == nil {
			return c.failf("'%s': no such user", o.list[0])
		}
	}
	number := u.gid
	switch {
	case o.is("u") || o.is("user"):
		number = u.uid
	case o.is("g") || o.is("group") || o.is("G") || o.is("groups"):
	default:
		groups := fmt.Sprintf("%d(%s)", u.gid, u.name)
		if slices.Contains(u.groups, "sudo") {
			groups += ",27(sudo)"
		}
		return echoLine(c, fmt.Sprintf("uid=%d(%s) gid=%d(%s) groups=%s", u.uid, u.name, u.gid, u.name, groups))
	}
	if o.is("n") || o.is("name") {
		return echoLine(c, u.name)
	}
	return echoLine(c, strconv.Itoa(int(number)))
}

// exitEnv is the exit code of env for arguments that it does not know.
const exitEnv = 125

// env prints the environment, or runs a program in a changed one.
func env(c *call) int {
	e := inherit(c.env)
	args := c.args[1:]
	for len(args) > 0 {
		name, value, ok := strings.Cut(args[0], "=")
		switch {
		case args[0] == "-i" || args[0] == "-":
			e = make(environ)
		case args[0] == "-u" && len(args) > 1:
			delete(e, args[1])
			args = args[1:]
		case strings.HasPrefix(args[0], "-"):
			c.failf("invalid option -- '%s'", args[0])
			return exitEnv
		case ok:
			e.set(name, value)
		default:
			return c.with(e, args).exec(false)
		}
		args = args[1:]
	}
	var lines []string
	e.Each(func(name string, v expand.Variable) bool {
		lines = append(lines, name+"="+v.String())
		return true
	})
	slices.Sort(lines)
	for _, l := range lines {
		fmt.Fprintln(c.out, l)
	}
	return 0
}

// with is the call of another program in the same place.
func (c *call) with(e expand.Environ, args []string) *call {
	n := *c
	n.args, n.env = args, e
	return &n
}

func sysctl(c *call) int {
	o, ok := c.options("n", "")
	if !ok {
		return 1
	}
	code := 0
	for _, name := range o.list {
		file := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		data, err := c.view().readFile(file)
		if err != nil {
			code = c.failf("cannot stat %s: No such file or directory", file)
			continue
		}
		prefix := name + " = "
		if o.is("n") {
			prefix = ""
		}
		fmt.Fprint(c.out, prefix+string(data))
	}
	return code
}

// signalsByName has the signals that kill and pkill know.
var signalsByName = map[string]syscall.Signal{
	"0": 0, "EXIT": 0, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT,
	"KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM,
	"1": syscall.SIGHUP, "2": syscall.SIGINT, "3": syscall.SIGQUIT, "9": syscall.SIGKILL, "15": syscall.SIGTERM,
}

// hostname prints the host's name.
func hostname(c *call) int { return echoLine(c, cmp.Or(c.proc.host.name, "localhost")) }
