package lab

import (
	"maps"
	"slices"
)

// HostInfo is what is to be known of a host from outside.
type HostInfo struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	// OS is the os-release ID (debian, ubuntu, rhel, sles or alpine), or
	// server-2019, windows-10 or windows-11.
	OS       string   `json:"os"`
	Products []string `json:"products,omitempty"` // names of packages, or of playbooks without the vendor
	Fault    string   `json:"fault,omitempty"`
	// Outcome and Class say how a removal of all products must end.
	Outcome string `json:"outcome"`
	Class   string `json:"class,omitempty"`
	// Restarted and RestartedClass say the same for removals after which oust may
	// restart the host.
	Restarted      string `json:"restarted"`
	RestartedClass string `json:"restarted_class,omitempty"`
}

// restarted fills in how a removal ends where the host may be restarted.
func (i *HostInfo) restarted() {
	i.Restarted, i.RestartedClass = i.Outcome, i.Class
	switch {
	case i.Outcome != outcomeRebootPending:
	case i.Fault == faultRebootLost:
		i.Restarted, i.RestartedClass = outcomeFailed, "lost-contact"
	default:
		i.Restarted = outcomeRemoved
	}
}

// Hosts lists the hosts in the order of their names.
func (f *Fleet) Hosts() []HostInfo {
	out := make([]HostInfo, 0, len(f.hosts)+len(f.windows))
	for _, h := range f.hosts {
		out = append(out, h.info())
	}
	for _, w := range f.windows {
		out = append(out, w.info())
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
	f, ok := faultNamed(fault)
	switch {
	case ok && (f.Outcome == outcomeFailed || h.image.products != 0):
		info.Outcome, info.Class = f.Outcome, f.Class
	case h.image.products == 0:
		info.Outcome = outcomeNothingToDo
	default:
		info.Outcome = outcomeRemoved
	}
	info.restarted()
	return info
}

// Counts says how often a product's uninstaller was started, by host and
// product.
func (f *Fleet) Counts() map[string]map[string]int {
	out := make(map[string]map[string]int)
	for _, h := range f.hosts {
		h.mu.Lock()
		if len(h.counts) > 0 {
			out[h.name] = maps.Clone(h.counts)
		}
		h.mu.Unlock()
	}
	for _, w := range f.windows {
		if counts := w.state().Counts; counts != nil {
			out[w.name] = counts
		}
	}
	return out
}

// Starts lists every start of an uninstaller on a host, oldest first.
func (f *Fleet) Starts(name string) ([]Uninstall, error) {
	if w := f.winByName[name]; w != nil {
		return w.state().Starts, nil
	}
	h, err := f.host(name)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.starts), nil
}

// Reboot restarts a host: its jobs die, its boot id changes. It returns when
// the host can be reached again, some seconds of its own time later, or at once
// with the fault reboot-lost.
func (f *Fleet) Reboot(name string) error {
	if w := f.winByName[name]; w != nil {
		w.machine.Reboot()
		return nil
	}
	h, err := f.host(name)
	if err != nil {
		return err
	}
	h.reboot()
	return nil
}

// SetFault gives a host a fault, or takes it away with an empty name.
func (f *Fleet) SetFault(name, fault string) error {
	if w := f.winByName[name]; w != nil {
		if fault != "" && !isFault(fault, WindowsFaults()) {
			return unknownFault(fault, WindowsFaults())
		}
		w.setFault(fault)
		f.changedState()
		return nil
	}
	h, err := f.host(name)
	if err != nil {
		return err
	}
	if _, ok := faultNamed(fault); fault != "" && !ok {
		return unknownFault(fault, Faults())
	}
	h.mu.Lock()
	h.fault = fault
	h.mu.Unlock()
	h.revive()
	h.applyFault()
	f.changedState()
	return nil
}

// Drop cuts a host's connections and keeps it unreachable for a moment.
func (f *Fleet) Drop(name string) error {
	if w := f.winByName[name]; w != nil {
		w.machine.Drop()
		return nil
	}
	h, err := f.host(name)
	if err != nil {
		return err
	}
	h.drop()
	return nil
}
