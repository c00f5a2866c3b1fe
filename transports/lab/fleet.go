package lab

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"oust/transports"
)

// Fleet is a running fleet of simulated hosts.
type Fleet struct {
	config   Config
	clock    Clock
	programs map[string]program
	images   imageStore
	hosts    []*host
	byName   map[string]*host

	clientKey ed25519.PrivateKey // logs in as any account
	clientPub ssh.PublicKey
	secret    string
	// stranger is the key that known_hosts has for hosts whose key is wrong.
	stranger ssh.PublicKey

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	dump   dumper
	closed sync.Once
}

// Start makes the hosts and listens. The fleet lives until Close, or until
// ctx ends.
func Start(ctx context.Context, config Config) (*Fleet, error) {
	config = config.WithDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	f := &Fleet{config: config, clock: config.Clock, programs: programs(), byName: make(map[string]*host, config.Hosts)}
	f.images.clock = f.clock
	f.ctx, f.cancel = context.WithCancel(ctx)
	if err := f.makeKeys(); err != nil {
		f.cancel()
		return nil, err
	}
	f.makeHosts()
	for _, h := range f.hosts {
		if err := h.listen(config.Listen); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("lab: %s: %w", h.name, err)
		}
	}
	// Closed ports come last, so that no host is given the port of one.
	for _, h := range f.hosts {
		h.applyFault()
	}
	context.AfterFunc(f.ctx, f.shut)
	return f, nil
}

// Close ends all hosts and waits until nothing of the fleet runs any more.
func (f *Fleet) Close() error {
	f.closed.Do(func() {
		f.cancel()
		f.shut()
		f.wg.Wait()
		f.dump.close()
	})
	return nil
}

// shut closes all listeners and connections.
func (f *Fleet) shut() {
	for _, h := range f.hosts {
		h.closeListener()
		h.setDown(true)
	}
}

func (f *Fleet) makeKeys() error {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("lab: make a key: %w", err)
	}
	f.clientKey = key
	if f.clientPub, err = ssh.NewPublicKey(pub); err != nil {
		return fmt.Errorf("lab: make a key: %w", err)
	}
	other, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("lab: make a key: %w", err)
	}
	if f.stranger, err = ssh.NewPublicKey(other); err != nil {
		return fmt.Errorf("lab: make a key: %w", err)
	}
	f.secret = f.config.Password.Reveal()
	if f.secret == "" {
		var b [12]byte
		_, _ = rand.Read(b[:]) // never fails: see crypto/rand.Read
		f.secret = hex.EncodeToString(b[:])
	}
	return nil
}

// makeHosts draws the hosts by the seed.
func (f *Fleet) makeHosts() {
	rnd := mathrand.New(mathrand.NewPCG(f.config.Seed, 0x6f757374))
	faults := f.config.Faults.spread(f.config.Hosts, rnd)
	for i := range f.config.Hosts {
		name := fmt.Sprintf("lab-%04d", i+1)
		fault, _ := faultNamed(faults[i])
		products := drawProducts(rnd, f.config.Clean)
		if fault.product && products == 0 {
			products = setOf(kesl, klnagent)
		}
		kind := drawKind(rnd, products != 0)
		h := &host{fleet: f, name: name, image: f.images.get(kind, products), fault: faults[i]}
		h.tree = &tree{root: h.image.root, ino: h.image.lastIno, now: func() int64 { return f.clock.Now().Unix() }}
		h.key = f.hostKey(name)
		h.boot(f.ctx, time.Duration(1+f.draw(name, "uptime", 90*24))*time.Hour)
		f.hosts = append(f.hosts, h)
		f.byName[name] = h
	}
}

// spread says which of n hosts have which fault.
func (m FaultMix) spread(n int, rnd *mathrand.Rand) []string {
	out := make([]string, n)
	order := rnd.Perm(n)
	for _, share := range m {
		for range min(share.count(n), len(order)) {
			out[order[0]], order = share.Fault, order[1:]
		}
	}
	return out
}

// drawProducts draws what is installed: the product and its agent on most
// hosts, the graphical interface on some.
func drawProducts(rnd *mathrand.Rand, clean float64) productSet {
	if rnd.Float64() < clean {
		return 0
	}
	switch n := rnd.IntN(100); {
	case n < 55:
		return setOf(kesl, klnagent)
	case n < 75:
		return setOf(kesl, keslGUI, klnagent)
	case n < 90:
		return setOf(kesl)
	default:
		return setOf(klnagent)
	}
}

// drawKind draws the operating system. Alpine has none of the products.
func drawKind(rnd *mathrand.Rand, product bool) *osKind {
	n := rnd.IntN(100)
	for _, k := range kinds {
		if n -= k.weight; n < 0 && (k.manager != managerApk || !product) {
			return k
		}
	}
	return kinds[0]
}

// draw is a number from 0 to below n that depends on the seed, the host and
// the purpose alone.
func (f *Fleet) draw(host, purpose string, n uint64) uint64 {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%d %s %s", f.config.Seed, host, purpose)
	return sum.Sum64() % n
}

// hostKey makes the host's key from the seed, so that the same fleet has the
// same keys again.
func (f *Fleet) hostKey(name string) ssh.Signer {
	var seed [ed25519.SeedSize]byte
	for i := range 4 {
		n := f.draw(name, fmt.Sprintf("key %d", i), 1<<63)
		for b := range 8 {
			seed[8*i+b] = byte(n >> (8 * b))
		}
	}
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		return nil // an ed25519 key is always taken
	}
	return signer
}

func (f *Fleet) password(*user) string { return f.secret }

// ErrNoHost: the fleet has no host of that name.
var ErrNoHost = errors.New("lab: no such host")

func (f *Fleet) host(name string) (*host, error) {
	if h := f.byName[name]; h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrNoHost, name)
}

// Password is the password of the accounts ops (whose sudo asks for it),
// deploy (whose sudo does not) and guest (who may not use sudo).
func (f *Fleet) Password() transports.Secret { return transports.NewSecret(f.secret) }

// HostInfo is what is to be known of a host from outside.
type HostInfo struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	// OS is the os-release ID: debian, ubuntu, rhel, sles or alpine.
	OS       string   `json:"os"`
	Products []string `json:"products"`
	Fault    string   `json:"fault,omitempty"`
	// Outcome and Class say how a removal of all products must end.
	Outcome string `json:"outcome"`
	Class   string `json:"class,omitempty"`
}

// Hosts lists the hosts in the order of their names.
func (f *Fleet) Hosts() []HostInfo {
	out := make([]HostInfo, len(f.hosts))
	for i, h := range f.hosts {
		out[i] = h.info()
	}
	return out
}

func (h *host) info() HostInfo {
	h.mu.Lock()
	fault := h.fault
	h.mu.Unlock()
	info := HostInfo{Name: h.name, Address: h.net.addr.IP.String(), Port: h.net.addr.Port, OS: h.image.kind.id, Fault: fault}
	for _, p := range h.image.products.list() {
		info.Products = append(info.Products, p.name)
	}
	slices.Sort(info.Products)
	f, ok := faultNamed(fault)
	switch {
	case ok && (f.Outcome == outcomeFailed || h.image.products != 0):
		info.Outcome, info.Class = f.Outcome, f.Class
	case h.image.products == 0:
		info.Outcome = outcomeNothingToDo
	default:
		info.Outcome = outcomeRemoved
	}
	return info
}

// Counts says how often a product's uninstaller was started, by host and
// product.
func (f *Fleet) Counts() map[string]map[string]int {
	out := make(map[string]map[string]int)
	for _, h := range f.hosts {
		h.mu.Lock()
		if len(h.counts) > 0 {
			out[h.name] = make(map[string]int, len(h.counts))
			for p, n := range h.counts {
				out[h.name][p] = n
			}
		}
		h.mu.Unlock()
	}
	return out
}

// Starts lists every start of an uninstaller on a host, oldest first.
func (f *Fleet) Starts(name string) ([]Uninstall, error) {
	h, err := f.host(name)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.starts), nil
}

// Reboot restarts a host: its jobs die, its boot id changes.
func (f *Fleet) Reboot(name string) error {
	h, err := f.host(name)
	if err != nil {
		return err
	}
	h.reboot()
	return nil
}

// SetFault gives a host a fault, or takes it away with an empty name.
func (f *Fleet) SetFault(name, fault string) error {
	h, err := f.host(name)
	if err != nil {
		return err
	}
	if _, ok := faultNamed(fault); fault != "" && !ok {
		return unknownFault(fault)
	}
	h.mu.Lock()
	h.fault = fault
	h.mu.Unlock()
	h.applyFault()
	f.changedState()
	return nil
}

// Drop cuts a host's connections and keeps it unreachable for a moment.
func (f *Fleet) Drop(name string) error {
	h, err := f.host(name)
	if err != nil {
		return err
	}
	h.drop()
	return nil
}
