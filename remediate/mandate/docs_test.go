package mandate

import (
	"os"
	"strings"
	"testing"

	"oust/remediate"
)

// TestDocs: the documented mandate is taken, and docs/mandates.md names what is
// built in and every word of a file.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/mandates.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	m, err := parse("docs/mandates.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "acme-7" || len(m.Milestones) != 3 || len(m.Duties) != 1 || m.Exemptions.MaxDays != 90 || m.Attestation == nil {
		t.Errorf("%+v", m)
	}
	words := Builtin()
	words = append(words, texts(remediate.ItemKinds())...)
	words = append(words, texts(remediate.ColumnKinds())...)
	words = append(words, texts(remediate.MetKinds())...)
	for _, name := range Builtin() {
		b, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, ms := range b.Milestones {
			words = append(words, ms.Name)
		}
	}
	for _, w := range words {
		if !strings.Contains(string(text), "`"+w+"`") {
			t.Errorf("docs/mandates.md does not name `%s`", w)
		}
	}
}
