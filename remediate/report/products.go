package report

import (
	"cmp"
	"slices"

	"oust/remediate"
)

// productCount is a product while its hosts are counted.
type productCount struct {
	Product
	versions map[string]int
	last     int // the row that was counted last, from 1, for Present and Residue
	ever     int // the same, for Found
}

// products lists those of the playbooks in force by name, and after them any
// other that stood on a host.
func (b *builder) products() []Product {
	at := map[string]*productCount{}
	for _, p := range b.in.Playbooks {
		at[p.Name] = &productCount{Product: Product{Playbook: p.Name, Digest: p.Digest, Title: p.Title, Embedded: p.Embedded, Counts: !p.Embedded || b.in.Campaign.Terms.Embedded}}
	}
	of := func(f FoundThing) *productCount {
		p := at[f.Playbook]
		if p == nil {
			p = &productCount{Product: Product{Playbook: f.Playbook, Title: f.Title, Embedded: !counted(f), Counts: counted(f)}}
			at[f.Playbook] = p
		}
		return p
	}
	for i := range b.rows {
		r := &b.rows[i]
		for _, kind := range []remediate.FindingKind{remediate.FindProduct, remediate.FindEmbedded, remediate.FindResidue} {
			for _, f := range r.Findings {
				if f.Kind == kind {
					of(f).count(f, i+1)
				}
			}
		}
		for _, f := range r.Before {
			of(f).found(i + 1)
		}
	}
	out := make([]Product, 0, len(at))
	for _, p := range at {
		p.Versions = versionsOf(p.versions)
		out = append(out, p.Product)
	}
	slices.SortFunc(out, func(x, y Product) int { // one that is not in force has no digest
		return cmp.Or(-cmp.Compare(min(len(x.Digest), 1), min(len(y.Digest), 1)), cmp.Compare(x.Playbook, y.Playbook))
	})
	return out
}

// count counts what is on a host now: a host counts once, for the product
// where it has both the product and remains of it, with the first version.
func (p *productCount) count(f FoundThing, row int) {
	p.found(row)
	if p.last == row {
		return
	}
	p.last = row
	if f.Kind == remediate.FindResidue {
		p.Residue++
		return
	}
	p.Present++
	if p.versions == nil {
		p.versions = map[string]int{}
	}
	p.versions[f.Version]++
}

func (p *productCount) found(row int) {
	if p.ever != row {
		p.ever = row
		p.Found++
	}
}

// versionsOf lists versions, that on most hosts first.
func versionsOf(counts map[string]int) []Version {
	if len(counts) == 0 {
		return nil
	}
	out := make([]Version, 0, len(counts))
	for v, n := range counts {
		out = append(out, Version{Version: v, Hosts: n})
	}
	slices.SortFunc(out, func(x, y Version) int {
		return cmp.Or(-cmp.Compare(x.Hosts, y.Hosts), cmp.Compare(x.Version, y.Version))
	})
	return out
}
