package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportStatus)
	in.Report = "weekly"
	if _, err := report.Build(in); err == nil || !strings.Contains(err.Error(), `unknown kind "weekly"`) {
		t.Errorf("an unknown kind: %v", err)
	}
	in = reporttest.NilInput(remediate.ReportStatus)
	in.Hosts = append(in.Hosts, in.Hosts[3])
	if _, err := report.Build(in); err == nil || !strings.Contains(err.Error(), "host hq04 is there twice") {
		t.Errorf("a host twice: %v", err)
	}
}

// TestBuildIsPure: the same input gives the same snapshot, in whatever order its
// hosts stand, and is not changed.
func TestBuildIsPure(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportStatus)
	first := asJSON(t, build(t, in))
	slices.Reverse(in.Hosts)
	slices.Reverse(in.Playbooks)
	if diff := cmp.Diff(string(first), string(asJSON(t, build(t, in)))); diff != "" {
		t.Errorf("in another order (-want +got):\n%s", diff)
	}
}

// TestUnasked: of a product whose playbook came after the last look at a host,
// nothing is said to be known there.
func TestUnasked(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportIdentify)
	late := &in.Playbooks[0]
	late.Since = time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC)
	seen, before := 0, 0
	for _, x := range in.Hosts {
		if x.State.Standing == remediate.StandUnseen {
			continue
		}
		if seen++; x.State.SeenAt.Before(late.Since) {
			before++
		}
	}
	if before == 0 || before == seen {
		t.Fatalf("%d of %d hosts were looked at before: the test needs both", before, seen)
	}
	s := build(t, in)
	for _, p := range s.Products {
		if want := map[bool]int{true: before}[p.Playbook == late.Name]; p.Unasked != want {
			t.Errorf("%s: unasked on %d hosts, want %d", p.Playbook, p.Unasked, want)
		}
	}
	want := fmt.Sprintf("%d hosts were last looked at before the playbooks of 1 product were added or changed (%s). Whether it is on these hosts, the next look tells ('oust scan').", before, late.Title)
	if s.Statement[1] != want {
		t.Errorf("%q, want %q", s.Statement[1], want)
	}
	products, methods := strings.Join(s.Items[0].Text, "\n"), strings.Join(s.Items[2].Text, "\n")
	if !strings.Contains(products, want) || strings.Count(methods, "; not yet on ") != 1 ||
		!strings.Contains(methods, fmt.Sprintf("%s; not yet on %d of %d hosts, last looked at before it was added or changed", late.Digest, before, seen)) {
		t.Errorf("%s\n%s", products, methods)
	}
}

// TestOneHost: what is said of a single host reads like it.
func TestOneHost(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportIdentify)
	i := slices.IndexFunc(in.Hosts, func(x report.HostInput) bool { return x.State.Standing == remediate.StandUnseen && x.State.Class != "" })
	in.Hosts = in.Hosts[i : i+1]
	in.Exemptions = []remediate.Exemption{{Host: in.Hosts[0].Host.Name, At: in.Now.AddDate(0, 0, -1), Until: in.Now.AddDate(0, 0, 1)}}
	s := build(t, in)
	if got := s.Statement[0]; !strings.HasPrefix(got, "The only host has not been looked at successfully") {
		t.Error(got)
	}
	if got := s.Statement[1]; !strings.HasPrefix(got, "1 host (exempt) has never been seen, and counts as unseen, not as clean: ") {
		t.Error(got)
	}
}

// TestNilStatement: nothing found is said of the hosts that were seen, and the
// others are named.
func TestNilStatement(t *testing.T) {
	t.Parallel()
	s := reporttest.NilSample(remediate.ReportIdentify)
	want := []string{
		"Nothing was found: 34 of 40 hosts were looked at, between 2026-10-20 and 2026-10-24, by a look at what is installed (Linux over SSH, Windows over WinRM).",
		"6 hosts have never been seen, and count as unseen, not as clean: 3 because no connection could be made, 1 because the host refused the login, " +
			"1 because nobody has looked yet, 1 because the look was not complete.",
	}
	if diff := cmp.Diff(want, s.Statement); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
	in := reporttest.NilInput(remediate.ReportIdentify)
	in.Hosts = slices.DeleteFunc(in.Hosts, func(x report.HostInput) bool { return x.State.Standing == remediate.StandClear })
	s = build(t, in)
	if got := s.Statement[0]; got != "None of the 6 hosts has been looked at successfully, so it is not known whether anything is there." {
		t.Errorf("nobody seen: %s", got)
	}
	for _, it := range s.Items {
		if it.State != report.ItemGap {
			t.Errorf("nobody seen: item %s is %s: %v", it.Item, it.State, it.Text)
		}
	}
	in.Hosts = nil
	if got := build(t, in).Statement; len(got) != 1 || !strings.Contains(got[0], "holds no host") {
		t.Errorf("no host: %q", got)
	}
}

// TestNothingAnywhere: only where every host was looked at do questions about
// affected systems not apply.
func TestNothingAnywhere(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportPlan)
	in.Campaign.Form = remediate.Form{}
	states := func(s report.Snapshot) map[remediate.ItemKind]report.ItemState {
		out := map[remediate.ItemKind]report.ItemState{}
		for _, it := range s.Items {
			out[it.Item] = it.State
		}
		return out
	}
	if got := states(build(t, in)); got[remediate.ItemMission] != report.ItemGap || got[remediate.ItemTimeline] != report.ItemGap {
		t.Errorf("with unseen hosts: %v", got)
	}
	in.Hosts = slices.DeleteFunc(in.Hosts, func(x report.HostInput) bool { return x.State.Standing == remediate.StandUnseen })
	got := states(build(t, in))
	if got[remediate.ItemMission] != report.ItemNone || got[remediate.ItemTimeline] != report.ItemNone {
		t.Errorf("with every host seen: %v", got)
	}
	if got[remediate.ItemAgency] != report.ItemGap || got[remediate.ItemContact] != report.ItemGap || got[remediate.ItemContracts] != report.ItemGap {
		t.Errorf("what no host can answer: %v", got)
	}
}

// TestGaps: a gap says which key of campaign.yaml fills it.
func TestGaps(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportPlan)
	in.Campaign.Form, in.Timeline = remediate.Form{}, nil
	in.Campaign.Terms.Attestation = &remediate.Attestation{By: "agency's Chief Information Officer", Statement: "This is true."}
	rule := &in.Campaign.Terms.Reports[1]
	rule.Items = append(rule.Items, remediate.ReportItem{Item: remediate.ItemField, Field: "tracking"}, remediate.ReportItem{Item: remediate.ItemAttest})
	want := map[remediate.ItemKind]string{
		remediate.ItemAgency: "report.agency", remediate.ItemContact: "report.contact", remediate.ItemComponents: "report.components",
		remediate.ItemMission: "report.mission", remediate.ItemContracts: "report.contracts", remediate.ItemRequirements: "report.requirements",
		remediate.ItemReplacement: "report.replacement", remediate.ItemReplaceTime: "report.replacement_timeline",
		remediate.ItemChallenges: "report.challenges", remediate.ItemCosts: "report.costs", remediate.ItemField: "report.fields.tracking",
		remediate.ItemTimeline: "oust plan", remediate.ItemAttest: "Chief Information Officer",
	}
	seen := 0
	for _, it := range build(t, in).Items {
		key, gap := want[it.Item]
		if gap != (it.State == report.ItemGap) {
			t.Errorf("%s is %s", it.Item, it.State)
		}
		if gap {
			seen++
			if text := it.Text[len(it.Text)-1]; !strings.Contains(text, key) {
				t.Errorf("%s does not name %s: %s", it.Item, key, text)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d gaps, want %d", seen, len(want))
	}
}

// TestForm: what the campaign's form says answers its items.
func TestForm(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportPlan)
	f := &in.Campaign.Form
	f.Contact.Phone = "555-0100"
	f.Contracts, f.Costs = []string{"GS-35F"}, []remediate.Cost{{What: "licences", Amount: "USD 12,000"}}
	f.Fields = map[string]string{"tracking": "INC-7"}
	f.Attest = &remediate.Attested{Name: "C. Io", Title: "CIO", Date: time.Date(2026, 12, 9, 0, 0, 0, 0, time.UTC)}
	rule := &in.Campaign.Terms.Reports[1]
	rule.Items = append(rule.Items, remediate.ReportItem{Item: remediate.ItemField, Field: "tracking"}, remediate.ReportItem{Item: remediate.ItemAttest})
	got := map[remediate.ItemKind]string{}
	for _, it := range build(t, in).Items {
		got[it.Item] = strings.Join(it.Text, " | ")
	}
	for item, want := range map[remediate.ItemKind]string{
		remediate.ItemAgency: "Department of Examples", remediate.ItemContact: "Name: Ann Operator | Telephone: 555-0100 | Mail: ann@example.gov",
		remediate.ItemRequirements: "anti-malware: SI-3 rests on the removed product until its replacement runs | encryption: not affected",
		remediate.ItemContracts:    "GS-35F", remediate.ItemCosts: "licences: USD 12,000", remediate.ItemField: "INC-7", remediate.ItemAttest: "C. Io, CIO, 2026-12-09",
	} {
		if got[item] != want {
			t.Errorf("%s: %s, want %s", item, got[item], want)
		}
	}
}

// TestTimelineGap: a stage for which no time can be given is a gap.
func TestTimelineGap(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportPlan)
	timeline := func() report.Item {
		for _, it := range build(t, in).Items {
			if it.Item == remediate.ItemTimeline {
				return it
			}
		}
		t.Fatal("no timeline")
		return report.Item{}
	}
	if it := timeline(); it.State != report.ItemGap || !strings.Contains(strings.Join(it.Text, "\n"), "In no plan yet, 2 hosts: no time can be given") {
		t.Errorf("%+v", it)
	}
	in.Timeline = in.Timeline[:2]
	if it := timeline(); it.State != report.ItemAnswered || it.Text[0] != "Wave 3, 2 hosts: 2026-12-12 03:00 UTC to 2026-12-12 09:00 UTC" {
		t.Errorf("%+v", it)
	}
}

// TestDefaultItems: a mandate that does not say what a report holds has the
// items of its kind, and each item kind can be answered.
func TestDefaultItems(t *testing.T) {
	t.Parallel()
	for _, kind := range remediate.ReportKinds() {
		in := reporttest.SampleInput(kind)
		in.Campaign.Terms.Reports = nil
		s := build(t, in)
		if len(s.Items) < 5 || s.Title == "" {
			t.Errorf("%s: %d items, title %q", kind, len(s.Items), s.Title)
		}
		for _, it := range s.Items {
			if it.Title == "" || len(it.Text) == 0 {
				t.Errorf("%s: %+v", kind, it)
			}
		}
	}
}

// TestEmbedded: the vendor's code in other products is always reported, and
// counts where the mandate says so.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportIdentify)
	x := &in.Hosts[0]
	x.State.Findings = []remediate.Finding{{Playbook: "kaspersky/embedded-engine", Product: "Engine", Kind: remediate.FindEmbedded}}
	s := build(t, in)
	if s.Totals.Found != 0 || s.Totals.Noted != 1 || s.Totals.Open != 6 {
		t.Errorf("%+v", s.Totals)
	}
	if !strings.HasPrefix(s.Statement[0], "Nothing was found that the mandate counts: 34 of 40") || !strings.Contains(s.Statement[2], "does not count it") {
		t.Errorf("%q", s.Statement)
	}
	in.Campaign.Terms.Embedded = true
	x.State.Standing, x.State.Findings[0].Kind = remediate.StandPresent, remediate.FindProduct
	s = build(t, in)
	if s.Totals.Found != 1 || s.Totals.Noted != 0 || s.Totals.Open != 7 {
		t.Errorf("%+v", s.Totals)
	}
	if !strings.HasPrefix(s.Statement[0], "Found on 1 host") || !strings.Contains(s.Statement[2], "counts") {
		t.Errorf("%q", s.Statement)
	}
}

func TestExemptions(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportStatus)
	var got []string
	for _, e := range s.Exemptions {
		got = append(got, e.Host+" "+e.State+" "+e.Against)
	}
	want := []string{"app15 over ", "app17 taken-back ", "app37 holds ", "app38 holds its term is 416 days", "lap46 holds "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exemptions (-want +got):\n%s", diff)
	}
}

// TestBurndown: days go from the issue to the snapshot, and each tells how hosts
// stood at its end.
func TestBurndown(t *testing.T) {
	t.Parallel()
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	in := report.Input{
		Report: remediate.ReportStatus, Now: at(5, 12), Campaign: remediate.Campaign{Issued: at(1, 0)},
		Hosts: []report.HostInput{
			{Host: remediate.Host{Name: "a"}, State: remediate.HostState{Standing: remediate.StandRemoved, SeenAt: at(4, 9)}},
			{Host: remediate.Host{Name: "b"}},
		},
		Moves: []remediate.Move{
			{Host: "a", At: at(2, 23), From: remediate.StandUnseen, To: remediate.StandPresent},
			{Host: "gone", At: at(3, 1), From: remediate.StandUnseen, To: remediate.StandPresent},
			{Host: "a", At: at(4, 9), From: remediate.StandPresent, To: remediate.StandRemoved},
			{Host: "a", At: at(6, 0), From: remediate.StandRemoved, To: remediate.StandReappeared}, // after the snapshot
		},
		Exemptions: []remediate.Exemption{{Host: "b", At: at(2, 1), Until: at(4, 0)}, {Host: "a", At: at(3, 1), Until: at(20, 0), Ended: at(3, 5)}},
	}
	var got []string
	for _, d := range build(t, in).Burndown {
		line := d.Date
		for _, s := range remediate.Standings() {
			if d.Standing[s] > 0 {
				line += " " + string(s)
			}
		}
		if d.Exempt > 0 {
			line += " exempt"
		}
		got = append(got, line)
	}
	want := []string{
		"2026-11-01 unseen", "2026-11-02 present exempt", "2026-11-03 present exempt", "2026-11-04 unseen removed", "2026-11-05 unseen removed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	in.Campaign.Issued = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	if days := build(t, in).Burndown; len(days) != 3660 || days[len(days)-1].Date != "2026-11-05" || days[len(days)-2].Standing[remediate.StandRemoved] != 1 {
		t.Errorf("a campaign of long ago has %d days", len(days))
	}
}

// TestGone: hosts that have left the inventory are named.
func TestGone(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportStatus)
	for i := range 12 {
		in.Gone = append(in.Gone, fmt.Sprintf("old%02d", 11-i))
	}
	s := build(t, in)
	want := "12 hosts that are recorded are not in the inventory any more, and in no number of this report: " +
		"old00, old01, old02, old03, old04, old05, old06, old07, old08, old09 and 2 more."
	if got := s.Statement[len(s.Statement)-1]; got != want || s.Totals.Hosts != 40 || len(s.Totals.Gone) != 12 {
		t.Errorf("%q, %+v", got, s.Totals)
	}
}

// TestGoneFound: a host that was taken out of the inventory does not take its
// findings out of what a nil report says.
func TestGoneFound(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportIdentify)
	in.Gone, in.GoneFound = []string{"old-1", "old-2"}, 1
	s, err := report.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	const want = "old-1, old-2. Something had been found on 1 of them."
	ends := func(text string) bool { return strings.HasSuffix(text, want) }
	if !slices.ContainsFunc(s.Statement, ends) {
		t.Errorf("the statement does not tell: %q", s.Statement)
	}
	for _, it := range s.Items {
		if it.Item == remediate.ItemProducts && !slices.ContainsFunc(it.Text, ends) {
			t.Errorf("%s does not tell: %q", it.Ref, it.Text)
		}
	}
}

// TestGoneOpen: a host that had it and left the inventory is named until it is
// said where it went, and a renewal with what came before it.
func TestGoneOpen(t *testing.T) {
	t.Parallel()
	in := reporttest.NilInput(remediate.ReportStatus)
	in.Gone, in.GoneFound, in.GoneOpen = []string{"old-2", "old-1"}, 2, []string{"old-1"}
	at := in.Now.AddDate(0, 0, -100)
	e := remediate.Exemption{Host: in.Hosts[0].Host.Name, Reason: "x", Approver: "y", At: at, Until: at.AddDate(0, 0, 60), Ended: at.AddDate(0, 0, 40)}
	again := e
	again.At, again.Until, again.Ended = at.AddDate(0, 0, 40), in.Now.AddDate(0, 0, 400), time.Time{}
	retired := remediate.Exemption{
		Host: "old-2", Ground: remediate.GroundRetired, Reason: "scrapped", Approver: "y", At: at, Until: in.Now.AddDate(7000, 0, 0),
	}
	in.Exemptions = []remediate.Exemption{e, retired, again}
	s := build(t, in)
	const want = "Something had been found on 2 of them. Of 1 it is recorded where they went: old-2 (scrapped; approved by y). It was still on 1 of them when they were last seen, and nobody has recorded where they went: old-1."
	if last := s.Statement[len(s.Statement)-1]; !strings.HasSuffix(last, want) {
		t.Errorf("%q, want %q at its end", last, want)
	}
	if x := s.Exemptions[2]; x.Earlier != 1 || x.Days < 490 || x.Days > 501 || !strings.Contains(x.Against, "with the 1 before it") {
		t.Errorf("%+v", x)
	}
	if x := s.Exemptions[1]; x.State != report.ExemptionRetired || x.Against != "" || x.Earlier != 0 || s.Totals.Exempt != 1 {
		t.Errorf("%+v, %+v", x, s.Totals)
	}
}
