package playbooks

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// libraryHead is what stands before the table.
const libraryHead = `# The library

The products that the playbooks of oust know. This page is made from them (` + "`go test ./playbooks -run TestLibraryTable -update`" + `).
*Removed* says whether oust removes the product, and on which systems, or finds and reports it; *sources* counts the claims of each confidence:
of the vendor, of public scripts, and unverified. ` + "`oust playbook show NAME`" + ` has every claim and its source.

`

// TestLibraryTable: docs/library.md lists what ships, as it is.
func TestLibraryTable(t *testing.T) {
	t.Parallel()
	const file = "../docs/library.md"
	text := libraryHead + libraryTable(mustEmbedded(t))
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(have)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", file, diff)
	}
}

func libraryTable(l *Library) string {
	var b strings.Builder
	b.WriteString("| playbook | product | on | removed | confidence | sources | what a person must do first |\n|---|---|---|---|---|---|---|\n")
	cell := func(s string) string { return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`) }
	for _, p := range l.List() {
		on := make([]string, len(p.Platforms))
		for i, x := range p.Platforms {
			on[i] = string(x)
		}
		removed := "yes"
		switch {
		case p.Is(KindEmbedded):
			removed = "no: inside other products"
		case p.Is(KindPublisher):
			removed = "no: whatever no other playbook knows"
		case p.ReportOnly():
			removed = "no: by a person"
		case len(p.RemovesOn()) < len(p.Platforms):
			removes := make([]string, 0, len(on))
			for _, x := range p.RemovesOn() {
				removes = append(removes, string(x))
			}
			removed = "on " + strings.Join(removes, " and ") + "; elsewhere by a person"
		}
		first := cell(p.First)
		if first == "" {
			first = "-"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", p.Name, cell(p.Title), strings.Join(on, ", "), removed, p.Confidence, p.sourceCounts(), first)
	}
	return b.String()
}

// sourceCounts are the claims of each confidence, such as "3 vendor, 1 unverified".
func (p *Playbook) sourceCounts() string {
	var out []string
	for _, c := range []string{ConfidenceVendor, ConfidencePublic, ConfidenceUnverified} {
		n := len(p.Sources) - len(slices.DeleteFunc(slices.Clone(p.Sources), func(s Source) bool { return s.Confidence == c }))
		if n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, c))
		}
	}
	return strings.Join(out, ", ")
}
