package report_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/report/reporttest"
)

// says reports whether one of the sentences has the words.
func says(all []string, words string) bool { return strings.Contains(strings.Join(all, "\n"), words) }

// TestPlanStatement: what is in no plan is told apart from what the plan has.
func TestPlanStatement(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportPlan)
	want := "The plan covers 9 hosts in 2 stages. 2 hosts with something there are in no plan yet."
	if s := build(t, in); !says(s.Statement, want) {
		t.Errorf("%q, want %q", s.Statement, want)
	}
	in.Timeline = in.Timeline[:1]
	if s := build(t, in); !says(s.Statement, "The plan covers 2 hosts in 1 stage.") || says(s.Statement, "in no plan") {
		t.Errorf("nothing is left out: %q", s.Statement)
	}
}

// TestContactGap: a mandate that names what it asks of a contact gets all of
// it, or a gap.
func TestContactGap(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportPlan)
	contact := func() report.Item {
		for _, it := range build(t, in).Items {
			if it.Item == remediate.ItemContact {
				return it
			}
		}
		t.Fatal("no contact is asked for")
		return report.Item{}
	}
	if it := contact(); it.State != report.ItemGap || !says(it.Text, "Mail: ann@example.gov") || !says(it.Text, "fill in report.contact.phone in") {
		t.Errorf("without a telephone: %+v", it)
	}
	in.Campaign.Form.Contact.Phone = "555-0100"
	if it := contact(); it.State != report.ItemAnswered {
		t.Errorf("with one: %+v", it)
	}
	for i := range in.Campaign.Terms.Reports {
		for j := range in.Campaign.Terms.Reports[i].Items {
			if it := &in.Campaign.Terms.Reports[i].Items[j]; it.Item == remediate.ItemContact {
				it.Title = "Point of contact"
			}
		}
	}
	in.Campaign.Form.Contact = remediate.Contact{Name: "Ann Operator"}
	if it := contact(); it.State != report.ItemAnswered {
		t.Errorf("where only a contact is asked for: %+v", it)
	}
}

// TestStatementTellsExempt: what the tables count apart, the sentences that
// count it say so; and a host that nothing protects is not passed over.
func TestStatementTellsExempt(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportStatus)
	has := func(r report.HostRow) bool {
		return r.Standing == remediate.StandPresent || r.Standing == remediate.StandReappeared
	}
	there := countRows(s, func(r report.HostRow) bool { return has(r) && r.Exempt })
	unseen := countRows(s, func(r report.HostRow) bool { return r.Standing == remediate.StandUnseen && r.Exempt })
	if there == 0 || unseen == 0 {
		t.Fatalf("%d exempt hosts with something, %d unseen", there, unseen)
	}
	for _, want := range []string{
		fmt.Sprintf("Something is there now on %d hosts (%d of them exempt).", countRows(s, has), there),
		fmt.Sprintf("%d hosts (%d of them exempt) have never been seen, and count as unseen", s.Totals.Never, unseen),
		"Nothing protects 1 host now.",
	} {
		if !says(s.Statement, want) {
			t.Errorf("%q does not say %q", s.Statement, want)
		}
	}
}

// TestGoneAlone: one host alone is not one of them.
func TestGoneAlone(t *testing.T) {
	t.Parallel()
	in := reporttest.SampleInput(remediate.ReportStatus)
	in.Gone, in.GoneFound = []string{"old-1"}, 1
	s := build(t, in)
	if want := "Something had been found on it."; !says(s.Statement, want) {
		t.Errorf("%q, want %q", s.Statement, want)
	}
	if got := text(parse(t, asHTML(t, s)).id(t, "left")); !strings.Contains(got, "Something had been found on it.") {
		t.Errorf("the page: %s", got)
	}
}

// TestHostWords: the row of a host explains an outcome whose name does not, and
// says nothing twice.
func TestHostWords(t *testing.T) {
	t.Parallel()
	s := reporttest.Sample(remediate.ReportStatus)
	for i := range s.Hosts {
		if h := &s.Hosts[i]; h.Bare != "" {
			h.Person, h.Why = true, "nothing protects it: "+h.Bare
		}
	}
	rows := map[string]string{}
	for _, tr := range all(parse(t, asHTML(t, s)).root, func(n *html.Node) bool { return n.Data == "tr" }) {
		name, _, _ := strings.Cut(text(tr), " ")
		rows[name] = text(tr)
	}
	for _, h := range s.Hosts {
		row := rows[h.Name]
		if h.Outcome == remediate.OutcomeStale && !strings.Contains(row, "(the host differed from the plan, and was not touched)") {
			t.Errorf("%s: %s", h.Name, row)
		}
		if h.Exempt && h.Why != "" && strings.Contains(row, h.Why) {
			t.Errorf("%s is told exempt twice: %s", h.Name, row)
		}
		if h.Bare != "" && strings.Count(row, h.Bare) != 1 {
			t.Errorf("%s is told unprotected %d times: %s", h.Name, strings.Count(row, h.Bare), row)
		}
	}
}
