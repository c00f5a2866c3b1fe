package lab

import (
	"maps"
	"slices"
	"strings"
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
	if p := h.units[name]; p != nil {
		f := unitFile{description: strings.Join(p.args(), " "), state: "transient", runs: !p.dead()}
		return unitState{name: name, transient: p, unitFile: f}, true
	}
	f, ok := h.image.units[name]
	if !ok || h.removed[name] {
		return unitState{}, false
	}
	f.state = h.enabledLocked(name)
	f.runs = f.runs && !h.stopped[name]
	return unitState{name: name, unitFile: f}, true
}

// enabledLocked is a unit's state; the caller holds h.mu.
func (h *host) enabledLocked(name string) string {
	if s, ok := h.enabled[name]; ok {
		return s
	}
	return h.image.units[name].state
}

// unitNames lists the services by name.
func (h *host) unitNames() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := slices.Collect(maps.Keys(h.image.units))
	names = slices.DeleteFunc(names, func(n string) bool { return h.removed[n] })
	for n := range h.units {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (h *host) stopUnit(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped == nil {
		h.stopped = make(map[string]bool)
	}
	h.stopped[name] = true
}

func (h *host) startUnit(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.stopped, name)
}

func (h *host) setEnabled(name, state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.enabled == nil {
		h.enabled = make(map[string]string)
	}
	h.enabled[name] = state
}

// removeUnit forgets a service whose files are gone.
func (h *host) removeUnit(name string) {
	h.stopUnit(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.removed == nil {
		h.removed = make(map[string]bool)
	}
	h.removed[name] = true
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
