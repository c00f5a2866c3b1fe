package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

// drawInput is a campaign with any hosts, moves that lead to their states, and
// exemptions.
func drawInput(r *rapid.T) report.Input {
	in := reporttest.SampleInput(rapid.SampledFrom(remediate.ReportKinds()).Draw(r, "report"))
	in.Campaign.Terms.Embedded = rapid.Bool().Draw(r, "embedded")
	in.Hosts, in.Moves, in.Exemptions = nil, nil, nil
	for i := range rapid.IntRange(0, 12).Draw(r, "hosts") {
		drawHost(r, &in, fmt.Sprintf("h%02d", i))
	}
	slices.SortStableFunc(in.Moves, func(a, b remediate.Move) int { return a.At.Compare(b.At) })
	slices.Reverse(in.Hosts)
	return in
}

func past(r *rapid.T, name string) time.Time {
	return reporttest.Now.Add(-time.Duration(rapid.IntRange(0, 90*24*60).Draw(r, name)) * time.Minute)
}

func drawHost(r *rapid.T, in *report.Input, name string) {
	x := report.HostInput{Host: remediate.Host{Name: name, Transport: rapid.SampledFrom([]string{"ssh", "winrm"}).Draw(r, "transport")}}
	st := &x.State
	st.Standing = remediate.StandUnseen
	for i := range rapid.IntRange(0, 5).Draw(r, "looks") {
		found, at := rapid.Bool().Draw(r, "found"), reporttest.Now.Add(time.Duration(i-5)*11*time.Hour)
		next := st.Standing.Next(found)
		if next != st.Standing {
			in.Moves = append(in.Moves, remediate.Move{Host: name, At: at, From: st.Standing, To: next})
		}
		st.Standing, st.SeenAt, st.Findings = next, at, nil
		if found {
			st.Findings = drawFindings(r, in.Campaign.Terms.Embedded)
			for _, f := range st.Findings {
				x.Ever = append(x.Ever, report.FoundThing{Playbook: f.Playbook, Title: f.Product, Version: f.Version, Kind: f.Kind})
			}
			if st.FoundAt.IsZero() {
				st.FoundAt = at
			}
		}
	}
	if rapid.Bool().Draw(r, "failed") {
		st.Class = rapid.SampledFrom(remediate.Classes()).Draw(r, "class")
		x.Next.Person = rapid.Bool().Draw(r, "person")
	}
	if rapid.Bool().Draw(r, "exempt") {
		e := remediate.Exemption{Host: name, At: past(r, "from"), Until: reporttest.Now.Add(time.Duration(rapid.IntRange(-1000, 1000).Draw(r, "until")) * time.Hour)}
		if e.Until.After(e.At) {
			in.Exemptions = append(in.Exemptions, e)
		}
	}
	in.Hosts = append(in.Hosts, x)
}

func drawFindings(r *rapid.T, embedded bool) []remediate.Finding {
	fs := []remediate.Finding{{
		Playbook: rapid.SampledFrom([]string{"kaspersky/kesl", "kaspersky/klnagent", "other/gone"}).Draw(r, "playbook"),
		Kind:     rapid.SampledFrom([]remediate.FindingKind{remediate.FindProduct, remediate.FindResidue}).Draw(r, "kind"),
		Version:  rapid.SampledFrom([]string{"", "11", "12"}).Draw(r, "version"),
	}}
	if rapid.Bool().Draw(r, "engine") {
		kind := remediate.FindEmbedded
		if embedded {
			kind = remediate.FindProduct
		}
		fs = append(fs, remediate.Finding{Playbook: "kaspersky/embedded-engine", Kind: kind})
	}
	return fs
}

func build(t rapid.TB, in report.Input) report.Snapshot {
	t.Helper()
	s, err := report.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNumbers: each host counts once, no unseen host counts as clean, and every
// number is that of the rows.
func TestNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := build(r, drawInput(r))
		checkTotals(r, s)
		checkTables(r, s)
		checkProducts(r, s)
		checkFormats(r, s)
		last := s.Burndown[len(s.Burndown)-1]
		for _, d := range s.Burndown {
			if sum(d.Standing)+d.Exempt != s.Totals.Hosts {
				r.Fatalf("%s: %v and %d exempt of %d hosts", d.Date, d.Standing, d.Exempt, s.Totals.Hosts)
			}
		}
		if diff := cmp.Diff(s.Totals.Standing, last.Standing); diff != "" || last.Exempt != s.Totals.Exempt {
			r.Fatalf("the last day is not the snapshot: %s", diff)
		}
	})
}

func sum(m map[remediate.Standing]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

func countRows(s report.Snapshot, of func(report.HostRow) bool) int {
	n := 0
	for _, h := range s.Hosts {
		if of(h) {
			n++
		}
	}
	return n
}

func same(t rapid.TB, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: %d, want %d", what, got, want)
	}
}

func checkTotals(t rapid.TB, s report.Snapshot) {
	t.Helper()
	total := s.Totals
	same(t, "hosts", total.Hosts, len(s.Hosts))
	same(t, "standings and exempt", sum(total.Standing)+total.Exempt, total.Hosts)
	same(t, "seen and not", total.Seen+total.Never, total.Hosts)
	same(t, "never", total.Never, countRows(s, func(h report.HostRow) bool { return h.Standing == remediate.StandUnseen }))
	for standing, n := range total.Standing {
		same(t, string(standing), n, countRows(s, func(h report.HostRow) bool { return h.Standing == standing && !h.Exempt }))
	}
	same(t, "exempt", total.Exempt, countRows(s, func(h report.HostRow) bool { return h.Exempt }))
	same(t, "failed", total.Failed, countRows(s, func(h report.HostRow) bool { return h.Class != "" && !h.Exempt }))
	same(t, "open and clean and exempt", total.Open+total.Standing[remediate.StandClear]+total.Standing[remediate.StandRemoved]+total.Exempt, total.Hosts)
	for _, h := range s.Hosts {
		if h.SeenAt.IsZero() && h.Standing != remediate.StandUnseen {
			t.Fatalf("%s was never seen, and is %s", h.Name, h.Standing)
		}
	}
}

func checkTables(t rapid.TB, s report.Snapshot) {
	t.Helper()
	n := 0
	for _, u := range s.Unseen {
		n += u.Hosts
	}
	same(t, "unseen by why", n, s.Totals.Never)
	n = 0
	for _, m := range s.Methods {
		n += m.Hosts
	}
	same(t, "seen by method", n, s.Totals.Seen)
	n = 0
	for _, f := range s.Failures {
		n += f.Hosts
		same(t, string(f.Class), f.Retried+f.Person, f.Hosts)
	}
	same(t, "failed by class", n, s.Totals.Failed)
	same(t, "reappeared", len(s.Reappeared), countRows(s, func(h report.HostRow) bool { return h.Standing == remediate.StandReappeared }))
}

func has(fs []report.FoundThing, playbook string, kinds ...remediate.FindingKind) bool {
	return slices.ContainsFunc(fs, func(f report.FoundThing) bool {
		return f.Playbook == playbook && (len(kinds) == 0 || slices.Contains(kinds, f.Kind))
	})
}

func checkProducts(t rapid.TB, s report.Snapshot) {
	t.Helper()
	for _, p := range s.Products {
		present := func(h report.HostRow) bool {
			return has(h.Findings, p.Playbook, remediate.FindProduct, remediate.FindEmbedded)
		}
		same(t, p.Playbook+" present", p.Present, countRows(s, present))
		same(t, p.Playbook+" residue", p.Residue, countRows(s, func(h report.HostRow) bool {
			return !present(h) && has(h.Findings, p.Playbook)
		}))
		same(t, p.Playbook+" found", p.Found, countRows(s, func(h report.HostRow) bool {
			return has(h.Findings, p.Playbook) || has(h.Before, p.Playbook)
		}))
		n := 0
		for _, v := range p.Versions {
			n += v.Hosts
		}
		same(t, p.Playbook+" versions", n, p.Present)
	}
	for _, h := range s.Hosts {
		for _, f := range slices.Concat(h.Findings, h.Before) {
			if !slices.ContainsFunc(s.Products, func(p report.Product) bool { return p.Playbook == f.Playbook }) {
				t.Fatalf("%s has %s, which is no product of the report", h.Name, f.Playbook)
			}
		}
	}
}

// checkFormats: the numbers of JSON and CSV are those of the snapshot.
func checkFormats(t rapid.TB, s report.Snapshot) {
	t.Helper()
	var js, cs bytes.Buffer
	if err := report.WriteJSON(&js, s); err != nil {
		t.Fatal(err)
	}
	var back report.Snapshot
	if err := json.Unmarshal(js.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Totals, back.Totals); diff != "" {
		t.Fatalf("totals in JSON (-want +got):\n%s", diff)
	}
	if err := report.WriteCSV(&cs, s); err != nil {
		t.Fatal(err)
	}
	rows := csvRows(t, cs.Bytes())
	got := map[remediate.Standing]int{}
	exempt := 0
	for _, row := range rows {
		if row["exempt"] == "yes" {
			exempt++
			continue
		}
		got[remediate.Standing(row["standing"])]++
	}
	want := maps.Clone(s.Totals.Standing)
	maps.DeleteFunc(want, func(_ remediate.Standing, n int) bool { return n == 0 })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("standings in CSV (-want +got):\n%s", diff)
	}
	same(t, "exempt in CSV", exempt, s.Totals.Exempt)
}

// csvRows are the rows by header.
func csvRows(t rapid.TB, text []byte) []map[string]string {
	t.Helper()
	rows := readCSV(t, text)
	out := make([]map[string]string, 0, len(rows))
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}
