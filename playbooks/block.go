package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// sign is what the block names, as a sign.
func (b Block) sign() Sign {
	return Sign{Package: b.Package, Uninstall: b.Uninstall, Service: b.Service, Path: b.Path, Key: b.Key, MSIX: b.MSIX}
}

// blocked says why the product must not be removed from a host with these
// facts, or "". A block about which the look does not say enough stands in the
// way too: it may be what keeps a disk readable.
func (p *Playbook) blocked(f *remediate.Facts) string {
	for _, b := range p.Blocks {
		if !b.sign().can(f.Platform) {
			continue
		}
		switch b.sign().holds(f) {
		case holds:
			return b.Why
		case holdsUnknown:
			return fmt.Sprintf("whether the host has %s %s, so scan again with this playbook; if it has: %s", b.sign().words(), untold, b.Why)
		}
	}
	return ""
}

// can reports whether the sign can hold on the platform.
func (s Sign) can(platform remediate.Platform) bool {
	windows, others := s.systems()
	if platform == remediate.Windows {
		return !others
	}
	return !windows
}

// systems reports whether the sign names things of Windows alone, or of other
// systems.
func (s Sign) systems() (windows, others bool) {
	return s.Uninstall != nil || s.Key != "" || s.MSIX != nil || isWindowsPath(s.Path),
		s.Package != nil || s.Path != "" && !isWindowsPath(s.Path)
}

// holds reports whether all that the sign names holds, or may hold.
func (s Sign) holds(f *remediate.Facts) standing {
	is := holds
	least := func(named bool, now func() standing) {
		if named {
			is = min(is, now())
		}
	}
	list := func(there bool) standing { now, _ := listed(f, there); return now }
	least(s.Package != nil, func() standing { return list(len(s.Package.match(f)) > 0) })
	least(s.Uninstall != nil, func() standing { return list(len(s.Uninstall.match(f)) > 0) })
	least(s.Service != "", func() standing { return list(len(serviceEvidence(f, s.Service)) > 0) })
	least(s.Path != "", func() standing { now, _ := pathHolds(f, s.Path); return now })
	least(s.Key != "", func() standing { now, _ := keyHolds(f, s.Key); return now })
	least(s.MSIX != nil, func() standing {
		if there := len(s.MSIX.match(f)) > 0; there || msixAsked(f) {
			return list(there)
		}
		return holdsUnknown
	})
	return is
}

// words says for a person what the sign names.
func (s Sign) words() string {
	var out []string
	if s.Package != nil {
		out = append(out, "package "+strings.Join(s.Package.Names, " or "))
	}
	if s.Uninstall != nil {
		out = append(out, strings.Join(slices.Concat(s.Uninstall.Names, s.Uninstall.UpgradeCodes), " or "))
	}
	if s.MSIX != nil {
		out = append(out, "package "+strings.Join(s.MSIX.Names, " or "))
	}
	if s.Service != "" {
		out = append(out, "service "+s.Service)
	}
	for _, place := range []string{s.Path, s.Key} {
		if place != "" {
			out = append(out, place)
		}
	}
	return strings.Join(out, " and ")
}

// blocks demands signs that can hold and that a look can answer.
func (c *checker) blocks() {
	c.size("blocks", len(c.p.Blocks), false, "blocks")
	for i, b := range c.p.Blocks {
		at := []any{"blocks", i}
		c.line("why", b.Why, append(slices.Clone(at), "why")...)
		c.sign(b.sign(), at)
		if bad := lookProblem(b.Path); b.Path != "" && bad != "" {
			c.badPath(b.Path, bad, append(slices.Clone(at), "path"))
		}
		if bad := keyProblem(b.Key); b.Key != "" && bad != "" {
			c.err(rulePath, b.Key+": "+bad, append(slices.Clone(at), "key")...)
		}
	}
}
