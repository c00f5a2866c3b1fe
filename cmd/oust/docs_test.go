package main

import (
	"os"
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
	for _, name := range []string{"README.md", "docs/how-it-works.md", "docs/campaign.md", "docs/playbooks.md", "docs/benchmarks.md"} {
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
