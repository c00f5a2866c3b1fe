package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/defenseunicorns/go-oscal/src/pkg/validation"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"

	"oust/remediate"
	"oust/remediate/report"
)

// labReports are the reports of the story, with the formats that are golden.
// The others are checked alike.
var labReports = map[string][]string{
	"identify": {"txt", "json", "html"},
	"plan":     {"txt", "json", "html"},
	"held":     {"txt", "json"},
	"status":   {"txt", "csv", "json", "html", "oscal.json"},
}

// report makes a report in all formats from one moment, hands it in, and holds
// it to the golden one and the formats to each other.
func (s *labStory) report(name string, kind remediate.ReportKind, to string) {
	s.t.Helper()
	args := []string{"report", string(kind), "--submit", to}
	for _, ending := range []string{"txt", "csv", "json", "html", "oscal.json"} {
		args = append(args, "-o", s.file(name+"."+ending))
	}
	s.oust(0, args...)
	snapshot := readReport(s.t, s.dir, name)
	checkReportText(s.t, s.file(name+".txt"), snapshot)
	checkReportHTML(s.t, s.file(name+".html"), snapshot)
	checkReportOSCAL(s.t, s.file(name+".oscal.json"), snapshot)
	for _, ending := range labReports[name] {
		text, err := os.ReadFile(s.file(name + "." + ending))
		if err != nil {
			s.t.Fatal(err)
		}
		goldenReport(s.t, "lab-"+name+"."+ending, evenly(string(text)))
	}
}

// evenly is a report without what differs from run to run, or with every change
// of a playbook, in the same form: golden files keep to their schemas.
func evenly(text string) string {
	text = strings.ReplaceAll(text, "&#43;", "+") // as HTML has it
	for _, r := range evened {
		text = r.what.ReplaceAllString(text, r.with)
	}
	text = strings.ReplaceAll(text, operator(), "ann@controller")
	text = inOrder(text, aUUID, "00000000-0000-5000-8000-%012d")
	return inOrder(text, anID, "%026d")
}

var (
	aUUID  = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	anID   = regexp.MustCompile(`\b0[0-9a-hj-km-np-tv-z]{25}\b`)
	evened = []struct {
		what *regexp.Regexp
		with string
	}{
		{regexp.MustCompile(`(\d{4}-\d\d-\d\dT\d\d:\d\d):[\d.]+Z`), "${1}:00Z"},
		{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:" + strings.Repeat("0", 64)},
		{regexp.MustCompile(`\+[0-9a-f]{8}\+[A-Za-z0-9+/]{43,}=*`), "+00000000+" + strings.Repeat("A", 44)},
		{regexp.MustCompile(`(— \S+ )[A-Za-z0-9+/=]+`), "${1}" + strings.Repeat("A", 92)},
		{regexp.MustCompile(`("value":")[A-Za-z0-9+/]{100,}=*`), "${1}AAAA"},                           // the signed head in OSCAL
		{regexp.MustCompile(`(\\n|[\s">])[A-Za-z0-9+/]{43}=`), "${1}" + strings.Repeat("A", 43) + "="}, // not the digests of the page's policy
	}
)

// inOrder replaces what fits by numbers in their order.
func inOrder(text string, what *regexp.Regexp, form string) string {
	known := map[string]string{}
	return what.ReplaceAllStringFunc(text, func(found string) string {
		if known[found] == "" {
			known[found] = fmt.Sprintf(form, len(known)+1)
		}
		return known[found]
	})
}

// goldenReport compares with a golden report.
func goldenReport(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join(goldenReports, name)
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

// checkReportText: the words have the numbers of the snapshot.
func checkReportText(t *testing.T, path string, s report.Snapshot) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(string(text)), " ")
	want := slices.Concat([]string{"hosts: " + hostNumbers(s)}, s.Statement)
	for _, it := range s.Items {
		want = append(want, it.Text...)
	}
	for _, one := range want {
		if !strings.Contains(words, strings.Join(strings.Fields(one), " ")) {
			t.Errorf("%s does not say: %s", path, one)
		}
	}
}

// checkReportHTML: the page lists every host where it stands, with the class of
// its failure and the outcome of its last attempt, and counts what it lists.
func checkReportHTML(t *testing.T, path string, s report.Snapshot) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]report.HostRow{}
	for _, h := range s.Hosts {
		want[h.Name] = h
	}
	for group := range root.Descendants() {
		standing := attribute(group, "data-standing")
		if group.Data != "tbody" || standing == "" {
			continue
		}
		for row := range group.ChildNodes() {
			if row.Data != "tr" || !hasAttribute(row, "data-host") {
				continue
			}
			words := textOf(row)
			name, _, _ := strings.Cut(words, " ")
			h, there := want[name]
			where := string(h.Standing)
			if h.Exempt {
				where = "exempt"
			}
			if !there || where != standing {
				t.Errorf("%s: %s is listed as %s; in JSON %+v", path, name, standing, rowOf(h))
			}
			if !strings.Contains(words, string(h.Class)) || h.Outcome != "" && !strings.Contains(words, "last attempt "+string(h.Outcome)) {
				t.Errorf("%s: %s has not %+v", path, words, rowOf(h))
			}
			delete(want, name)
		}
	}
	for name := range want {
		t.Errorf("%s does not list %s", path, name)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// textOf is what a reader sees of an element, with single spaces.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// planSchema is NIST's published schema of plans of action and milestones.
var planSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	stub := `{"plan-of-action-and-milestones":{"metadata":{"oscal-version":"` + report.OSCALVersion + `"}}}`
	v, err := validation.NewValidator([]byte(stub))
	if err != nil {
		return nil, err
	}
	published, err := v.GetValidationParams()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("poam.json", published.SchemaData); err != nil {
		return nil, err
	}
	return c.Compile("poam.json")
})

// checkReportOSCAL: the plan of action keeps to its schema, and its numbers are
// those of the snapshot.
func checkReportOSCAL(t *testing.T, path string, s report.Snapshot) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := planSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	var p struct {
		Plan struct {
			Observations []struct {
				Title    string
				Subjects []struct{}
			}
		} `json:"plan-of-action-and-milestones"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, o := range p.Plan.Observations {
		got[o.Title] = len(o.Subjects)
	}
	for title, n := range wantObservations(s) {
		if got[title] != n {
			t.Errorf("%s: %s: %d hosts, want %d", path, title, got[title], n)
		}
	}
}

// wantObservations are numbers of hosts by the title of an observation.
func wantObservations(s report.Snapshot) map[string]int {
	want := map[string]int{
		"Hosts from which all that was found is gone": s.Totals.Standing[remediate.StandRemoved],
		"Hosts on which something came back":          len(s.Reappeared),
	}
	for _, p := range s.Products {
		if n := p.Present + p.Residue; n > 0 {
			want[p.Title] = n
		}
	}
	for _, u := range s.Unseen {
		want["Hosts that were never seen: "+u.Why] = u.Hosts
	}
	for _, h := range s.Hosts {
		if h.Class != "" && !h.Exempt && h.Standing != remediate.StandUnseen {
			want["Hosts that stand failed: "+h.Class.Meaning()]++
		}
	}
	return want
}
