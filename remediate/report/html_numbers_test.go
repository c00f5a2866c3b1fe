package report_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

// exempt is where exempt hosts count in the page's tables.
const exempt remediate.Standing = "exempt"

// grouped is a number as people read it.
func grouped(n int) string {
	s := strconv.Itoa(n)
	if len(s) <= 3 {
		return s
	}
	return grouped(n/1000) + "," + s[len(s)-3:]
}

// recount counts hosts anew, from the rows alone.
func recount(hosts []report.HostRow) map[remediate.Standing]int {
	out := map[remediate.Standing]int{}
	for _, h := range hosts {
		if h.Exempt {
			out[exempt]++
			continue
		}
		out[h.Standing]++
	}
	return out
}

func numbers(row ...int) []string {
	out := make([]string, len(row))
	for i, n := range row {
		out[i] = grouped(n)
	}
	return out
}

// wantNumbers are the numbers of each table that stands on the page, a line a
// row that has some.
func wantNumbers(s report.Snapshot) map[string][][]string {
	out := map[string][][]string{}
	add := func(table string, row ...int) { out[table] = append(out[table], numbers(row...)) }
	stand := recount(s.Hosts)
	for _, st := range []remediate.Standing{remediate.StandClear, remediate.StandRemoved, exempt, remediate.StandUnseen, remediate.StandPresent, remediate.StandReappeared} {
		add("standing-table", stand[st])
	}
	add("standing-table", len(s.Hosts))
	add("standing-table", stand[remediate.StandUnseen]+stand[remediate.StandPresent]+stand[remediate.StandReappeared])
	for _, d := range s.Duties {
		add("duties-table", d.Done, len(d.Missed))
	}
	for _, p := range slices.SortedStableFunc(slices.Values(s.Products), func(a, b report.Product) int { return min(b.Found, 1) - min(a.Found, 1) }) {
		add("products-table", p.Present, p.Residue, p.Found)
	}
	for _, m := range s.Methods {
		add("methods-table", m.Hosts)
	}
	for _, u := range s.Unseen {
		add("unseen-table", u.Hosts)
	}
	if len(s.Unseen) > 0 {
		add("unseen-table", s.Totals.Never)
	}
	for _, t := range s.Timeline {
		add("timeline-table", t.Hosts)
	}
	for _, w := range s.Waves {
		add("waves-table", w.Hosts, w.Done, w.Other, w.Failed, w.Unreachable, w.Waiting)
	}
	for _, f := range s.Failures {
		add("failures-table", f.Hosts, f.Retried, f.Person)
	}
	if len(s.Failures) > 0 {
		add("failures-table", s.Totals.Failed)
	}
	return out
}

// gotNumbers reads them from the page, without shares.
func gotNumbers(p page) map[string][][]string {
	out := map[string][][]string{}
	for _, table := range all(p.root, tag("table")) {
		for _, tr := range all(table, tag("tr")) {
			var row []string
			for _, td := range all(tr, func(n *html.Node) bool { return n.Data == "td" && attr(n, "class") == "num" }) {
				if cell := strings.Fields(text(td))[0]; !strings.HasSuffix(cell, "%") && cell != "–" {
					row = append(row, cell)
				}
			}
			if row != nil {
				out[attr(table, "id")] = append(out[attr(table, "id")], row)
			}
		}
	}
	return out
}

// sameNumbers compares every number in every table with the snapshot's.
func sameNumbers(s report.Snapshot, p page) string {
	got, want := gotNumbers(p), wantNumbers(s)
	burn := got["burn-table"]
	delete(got, "burn-table")
	if diff := cmp.Diff(want, got); diff != "" {
		return "numbers (-want +got):\n" + diff
	}
	if len(burn) == 0 {
		return ""
	}
	// The last day is the moment of the report.
	stand := recount(s.Hosts)
	unseen, present, back := stand[remediate.StandUnseen], stand[remediate.StandPresent], stand[remediate.StandReappeared]
	return cmp.Diff(numbers(unseen, present, back, unseen+present+back, stand[exempt], stand[remediate.StandRemoved], stand[remediate.StandClear]), burn[len(burn)-1])
}

func TestHTMLNumbers(t *testing.T) {
	t.Parallel()
	for name, s := range samples() {
		if diff := sameNumbers(s, parse(t, asHTML(t, s))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		s, err := report.Build(drawInput(r))
		if err != nil {
			r.Fatal(err)
		}
		var b bytes.Buffer
		if err := report.WriteHTML(&b, s); err != nil {
			r.Fatal(err)
		}
		root, err := html.Parse(&b)
		if err != nil {
			r.Fatal(err)
		}
		if diff := sameNumbers(s, page{root}); diff != "" {
			r.Fatal(diff)
		}
		if diff := cmp.Diff(wantGroups(s), gotGroups(page{root})); diff != "" {
			r.Fatalf("hosts (-want +got):\n%s", diff)
		}
	})
}

// group is what the table of hosts says of a standing.
type group struct {
	Said  string // how many there are
	Left  string // of them not listed
	Names []string
}

func wantGroups(s report.Snapshot) map[string]group {
	out := map[string]group{}
	for _, h := range s.Hosts {
		st := h.Standing
		if h.Exempt {
			st = exempt
		}
		g := out[string(st)]
		g.Names = append(g.Names, h.Name)
		g.Said = grouped(len(g.Names)) + " hosts"
		if len(g.Names) == 1 {
			g.Said = "1 host"
		}
		out[string(st)] = g
	}
	return out
}

func gotGroups(p page) map[string]group {
	out := map[string]group{}
	for _, body := range all(p.root, func(n *html.Node) bool { return n.Data == "tbody" && attr(n, "data-standing") != "" }) {
		var g group
		for _, span := range all(body, func(n *html.Node) bool { return n.Data == "span" && n.Parent.Data == "th" }) {
			switch attr(span, "class") {
			case "hosts":
				g.Said = text(span)
			case "left":
				g.Left = text(span)
			}
		}
		for _, th := range all(body, func(n *html.Node) bool { return n.Data == "th" && attr(n, "scope") == "row" }) {
			g.Names = append(g.Names, strings.TrimSpace(th.FirstChild.Data))
		}
		out[attr(body, "data-standing")] = g
	}
	return out
}

// TestHTMLWords: what the sentences say is what the tables count.
func TestHTMLWords(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportStatus)
	s.Ledger.Size = 1482
	p := parse(t, asHTML(t, s))
	for _, c := range []struct{ id, want string }{
		{"report", s.Statement[0]},
		{"report", "of " + grouped(len(s.Hosts)) + " hosts"},
		{"unseen", fmt.Sprintf("%d hosts of %d have never been seen. Nothing is known about them, and they are not counted as clean.", s.Totals.Never, len(s.Hosts))},
		{"progress", fmt.Sprintf("%d of %d hosts are open", s.Totals.Open, len(s.Hosts))},
		{"failures", fmt.Sprintf("%d hosts stand failed", s.Totals.Failed)},
		{"reappeared", fmt.Sprintf("On %d host", len(s.Reappeared))},
		{"left", s.Totals.Gone[0]},
		{"evidence", "1,482 records"},
		{"evidence", s.Ledger.Root},
		{"evidence", s.Ledger.Key},
		{"exemptions", "against the mandate: "},
		{"report", "On hold since 2026-12-10 13:30, in wave 3"},
	} {
		if got := text(p.id(t, c.id)); !strings.Contains(got, c.want) {
			t.Errorf("%s does not say %q:\n%s", c.id, c.want, got)
		}
	}
	bar := text(p.id(t, "bar-d"))
	for st, n := range recount(s.Hosts) {
		if want := fmt.Sprintf("%d %s", n, st); !strings.Contains(bar, want) {
			t.Errorf("the bar does not say %q: %s", want, bar)
		}
	}
}

// TestHTMLGaps: each gap is named at the top and marked where it stands.
func TestHTMLGaps(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportPlan)
	p := parse(t, asHTML(t, s))
	gaps := 0
	for i, item := range s.Items {
		got := text(p.id(t, fmt.Sprintf("item-%d", i+1)))
		if marked := strings.Contains(got, "GAP"); marked != (item.State == report.ItemGap) {
			t.Errorf("%s is %s: %s", item.Title, item.State, got)
		}
		for j, line := range item.Text {
			if j < 5 && !strings.Contains(got, strings.Join(strings.Fields(strings.NewReplacer("\u202e", `\u202e`, "\u202c", `\u202c`, "\x07", `\u0007`).Replace(line)), " ")) {
				t.Errorf("%s does not say %q: %s", item.Title, line, got)
			}
		}
		if item.State == report.ItemGap {
			gaps++
		}
	}
	if want := fmt.Sprintf("%d gaps in what the mandate asks for", gaps); gaps < 2 || !strings.Contains(text(p.root), want) {
		t.Errorf("the summary does not say %q", want)
	}
}

// TestHTMLManyHosts: a page of a large fleet stays small, lists hosts that are
// not clean first, and says how many it does not list.
func TestHTMLManyHosts(t *testing.T) {
	t.Parallel()
	const rows = 5000
	for _, n := range []int{rows, rows + 1, 2 * rows} {
		s, err := report.Build(fleetOf(n))
		if err != nil {
			t.Fatal(err)
		}
		out := asHTML(t, s)
		if len(out) > 8<<20 {
			t.Errorf("%d hosts: the page has %d bytes", n, len(out))
		}
		p := parse(t, out)
		if diff := sameNumbers(s, p); diff != "" {
			t.Error(diff)
		}
		want, listed := wantGroups(s), 0
		for st, g := range gotGroups(p) {
			listed += len(g.Names)
			left := len(want[st].Names) - len(g.Names)
			if g.Said != want[st].Said || left > 0 && g.Left != grouped(left) || left == 0 && g.Left != "" {
				t.Errorf("%d hosts: %s says %q and %q not listed, and lists %d of %d", n, st, g.Said, g.Left, len(g.Names), len(want[st].Names))
			}
			if clean := st == "clear" || st == "removed"; left > 0 && !clean && n <= rows+1 {
				t.Errorf("%d hosts: %d %s ones are not listed", n, left, st)
			}
		}
		notice := strings.Contains(text(p.id(t, "hosts")), "The "+grouped(n-listed)+" others are counted below, where they would stand; the CSV of this report lists all "+grouped(n))
		if whole := n <= rows; whole != (listed == n) || whole == notice || listed > rows {
			t.Errorf("%d hosts: %d are listed; says so: %v", n, listed, notice)
		}
	}
}

func TestHTMLBurndownDays(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportStatus)
	s.Burndown = nil
	for i := range 400 {
		s.Burndown = append(s.Burndown, report.Day{
			Date:     reporttest.Now.AddDate(0, 0, i-399).Format(time.DateOnly),
			Standing: map[remediate.Standing]int{remediate.StandPresent: 399 - i, remediate.StandRemoved: i},
		})
	}
	p := parse(t, asHTML(t, s))
	rows := all(all(p.id(t, "burn-table"), tag("tbody"))[0], tag("tr"))
	if len(rows) != 16 {
		t.Fatalf("%d days are listed", len(rows))
	}
	for i, want := range map[int]string{0: s.Burndown[0].Date + "03990399000", 15: "2026-12-10" + "000003990"} {
		if got := strings.Join(strings.Fields(text(rows[i])), ""); got != want {
			t.Errorf("day %d: %s, want %s", i, got, want)
		}
	}
	if caption := text(p.id(t, "burn-c")); !strings.Contains(caption, "16 of 400 days") {
		t.Error(caption)
	}
	if desc := text(p.id(t, "burn-d")); !strings.Contains(desc, "399 on "+s.Burndown[0].Date+", 0 on 2026-12-10") {
		t.Error(desc)
	}
}

func BenchmarkHTML(b *testing.B) {
	for _, n := range []int{1000, manyHosts} {
		s, err := report.Build(fleetOf(n))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(grouped(n)+" hosts", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(asHTML(b, s))))
			}
		})
	}
}

// TestHTMLAttestation: what a person must sign, whether somebody has, and that
// a report without a ledger is no evidence.
func TestHTMLAttestation(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportStatus)
	s.Mandate.Attestation = &remediate.Attestation{By: "CIO", Statement: "All subcomponents are included."}
	s.Form.Attest, s.Ledger = nil, report.Head{}
	p := parse(t, asHTML(t, s))
	for id, want := range map[string]string{"attestation": "GAP Nobody has signed this yet", "evidence": "GAP This report rests on no ledger."} {
		if got := text(p.id(t, id)); !strings.Contains(got, want) {
			t.Errorf("%s does not say %q: %s", id, want, got)
		}
	}
	s.Form.Attest = &remediate.Attested{Name: "A. Person", Title: "CIO of Examples", Date: reporttest.Now}
	got := text(parse(t, asHTML(t, s)).id(t, "attestation"))
	for _, want := range []string{"All subcomponents are included.", "A. Person", "CIO of Examples", "2026-12-10"} {
		if !strings.Contains(got, want) || strings.Contains(got, "GAP") {
			t.Errorf("it does not say %q: %s", want, got)
		}
	}
}
