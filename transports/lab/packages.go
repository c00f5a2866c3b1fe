package lab

import (
	"cmp"
	"slices"
	"strings"
)

// pkg is one package that an image brings along.
type pkg struct {
	name    string
	version string // dpkg and apk: the whole version; rpm: without the release
	release string // rpm only
	arch    string
	vendor  string // rpm: vendor; dpkg: maintainer
	section string
	summary string
	depends []string // names of packages
	product *product // nil for packages of the distribution
}

// nevra is the package's full name as rpm prints it.
func (p *pkg) nevra() string { return p.name + "-" + p.version + "-" + p.release + "." + p.arch }

// Package states, as dpkg names them. rpm and apk know installed and absent.
const (
	stateInstalled     = "installed"
	stateConfigFiles   = "config-files"
	stateHalfInstalled = "half-installed"
	stateAbsent        = "not-installed"
)

// pkgState is what changed of a package since the image.
type pkgState struct {
	want  string // install, deinstall, purge
	state string
}

// packageState returns a package's state on the host.
func (h *host) packageState(name string) pkgState {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.changed[name]; ok {
		return s
	}
	return pkgState{"install", stateInstalled}
}

func (h *host) setPackage(name string, s pkgState) {
	h.mu.Lock()
	if h.changed == nil {
		h.changed = make(map[string]pkgState)
	}
	h.changed[name] = s
	h.mu.Unlock()
	h.fleet.changedState()
}

// packages lists what the package manager knows of, in any state but absent.
func (h *host) packages() []*pkg {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.changed) == 0 {
		return h.image.packages
	}
	return slices.DeleteFunc(slices.Clone(h.image.packages), func(p *pkg) bool {
		s, ok := h.changed[p.name]
		return ok && s.state == stateAbsent
	})
}

// packageNamed returns a package that the manager knows of, or nil.
func (h *host) packageNamed(name string) *pkg {
	i, ok := slices.BinarySearchFunc(h.image.packages, name, func(p *pkg, name string) int {
		return cmp.Compare(p.name, name)
	})
	if !ok || h.packageState(name).state == stateAbsent {
		return nil
	}
	return h.image.packages[i]
}

// dependents lists the installed packages that need the named one.
func (h *host) dependents(name string) []*pkg {
	var out []*pkg
	for _, p := range h.packages() {
		if slices.Contains(p.depends, name) && h.packageState(p.name).state == stateInstalled {
			out = append(out, p)
		}
	}
	return out
}

// parsePackages reads an embedded list: a line is NAME VERSION ARCH.
func parsePackages(kind *osKind) []*pkg {
	text, err := images.ReadFile("images/" + kind.list)
	if err != nil {
		return nil // the list is embedded: a test reads each
	}
	var out []*pkg
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		p := &pkg{name: f[0], version: f[1], arch: f[2], vendor: kind.vendor, section: "admin", summary: f[0] + " of " + kind.name}
		if kind.manager == managerRPM {
			p.version, p.release, _ = strings.Cut(f[1], "-")
		}
		out = append(out, p)
	}
	return out
}
