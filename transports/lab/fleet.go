package lab

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"syscall"
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
	parses   parseCache
	hosts    []*host
	byName   map[string]*host

	windows   []*winHost
	winByName map[string]*winHost
	winTLS    *winTLS // nil without Windows hosts

	clientKey ed25519.PrivateKey // logs in as any account
	clientPub ssh.PublicKey
	secret    string
	// stranger is the key that hosts with a wrong one show.
	stranger ssh.Signer

	ctx    context.Context
	cancel context.CancelFunc
	stop   func() bool // keeps the end of ctx from shutting the fleet

	starting sync.Mutex
	closing  bool // nothing is added to wg any more
	wg       sync.WaitGroup
	dump     dumper
	closed   sync.Once
}

// Start makes the hosts and listens. The fleet lives until Close, or until
// ctx ends.
func Start(ctx context.Context, config Config) (*Fleet, error) {
	config = config.WithDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	return start(ctx, config, config.lots())
}

// start makes the fleet that was drawn.
func start(ctx context.Context, config Config, lots []lot) (*Fleet, error) {
	if !config.Offline {
		if err := checkFileLimit(len(lots) + config.Windows); err != nil {
			return nil, err
		}
	}
	f := &Fleet{
		config: config, clock: config.Clock, programs: programs(),
		byName: make(map[string]*host, config.Hosts), winByName: make(map[string]*winHost, config.Windows),
	}
	f.images.clock = f.clock
	f.ctx, f.cancel = context.WithCancel(ctx)
	if err := f.open(lots); err != nil {
		_ = f.Close()
		return nil, err
	}
	f.stop = context.AfterFunc(f.ctx, f.shut)
	return f, nil
}

func (f *Fleet) open(lots []lot) error {
	if err := f.makeKeys(); err != nil {
		return err
	}
	if err := f.makeHosts(lots); err != nil {
		return err
	}
	if err := f.openWindows(); err != nil {
		return err
	}
	if f.config.Offline {
		f.makeAddresses()
	} else if err := f.listen(); err != nil {
		return err
	}
	// Closed ports come last, so that no host is given the port of one.
	for _, h := range f.hosts {
		h.applyFault()
	}
	for _, w := range f.windows {
		w.applyFault()
	}
	return nil
}

// listen opens the ports of the Linux hosts.
func (f *Fleet) listen() error {
	for _, h := range f.hosts {
		if err := h.listen(f.config.Listen); err != nil {
			return fmt.Errorf("lab: %s: %w", h.name, err)
		}
	}
	return nil
}

// openWindows makes the Windows hosts and opens their ports.
func (f *Fleet) openWindows() error {
	if f.config.Windows == 0 {
		return nil
	}
	if f.config.Offline {
		return f.makeWindows()
	}
	var err error
	if f.winTLS, err = newWinTLS(f.config.Listen); err != nil {
		return err
	}
	if err := f.makeWindows(); err != nil {
		return err
	}
	for _, w := range f.windows {
		if err := w.port.listen(w); err != nil {
			return fmt.Errorf("lab: %s: %w", w.name, err)
		}
	}
	return nil
}

// Close ends all hosts, waits until nothing that they served runs any more,
// and writes the state file for the last time.
func (f *Fleet) Close() error {
	f.closed.Do(func() {
		if f.stop != nil {
			f.stop()
		}
		f.cancel()
		f.shut()
		f.starting.Lock()
		f.closing = true
		f.starting.Unlock()
		f.wg.Wait()
		for _, w := range f.windows {
			w.machine.Close()
		}
		f.dump.close()
	})
	return nil
}

// shut closes all ports and connections for good.
func (f *Fleet) shut() {
	for _, h := range f.hosts {
		h.closePort()
		h.disconnect()
	}
	for _, w := range f.windows {
		w.shut()
	}
}

// spawnWindows is spawn for a Windows host.
func (f *Fleet) spawnWindows(w *winHost, work func()) bool {
	f.starting.Lock()
	defer f.starting.Unlock()
	if f.closing {
		return false
	}
	f.wg.Go(func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				f.config.Logger.Error("panic in a simulated host", "host", w.name, "panic", panicked, "stack", string(debug.Stack()))
			}
		}()
		work()
	})
	return true
}

// spawn runs a part of a host's work beside others, and reports whether it
// could: a fleet that is being closed starts nothing more. A panic in the work
// is that host's trouble; it ends neither the fleet nor another host.
func (f *Fleet) spawn(h *host, work func()) bool {
	f.starting.Lock()
	defer f.starting.Unlock()
	if f.closing {
		return false
	}
	f.wg.Go(func() {
		defer func() { h.survives(nil, recover()) }()
		work()
	})
	return true
}

// survives takes the value of a panic. If it is one, what happened goes to
// the log, and the process in which it happened dies of it.
func (h *host) survives(p *process, panicked any) bool {
	if panicked == nil {
		return false
	}
	h.fleet.config.Logger.Error("panic in a simulated host", "host", h.name, "panic", panicked, "stack", string(debug.Stack()))
	if p != nil {
		p.kill(syscall.SIGABRT)
	}
	return true
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
	if f.stranger, err = f.hostKey("a stranger"); err != nil {
		return err
	}
	f.secret = f.config.Password.Reveal()
	if f.secret == "" {
		var b [12]byte
		_, _ = rand.Read(b[:]) // never fails: see crypto/rand.Read
		f.secret = hex.EncodeToString(b[:])
	}
	return nil
}

// makeHosts makes the hosts that the seed has drawn.
func (f *Fleet) makeHosts(lots []lot) error {
	for i, lot := range lots {
		name := fmt.Sprintf("lab-%04d", i+1)
		h := &host{fleet: f, name: name, fault: lot.fault}
		h.install(f.images.get(lot.kind, lot.products))
		var err error
		if h.key, err = f.hostKey(name); err != nil {
			return err
		}
		h.boot(f.ctx, time.Duration(1+f.draw(name, "uptime", 90*24))*time.Hour)
		f.hosts = append(f.hosts, h)
		f.byName[name] = h
	}
	return nil
}

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
