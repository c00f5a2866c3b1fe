package lab

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/expand"
)

// call is what a simulated program is started with.
type call struct {
	ctx  context.Context
	proc *process
	args []string // args[0] is the program's name
	dir  string
	env  expand.Environ
	in   io.Reader // nil is empty
	out  io.Writer
	err  io.Writer
	// status is the exit code of the command before, for what stands in for
	// the shell's own builtins.
	status int
}

// exit codes of simulated programs beyond their own.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// program is one simulated program.
type program struct {
	run func(c *call) int
	// dir is where it stands; "" is /usr/bin.
	dir string
	// kinds says which systems have it; nil is all.
	kinds func(k *osKind) bool
	// process programs get a process of their own even when they run in the
	// foreground: those that take time or hold a lock.
	process bool
}

func (p program) on(k *osKind) bool { return p.kinds == nil || p.kinds(k) }

func (c *call) view() view { return c.proc.view() }

// name is the program's name without folders, as it names itself in messages.
func (c *call) name() string { return path.Base(c.args[0]) }

// path makes a path absolute.
func (c *call) path(name string) string {
	if name == "" || path.IsAbs(name) {
		return name
	}
	return c.dir + "/" + name
}

func (c *call) getenv(name string) string { return c.env.Get(name).String() }

// failf prints a message under the program's name and returns 1.
func (c *call) failf(format string, args ...any) int {
	fmt.Fprintf(c.err, c.name()+": "+format+"\n", args...)
	return 1
}

// stdin is the input, empty if there is none. A read ends when the process
// does.
func (c *call) stdin() io.Reader {
	switch in := c.in.(type) {
	case nil:
		return strings.NewReader("")
	case *os.File:
		return pipeReader{c.ctx, in}
	default:
		return in
	}
}

// pipeReader reads from a pipe until a context ends.
type pipeReader struct {
	ctx  context.Context
	file *os.File
}

func (r pipeReader) Read(b []byte) (int, error) {
	stopped := make(chan struct{})
	stop := context.AfterFunc(r.ctx, func() {
		_ = r.file.SetReadDeadline(time.Unix(1, 0))
		close(stopped)
	})
	n, err := r.file.Read(b)
	if !stop() {
		<-stopped
		_ = r.file.SetReadDeadline(time.Time{})
	}
	return n, err
}

// strerror is an error as the C library words it.
func strerror(err error) string {
	var errno syscall.Errno
	for e := err; e != nil; {
		if n, ok := e.(syscall.Errno); ok {
			errno = n
			break
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			return err.Error()
		}
		e = u.Unwrap()
	}
	switch errno {
	case syscall.ENOENT:
		return "No such file or directory"
	case syscall.EACCES:
		return "Permission denied"
	case syscall.EPERM:
		return "Operation not permitted"
	case syscall.EEXIST:
		return "File exists"
	case syscall.ENOTDIR:
		return "Not a directory"
	case syscall.EISDIR:
		return "Is a directory"
	case syscall.ENOTEMPTY:
		return "Directory not empty"
	case syscall.EINVAL:
		return "Invalid argument"
	case syscall.EBUSY:
		return "Device or resource busy"
	case syscall.ESRCH:
		return "No such process"
	case syscall.ELOOP:
		return "Too many levels of symbolic links"
	case syscall.EFBIG:
		return "File too large"
	}
	return err.Error()
}

// options are a program's parsed arguments: letters that were given, values
// of those that take one, long options, and the rest.
type options struct {
	has  map[string]string
	list []string
}

func (o options) is(name string) bool {
	_, ok := o.has[name]
	return ok
}

// any reports whether one of the names was given.
func (o options) any(names ...string) bool { return slices.ContainsFunc(names, o.is) }

// options parses arguments by a specification like getopt's: "rf" are
// letters, "n:" takes a value, and long options stand with a space between,
// as "force quiet unit=". An argument that the specification does not have is
// an error that the program reports itself: ok is false then.
func (c *call) options(short, long string) (o options, ok bool) {
	o.has = make(map[string]string)
	args := c.args[1:]
	for len(args) > 0 {
		a := args[0]
		switch {
		case a == "--":
			o.list = append(o.list, args[1:]...)
			return o, true
		case strings.HasPrefix(a, "--"):
			args, ok = o.long(a[2:], long, args[1:])
		case len(a) > 1 && a[0] == '-':
			args, ok = o.letters(a[1:], short, args[1:])
		default:
			o.list = append(o.list, a)
			args, ok = args[1:], true
		}
		if !ok {
			c.failf("unrecognized option '%s'", a)
			return o, false
		}
	}
	return o, true
}

func (o *options) long(a, spec string, rest []string) ([]string, bool) {
	name, value, given := strings.Cut(a, "=")
	for _, s := range strings.Fields(spec) {
		want, takes := strings.CutSuffix(s, "=")
		if name != want {
			continue
		}
		if takes && !given {
			if len(rest) == 0 {
				return nil, false
			}
			value, rest = rest[0], rest[1:]
		}
		o.add(name, value)
		return rest, takes || !given
	}
	return nil, false
}

// add keeps the values of a repeated option, one a line.
func (o *options) add(name, value string) {
	if old, ok := o.has[name]; ok && old != "" {
		value = old + "\n" + value
	}
	o.has[name] = value
}

func (o *options) letters(a, spec string, rest []string) ([]string, bool) {
	for i := 0; i < len(a); i++ {
		at := strings.IndexByte(spec, a[i])
		if at < 0 || a[i] == ':' {
			return nil, false
		}
		if at+1 == len(spec) || spec[at+1] != ':' {
			o.has[a[i:i+1]] = ""
			continue
		}
		value := a[i+1:]
		if value == "" {
			if len(rest) == 0 {
				return nil, false
			}
			value, rest = rest[0], rest[1:]
		}
		o.add(a[i:i+1], value)
		break
	}
	return rest, true
}

// create is the mode of a new file under the process's umask.
func (c *call) create(perm fs.FileMode) fs.FileMode { return perm &^ c.proc.mask() }
