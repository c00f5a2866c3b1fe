package windows

import (
	"context"
	"slices"
	"time"
)

// Fault is one way in which a machine misbehaves.
type Fault struct {
	Name string
	// Meaning is one clause that says what the machine does.
	Meaning string
}

// The names of the faults.
const (
	FaultBusy        = "installer-busy"
	FaultFails       = "installer-fails"
	FaultPassword    = "wrong-password"
	FaultReboot      = "reboot-needed"
	FaultLies        = "lies"
	FaultResidue     = "residue"
	FaultHangs       = "hangs"
	FaultDrop        = "drop"
	FaultSlowReboot  = "slow-reboot"
	FaultProtected   = "services-protected"
	FaultNoScheduler = "no-scheduler"
	FaultReinstalls  = "reinstalls"
	// Of restarts.
	FaultRebootSlow  = "reboot-slow"
	FaultRebootTwice = "reboot-twice"
	FaultRebootLost  = "reboot-lost"
	FaultLoggedOn    = "user-logged-on"
)

// Faults lists the faults that a machine can have.
func Faults() []Fault {
	return []Fault{
		{FaultBusy, "another installation runs for ever: msiexec exits 1618"},
		{FaultFails, "the product's uninstaller exits 1603"},
		{FaultPassword, "the products ask for another password than anybody has"},
		{FaultReboot, "the product goes and asks for a restart"},
		{FaultLies, "the uninstaller exits 0 and leaves the product"},
		{FaultResidue, "the product goes and leaves a file"},
		{FaultHangs, "the uninstaller never ends"},
		{FaultDrop, "the network goes away in mid-uninstall, for a moment; the job goes on"},
		{FaultSlowReboot, "a restart takes eight minutes"},
		{FaultProtected, "the products' services can be neither stopped nor changed"},
		{FaultNoScheduler, "no scheduled task can be made"},
		{FaultReinstalls, "an hour after it has gone the product is installed again"},
		{FaultRebootSlow, "the product asks for a restart, which takes twenty minutes"},
		{FaultRebootTwice, "the product asks for a restart, and a minute after it the host restarts once more"},
		{FaultRebootLost, "the product asks for a restart, from which the host never comes back"},
		{FaultLoggedOn, "the product asks for a restart, and somebody is logged on until then"},
	}
}

// asksRestart reports whether the product asks for a restart under a fault.
func asksRestart(fault string) bool {
	return slices.Contains([]string{FaultReboot, FaultRebootSlow, FaultRebootTwice, FaultRebootLost, FaultLoggedOn}, fault)
}

// FaultNamed finds a fault.
func FaultNamed(name string) (Fault, bool) {
	for _, f := range Faults() {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}

// victim is the product in which a fault of an uninstaller shows: the image's
// first.
func (h *Host) victim() *Product {
	if len(h.image.products) == 0 {
		return nil
	}
	return h.image.products[0]
}

// downtime is how long a machine is away under the fault drop, in its own
// time.
const downtime = 3 * time.Second

// Drop takes the machine off the network for a moment. What runs goes on.
func (h *Host) Drop() {
	h.cut(true)
	err := h.spawn(func(ctx context.Context) {
		defer h.cut(false)
		_ = h.clock.Sleep(ctx, downtime)
	})
	if err != nil {
		h.cut(false)
	}
}

// reinstallAfter is when the fault reinstalls brings a product back.
const reinstallAfter = time.Hour

func (h *Host) reinstallLater(p *Product) {
	_ = h.spawn(func(ctx context.Context) {
		if h.clock.Sleep(ctx, reinstallAfter) == nil {
			h.install(p)
			h.changed()
		}
	})
}
