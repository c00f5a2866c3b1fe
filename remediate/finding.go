package remediate

import (
	"cmp"
	"slices"
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
	// Kind is package, service, path, uninstall or key.
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
)

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
