package report

import (
	"slices"

	"oust/remediate"
)

func noStandings() map[remediate.Standing]int {
	out := make(map[remediate.Standing]int, len(remediate.Standings()))
	for _, s := range remediate.Standings() {
		out[s] = 0
	}
	return out
}

func (b *builder) totals() Totals {
	t := Totals{Hosts: len(b.rows), Standing: noStandings(), Gone: slices.Sorted(slices.Values(b.in.Gone))}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Standing == remediate.StandUnseen {
			t.Never++
		} else {
			t.Seen++
		}
		if everFound(r) {
			t.Found++
		}
		if r.Exempt {
			t.Exempt++
			continue
		}
		t.Standing[r.Standing]++
		if r.Class != "" {
			t.Failed++
		}
		switch {
		case hasNow(r) && b.uncounted(r):
			t.Uncounted++
		case hasNow(r), r.Standing == remediate.StandUnseen:
			t.Open++
		}
	}
	return t
}

// uncounted reports whether a host has nothing but what the mandate does not
// count. A playbook that is not in force any more counts.
func (b *builder) uncounted(r *HostRow) bool {
	for _, f := range r.Findings {
		if counts, known := b.counts[f.Playbook]; counts || !known {
			return false
		}
	}
	return len(r.Findings) > 0
}
