package playbooks

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// guide is docs/playbooks.md.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/playbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// between is the part of a text from one word up to the next.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	if !ok {
		t.Fatalf("the guide does not hold %q", from)
	}
	part, _, ok := strings.Cut(rest, to)
	if !ok {
		t.Fatalf("the guide does not hold %q after %q", to, from)
	}
	return part
}

// guideParts are the parts of the guide that explain the keys of a type, each
// from one word up to the next.
var guideParts = []struct {
	from, to string
	of       any
}{
	{"\n## The keys\n", "\n### detect\n", Playbook{}},
	{"\n### detect\n", "\nA `package` sign", Sign{}},
	{"\nA `package` sign", "\nAn `uninstall` sign", PackageSign{}},
	{"\nAn `uninstall` sign", "\nAn `msix` sign", UninstallSign{}},
	{"\nAn `msix` sign", "\n### blocks\n", MSIXSign{}},
	{"\n### blocks\n", "\n### steps\n", Block{}},
	{"\n**`package`**", "\n**`msi`**", PackageStep{}},
	{"\n**`msi`**", "\n**`uninstaller`**", MSIStep{}},
	{"\n**`uninstaller`**", "\n**`service`**", UninstallerStep{}},
	{"\n**`service`**", "\n**`process`**", ServiceStep{}},
	{"\n**`process`**", "\n**`file`**", ProcessStep{}},
	{"\n**`file`**", "\n**`key`**", FileStep{}},
	{"\n**`key`**", "\n**`script`**", KeyStep{}},
	{"\n**`script`**", "\n`exit` gives", ScriptStep{}},
	{"\n### residue\n", "\n### secrets\n", Residue{}},
	{"\n### secrets\n", "\n### protection\n", Secret{}},
	{"\n### protection\n", "\n### sources\n", Protection{}},
	{"\n### sources\n", "\n## How", Source{}},
	{"\n## Cases\n", "\n`facts` has", Case{}},
}

// TestGuideKeys: the guide has a row for every key of the format, in the place
// where the key belongs, and none for a key that is not there.
func TestGuideKeys(t *testing.T) {
	text := guide(t)
	for _, c := range guideParts {
		part := between(t, text, c.from, c.to)
		known := map[string]bool{}
		for f := range reflect.TypeOf(c.of).Fields() {
			if key := f.Tag.Get("yaml"); key != "" {
				known[key] = true
				if !strings.Contains(part, "\n| `"+key+"` | ") {
					t.Errorf("%T: the guide has no row for the key %s", c.of, key)
				}
			}
		}
		for line := range strings.Lines(part) {
			if key, ok := strings.CutPrefix(line, "| `"); ok {
				if key, _, _ = strings.Cut(key, "`"); !known[key] {
					t.Errorf("%T: the guide has a row for %s, which is no key", c.of, key)
				}
			}
		}
	}
	for f := range reflect.TypeFor[Step]().Fields() {
		if kind := f.Tag.Get("yaml"); !strings.Contains(text, "\n**`"+kind+"`** ") {
			t.Errorf("the guide does not explain the step %s", kind)
		}
	}
}

// TestGuideWords: every word that a key may have as its value is in the guide.
func TestGuideWords(t *testing.T) {
	text := guide(t)
	words := append([]string{RebootNever, RebootMaybe, RebootNeeded, ConfidenceVendor, ConfidencePublic, ConfidenceUnverified,
		EncodingPlain, EncodingUTF16LEHex, DefenderRunning}, verdicts...)
	words = append(append(words, restartPolicies...), kinds...)
	for _, w := range words {
		if !strings.Contains(text, "`"+w+"`") {
			t.Errorf("the guide does not name %s", w)
		}
	}
}

// TestGuideRules: the guide lists the rules as they are.
func TestGuideRules(t *testing.T) {
	_, text, _ := strings.Cut(guide(t), "\n## What lint checks\n")
	for _, r := range Rules() {
		row := "\n| `" + r.Name + "` | " + string(r.Severity) + " | " + r.Meaning + " |\n"
		if !strings.Contains(text, row) {
			t.Errorf("the guide has no row%s", row)
		}
	}
	if got, want := strings.Count(text, "\n| `"), len(Rules()); got != want {
		t.Errorf("the guide has %d rows of rules, want %d", got, want)
	}
}

// TestGuideExamples: the whole example has no problem, and the script step
// fits into a playbook.
func TestGuideExamples(t *testing.T) {
	text := guide(t)
	example := between(t, text, "```yaml\nformat: 1", "```")
	for _, p := range Lint("docs/playbooks.md", []byte("format: 1"+example)) {
		t.Errorf("the example: %s", p)
	}
	script := between(t, text, "```yaml\n  - script:", "```")
	with := strings.Replace(good, "residue:\n", "  - script:"+script+"secrets: [{name: acme_console}]\nresidue:\n", 1)
	for _, p := range Lint("docs/playbooks.md", []byte(with)) {
		if p.Rule != warnScript {
			t.Errorf("the script step: %s", p)
		}
	}
}
