package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
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
	// services are the image's services that have changed since; units are the
	// transient ones.
	services map[string]unitFile
	units    map[string]*process
	bootID   string
	booted   time.Time
	ctx      context.Context // ends at the next reboot
	cancel   context.CancelFunc
	// holding is what holds the package lock under the fault lock-held.
	holding *process
	counts  map[string]int // uninstaller starts by product
	starts  []Uninstall
	stop    stopState

	net hostNet
}

// install gives the host its image, before it is started.
func (h *host) install(im *image) {
	h.image = im
	h.tree = &tree{root: im.root, ino: im.lastIno, now: func() int64 { return h.now().Unix() }}
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
