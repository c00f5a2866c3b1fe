package playbooks

import (
	"regexp"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// TestPreludeVocabulary: the prelude is POSIX sh and uses no word that one of
// the shells reads differently. In mvdan.cc/sh 3.14 a break or continue inside
// if, case or braces does not leave these, so that what follows it there runs
// after all: a test before a kill or a removal would be worth nothing.
func TestPreludeVocabulary(t *testing.T) {
	banned := regexp.MustCompile(`\b(break|continue|local|awk|sed|find|xargs|trap|mkfifo|eval "\$\{)\b|\[\[|<\(`)
	for _, name := range preludeOrder {
		text, err := preludes.ReadFile("prelude/" + name + ".sh")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(string(text)), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			if word := banned.FindString(line); word != "" {
				t.Errorf("%s.sh:%d: %q must not be used: %s", name, i+1, word, line)
			}
		}
	}
}
