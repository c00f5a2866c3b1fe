package remediate

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// FindingKind tells a product from what a product left behind.
type FindingKind string

// Finding kinds.
const (
	// FindProduct: the product itself is there.
	FindProduct FindingKind = "product"
	// FindResidue: the product's detection does not match, but things that
	// it leaves behind are there. Not clean, and not the product.
	FindResidue FindingKind = "residue"
	// FindEmbedded: the vendor's code is there inside another company's product,
	// and the mandate does not count that. It is recorded and shown, and changes
	// no standing: see Counts.
	FindEmbedded FindingKind = "embedded"
)

// Finding is a playbook's product (or its residue) recognised in facts.
type Finding struct {
	Playbook string      `json:"playbook"` // vendor/product
	Kind     FindingKind `json:"kind"`
	Product  string      `json:"product"` // the playbook's title
	Version  string      `json:"version,omitempty"`
	// Evidence is the facts that prove it, sorted; never empty.
	Evidence []Evidence `json:"evidence"`
}

// Evidence is one fact that proves a finding.
type Evidence struct {
	// Kind is package, service, path, uninstall, key or msix.
	Kind string `json:"kind"`
	// Value is the fact in the host's words, such as
	// "dpkg kesl 12.1.0-1508 amd64 installed".
	Value string `json:"value"`
}

// Evidence kinds.
const (
	EvidencePackage   = "package"
	EvidenceService   = "service"
	EvidencePath      = "path"
	EvidenceUninstall = "uninstall" // an entry of Windows' list of programs
	EvidenceKey       = "key"       // a registry key
	EvidenceMSIX      = "msix"      // an Appx or MSIX package
)

// Counts reports whether one of the findings is of what must go, so that a host
// with them is not clean.
func Counts(fs []Finding) bool { return slices.ContainsFunc(fs, Finding.counts) }

// Part splits findings into those that count and those that are only recorded,
// each in its order. Neither is a part of fs.
func Part(fs []Finding) (counted, noted []Finding) {
	for _, f := range fs {
		if f.counts() {
			counted = append(counted, f)
		} else {
			noted = append(noted, f)
		}
	}
	return counted, noted
}

func (f Finding) counts() bool { return f.Kind != FindEmbedded }

// LegibleFindings are the findings with every text Legible: fs itself where it
// is so already.
func LegibleFindings(fs []Finding) []Finding {
	bad := func(f Finding) bool {
		odd := func(e Evidence) bool { return !utf8.ValidString(e.Kind) || !utf8.ValidString(e.Value) }
		return !utf8.ValidString(f.Playbook+f.Product+f.Version+string(f.Kind)) || slices.ContainsFunc(f.Evidence, odd)
	}
	if !slices.ContainsFunc(fs, bad) {
		return fs
	}
	out := slices.Clone(fs)
	for i := range out {
		f := &out[i]
		f.Playbook, f.Product, f.Version = Legible(f.Playbook), Legible(f.Product), Legible(f.Version)
		f.Kind, f.Evidence = FindingKind(Legible(string(f.Kind))), slices.Clone(f.Evidence)
		for j, e := range f.Evidence {
			f.Evidence[j] = Evidence{Kind: Legible(e.Kind), Value: Legible(e.Value)}
		}
	}
	return out
}

// SortFindings puts findings, and the evidence of each, in their one order.
func SortFindings(fs []Finding) {
	for i := range fs {
		slices.SortFunc(fs[i].Evidence, func(a, b Evidence) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
		})
	}
	slices.SortFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Playbook, b.Playbook), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Version, b.Version))
	})
}

// SameFindings reports whether two looks found the same: equal playbooks,
// kinds, versions and evidence. Both must be sorted with SortFindings.
func SameFindings(a, b []Finding) bool {
	return slices.EqualFunc(a, b, func(x, y Finding) bool {
		return x.Playbook == y.Playbook && x.Kind == y.Kind && x.Product == y.Product &&
			x.Version == y.Version && slices.Equal(x.Evidence, y.Evidence)
	})
}
