package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"oust/transports"
	"oust/transports/lab/cmdexe"
	"oust/transports/lab/windows"
	"oust/transports/lab/wsman"
)

// winHost is one simulated Windows machine with its WinRM service.
type winHost struct {
	fleet   *Fleet
	name    string
	image   *windows.Image
	machine *windows.Host
	port    winPort

	mu     sync.Mutex
	fault  string
	closed bool
	broken bool // by breakService
	// https and http are the service; a restart makes new ones.
	https, http *wsman.Server
}

// winLot is what the seed has drawn for one Windows machine.
type winLot struct {
	release  windows.Release
	products []*windows.Product
	fault    string
}

// winLots draws the Windows machines. Faults of uninstallers fall on machines
// that have the product.
func (c Config) winLots() []winLot {
	rnd := rand.New(rand.NewPCG(c.Seed, 0x77696e)) //nolint:gosec // it must be the same again for the same seed
	out := make([]winLot, c.Windows)
	byProduct, others := c.WindowsFaults.winNames(c.Windows)
	order := rnd.Perm(c.Windows)
	clean := min(rounded(c.Clean*float64(c.Windows)), c.Windows-len(byProduct))
	with, without := order[clean:], order[:clean]
	for i, fault := range byProduct {
		out[with[i]].fault = fault
	}
	rest := slices.Concat(with[len(byProduct):], without)
	rnd.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	for i, fault := range others {
		out[rest[i]].fault = fault
	}
	releases := windows.Releases()
	for i := range out {
		out[i].release = releases[rnd.IntN(len(releases))]
	}
	for _, at := range with {
		out[at].products = drawWinProducts(rnd)
		if out[at].fault == windows.FaultResidue {
			// What a product leaves until its restart is not yet residue.
			out[at].products = []*windows.Product{windows.NetworkAgent}
		}
	}
	return out
}

// drawWinProducts draws what is installed: the product and its agent on most
// machines.
func drawWinProducts(rnd *rand.Rand) []*windows.Product {
	switch n := rnd.IntN(100); {
	case n < 70:
		return []*windows.Product{windows.KES, windows.NetworkAgent}
	case n < 85:
		return []*windows.Product{windows.KES}
	default:
		return []*windows.Product{windows.NetworkAgent}
	}
}

// makeWindows makes the Windows machines that the seed has drawn.
func (f *Fleet) makeWindows() error {
	images := map[string]*windows.Image{}
	for i, lot := range f.config.winLots() {
		name := fmt.Sprintf("win-%04d", i+1)
		id := lot.release.ID
		for _, p := range lot.products {
			id += " " + p.Name
		}
		if images[id] == nil {
			im, err := windows.NewImage(lot.release, lot.products...)
			if err != nil {
				return fmt.Errorf("lab: %w", err)
			}
			images[id] = im
		}
		if err := f.addWindows(name, images[id], lot.fault); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) addWindows(name string, im *windows.Image, fault string) error {
	w := &winHost{fleet: f, name: name, image: im, fault: fault}
	fitting := ""
	if _, ok := windows.FaultNamed(fault); ok {
		fitting = fault
	}
	var err error
	w.machine, err = windows.New(f.ctx, windows.Config{
		Name: "WIN-" + name[len("win-"):], Image: im, Clock: f.clock, Shell: cmdexe.Run, Fault: fitting, LoggedOn: f.loggedOn(name),
		Uptime:       time.Duration(1+f.draw(name, "uptime", 90*24)) * time.Hour,
		Cut:          w.port.away,
		Down:         w.restartService,
		Uninstalling: w.breakService,
		Changed:      f.changedState,
		Password:     f.config.ProductPassword.Reveal(),
		Says:         f.config.Says,
	})
	if err != nil {
		return fmt.Errorf("lab: %s: %w", name, err)
	}
	f.windows = append(f.windows, w)
	f.winByName[name] = w
	return nil
}

// service is the machine's WinRM service for one kind of connection. It is
// made when the first such connection comes, and again after a restart.
func (w *winHost) service(secure bool) (*wsman.Server, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := &w.http
	if secure {
		at = &w.https
	}
	if *at != nil || w.closed {
		return *at, nil
	}
	config := wsman.Config{
		Backend: w.machine.Backend(), Logins: w.login, NTLM: true, Basic: secure, Machine: w.machine.Name,
		Clock: realTime{}, Logger: w.fleet.config.Logger,
	}
	if secure {
		config.TLS = w.fleet.winTLS.server(w.fault == faultCertificate)
	}
	s, err := wsman.New(config)
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", w.name, err)
	}
	if f, _ := winFaultNamed(w.fault); f.inject != "" && !f.product {
		if err := s.Inject(f.inject, 0); err != nil {
			return nil, fmt.Errorf("lab: %s: %w", w.name, err)
		}
	}
	*at = s
	return s, nil
}

// breakService makes the next answer go wrong, or ends all shells, where that
// is the fault.
func (w *winHost) breakService() {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, _ := winFaultNamed(w.fault)
	if f.inject == "" || !f.product || w.broken {
		return
	}
	w.broken = true
	w.port.breakLines(f.inject)
	if f.inject == wsman.FaultShellKilled {
		// Not here: who calls may be a command of one of the shells.
		w.fleet.spawnWindows(w, w.restartService)
		return
	}
	for _, s := range []*wsman.Server{w.https, w.http} {
		if s == nil {
			continue
		}
		if err := s.Inject(f.inject, 1); err != nil {
			w.fleet.config.Logger.Error("the service cannot be broken", "host", w.name, "error", err)
		}
	}
}

// login knows the accounts of the machine; all have the fleet's password.
func (w *winHost) login(user, _ string) (transports.Secret, bool) {
	if w.hasFault(faultLogin) || !slices.Contains(windows.Accounts(), user) {
		return transports.Secret{}, false
	}
	return transports.NewSecret(w.fleet.secret), true
}

func (w *winHost) hasFault(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault == name
}

// setFault gives the machine a fault or, with "", takes it away.
func (w *winHost) setFault(name string) {
	w.mu.Lock()
	w.fault, w.broken = name, false
	w.mu.Unlock()
	fitting := ""
	if _, ok := windows.FaultNamed(name); ok {
		fitting = name
	}
	_ = w.machine.SetFault(fitting) // a name that it has
	w.restartService()
	w.applyFault()
}

// applyFault brings the port in line with the fault.
func (w *winHost) applyFault() {
	if w.hasFault(faultRefused) {
		w.port.refuse(w)
	} else if w.fleet.ctx.Err() == nil && !w.fleet.config.Offline {
		if err := w.port.listen(w); err != nil {
			w.fleet.config.Logger.Error("the port cannot be opened again", "host", w.name, "error", err)
		}
	}
}

// restartService ends all shells with their commands.
func (w *winHost) restartService() {
	w.mu.Lock()
	old := []*wsman.Server{w.https, w.http}
	w.https, w.http = nil, nil
	w.mu.Unlock()
	w.port.endLines(errShellGone)
	for _, s := range old {
		if s != nil {
			_ = s.Close()
		}
	}
}

// shut closes the port and ends the service for good.
func (w *winHost) shut() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.port.close()
	w.restartService()
}

// serve is one connection of a client.
func (w *winHost) serve(c net.Conn) {
	switch {
	case w.hasFault(faultSilent):
		silence(c)
		return
	case w.hasFault(faultSlow):
		c = &slowConn{Conn: c, delay: w.fleet.config.Delay}
	}
	first, secure, err := sniff(c)
	if err != nil {
		return
	}
	s, err := w.service(secure)
	if err != nil {
		w.fleet.config.Logger.Error("the WinRM service cannot start", "host", w.name, "error", err)
	}
	if s != nil {
		s.ServeConn(first)
	}
}

// realTime is the clock of the service: clients wait in real time.
type realTime struct{}

func (realTime) Now() time.Time { return time.Now() }

func (realTime) Sleep(ctx context.Context, d time.Duration) error { return NewClock(1).Sleep(ctx, d) }
