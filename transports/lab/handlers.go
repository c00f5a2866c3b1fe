package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

func (s *shell) view(ctx context.Context) (view, interp.HandlerContext) {
	hc := interp.HandlerCtx(ctx)
	return s.self(hc).view(), hc
}

func absolute(dir, name string) string {
	if name == "" || path.IsAbs(name) {
		return name
	}
	return dir + "/" + name
}

// open is the interpreter's way to files: redirections and sourced files.
func (s *shell) open(ctx context.Context, name string, flag int, perm os.FileMode) (_ io.ReadWriteCloser, err error) {
	defer s.guard(&err)
	v, hc := s.view(ctx)
	name = absolute(hc.Dir, strings.TrimPrefix(name, sourced))
	h, err := v.open(name, flag, (perm|0o022)&^s.self(hc).mask())
	if err != nil {
		return nil, &fs.PathError{Op: "cannot open", Path: name, Err: cError{err}}
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		return h, nil
	}
	return s.input(h)
}

// cError words an error as the C library does.
type cError struct{ err error }

func (e cError) Error() string { return strerror(e.err) }
func (e cError) Unwrap() error { return e.err }

// pipeSize is how much a pipe takes without a reader, on every Unix.
const pipeSize = 16 << 10

// input makes the content of a file readable as an *os.File, which is what
// the interpreter uses for input without a goroutine of its own.
func (s *shell) input(h *handle) (io.ReadWriteCloser, error) {
	data, err := io.ReadAll(h)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: "file", Err: cError{err}}
	}
	return s.proc.host.pipeOf(s.proc.context(), bytes.NewReader(data))
}

// pipeOf is a pipe out of which comes what a reader has to say.
func (h *host) pipeOf(ctx context.Context, in io.Reader) (*os.File, error) {
	known, _ := in.(*bytes.Reader)
	if known != nil && known.Len() == 0 {
		return emptyInput()
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	if known != nil && known.Len() <= pipeSize {
		_, _ = io.Copy(w, known)
		_ = w.Close()
		return r, nil
	}
	h.feed(ctx, w, in)
	return r, nil
}

// feed copies into a pipe until there is no more, or nobody reads.
func (h *host) feed(ctx context.Context, w *os.File, r io.Reader) {
	work := func() {
		_, _ = io.Copy(h.patience(ctx).writer(w), r)
		_ = w.Close()
	}
	if !h.fleet.spawn(h, work) {
		_ = w.Close()
	}
}

// guard makes a panic in a handler the death of the shell: the interpreter
// runs parts of a script in goroutines of its own, where a panic would be the
// end of everything.
func (s *shell) guard(err *error) {
	if s.proc.host.survives(s.proc, recover()) {
		*err = errEnded
	}
}

func (s *shell) stat(ctx context.Context, name string, follow bool) (_ fs.FileInfo, err error) {
	defer s.guard(&err)
	v, _ := s.view(ctx)
	info, err := v.stat(name, follow)
	if err != nil {
		return nil, err
	}
	return info, nil
}

func (s *shell) access(ctx context.Context, name string, mode interp.AccessMode) (err error) {
	defer s.guard(&err)
	v, _ := s.view(ctx)
	return v.access(name, uint32(mode))
}

func (s *shell) readDir(ctx context.Context, name string) (_ []fs.DirEntry, err error) {
	defer s.guard(&err)
	v, hc := s.view(ctx)
	infos, err := v.readDir(absolute(hc.Dir, name))
	if err != nil {
		return nil, err
	}
	out := make([]fs.DirEntry, len(infos))
	for i, info := range infos {
		out[i] = fs.FileInfoToDirEntry(info)
	}
	return out, nil
}

// exec runs what is neither a function nor a builtin.
func (s *shell) exec(ctx context.Context, args []string) (err error) {
	defer s.guard(&err)
	hc := interp.HandlerCtx(ctx)
	self := s.self(hc)
	if self.dead() {
		return errEnded
	}
	c := s.newCall(ctx, self, args)
	if f, ok := standIns[args[0]]; ok {
		c.args = append([]string{strings.TrimPrefix(args[0], ".lab.")}, args[1:]...)
		return ended(c, f(s, c))
	}
	take := self != s.proc && hc.Env.Get(varTake).IsSet() && hc.Env.Get(varTake).String() == hc.Env.Get(varSelf).String()
	return ended(c, c.exec(take))
}

// ended turns an exit code into what the interpreter wants. A process that
// was killed meanwhile runs nothing more.
func ended(c *call, code int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if code == 0 {
		return nil
	}
	return interp.ExitStatus(uint8(code))
}

// exec finds and runs a program. With take, the call's process becomes the
// program's; otherwise the program gets one of its own if it needs it.
func (c *call) exec(take bool) int {
	prog, script, code := c.lookup()
	if code != 0 {
		return code
	}
	if script != nil {
		prog = program{process: true, run: func(c *call) int { return c.interpret(string(script), c.args[0], nil, c.args[1:]) }}
	}
	if take {
		c.proc.setArgs(c.args)
		return c.runAs(c.proc, prog, false)
	}
	if !prog.process {
		return prog.run(c)
	}
	return c.runAs(c.proc.host.spawn(c.ctx, c.proc, c.args), prog, true)
}

// runAs runs a program in a process. With end, the process ends with it.
func (c *call) runAs(p *process, prog program, end bool) int {
	child := *c
	child.proc, child.ctx = p, p.context()
	code := prog.run(&child)
	if end {
		p.end(code, 0)
	}
	if p.dead() {
		code, _ = p.result()
	}
	return code
}

// lookup finds the program of a call: a simulated one, or the text of a
// script. The code is not 0 if there is none that could run.
func (c *call) lookup() (prog program, script []byte, code int) {
	name := c.args[0]
	file, err := c.lookPath(name)
	if err != nil {
		if errors.Is(err, errNoProgram) {
			fmt.Fprintf(c.err, "sh: %s: not found\n", name)
			return prog, nil, exitNotFound
		}
		fmt.Fprintf(c.err, "sh: %s: %s\n", name, strerror(err))
		return prog, nil, exitNotExecutable
	}
	data, err := view{t: c.proc.host.tree, h: c.proc.host}.readFile(file)
	if err != nil {
		fmt.Fprintf(c.err, "sh: %s: %s\n", name, strerror(err))
		return prog, nil, exitNotExecutable
	}
	if mark, ok := bytes.CutPrefix(data, []byte(programMark)); ok {
		if prog, ok = c.proc.host.fleet.programs[strings.TrimSpace(string(mark))]; ok {
			return prog, nil, 0
		}
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if slices.Contains([]string{"#!/bin/sh", "#! /bin/sh", "#!/bin/sh -e"}, string(line)) {
		return prog, data, 0
	}
	fmt.Fprintf(c.err, "sh: %s: Exec format error\n", name)
	return prog, nil, exitNotExecutable
}
