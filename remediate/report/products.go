package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
		at[p.Name] = &productCount{Product: Product{Playbook: p.Name, Digest: p.Digest, Title: p.Title, Embedded: p.Embedded, Counts: !p.Embedded || b.in.Campaign.Terms.Embedded, Unasked: b.unasked(p)}}
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

// unasked counts the hosts that were last looked at before the playbook was in
// force as it is now.
func (b *builder) unasked(p Playbook) int {
	if p.Since.IsZero() {
		return 0
	}
	return countRows(b.rows, func(r *HostRow) bool { return r.Standing != remediate.StandUnseen && r.SeenAt.Before(p.Since) })
}

// unaskedStatement says of which products nothing can be said on which hosts;
// empty if there are none. Nothing is found by a playbook that came later.
func (b *builder) unaskedStatement() string {
	const most = 5
	var names []string
	on := 0
	for _, p := range b.s.Products {
		if p.Unasked > 0 {
			names, on = append(names, p.Title), max(on, p.Unasked)
		}
	}
	if len(names) == 0 {
		return ""
	}
	all := strings.Join(names[:min(most, len(names))], ", ")
	if n := len(names) - most; n > 0 {
		all += " and " + thousands(n) + " more"
	}
	return fmt.Sprintf("%s %s last looked at before the playbooks of %s were added or changed (%s). Whether %s on %s, the next look tells ('oust scan').",
		hosts(on), verb(on, "was", "were"), count(len(names), "product", "products"), all, verb(len(names), "it is", "they are"), verb(on, "that host", "these hosts"))
}
