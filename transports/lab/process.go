package lab

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"
)

// process is one process of a host. A process ends when its program returns,
// when it is killed, or when its context ends: that of its session, or that
// of the host for a detached one.
type process struct {
	host  *host
	pid   int
	ppid  int
	sid   int
	user  *user
	start time.Time

	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelFunc
	// onEnd stops the watch over the context of a background command.
	onEnd  func() bool
	argv   []string
	umask  fs.FileMode
	ended  chan struct{} // closed at the end; status is valid from then on
	over   bool
	status int // exit code; 128 + the signal's number
	signal syscall.Signal
	// children are the background commands that a shell has started.
	children map[int]*process
	// onKill runs when a daemon of the image is killed; it has no program.
	onKill func()
}

func (p *process) view() view {
	return view{t: p.host.tree, h: p.host, uid: p.user.uid, gid: p.user.gid, pid: p.pid}
}

func (p *process) args() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.argv
}

func (p *process) setArgs(argv []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.argv = argv
}

func (p *process) mask() fs.FileMode {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.umask
}

// overContext is the context of processes that have ended.
var overContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// end records how the process ended; only the first end counts.
func (p *process) end(status int, signal syscall.Signal) {
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return
	}
	p.over, p.status, p.signal = true, status, signal
	cancel := p.cancel
	// What is left of the process must not hold its interpreter.
	p.ctx, p.onEnd, p.children = overContext, nil, nil
	p.mu.Unlock()
	p.host.forget(p)
	close(p.ended)
	cancel()
}

// context ends when the process does.
func (p *process) context() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ctx
}

// detach moves the process from its session to the host: it then lives until
// it ends, is killed, or the host is restarted.
func (p *process) detach() {
	ctx, cancel := context.WithCancel(p.host.context())
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		cancel()
		return
	}
	if p.onEnd != nil {
		p.onEnd()
		p.onEnd = nil
	}
	p.ctx, p.cancel, p.ppid, p.sid = ctx, cancel, 1, p.pid
}

// adopt remembers a background command of the process.
func (p *process) adopt(child *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.children == nil {
		p.children = make(map[int]*process)
	}
	p.children[child.pid] = child
}

func (p *process) child(pid int) *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.children[pid]
}

// kill ends the process by a signal. Programs of a host have no handlers, so
// every signal but 0 ends its process.
func (p *process) kill(signal syscall.Signal) {
	if p.onKill != nil {
		p.onKill()
	}
	p.end(128+int(signal), signal)
}

// result is the exit code and the signal of a process that has ended.
func (p *process) result() (status int, signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.signal
}

// dead reports whether the process has ended.
func (p *process) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}

// spawn enters a new process into the host's table, a child of the parent
// and of the same user.
func (h *host) spawn(ctx context.Context, parent *process, argv []string) *process {
	return h.spawnAs(ctx, parent, argv, parent.user)
}

// spawnAs is spawn for another user; the parent may be nil.
func (h *host) spawnAs(ctx context.Context, parent *process, argv []string, u *user) *process {
	p := &process{
		host: h, ppid: 1, user: u, argv: argv, umask: 0o022,
		start: h.now(), ended: make(chan struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	if parent != nil {
		p.ppid, p.sid, p.umask = parent.pid, parent.sid, parent.mask()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastPID++
	p.pid = h.lastPID
	if p.sid == 0 {
		p.sid = p.pid
	}
	if h.procs == nil {
		h.procs = make(map[int]*process)
	}
	h.procs[p.pid] = p
	return p
}

// forget takes an ended process out of the table.
func (h *host) forget(p *process) {
	h.mu.Lock()
	delete(h.procs, p.pid)
	maps.DeleteFunc(h.units, func(_ string, q *process) bool { return q == p })
	if len(h.procs) == 0 {
		h.procs = nil
	}
	h.mu.Unlock()
	h.locks.release(p.pid)
}

// process returns a process by its pid, or nil.
func (h *host) process(pid int) *process {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.procs[pid]; p != nil {
		return p
	}
	for _, d := range h.daemonsLocked() {
		if d.pid == pid {
			return h.daemonProcess(d)
		}
	}
	return nil
}

// processes lists the host's processes by pid.
func (h *host) processes() []*process {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := slices.Collect(maps.Values(h.procs))
	for _, d := range h.daemonsLocked() {
		out = append(out, h.daemonProcess(d))
	}
	slices.SortFunc(out, func(a, b *process) int { return a.pid - b.pid })
	return out
}

// daemon is a process that an image brings along.
type daemon struct {
	pid  int
	unit string // stopping it stops the daemon
	argv []string
}

// daemonsLocked lists the daemons that run. The caller holds h.mu.
func (h *host) daemonsLocked() []daemon {
	var out []daemon
	for _, d := range h.image.daemons {
		if f, known := h.unitFileLocked(d.unit); !known || f.runs {
			out = append(out, d)
		}
	}
	return out
}

func (h *host) daemonProcess(d daemon) *process {
	p := &process{
		host: h, pid: d.pid, ppid: 1, sid: d.pid, user: &root, argv: d.argv, start: h.booted,
		ended: make(chan struct{}), cancel: func() {},
	}
	p.onKill = func() {
		if d.pid != 1 {
			h.stopUnit(d.unit)
		}
	}
	return p
}

// killAll ends all processes but the daemons.
func (h *host) killAll(signal syscall.Signal) {
	h.mu.Lock()
	all := slices.Collect(maps.Values(h.procs))
	h.mu.Unlock()
	for _, p := range all {
		p.kill(signal)
	}
}
