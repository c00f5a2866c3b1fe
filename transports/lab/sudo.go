package lab

import (
	"fmt"
	"io"
	"strings"
)

// sudoTries is how often sudo asks for a password (sudoers(5), passwd_tries).
const sudoTries = 3

// sudo knows -n, -S, -p PROMPT, -k and --, and runs a program as root. Its
// texts are those of sudo 1.9.
func sudo(c *call) int {
	args := c.args[1:]
	var flags string
	prompt := "[sudo] password for " + c.proc.user.name + ": "
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		a := args[0]
		args = args[1:]
		if a == "--" {
			break
		}
		switch a {
		case "-n", "-S", "-k", "-H", "-E":
			flags += a[1:]
		case "-p", "-u":
			if len(args) == 0 {
				return c.failf("option requires an argument -- '%s'", a[1:])
			}
			if a == "-p" {
				prompt = args[0]
			} else if args[0] != "root" {
				return c.failf("the simulated sudo knows root only")
			}
			args = args[1:]
		default:
			return c.failf("invalid option -- '%s'", a[1:])
		}
	}
	if len(args) == 0 {
		if flags == "k" {
			return 0
		}
		return c.failf("a command is needed")
	}
	if code := c.authenticate(flags, prompt); code != 0 {
		return code
	}
	return c.asRoot(args)
}

// authenticate decides whether the caller may become root.
func (c *call) authenticate(flags, prompt string) int {
	u := c.proc.user
	if u.uid == 0 || u.sudo == sudoNoPassword {
		return 0
	}
	if strings.Contains(flags, "n") {
		return c.failf("a password is required")
	}
	if !strings.Contains(flags, "S") {
		c.failf("a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper")
		return c.failf("a password is required")
	}
	for try := range sudoTries {
		fmt.Fprint(c.err, prompt)
		flush(c.err)
		line, err := readLine(c.stdin())
		if err != nil && line == "" {
			return c.noPassword(try)
		}
		if line == c.proc.host.fleet.secret {
			if u.sudo == "" {
				fmt.Fprintf(c.err, "%s is not in the sudoers file.\n", u.name)
				return 1
			}
			return 0
		}
		if try+1 < sudoTries {
			fmt.Fprintln(c.err, "Sorry, try again.")
		}
	}
	return c.failf("%d incorrect password attempts", sudoTries)
}

// noPassword is the end of the input in place of a password.
func (c *call) noPassword(tried int) int {
	fmt.Fprintln(c.err)
	c.failf("no password was provided")
	switch tried {
	case 0:
		return c.failf("a password is required")
	case 1:
		return c.failf("1 incorrect password attempt")
	}
	return c.failf("%d incorrect password attempts", tried)
}

// readLine reads up to a newline and nothing after it.
func readLine(r io.Reader) (string, error) {
	var line []byte
	var b [1]byte
	for len(line) < 4096 {
		n, err := r.Read(b[:])
		if n > 0 {
			if b[0] == '\n' {
				return string(line), nil
			}
			line = append(line, b[0])
		}
		if err != nil {
			return string(line), err
		}
	}
	return string(line), nil
}

// asRoot runs a program as root in an environment of its own.
func (c *call) asRoot(args []string) int {
	e := environ{}
	for _, name := range []string{"LC_ALL", "LANG", "TERM"} {
		if v := c.env.Get(name); v.IsSet() {
			e.set(name, v.String())
		}
	}
	e.set("PATH", defaultPath)
	e.set("HOME", root.home)
	e.set("USER", root.name)
	e.set("LOGNAME", root.name)
	e.set("SUDO_USER", c.proc.user.name)
	child := c.with(e, args)
	if _, err := child.lookPath(args[0]); err != nil {
		return c.failf("%s: command not found", args[0])
	}
	p := c.proc.host.spawnAs(c.ctx, c.proc, args, &root)
	return child.runAs(p, program{run: (*call).program}, true)
}

// flusher is a writer that keeps what is written for a moment.
type flusher interface{ Flush() }

func flush(w io.Writer) {
	if f, ok := w.(flusher); ok {
		f.Flush()
	}
}
