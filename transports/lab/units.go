package lab

import (
	"slices"
	"strings"
)

// unitFile is a service that the service manager knows from a file.
type unitFile struct {
	description string
	state       string // one of the unit states below
	runs        bool
	gone        bool // its files were removed
}

// States of a service (systemctl(1), is-enabled).
const (
	unitEnabled   = "enabled"
	unitDisabled  = "disabled"
	unitStatic    = "static"
	unitMasked    = "masked"
	unitTransient = "transient"
)

// unitState is what the service manager knows of one service.
type unitState struct {
	unitFile
	name      string
	transient *process
}

// unit looks a service up, by its name with or without ".service".
func (h *host) unit(name string) (unitState, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unitLocked(strings.TrimSuffix(name, ".service"))
}

func (h *host) unitLocked(name string) (unitState, bool) {
	if p := h.units[name]; p != nil && !p.dead() {
		f := unitFile{description: strings.Join(p.args(), " "), state: unitTransient, runs: true}
		return unitState{name: name, transient: p, unitFile: f}, true
	}
	f, ok := h.unitFileLocked(name)
	if !ok || f.gone {
		return unitState{}, false
	}
	return unitState{name: name, unitFile: f}, true
}

// unitFileLocked is a service as it is now; the caller holds h.mu.
func (h *host) unitFileLocked(name string) (unitFile, bool) {
	if f, ok := h.services[name]; ok {
		return f, true
	}
	f, ok := h.image.units[name]
	return f, ok
}

// unitNames lists the services by name.
func (h *host) unitNames() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := make([]string, 0, len(h.image.units))
	for n := range h.image.units {
		if f, _ := h.unitFileLocked(n); !f.gone {
			names = append(names, n)
		}
	}
	for n, p := range h.units {
		if !p.dead() {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// addUnit makes a process a service, unless there is one of that name.
func (h *host) addUnit(name string, p *process) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, taken := h.unitLocked(name); taken {
		return false
	}
	if h.units == nil {
		h.units = make(map[string]*process)
	}
	h.units[name] = p
	return true
}

// changeUnit changes a service that the image has.
func (h *host) changeUnit(name string, change func(f *unitFile)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, ok := h.unitFileLocked(name)
	if !ok {
		return
	}
	change(&f)
	if h.services == nil {
		h.services = make(map[string]unitFile)
	}
	h.services[name] = f
}

func (h *host) stopUnit(name string)  { h.changeUnit(name, func(f *unitFile) { f.runs = false }) }
func (h *host) startUnit(name string) { h.changeUnit(name, func(f *unitFile) { f.runs = true }) }

// removeUnit forgets a service whose files are gone.
func (h *host) removeUnit(name string) {
	h.changeUnit(name, func(f *unitFile) { f.runs, f.gone = false, true })
}

// bootUnitsLocked starts what is enabled, and nothing that is not.
func (h *host) bootUnitsLocked() {
	for name, f := range h.services {
		f.runs = !f.gone && (f.state == unitEnabled || f.state == unitStatic && h.image.units[name].runs)
		h.services[name] = f
	}
}

func (u unitState) active() string {
	if u.runs {
		return "active"
	}
	return "inactive"
}

func (u unitState) sub() string {
	if u.runs {
		return "running"
	}
	return "dead"
}
