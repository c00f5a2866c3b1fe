package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"oust/remediate"
	"oust/transports/lab"
)

// TestDocs holds the documents against the program: every outcome, class and
// command is there, every link leads somewhere, and no gap was left.
func TestDocs(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	how, readme := read("docs/how-it-works.md"), read("README.md")
	for _, o := range remediate.Outcomes() {
		if !strings.Contains(how, "| `"+string(o)+"` |") {
			t.Errorf("how-it-works.md has no outcome %s", o)
		}
	}
	for _, c := range remediate.Classes() {
		if row := "| `" + string(c) + "` | " + c.Meaning() + " | " + c.Advice() + " |"; !strings.Contains(how, row) {
			t.Errorf("how-it-works.md has no row %s", row)
		}
	}
	for _, f := range lab.Faults() {
		if !strings.Contains(how, "`"+f.Name+"`") {
			t.Errorf("how-it-works.md has no fault %s", f.Name)
		}
	}
	for _, f := range lab.WindowsFaults() {
		end := "`" + f.Outcome + "`"
		if f.Class != "" {
			end += ", `" + f.Class + "`"
		}
		if row := "| `" + f.Name + "` | " + f.Meaning + " | " + end + " |"; !strings.Contains(how, row) {
			t.Errorf("how-it-works.md has no row %s", row)
		}
	}
	for _, c := range (&app{}).rootCommand().Commands() {
		if !strings.Contains(readme, "oust "+c.Name()) && c.Name() != "demo" {
			t.Errorf("README.md does not name oust %s", c.Name())
		}
	}
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	gap := regexp.MustCompile(`(?m)^[A-Z]{4,}$`)
	for _, name := range []string{"README.md", "docs/how-it-works.md", "docs/ledger.md", "docs/campaign.md", "docs/mandates.md", "docs/reports.md", "docs/oscal.md", "docs/playbooks.md", "docs/authoring.md", "docs/library.md", "docs/benchmarks.md", "docs/complaints.md"} {
		text := read(name)
		if at := gap.FindString(text); at != "" {
			t.Errorf("%s has a gap: %s", name, at)
		}
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			folder := "../../"
			if strings.HasPrefix(name, "docs/") {
				folder += "docs/"
			}
			if _, err := os.Stat(folder + l[1]); err != nil && !strings.Contains(l[1], "://") {
				t.Errorf("%s links to %s: %v", name, l[1], err)
			}
		}
	}
}

// TestComplaints: every test that docs/complaints.md names is there.
func TestComplaints(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/complaints.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	err = filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			there[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 30 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		if !there[m[1]] {
			t.Errorf("complaints.md names %s, which is not there", m[1])
		}
	}
	for _, row := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(row, "| ") && strings.Contains(row, "#") && !strings.Contains(row, "`Test") {
			t.Errorf("no test stands in %s", row)
		}
	}
}
