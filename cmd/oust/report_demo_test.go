package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"oust/remediate"
	"oust/remediate/report"
)

var updateReports = flag.Bool("update-reports", false, "write the golden reports of the demo anew")

// goldenReports holds the golden reports of this module.
const goldenReports = "../../testdata/reports"

// sameEachTime are replaced in a report of a lab, for they differ each time.
var sameEachTime = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC( to TIME)?`), "TIME"},
	{regexp.MustCompile(`TIME to TIME`), "TIME"},
	{regexp.MustCompile(`(between DATE and DATE|on DATE|between \d{4}-\d\d-\d\d and \d{4}-\d\d-\d\d|on \d{4}-\d\d-\d\d)`), "on DATE"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DATE"},
	{regexp.MustCompile(`(in|by) \d+ days?`), "$1 SOME days"},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "DIGEST"},
	{regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}`), "KEY"},
	{regexp.MustCompile(`(127\.0\.0\.1\]?):\d+|-p \d+`), "$1:PORT"},
	{regexp.MustCompile(`/[^ ()]*/known_hosts`), "known_hosts"},
	{regexp.MustCompile(`>> /[^ ",]*`), ">> known_hosts"}, // a detail that was cut
	{regexp.MustCompile(`ledger: [\d,]+ records, root \S+`), "ledger: RECORDS"},
	// Whether Defender has woken before the look depends on the machine.
	{regexp.MustCompile(`(; )?nothing of what should protect it is there: Microsoft Defender running \([^)]*\)`), ""},
	{regexp.MustCompile(` Nothing protects \d+ hosts? now\.`), ""},
}

// searchedFor are lines that change with each playbook that the library gets.
var searchedFor = regexp.MustCompile(`(?m)^- Searched for .*\n`)

// sameAgain is a report without what differs each time. Lines that were wrapped
// are one, for they may be wrapped elsewhere.
func sameAgain(name, text string) string {
	if strings.HasSuffix(name, ".txt") {
		text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), " - ", "\n- ") + "\n"
	}
	text = searchedFor.ReplaceAllString(text, "")
	for _, r := range sameEachTime {
		text = r.what.ReplaceAllString(text, r.with)
	}
	return text
}

// checkReports makes every report of a campaign that a lab has left, and holds
// them to the golden ones, to their schema, and to each other. No host has to be
// there any more.
func checkReports(t *testing.T, dir string) {
	t.Helper()
	must(t, 0, dir, "exempt", "lab-0004", "--reason", "frozen for the audit", "--approver", "J. Doe, CISO", "--until", "2099-12-31")
	must(t, 0, dir, "exempt", "lab-0010", "--reason", "in storage", "--approver", "J. Doe, CISO", "--until", "2099-12-31")
	must(t, 0, dir, "report", "identify", "--submit", "DHS", filepath.Join(dir, "plan.json"))
	for _, kind := range remediate.ReportKinds() {
		args := []string{"report", string(kind)}
		for _, ending := range []string{"txt", "csv", "json", "html", "oscal.json"} {
			args = append(args, "-o", filepath.Join(dir, "out", string(kind)+"."+ending))
		}
		if err := os.MkdirAll(filepath.Join(dir, "out"), 0o755); err != nil {
			t.Fatal(err)
		}
		must(t, 0, dir, args...)
		compareReport(t, filepath.Join(dir, "out"), string(kind)+".txt")
		if kind == remediate.ReportStatus {
			compareReport(t, filepath.Join(dir, "out"), "status.csv")
		}
		readReport(t, filepath.Join(dir, "out"), string(kind))
	}
}

// compareReport compares a report with the golden one.
func compareReport(t *testing.T, dir, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	got, file := sameAgain(name, string(text)), filepath.Join(goldenReports, "demo-"+name)
	if *updateReports {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update-reports", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got; -update-reports writes it anew):\n%s", name, diff)
	}
}

// reportSchema is the published schema of reports.
var reportSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.Schema()))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("report.schema.json")
})

// readReport reads NAME.json, which must keep to its schema, have every host
// once, and say of each what NAME.csv says.
func readReport(t *testing.T, dir, name string) report.Snapshot {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := reportSchema()
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	var s report.Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	rows := sheet(t, filepath.Join(dir, name+".csv"))
	if len(rows) != s.Totals.Hosts || len(s.Hosts) != s.Totals.Hosts {
		t.Fatalf("%s: %d hosts, %d rows of JSON, %d of CSV", name, s.Totals.Hosts, len(s.Hosts), len(rows))
	}
	for i, h := range s.Hosts {
		got := hostRow{rows[i]["host"], rows[i]["standing"], rows[i]["failure_class"], rows[i]["outcome"], rows[i]["next"]}
		if want := rowOf(h); got != want {
			t.Errorf("%s: in CSV %+v, in JSON %+v", name, got, want)
		}
	}
	if s.Ledger.Size == 0 || s.Ledger.Root == "" {
		t.Errorf("%s: the report rests on no head of the ledger", name)
	}
	return s
}

// hostRow is what the formats are compared by.
type hostRow struct{ name, standing, class, outcome, next string }

func rowOf(h report.HostRow) hostRow {
	return hostRow{h.Name, string(h.Standing), string(h.Class), string(h.Outcome), h.Next}
}

// sheet are the rows of a CSV file, by the names of its columns.
func sheet(t *testing.T, path string) []map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}
