package windows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"oust/transports/lab/cmdexe"
)

// Clock is the time of simulated machines.
type Clock interface {
	Now() time.Time
	// Sleep waits for d of the clock's time, or until ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// Shell is what cmd.exe does with the rest of its command line; it returns the
// exit code.
type Shell func(ctx context.Context, c cmdexe.Config, line string) int

// Config says what a machine is.
type Config struct {
	// Name is the computer's name, at most 15 letters.
	Name  string
	Image *Image
	Clock Clock
	Shell Shell
	// Uptime is how long ago the machine was started.
	Uptime time.Duration
	// Fault is one of Faults, or "".
	Fault string
	// LoggedOn: a person is logged on, until the first restart.
	LoggedOn bool
	// Password is what products ask for that are protected by one; with ""
	// none is.
	Password string
	// Says is what Windows Installer's log says of each removal beside its own
	// words.
	Says string
	// Cut, if set, is called to take the machine off the network and, with
	// false, to put it back.
	Cut func(off bool)
	// Down, if set, is called in the middle of a restart, to end the shells of
	// clients; it returns when they have ended.
	Down func()
	// Uninstalling, if set, is called when an uninstaller begins its work.
	Uninstalling func()
	// Changed, if set, is called after something about the products or the
	// start of the machine has changed.
	Changed func()
}

// Host is a simulated machine. It is safe for concurrent use.
type Host struct {
	Name     string
	Registry *Registry
	Files    *cmdexe.Memory

	image    *Image
	clock    Clock
	shell    Shell
	password string
	says     string
	cut      func(off bool)
	down     func()
	began    func()
	changed  func()

	life       context.Context
	work       sync.WaitGroup // what a restart ends
	later      sync.WaitGroup // restarts that were asked for on the machine
	restarting chan struct{}  // holds one restart; a lock would keep simulated time from going on

	mu         sync.Mutex
	closed     bool
	fault      string
	boot       context.Context // ends at the next restart
	endBoot    context.CancelFunc
	booted     time.Time
	lastPID    int
	processes  map[int]*process
	services   map[string]int // process ids of those that run, by name in capitals
	tasks      map[string]*task
	installing bool
	starts     []Start
	person     bool               // is logged on
	planned    context.CancelFunc // takes back the restart that is planned; nil if none is
	warnings   []string           // what people were told before restarts
	restarts   int
	lost       bool // by the fault reboot-lost
}

// ErrClosed: the machine is switched off for good.
var ErrClosed = errors.New("windows: the machine is off")

// New makes a machine and starts it. It lives until ctx ends.
func New(ctx context.Context, c Config) (*Host, error) {
	switch {
	case c.Name == "" || len(c.Name) > 15:
		return nil, fmt.Errorf("windows: a computer may not be called %q", c.Name)
	case c.Image == nil || c.Clock == nil || c.Shell == nil:
		return nil, errors.New("windows: a machine needs an image, a clock and a shell")
	}
	h := &Host{
		Name: c.Name, Registry: c.Image.registry.Clone(), Files: c.Image.files.Clone(), image: c.Image, clock: c.Clock, shell: c.Shell,
		password: c.Password, says: c.Says, cut: c.Cut, down: c.Down, began: c.Uninstalling, changed: c.Changed, life: ctx, fault: c.Fault,
		restarting: make(chan struct{}, 1), person: c.LoggedOn || c.Fault == FaultLoggedOn,
	}
	h.Files.Now = h.now
	if h.cut == nil {
		h.cut = func(bool) {}
	}
	if h.down == nil {
		h.down = func() {}
	}
	if h.began == nil {
		h.began = func() {}
	}
	if h.changed == nil {
		h.changed = func() {}
	}
	for _, k := range []string{"ActiveComputerName", "ComputerName"} {
		h.Registry.Set(`HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\`+k, "ComputerName", regSZ, c.Name)
	}
	h.start(c.Uptime)
	return h, nil
}

func (h *Host) now() time.Time { return h.clock.Now().UTC() }

// start begins a boot.
func (h *Host) start(uptime time.Duration) {
	h.mu.Lock()
	h.boot, h.endBoot = context.WithCancel(h.life)
	h.booted = h.now().Add(-uptime)
	h.lastPID, h.processes, h.services = 600, nil, nil
	h.mu.Unlock()
	h.startServices()
	h.wakeDefender()
}

const (
	bootKey    = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`
	windowsKey = `HKLM\SYSTEM\CurrentControlSet\Control\Windows`
	managerKey = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`
	pending    = "PendingFileRenameOperations"
)

// fileTime is a time as a FILETIME in a REG_BINARY: units of 100 ns since
// 1601, the least byte first.
func fileTime(t time.Time) string {
	n := uint64(t.Unix()+11_644_473_600)*10_000_000 + uint64(t.Nanosecond()/100)
	var b strings.Builder
	for range 8 {
		fmt.Fprintf(&b, "%02X", byte(n))
		n >>= 8
	}
	return b.String()
}

// finishPending does what was left for the next start: files that were in use
// go, and so do drivers whose service was marked.
func (h *Host) finishPending() {
	list, _ := h.Registry.Get(managerKey, pending)
	for _, name := range strings.Split(list, `\0`) {
		if path, ok := strings.CutPrefix(name, `\??\`); ok {
			_ = removeAll(h.Files, path)
		}
	}
	if p, ok := parsePath(managerKey, "", view64); ok {
		h.Registry.unset(p.stored, pending)
	}
	if p, ok := parsePath(servicesKey, "", view64); ok {
		for _, k := range h.Registry.open(p.stored).subs {
			if v, found := k.value("DeleteFlag"); found && v.data == "0x1" {
				h.Registry.Remove(servicesKey + `\` + k.name)
			}
		}
	}
}

// Close waits until nothing runs on the machine; its context must have ended,
// or Close ends what runs.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	end := h.endBoot
	h.mu.Unlock()
	end()
	h.work.Wait()
	h.later.Wait()
}

// spawn runs a part of the machine's own life: it goes on until it ends or the
// machine is restarted, whatever becomes of who asked for it.
func (h *Host) spawn(f func(ctx context.Context)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.boot.Err() != nil {
		return ErrClosed
	}
	ctx := h.boot
	h.work.Go(func() { f(ctx) })
	return nil
}

// SetFault gives the machine a fault, or takes it away with "".
func (h *Host) SetFault(name string) error {
	if name != "" {
		if _, ok := FaultNamed(name); !ok {
			return fmt.Errorf("windows: no fault is called %q", name)
		}
	}
	h.mu.Lock()
	h.fault = name
	h.person = h.person || name == FaultLoggedOn
	found := h.lost && name != FaultRebootLost
	h.lost = h.lost && !found
	h.mu.Unlock()
	if found {
		h.start(0)
		h.cut(false)
		h.changed()
	}
	return nil
}

func (h *Host) hasFault(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault == name
}

// BootID is what changes with every start of the machine: how often Windows
// was started and when it was last shut down.
func (h *Host) BootID() string {
	id, _ := h.Registry.Get(bootKey, "BootId")
	n, _ := strconv.ParseUint(id, 0, 32)
	at, _ := h.Registry.Get(windowsKey, "ShutdownTime")
	return fmt.Sprintf("boot-%d,shutdown-%s", n, at)
}

// Start is one start of a product's uninstaller that did more than turn the
// caller away.
type Start struct {
	Product string
	// Attempt is the id in the path OUST_DIR that the uninstaller ran under,
	// "" if there was none.
	Attempt string
	// At is the machine's own time.
	At time.Time
}

// Starts lists the starts of uninstallers, oldest first.
func (h *Host) Starts() []Start {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.starts)
}

// count notes the start of a product's uninstaller. dir is the folder that a
// job has for itself, in which the attempt's is the last but one.
func (h *Host) count(p *Product, dir string) {
	attempt := ""
	if steps := strings.Split(dir, `\`); len(steps) > 2 {
		attempt = steps[len(steps)-2]
	}
	h.mu.Lock()
	h.starts = append(h.starts, Start{p.Name, attempt, h.now()})
	h.mu.Unlock()
	h.began()
	h.changed()
}
