package playbooks

import (
	"slices"
	"strings"

	"oust/remediate"
)

// Match recognises the library's products in facts. It gives a product
// finding where a sign holds, and a residue finding where none does and
// something of the playbook's residue is there. What is embedded in other
// products is a finding of its own kind, or a product where it counts; see
// Embedded. A playbook of KindPublisher finds only what no other one claims. The
// findings are in the order of remediate.SortFindings.
func (l *Library) Match(f *remediate.Facts) []remediate.Finding {
	var out []remediate.Finding
	here := listsOf(f)
	for i, p := range l.list {
		if !p.On(f.Platform) || !l.screens[i].passes(here) {
			continue
		}
		if finding, ok := l.find(p, f); ok {
			out = append(out, finding)
		}
	}
	out = l.withoutShared(out, f)
	remediate.SortFindings(out)
	return out
}

// withoutShared takes away residue that belongs to another product of its
// vendor, which is on the host.
func (l *Library) withoutShared(fs []remediate.Finding, f *remediate.Facts) []remediate.Finding {
	return slices.DeleteFunc(fs, func(x remediate.Finding) bool {
		p, ok := l.Get(x.Playbook)
		if !ok || x.Kind != remediate.FindResidue || !slices.ContainsFunc(p.Residue, func(r Residue) bool { return r.Alone }) || !l.hasProductOf(p, f) {
			return false
		}
		if len(p.orphans(f)) > 0 {
			return false
		}
		alone := map[remediate.Evidence]bool{}
		for _, r := range p.Residue {
			for _, e := range r.match(f) {
				alone[e] = r.Alone
			}
		}
		return !slices.ContainsFunc(x.Evidence, func(e remediate.Evidence) bool { return !alone[e] })
	})
}

// hasProductOf reports whether the host has a product of the playbook's vendor,
// of those that ship too.
func (l *Library) hasProductOf(p *Playbook, f *remediate.Facts) bool {
	return slices.ContainsFunc(slices.Concat(l.list, l.others), func(q *Playbook) bool {
		return q.vendorKey() == p.vendorKey() && q.Is(KindProduct) && q.On(f.Platform) &&
			slices.ContainsFunc(q.Detect, func(s Sign) bool { _, _, ok := s.match(f); return ok })
	})
}

func (l *Library) find(p *Playbook, f *remediate.Facts) (remediate.Finding, bool) {
	finding, ok := p.match(f)
	switch {
	case ok && p.Is(KindEmbedded) && !l.countsEmbedded:
		finding.Kind = remediate.FindEmbedded
	case ok && p.Is(KindPublisher):
		finding.Version = "" // of one entry among several
		finding.Evidence = l.unclaimed(f, finding.Evidence)
		return finding, len(finding.Evidence) > 0
	}
	return finding, ok
}

// unclaimed is the evidence that no sign of another playbook, of those that ship
// too, has made its own.
func (l *Library) unclaimed(f *remediate.Facts, found []remediate.Evidence) []remediate.Evidence {
	claimed := map[remediate.Evidence]bool{}
	for _, p := range slices.Concat(l.list, l.others) {
		if p.Is(KindPublisher) || !p.On(f.Platform) {
			continue
		}
		for _, e := range p.orphans(f) {
			claimed[e] = true
		}
		for _, s := range p.Detect {
			evidence, _, _ := s.match(f)
			for _, e := range evidence {
				claimed[e] = true
			}
		}
	}
	return slices.DeleteFunc(found, func(e remediate.Evidence) bool { return claimed[e] })
}

func (p *Playbook) match(f *remediate.Facts) (remediate.Finding, bool) {
	finding := remediate.Finding{Playbook: p.Name, Kind: remediate.FindProduct, Product: p.Title}
	for _, s := range p.Detect {
		evidence, version, ok := s.match(f)
		if !ok {
			continue
		}
		finding.Evidence = append(finding.Evidence, evidence...)
		if finding.Version == "" {
			// A copy: facts are parts of the host's whole text, which may go.
			finding.Version = strings.Clone(version)
		}
	}
	if len(finding.Evidence) == 0 {
		finding.Kind = remediate.FindResidue
		for _, r := range p.Residue {
			finding.Evidence = append(finding.Evidence, r.match(f)...)
		}
		finding.Evidence = append(finding.Evidence, p.orphans(f)...)
	}
	slices.SortFunc(finding.Evidence, compareEvidence)
	finding.Evidence = slices.Compact(finding.Evidence)
	return finding, len(finding.Evidence) > 0
}

func compareEvidence(a, b remediate.Evidence) int {
	if c := strings.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	return strings.Compare(a.Value, b.Value)
}

// match returns the facts that make the sign hold, and the version of the
// package among them.
func (s Sign) match(f *remediate.Facts) (evidence []remediate.Evidence, version string, ok bool) {
	if s.Package != nil {
		pkgs := s.Package.match(f)
		if len(pkgs) == 0 {
			return nil, "", false
		}
		version = pkgs[0].Version
		for _, p := range pkgs {
			evidence = append(evidence, packageEvidence(p))
		}
	}
	if s.Uninstall != nil {
		entries := s.Uninstall.match(f)
		if len(entries) == 0 {
			return nil, "", false
		}
		version = entries[0].DisplayVersion
		for _, e := range entries {
			evidence = append(evidence, uninstallEvidence(e))
		}
	}
	if s.MSIX != nil {
		pkgs := s.MSIX.match(f)
		if len(pkgs) == 0 {
			return nil, "", false
		}
		version = pkgs[0].Version
		for _, p := range pkgs {
			evidence = append(evidence, msixEvidence(p))
		}
	}
	for _, x := range []struct {
		named string
		found func(*remediate.Facts, string) []remediate.Evidence
	}{{s.Service, serviceEvidence}, {s.Path, pathEvidence}, {s.Key, keyEvidence}} {
		if x.named == "" {
			continue
		}
		found := x.found(f, x.named)
		if len(found) == 0 {
			return nil, "", false
		}
		evidence = append(evidence, found...)
	}
	return evidence, version, len(evidence) > 0
}

// match returns the packages that the sign means, in the order of its names,
// then of managers, then of versions.
func (s *PackageSign) match(f *remediate.Facts) []remediate.Package {
	var out []remediate.Package
	names := s.Names
	if len(names) == 0 {
		names = []string{"*"} // of a vendor
	}
	for _, pattern := range names {
		var some []remediate.Package
		for _, p := range f.Packages {
			if p.Status != remediate.PackageConfigFiles && slices.Contains(s.Managers, p.Manager) && matchesName(pattern, p.Name) &&
				(len(s.Vendors) == 0 || anyWild(s.Vendors, p.Vendor)) && !slices.Contains(out, p) {
				some = append(some, p)
			}
		}
		slices.SortFunc(some, func(a, b remediate.Package) int {
			return strings.Compare(packageEvidence(a).Value, packageEvidence(b).Value)
		})
		out = append(out, some...)
	}
	return out
}

func (r Residue) match(f *remediate.Facts) []remediate.Evidence {
	switch {
	case r.Path != "":
		return pathEvidence(f, r.Path)
	case r.Service != "":
		return serviceEvidence(f, r.Service)
	case r.Key != "":
		return keyEvidence(f, r.Key)
	}
	var out []remediate.Evidence
	for _, p := range f.Packages {
		if p.Manager == remediate.ManagerDpkg && p.Name == r.Package && p.Status == remediate.PackageConfigFiles {
			out = append(out, packageEvidence(p))
		}
	}
	return out
}

func packageEvidence(p remediate.Package) remediate.Evidence {
	return evidence(remediate.EvidencePackage, p.Manager, p.Name, p.Version, p.Arch, p.Status)
}

func serviceEvidence(f *remediate.Facts, pattern string) (out []remediate.Evidence) {
	windows := f.Platform == remediate.Windows
	if windows {
		pattern = strings.ToLower(pattern)
	}
	for _, s := range f.Services {
		if matchesName(pattern, s.Name) || windows && matchesName(pattern, strings.ToLower(s.Name)) {
			out = append(out, evidence(remediate.EvidenceService, s.Manager, s.Name, s.State))
		}
	}
	return out
}

func pathEvidence(f *remediate.Facts, name string) []remediate.Evidence {
	p, asked := f.Path(name)
	if !asked || p.Kind == remediate.PathAbsent || p.Kind == remediate.PathDenied {
		return nil
	}
	if _, _, users := remediate.PerUserPath(name); users && p.Full != "" {
		return []remediate.Evidence{evidence(remediate.EvidencePath, p.Path, string(p.Kind), "as "+oneLine(p.Full))}
	}
	return []remediate.Evidence{evidence(remediate.EvidencePath, p.Path, string(p.Kind))}
}

// evidence joins the words of a fact; those that are empty are left out.
func evidence(kind string, words ...string) remediate.Evidence {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return remediate.Evidence{Kind: kind, Value: strings.Join(words, " ")}
}
