package lab

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
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
		return pipeReader{c.ctx, in, c.proc.host.patience(c.ctx)}
	default:
		return in
	}
}

// pipeReader reads from a pipe until a context ends.
type pipeReader struct {
	ctx     context.Context
	file    *os.File
	patient patient
}

func (r pipeReader) Read(b []byte) (int, error) {
	if r.patient.clock != nil {
		if err := r.patient.readable(r.file); err != nil {
			return 0, err
		}
	}
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

// create is the mode of a new file under the process's umask.
func (c *call) create(perm fs.FileMode) fs.FileMode { return perm &^ c.proc.mask() }
