package main

import (
	"os"
	"strings"
	"testing"
)

// TestDemo plays the demo to its end, at which it compares what is recorded
// with what has happened.
func TestDemo(t *testing.T) {
	t.Parallel()
	keep := t.TempDir()
	r := must(t, 0, ".", "demo", "--keep", keep)
	for _, want := range []string{
		"$ oust scan", "$ oust plan -o plan.json", "$ oust apply plan.json --dry-run", "$ oust apply plan.json", "$ oust status",
		"0 hosts that oust calls removed or clear and that are not", "0 hosts on which an uninstaller ran twice",
	} {
		if !strings.Contains(r.Out, want) {
			t.Errorf("the demo does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(r.Out, r.Err)
	}
	if _, err := os.Stat(keep + "/campaign.yaml"); err != nil {
		t.Error(err)
	}
	checkReports(t, keep)
	if r := oust(t, ".", "demo", "--hosts", "3"); r.Code != 1 || !strings.Contains(r.Err, "one for each fault") {
		t.Errorf("three hosts: %+v", r)
	}
}
