package playbooks

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"oust/remediate"
)

// act is one numbered step of a script.
type act struct {
	playbook string
	what     string // one line for people
	soft     bool   // its failure does not end the script
	uses     []string
	call     []string // the function and its words, not yet quoted
	// cmd is the act on Windows, in place of call.
	cmd *cmdAct
}

// removal is what a script does for one playbook.
type removal struct {
	playbook *Playbook
	acts     []act
}

// removals decides what can be done about the findings on a host with these
// facts: the removals in their order, and what is left alone.
func (l *Library) removals(f *remediate.Facts, findings []remediate.Finding) ([]removal, []Left, error) {
	found := map[string]remediate.Finding{}
	var set []*Playbook
	for _, x := range findings {
		p, ok := l.Get(x.Playbook)
		if !ok {
			return nil, nil, fmt.Errorf("render: no playbook is called %q", x.Playbook)
		}
		found[p.Name] = x
		set = append(set, p)
	}
	var out []removal
	var left []Left
	stays := map[string]bool{} // products that cannot be removed here
	for _, p := range l.ordered(set) {
		product := found[p.Name].Kind == remediate.FindProduct
		acts, reason := p.acts(f, found[p.Name])
		if other := l.waitsFor(p, stays); reason == "" && other != "" {
			reason = "it must go after " + other + ", which stays"
		}
		if reason != "" {
			left = append(left, Left{Playbook: p.Name, Reason: oneLine(reason), Manual: oneLine(p.Manual)})
			stays[p.Name] = product
			continue
		}
		out = append(out, removal{playbook: p, acts: acts})
	}
	return out, left, nil
}

// waitsFor returns one of the products in stays that p must come after,
// directly or through others, or "".
func (l *Library) waitsFor(p *Playbook, stays map[string]bool) string {
	for _, a := range slices.Sorted(slices.Values(p.After)) {
		if stays[a] {
			return a
		}
		if next, ok := l.Get(a); ok {
			if found := l.waitsFor(next, stays); found != "" {
				return found
			}
		}
	}
	return ""
}

// acts returns what removes the finding, or the reason why nothing can.
func (p *Playbook) acts(f *remediate.Facts, found remediate.Finding) ([]act, string) {
	switch {
	case !p.On(f.Platform):
		return nil, fmt.Sprintf("it does not know the platform %q", f.Platform)
	case found.Kind == remediate.FindResidue:
		acts, reason := p.residueActs(f)
		if why := p.blocked(f); reason == "" && why != "" {
			return nil, why // what is left of it may be another's by now
		}
		return acts, reason
	case p.Is(KindEmbedded):
		return nil, "it is inside another company's product, and is reported"
	case p.Is(KindPublisher):
		return nil, "no playbook knows it: " + firstOf(found.Evidence)
	case p.ReportOnly():
		return nil, "it only reports"
	}
	if why := p.blocked(f); why != "" {
		return nil, why
	}
	return p.productActs(f)
}

// firstOf names what was found, up to three of it.
func firstOf(evidence []remediate.Evidence) string {
	const most = 3
	var out []string
	for _, e := range evidence[:min(most, len(evidence))] {
		out = append(out, e.Value)
	}
	if more := len(evidence) - most; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, "; ")
}

func (p *Playbook) productActs(f *remediate.Facts) ([]act, string) {
	if f.Platform == remediate.Windows {
		return p.windowsActs(f)
	}
	if reason := p.uncovered(f); reason != "" {
		return nil, reason
	}
	var out []act
	removes := false
	for _, s := range p.Steps {
		if !s.on(f.Platform) {
			continue
		}
		some := s.acts(p.Name, f)
		removes = removes || len(some) > 0 && s.Service == nil && s.Process == nil
		out = append(out, some...)
	}
	if !removes {
		return nil, "it is there without a package that the steps could remove"
	}
	return append(out, p.leftoverActs(f.Platform)...), ""
}

// uncovered says which package that proves the product no step for the host's
// system removes.
func (p *Playbook) uncovered(f *remediate.Facts) string {
	for _, s := range p.Steps {
		if s.on(f.Platform) && (s.File != nil || s.Script != nil) {
			return ""
		}
	}
	for _, s := range p.Detect {
		if _, _, ok := s.match(f); !ok || s.Package == nil {
			continue
		}
		for _, pkg := range s.Package.match(f) {
			if !p.stepRemoves(pkg) {
				return fmt.Sprintf("no step removes the %s package %s", pkg.Manager, pkg.Name)
			}
		}
	}
	return ""
}

func (p *Playbook) stepRemoves(pkg remediate.Package) bool {
	for _, s := range p.Steps {
		if s.Package != nil && slices.Contains(s.Package.Managers, pkg.Manager) && slices.Contains(s.Package.Names, pkg.Name) {
			return true
		}
	}
	return false
}

// residueActs removes what may be removed of what is left behind.
func (p *Playbook) residueActs(f *remediate.Facts) ([]act, string) {
	var out []act
	var packages, judge []string
	removable := false
	for _, r := range p.Residue {
		found := r.match(f)
		if len(found) == 0 {
			continue
		}
		switch {
		case !r.Remove:
			judge = append(judge, found[0].Value)
		case r.Package != "":
			packages, removable = append(packages, r.Package), true
		default:
			removable = true
		}
	}
	for _, e := range p.orphans(f) {
		judge = append(judge, e.Value+" (an entry that nothing can uninstall)")
	}
	if !removable {
		return nil, "the product is gone, and what it left needs a person's judgement: " + strings.Join(judge, ", ")
	}
	if len(packages) > 0 {
		out = append(out, packageAct(p.Name, remediate.ManagerDpkg, &PackageStep{Names: packages}))
	}
	return append(out, p.leftoverActs(f.Platform)...), ""
}

// leftoverActs removes all removable residue but packages, whether or not a
// look has seen it: an uninstaller may leave it on its way.
func (p *Playbook) leftoverActs(platform remediate.Platform) []act {
	if platform == remediate.Windows {
		return p.windowsLeftovers()
	}
	var out []act
	for _, r := range p.Residue {
		switch {
		case !r.Remove, isWindowsPath(r.Path):
		case r.Path != "":
			out = append(out, act{playbook: p.Name, soft: true, what: "remove what is left in " + r.Path,
				uses: []string{"file"}, call: []string{"remove_tree", r.Path}})
		case r.Service != "":
			out = append(out, act{playbook: p.Name, soft: true, what: "stop and disable the service " + r.Service,
				uses: []string{"service"}, call: []string{"stop_service", r.Service}})
		}
	}
	shared := slices.DeleteFunc(slices.Clone(p.Shared), isWindowsPath)
	if len(shared) > 0 {
		out = append(out, act{playbook: p.Name, soft: true, what: "remove shared folders that are empty",
			uses: []string{"file"}, call: append([]string{"remove_empty"}, shared...)})
	}
	return out
}

// oneLine makes text, which may come from a host, fit for a line of a script's
// head and for a terminal: what is not printable, line ends above all, becomes
// a blank.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || r == unicode.ReplacementChar || !unicode.IsPrint(r)
	}), " ")
}
