package lab

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// hostNet is the host's side of the network.
type hostNet struct {
	addr *net.TCPAddr // set when the fleet starts, and not changed

	mu       sync.Mutex
	listener net.Listener
	held     io.Closer // keeps a closed port from being given to others
	conns    map[io.Closer]struct{}
	// away counts what keeps the host off the network: connections are then
	// cut as soon as they are made.
	away int
}

// listen opens the host's port: the one that it had before, or one that the
// system chooses.
func (h *host) listen(address string) error {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.net.listener != nil {
		return nil
	}
	port := 0
	if h.net.addr != nil {
		port = h.net.addr.Port
	}
	h.release()
	var config net.ListenConfig
	l, err := config.Listen(h.fleet.ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		_ = l.Close()
		return errors.New("listen: not a TCP address")
	}
	if h.net.addr == nil {
		h.net.addr = addr
	}
	h.net.listener = l
	h.fleet.spawn(h, func() { h.accept(l) })
	return nil
}

// closePort closes the host's port, and gives it back to the system.
func (h *host) closePort() {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.net.listener != nil {
		_ = h.net.listener.Close()
		h.net.listener = nil
	}
	h.release()
}

// refuse closes the host's port and keeps it, so that what connects there is
// refused and nobody else is given it.
func (h *host) refuse() {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.net.listener == nil {
		return
	}
	_ = h.net.listener.Close()
	h.net.listener = nil
	held, err := holdPort(h.net.addr)
	if err != nil {
		h.fleet.config.Logger.Warn("a closed port cannot be held", "host", h.name, "error", err)
		return
	}
	h.net.held = held
}

// release gives a port that is held back; the caller holds h.net.mu.
func (h *host) release() {
	if h.net.held != nil {
		_ = h.net.held.Close()
		h.net.held = nil
	}
}

// applyFault brings what the host shows to the outside in line with its
// fault.
func (h *host) applyFault() {
	if h.hasFault(faultRefused) {
		h.refuse()
		h.disconnect()
		h.reconnect()
	} else if h.fleet.ctx.Err() == nil && !h.fleet.config.Offline {
		if err := h.listen(h.fleet.config.Listen); err != nil {
			h.fleet.config.Logger.Error("the port cannot be opened again", "host", h.name, "error", err)
		}
	}
	h.holdLock(h.hasFault(faultLock))
}

// acceptPause is how long a host waits when the system has no file descriptor
// for a connection; others will be closed.
const acceptPause = 10 * time.Millisecond

func (h *host) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			h.fleet.config.Logger.Warn("a connection cannot be taken", "host", h.name, "error", err)
			select {
			case <-time.After(acceptPause):
				continue
			case <-h.fleet.ctx.Done():
				return
			}
		}
		if !h.admit(c) {
			cut(c)
			continue
		}
		h.fleet.spawn(h, func() {
			defer h.leave(c)
			h.serve(c)
		})
	}
}

// admit enters a connection, unless the host is away.
func (h *host) admit(c io.Closer) bool {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.net.away > 0 {
		return false
	}
	if h.net.conns == nil {
		h.net.conns = make(map[io.Closer]struct{})
	}
	h.net.conns[c] = struct{}{}
	return true
}

func (h *host) leave(c io.Closer) {
	_ = c.Close()
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	delete(h.net.conns, c)
	if len(h.net.conns) == 0 {
		h.net.conns = nil
	}
}

// disconnect takes the host off the network, until reconnect is called as
// often. What is connected is cut off.
func (h *host) disconnect() {
	h.net.mu.Lock()
	h.net.away++
	conns := h.net.conns
	h.net.conns = nil
	h.net.mu.Unlock()
	for c := range conns {
		cut(c)
	}
}

func (h *host) reconnect() {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.net.away--
}

// downtime is how long a host is away under the fault drop, in its own time.
const downtime = 3 * time.Second

// drop cuts all connections and keeps the host unreachable for a moment. The
// processes go on.
func (h *host) drop() {
	h.disconnect()
	h.fleet.spawn(h, func() {
		defer h.reconnect()
		_ = h.fleet.clock.Sleep(h.context(), downtime)
	})
}

// cut ends a connection without a word, as a dead network does.
func cut(c io.Closer) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// holdLock starts or ends the process that holds the package manager's lock.
func (h *host) holdLock(hold bool) {
	h.mu.Lock()
	holder := h.holding
	h.mu.Unlock()
	switch {
	case hold && (holder == nil || holder.dead()):
		argv, files := []string{"/usr/bin/unattended-upgrade"}, []string{dpkgFrontendLock, dpkgLock}
		switch h.image.kind.manager {
		case managerRPM:
			argv, files = []string{"/usr/bin/dnf", "-y", "upgrade"}, []string{rpmLock}
		case managerApk:
			argv, files = []string{"/sbin/apk", "upgrade"}, []string{apkLock}
		}
		holder = h.spawnAs(h.context(), nil, argv, &root)
		for _, f := range files {
			holder.takeLock(f)
		}
	case !hold && holder != nil:
		holder.kill(syscall.SIGTERM)
		holder = nil
	default:
		return
	}
	h.mu.Lock()
	h.holding = holder
	h.mu.Unlock()
}
