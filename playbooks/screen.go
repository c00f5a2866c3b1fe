package playbooks

import (
	"slices"
	"strings"

	"oust/remediate"
)

// A screen tells quickly that a playbook finds nothing on a host, as nearly all
// of them do on nearly every host. What it lets through is matched in full: it
// may let through too much and never too little.
type screen struct {
	signs   []signScreen
	residue []signScreen // each of one thing
}

// signScreen is a sign as a screen asks for it: all that it names must be there.
type signScreen struct {
	packages, entries, msix []anchor
	service                 *anchor
	path, key               string
	families                []string // capital letters
	vendors, publishers     []string // patterns, asked where there are no names
}

// anchor is the fixed beginning of a pattern, or all of one without wildcards.
type anchor struct {
	text  string
	whole bool
}

// anchorOf takes a pattern apart at the first of the signs that are wildcards.
func anchorOf(pattern, wildcards string) anchor {
	if i := strings.IndexAny(pattern, wildcards); i >= 0 {
		return anchor{text: pattern[:i]}
	}
	return anchor{text: pattern, whole: true}
}

func anchorsOf(patterns []string, wildcards string, fold bool) []anchor {
	out := make([]anchor, 0, len(patterns))
	for _, p := range patterns {
		if fold {
			p = strings.ToLower(p)
		}
		out = append(out, anchorOf(p, wildcards))
	}
	return out
}

const (
	globSigns = `*?[\`
	wildSigns = `*?`
)

func (p *Playbook) newScreen() screen {
	var out screen
	for _, s := range p.Detect {
		out.signs = append(out.signs, newSignScreen(s))
	}
	for _, r := range p.Residue {
		one := signScreen{path: r.Path, key: r.Key}
		if r.Service != "" {
			one = newSignScreen(Sign{Service: r.Service})
		}
		if r.Package != "" {
			one.packages = []anchor{{text: r.Package, whole: true}}
		}
		out.residue = append(out.residue, one)
	}
	return out
}

func newSignScreen(s Sign) signScreen {
	out := signScreen{path: s.Path, key: s.Key}
	if s.Package != nil {
		out.packages = anchorsOf(s.Package.Names, globSigns, false)
		out.vendors = s.Package.Vendors
	}
	if u := s.Uninstall; u != nil {
		out.entries = anchorsOf(u.Names, wildSigns, true)
		out.publishers = u.Publishers
		for _, c := range u.UpgradeCodes {
			out.families = append(out.families, strings.ToUpper(c))
		}
	}
	if s.MSIX != nil {
		out.msix = anchorsOf(s.MSIX.Names, wildSigns, true)
	}
	if s.Service != "" {
		// On Windows services have no upper and lower case, elsewhere folding
		// lets through a few more.
		a := anchorOf(strings.ToLower(s.Service), globSigns)
		out.service = &a
	}
	return out
}

// lists is what a host has, sorted, so that a screen can look it up.
type lists struct {
	packages, services, entries, msix, vendors, publishers []string
	families, places                                       map[string]bool
}

func listsOf(f *remediate.Facts) *lists {
	x := &lists{places: make(map[string]bool)}
	vendors := map[string]bool{}
	for _, p := range f.Packages {
		x.packages = append(x.packages, p.Name)
		vendors[p.Vendor] = true
	}
	for _, s := range f.Services {
		x.services = append(x.services, strings.ToLower(s.Name))
	}
	for _, p := range f.Paths {
		if p.Kind != remediate.PathAbsent && p.Kind != remediate.PathDenied {
			x.places[p.Path] = true
		}
	}
	x.vendors = keysOf(vendors)
	if f.Windows != nil {
		x.windows(f.Windows)
	}
	for _, list := range [][]string{x.packages, x.services, x.entries, x.msix} {
		slices.Sort(list)
	}
	return x
}

func (x *lists) windows(w *remediate.WindowsFacts) {
	publishers := map[string]bool{}
	for _, e := range w.Uninstall {
		x.entries = append(x.entries, strings.ToLower(e.DisplayName))
		publishers[e.Publisher] = true
	}
	for _, a := range w.Appx {
		x.msix = append(x.msix, strings.ToLower(a.Name))
	}
	x.publishers = keysOf(publishers)
	x.families = make(map[string]bool, len(w.UpgradeCodes))
	for _, u := range w.UpgradeCodes {
		x.families[strings.ToUpper(u.UpgradeCode)] = true
	}
	for _, k := range w.Keys {
		if k.Kind == remediate.KeyPresent {
			x.places[k.Key] = true
		}
	}
}

func keysOf(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	return out
}

// has reports whether one of the anchors begins, or is, a name of a sorted list.
func has(sorted []string, anchors ...anchor) bool {
	return slices.ContainsFunc(anchors, func(a anchor) bool {
		i, exact := slices.BinarySearch(sorted, a.text)
		return exact || !a.whole && i < len(sorted) && strings.HasPrefix(sorted[i], a.text)
	})
}

// passes reports whether the playbook may find something on the host.
func (s screen) passes(x *lists) bool {
	pass := func(one signScreen) bool { return one.passes(x) }
	return slices.ContainsFunc(s.signs, pass) || slices.ContainsFunc(s.residue, pass)
}

func (s signScreen) passes(x *lists) bool {
	switch {
	case len(s.packages) > 0 && !has(x.packages, s.packages...),
		len(s.entries) > 0 && !has(x.entries, s.entries...),
		len(s.msix) > 0 && !has(x.msix, s.msix...),
		s.service != nil && !has(x.services, *s.service),
		s.path != "" && !x.places[s.path],
		s.key != "" && !x.places[s.key],
		len(s.families) > 0 && !slices.ContainsFunc(s.families, func(c string) bool { return x.families[c] }),
		len(s.packages) == 0 && len(s.vendors) > 0 && !anyOf(s.vendors, x.vendors),
		len(s.entries) == 0 && len(s.publishers) > 0 && !anyOf(s.publishers, x.publishers):
		return false
	}
	return true
}

func anyOf(patterns, texts []string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return anyWild(patterns, t) })
}
