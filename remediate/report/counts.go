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
	t := Totals{Hosts: len(b.rows), Standing: noStandings(), Gone: slices.Sorted(slices.Values(b.in.Gone)), GoneFound: b.in.GoneFound, GoneOpen: slices.Sorted(slices.Values(b.in.GoneOpen))}
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
		if slices.ContainsFunc(r.Findings, func(f FoundThing) bool { return f.Kind == remediate.FindEmbedded }) {
			t.Noted++
		}
		if r.Exempt {
			t.Exempt++
			continue
		}
		t.Standing[r.Standing]++
		if r.Class != "" {
			t.Failed++
		}
		if hasNow(r) || r.Standing == remediate.StandUnseen {
			t.Open++
		}
	}
	return t
}
