package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDocsOfPlaybooks: the subcommands and flags that the guides tell people to
// type are there, and each subcommand is in one of them.
func TestDocsOfPlaybooks(t *testing.T) {
	t.Parallel()
	command := (&app{}).playbookCommand()
	typed := regexp.MustCompile(`oust playbook ([a-z]+)([^\n` + "`" + `]*)`)
	flag := regexp.MustCompile(`--([a-z-]+)`)
	var named []string
	for _, name := range []string{"../../docs/playbooks.md", "../../docs/authoring.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range typed.FindAllStringSubmatch(string(text), -1) {
			c, _, err := command.Find([]string{m[1]})
			if err != nil || c == command {
				t.Errorf("%s tells people to type %q, which is no command", name, m[0])
				continue
			}
			named = append(named, c.Name())
			for _, f := range flag.FindAllStringSubmatch(m[2], -1) {
				if c.Flag(f[1]) == nil {
					t.Errorf("%s tells people to type %q; there is no --%s", name, m[0], f[1])
				}
			}
		}
	}
	for _, c := range command.Commands() {
		if !slices.Contains(named, c.Name()) {
			t.Errorf("no guide names oust playbook %s", c.Name())
		}
	}
}
