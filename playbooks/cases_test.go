package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate/probe"
)

// TestCases: each playbook that ships has cases of every kind, and all of them
// give what is kept beside them. Every playbook is matched against every case: a
// finding that a case does not name fails it.
func TestCases(t *testing.T) {
	t.Parallel()
	l := mustEmbedded(t)
	for _, p := range l.List() {
		cases, err := p.Cases(p.Folder())
		if err != nil {
			t.Error(err)
			continue
		}
		if missing := MissingCases(cases); len(missing) > 0 || len(cases) < 3 {
			t.Errorf("%s has %d cases, and none of kind %s", p.Name, len(cases), strings.Join(missing, ", "))
		}
		for _, c := range cases {
			t.Run(p.Name+"/"+filepath.Base(c.File()), func(t *testing.T) {
				t.Parallel()
				testCase(t, l, filepath.Join("vendors", p.vendorKey()), c)
			})
		}
	}
}

func testCase(t *testing.T, l *Library, dir string, c *Case) {
	t.Helper()
	r, err := l.RunCase(c, probe.Reparse)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Problems {
		t.Error(p)
	}
	if *update {
		if err := os.WriteFile(filepath.Join(dir, c.GoldenFile()), []byte(r.Golden), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(c.Golden()), r.Golden); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", c.GoldenFile(), diff)
	}
}

// TestCasesHaveOwners: no case is left over from a playbook that is gone, and no
// golden file from a case.
func TestCasesHaveOwners(t *testing.T) {
	t.Parallel()
	l := mustEmbedded(t)
	files, err := filepath.Glob("vendors/*/cases/*/*")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range l.List() {
		cases, err := p.Cases(p.Folder())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			for _, name := range []string{c.File(), c.GoldenFile(), filepath.Join(filepath.Dir(c.File()), c.Look)} {
				known[filepath.Join("vendors", p.vendorKey(), name)] = true
			}
		}
	}
	for _, f := range files {
		if !known[f] {
			t.Errorf("%s belongs to no case of a playbook", f)
		}
	}
}
