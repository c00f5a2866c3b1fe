package mandate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// whole is a mandate with every key.
const whole = `format: 1
mandate: acme-1
title: Acme Directive 1
issuer: Acme
issued: 2026-09-01
zone: America/New_York
sources: ["the text: https://acme.example/directive-1"]
covers: [Bad Software]
excludes: [Good Software]
embedded: included
milestones:
  - {name: tell, what: tell it, due: {business_days: 3, from: found}, met: reported, report: identify}
  - name: begin
    what: begin it
    due: {days: 0, from: tell}
    met: begun
  - {name: finish, what: end it, due: {date: 2026-12-31}, met: completed, report: status, campaign: true}
holidays: [2026-12-25]
duties:
  - {name: weekly, what: say how it goes, report: status, after: begin, every: {business_days: 5}, until: completed}
  - {name: monthly, what: say it to all, report: plan, after: finish, every: {days: 30}, until: finished}
reports:
  - report: status
    title: How it goes
    items:
      - {ref: "3", item: progress, title: Progress}
      - {item: field, field: ticket, title: Ticket}
      - {item: attestation, title: Signature}
    sheet:
      - {column: ever, title: Ever}
exemptions:
  grounds: [{name: legal, what: a court says so}]
  max_days: 90
  mitigations: true
attestation: {by: the CIO, statement: It is so.}
`

func date(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse("own.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := remediate.Mandate{
		Name: "acme-1", Title: "Acme Directive 1", Issuer: "Acme", Digest: remediate.Digest([]byte(whole)),
		Issued: date("2026-09-01"), Zone: "America/New_York", Sources: []string{"the text: https://acme.example/directive-1"},
		Covers: []string{"Bad Software"}, Excludes: []string{"Good Software"}, Embedded: true,
		Milestones: []remediate.MilestoneRule{
			{Name: "tell", What: "tell it", Due: remediate.Due{BusinessDays: 3, From: remediate.FromFound}, Met: remediate.MetReported, Report: remediate.ReportIdentify},
			{Name: "begin", What: "begin it", Due: remediate.Due{From: "tell"}, Met: remediate.MetBegun},
			{Name: "finish", What: "end it", Due: remediate.Due{Date: date("2026-12-31")}, Met: remediate.MetCompleted, Report: remediate.ReportStatus, Campaign: true},
		},
		Holidays: []time.Time{date("2026-12-25")},
		Duties: []remediate.Duty{
			{Name: "weekly", What: "say how it goes", Report: remediate.ReportStatus, After: "begin", EveryDays: 5, BusinessDays: true, Until: remediate.MetCompleted},
			{Name: "monthly", What: "say it to all", Report: remediate.ReportPlan, After: "finish", EveryDays: 30, Until: remediate.MetFinished},
		},
		Reports: []remediate.ReportRule{{
			Report: remediate.ReportStatus, Title: "How it goes",
			Items: []remediate.ReportItem{
				{Ref: "3", Item: remediate.ItemProgress, Title: "Progress"},
				{Item: remediate.ItemField, Field: "ticket", Title: "Ticket"},
				{Item: remediate.ItemAttest, Title: "Signature"},
			},
			Sheet: []remediate.SheetColumn{{Column: remediate.ColumnEver, Title: "Ever"}},
		}},
		Exemptions:  remediate.ExemptionRule{Grounds: []remediate.Ground{{Name: "legal", What: "a court says so"}}, MaxDays: 90, Mitigations: true},
		Attestation: &remediate.Attestation{By: "the CIO", Statement: "It is so."},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"ticket"}, Fields(got)); d != "" {
		t.Error(d)
	}
}

// refusals are texts that are no mandates; blind says that a schema cannot
// tell, for it does not compare values with one another, or look them up.
var refusals = []struct {
	name, old, now, want string
	blind                bool
}{
	{name: "unknown key", old: "issuer:", now: "isuer:", want: `own.yaml:4:1: unknown key "isuer"; did you mean "issuer"?`},
	{name: "unknown key below", old: "{days: 30}", now: "{day: 30}", want: `unknown key "day"; did you mean "days"?`},
	{name: "another format", old: "format: 1", now: "format: 2", want: "own.yaml:1: format: want 1"},
	{name: "no format", old: "format: 1\n", want: "own.yaml: format: want 1"},
	{name: "a name of other letters", old: "acme-1", now: "Acme 1", want: `own.yaml:2: mandate: "Acme 1" is not a name`},
	{name: "no title", old: "title: Acme Directive 1\n", want: "own.yaml: title: missing"},
	{name: "a blank issuer", old: "issuer: Acme", now: "issuer: '  '", want: "own.yaml:4: issuer: missing"},
	{name: "a number for a date", old: "issued: 2026-09-01", now: "issued: 1.9.2026", want: `own.yaml:5: issued: "1.9.2026" is not a date`},
	{name: "a day that is not there", old: "issued: 2026-09-01", now: "issued: 2026-09-31", want: `"2026-09-31" is not a date`, blind: true},
	{name: "a year that is not meant", old: "issued: 2026-09-01", now: "issued: 0026-09-01", want: `"0026-09-01" is not a date`},
	{name: "another zone", old: "America/New_York", now: "America/Gotham", want: `own.yaml:6: zone: "America/Gotham" is not a time zone`, blind: true},
	{name: "the machine's zone", old: "America/New_York", now: "Local", want: `own.yaml:6: zone: "Local" is not a time zone`, blind: true},
	{name: "no sources", old: "sources: [\"the text: https://acme.example/directive-1\"]\n", want: "own.yaml: sources: missing"},
	{name: "a source without an address", old: "https://acme.example/directive-1", now: "everybody knows", want: "own.yaml:7: sources, entry 1: names no address"},
	{name: "nothing covered", old: "covers: [Bad Software]", now: "covers: []", want: "own.yaml:8: covers: missing; at least 1"},
	{name: "embedded left open", old: "embedded: included\n", want: `own.yaml: embedded: "" is not known; want excluded, included`},
	{name: "embedded as a slip", old: "embedded: included", now: "embedded: include", want: `own.yaml:10: embedded: "include" is not known; want excluded, included; did you mean "included"?`},
	{name: "a name twice", old: "name: begin", now: "name: tell", want: `own.yaml:13: milestones, entry 2: name: "tell" is taken`, blind: true},
	{name: "a reserved name", old: "name: begin", now: "name: found", want: `milestones, entry 2: name: "found" is taken`},
	{name: "no due", old: "{days: 0, from: tell}", now: "{from: tell}", want: "own.yaml:15: milestones, entry 2: due: say one of days, business_days and date"},
	{name: "two dues", old: "{days: 0, from: tell}", now: "{days: 0, business_days: 1}", want: "say one of days, business_days and date"},
	{name: "a date from something", old: "{date: 2026-12-31}", now: "{date: 2026-12-31, from: tell}", want: "a fixed date counts from nothing"},
	{name: "days that are many", old: "days: 0", now: "days: 3651", want: "own.yaml:15: milestones, entry 2: due.days: 3651 is not a number from 0 to 3650"},
	{name: "days as a word", old: "days: 0", now: "days: none", want: "own.yaml:15:17: want a whole number"},
	{name: "from a later one", old: "from: tell", now: "from: finish", want: `milestones, entry 2: due.from: "finish" is no milestone before this one; known here: found, tell`, blind: true},
	{name: "from a slip", old: "from: found", now: "from: fuond", want: `did you mean "found"?`, blind: true},
	{name: "met by nothing", old: "met: begun", now: "met: begin", want: `own.yaml:16: milestones, entry 2: met: "begin" is not known; want reported, begun, finished, completed; did you mean "begun"?`},
	{name: "reported without a report", old: "met: reported, report: identify", now: "met: reported", want: "own.yaml:12: milestones, entry 1: report: \"\" is not known; want identify, plan, status"},
	{name: "a report for nothing", old: "met: begun", now: "met: begun\n    report: plan", want: "own.yaml:17: milestones, entry 2: report: only what is met by reported or completed has a report"},
	{name: "two finish dates", old: "met: begun", now: "met: begun\n    campaign: true", want: "only one milestone can be its own"},
	{name: "a holiday that is none", old: "[2026-12-25]", now: "[christmas]", want: `own.yaml:18: holidays, entry 1: "christmas" is not a date`},
	{name: "a duty after nothing", old: "after: begin", now: "after: begun", want: `own.yaml:20: duties, entry 1: after: "begun" is no milestone; did you mean "begin"?`, blind: true},
	{name: "a duty that never comes", old: "every: {days: 30}", now: "every: {}", want: "own.yaml:21: duties, entry 2: every: say one of days and business_days"},
	{name: "a duty every moment", old: "every: {days: 30}", now: "every: {days: 0}", want: "every.days: 0 is not a number from 1 to 3650"},
	{name: "a duty without end", old: "until: finished", now: "until: begun", want: `"begun" is not known; want finished, completed`},
	{name: "a duty twice", old: "name: monthly", now: "name: weekly", want: `duties, entry 2: name: "weekly" is taken`, blind: true},
	{name: "an unknown report", old: "  - report: status\n", now: "  - report: statuses\n", want: `did you mean "status"?`},
	{name: "a report twice", old: "exemptions:\n", now: "  - {report: status, title: T, items: [{item: hosts, title: T}]}\nexemptions:\n", want: `own.yaml:31: reports, entry 2: report: "status" is there already`, blind: true},
	{name: "a report of nothing", old: "    sheet:\n", now: "  - {report: plan, title: T, items: []}\n  - report: identify\n    title: T\n    items: [{item: hosts, title: T}]\n    sheet:\n", want: "reports, entry 2: items: missing"},
	{name: "an unknown item", old: "item: progress", now: "item: progres", want: `own.yaml:26: reports, entry 1: items, entry 1: item: "progres" is not known; want products, `},
	{name: "a field without a name", old: "item: field, field: ticket", now: "item: field", want: `items, entry 2: field: "" is not a name`},
	{name: "a field of other letters", old: "field: ticket", now: "field: Ticket no", want: `"Ticket no" is not a name of small letters`},
	{name: "a field of another item", old: "item: progress,", now: "item: progress, field: x,", want: "only the item field has one"},
	{name: "a signature under nothing", old: "attestation: {by: the CIO, statement: It is so.}\n", want: "items, entry 3: item: there is no attestation", blind: true},
	{name: "an unknown column", old: "column: ever", now: "column: never", want: `own.yaml:30: reports, entry 1: sheet, entry 1: column: "never" is not known`},
	{name: "exemptions and none", old: "exemptions:\n", now: "exemptions:\n  none: true\n", want: "own.yaml:32: exemptions.none: where there are no exemptions, nothing else is said of them"},
	{name: "an exemption of no day", old: "max_days: 90", now: "max_days: 0", want: "own.yaml:33: exemptions.max_days: 0 is not a number from 1 to 3650"},
	{name: "a ground twice", old: "grounds: [", now: "grounds: [{name: legal, what: x}, ", want: `exemptions.grounds, entry 2: name: "legal" is taken`, blind: true},
	{name: "half an attestation", old: ", statement: It is so.", want: "own.yaml:35: attestation.statement: missing"},
	{name: "two lines", old: "title: How it goes", now: "title: \"How\\nit goes\"", want: "at most 300 characters, on one line"},
	{name: "a long title", old: "title: How it goes", now: "title: " + strings.Repeat("ü", 301), want: "at most 300 characters, on one line"},
}

// edit changes the first place of a text; it fails where there is none.
func edit(t *testing.T, old, now string) string {
	t.Helper()
	if !strings.Contains(whole, old) {
		t.Fatalf("the text has no %q", old)
	}
	return strings.Replace(whole, old, now, 1)
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("own.yaml", []byte(edit(t, tt.old, tt.now)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
}

func TestParseBounds(t *testing.T) {
	t.Parallel()
	many := edit(t, "holidays: [2026-12-25]", "holidays: ["+strings.Repeat("x, ", 1900)+"x]")
	_, err := parse("own.yaml", []byte(many))
	if err == nil || !strings.Contains(err.Error(), "and 1851 more") || strings.Count(err.Error(), "\n") != 50 {
		t.Errorf("many mistakes are told as %.200v", err)
	}
	if _, err := parse("own.yaml", []byte("# "+strings.Repeat("x", 1<<20))); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a huge file: %v", err)
	}
	if _, err := parse("own.yaml", nil); err == nil || !strings.Contains(err.Error(), "own.yaml: format: want 1") {
		t.Errorf("an empty file: %v", err)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "own.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(whole)
	if m, err := File(path); err != nil || m.Name != "acme-1" {
		t.Errorf("%+v, %v", m, err)
	}
	write(edit(t, "acme-1", "bod-17-01"))
	if _, err := File(path); err == nil || !strings.Contains(err.Error(), "own.yaml:2: mandate: bod-17-01 is built in; give your own another name") {
		t.Errorf("a file with a built-in's name: %v", err)
	}
	if _, err := File(filepath.Join(dir, "none.yaml")); err == nil || !strings.Contains(err.Error(), "read the mandate: ") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := File(dir); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestIsFile(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"bod-17-01": false, "": false, "own.yaml": true, "./own": true, `C:\own.yml`: true, "m.yml": true, "yaml": false,
	} {
		if got := IsFile(name); got != want {
			t.Errorf("IsFile(%q) is %v", name, got)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	const known = "(built in: bod-17-01, ed-21-01, m-23-13, pspf-002-2025; or write the path of a file, such as ./own.yaml)"
	for name, want := range map[string]string{
		"bod-17-1": `unknown mandate "bod-17-1": did you mean "bod-17-01"? ` + known,
		"iso":      `unknown mandate "iso" ` + known,
		"":         `unknown mandate "" ` + known,
	} {
		if _, err := Named(name); err == nil || err.Error() != want {
			t.Errorf("%q: %v; want %q", name, err, want)
		}
	}
	if _, err := Named(strings.Repeat("x", 1<<20)); err == nil || len(err.Error()) > 8<<10 {
		t.Error("a huge name makes a huge error")
	}
}

// TestBuiltin: each is read, bears the name of its file, and says for each
// report that a milestone or a duty asks for no less than the reports can hold.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	for _, name := range Builtin() {
		m, err := Named(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Name != name || m.Issued.IsZero() || !strings.HasPrefix(m.Digest, "sha256:") {
			t.Errorf("%s: %+v", name, m)
		}
		own := 0
		for _, ms := range m.Milestones {
			if ms.Met == remediate.MetFinished {
				own++
			}
		}
		if own != 1 {
			t.Errorf("%s has %d milestones that are met when no host is left, want 1", name, own)
		}
	}
}

// TestDirective holds bod-17-01 against the items of the directive's text.
func TestDirective(t *testing.T) {
	t.Parallel()
	m, err := Named("bod-17-01")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range m.Reports {
		for _, i := range r.Items {
			got = append(got, i.Ref+" "+string(i.Item))
		}
	}
	want := strings.Split("1(a) products,1(b) endpoints,1(c) methods,2(a) agency,2(b) contact,2(c) products,2(d) endpoints,2(e) methods,"+
		"2(f) components,2(g) mission,2(h) contracts,2(i) timeline,2(j) requirements,2(k) replacement,2(l) replacement_timeline,2(m) challenges,2(n) costs", ",")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("milestones: [~, {due: ~}]\nattestation: ~\nexemptions: {grounds: [~]}\nreports: [{items: [~], sheet: [~]}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse("own.yaml", b)
		if err == nil && (m.Name == "" || len(m.Milestones) == 0 || len(m.Sources) == 0) {
			t.Errorf("taken without what it needs: %+v", m)
		}
	})
}
