package playbooks

import (
	"cmp"
	"slices"

	"oust/remediate"
)

// match returns the packages that the sign means, in the order of their
// families. A framework has no person who chose it: only its name means it.
func (s *MSIXSign) match(f *remediate.Facts) []remediate.AppxPackage {
	if f.Windows == nil {
		return nil
	}
	var out []remediate.AppxPackage
	for _, p := range f.Windows.Appx {
		if (len(s.Names) > 0 || !p.Framework) && (len(s.Names) == 0 || anyWild(s.Names, p.Name)) &&
			(len(s.Publishers) == 0 || anyWild(s.Publishers, p.Publisher)) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b remediate.AppxPackage) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Version, b.Version))
	})
	return out
}

func msixEvidence(p remediate.AppxPackage) remediate.Evidence {
	return evidence(remediate.EvidenceMSIX, oneLine(p.Family), oneLine(p.Version))
}

// msixAsked reports whether a look asked PowerShell for Appx packages, and was
// answered.
func msixAsked(f *remediate.Facts) bool {
	return f.Windows != nil && slices.Contains(f.Windows.Answered, "appx")
}

func (c *checker) msixSign(s *MSIXSign, at []any) {
	under := func(key string, i int) []any { return append(slices.Clone(at), key, i) }
	switch {
	case len(s.Names) == 0 && len(s.Publishers) == 0:
		c.err(ruleDetect, "an msix sign needs names", at...)
	case len(s.Publishers) > 0 && !c.p.Is(KindPublisher):
		c.err(ruleDetect, "publishers of packages are for a playbook of kind publisher alone", append(slices.Clone(at), "publishers")...)
	}
	c.size("names", len(s.Names), false, append(slices.Clone(at), "names")...)
	c.size("publishers", len(s.Publishers), false, append(slices.Clone(at), "publishers")...)
	for i, n := range s.Names {
		c.wildcard("package name", n, under("names", i))
	}
	for i, n := range s.Publishers {
		c.wildcard("publisher", n, under("publishers", i))
	}
}
