package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// host is one simulated machine.
type host struct {
	fleet *Fleet
	name  string
	image *image
	key   ssh.Signer
	tree  *tree
	locks lockTable

	mu      sync.Mutex
	fault   string
	lastPID int
	procs   map[int]*process
	changed map[string]pkgState
	stopped map[string]bool   // units of the image that do not run
	enabled map[string]string // unit states that differ from the image
	units   map[string]*process
	removed map[string]bool // units of the image that are gone
	bootID  string
	booted  time.Time
	ctx     context.Context // ends at the next reboot
	cancel  context.CancelFunc
	// holding is what holds the package lock under the fault lock-held.
	holding *process
	// module is true while the product's kernel module is loaded.
	module bool
	counts map[string]int // uninstaller starts by product
	starts []Uninstall

	net hostNet
}

// hostNet is the host's side of the network.
type hostNet struct {
	mu       sync.Mutex
	addr     *net.TCPAddr
	listener net.Listener
	conns    map[net.Conn]struct{}
	down     bool // connections are cut as soon as they are made
}

func (h *host) now() time.Time { return h.fleet.clock.Now() }

// context ends at the host's next reboot or the fleet's end.
func (h *host) context() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ctx
}

// boot starts the host's uptime: at its making and at every reboot. The
// caller holds h.mu or is the only one who knows of the host.
func (h *host) boot(ctx context.Context, uptime time.Duration) {
	h.bootID = newBootID()
	h.booted = h.now().Add(-uptime)
	h.ctx, h.cancel = context.WithCancel(ctx)
	h.lastPID = 1200
}

// newBootID makes a random id in the form of /proc/sys/kernel/random/boot_id.
func newBootID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand.Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// reboot ends all processes and connections and starts the host again.
// Services that are enabled run again, and what was waiting for a reboot is
// done.
func (h *host) reboot() {
	h.setDown(true)
	h.mu.Lock()
	h.cancel()
	h.mu.Unlock()
	h.killAll(syscall.SIGKILL)
	h.locks.reset()
	h.mu.Lock()
	h.units, h.holding, h.module = nil, nil, false
	h.boot(h.fleet.ctx, 0)
	for unit := range h.stopped {
		if h.enabledLocked(unit) == "enabled" && !h.removed[unit] {
			delete(h.stopped, unit)
		}
	}
	h.mu.Unlock()
	v := view{t: h.tree, h: h}
	for _, name := range []string{"/run/reboot-required", "/run/reboot-required.pkgs"} {
		_ = v.remove(name, false)
	}
	h.setDown(false)
	h.applyFault()
}

// setDown makes the host unreachable, or reachable again. What is connected
// is cut off.
func (h *host) setDown(down bool) {
	h.net.mu.Lock()
	h.net.down = down
	conns := h.net.conns
	if down {
		h.net.conns = nil
	}
	h.net.mu.Unlock()
	if !down {
		return
	}
	for c := range conns {
		cut(c)
	}
}

// cut ends a connection without a word, as a dead network does.
func cut(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
