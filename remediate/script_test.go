package remediate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func TestParseStepResults(t *testing.T) {
	t.Parallel()
	got, err := remediate.ParseStepResults("1 ok 0 kaspersky/kesl remove package kesl\n\n2 busy 100 kaspersky/klnagent wait\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]remediate.StepResult{
		{Step: 1, Verdict: remediate.StepOK, Playbook: "kaspersky/kesl", What: "remove package kesl"},
		{Step: 2, Verdict: remediate.StepBusy, Exit: 100, Playbook: "kaspersky/klnagent", What: "wait"},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"1 ok 0 kesl":              "result line 1: \"1 ok 0 kesl\": want STEP VERDICT EXIT PLAYBOOK DESCRIPTION",
		"\n0 ok 0 kesl x":          "result line 2: step \"0\" is not a positive number",
		"1 ok zero kesl x":         "exit code \"zero\" is not a number",
		"1 fine 0 kesl x":          "unknown verdict \"fine\"",
		strings.Repeat("9", 5_000): "...",
	} {
		if got, err := remediate.ParseStepResults(text); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("%.40q: %+v, error %v; want %q", text, got, err, want)
		}
	}
}

// FuzzParseStepResults: what is read is what was written.
func FuzzParseStepResults(f *testing.F) {
	f.Add("1 ok 0 kaspersky/kesl remove package kesl\n2 failed -1 a  b\n")
	f.Add("1 protected 99999999999999999999 a b")
	f.Add("+1 ok 00 a b\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := remediate.ParseStepResults(text)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, s := range steps {
			fmt.Fprintf(&b, "%d %s %d %s %s\n", s.Step, s.Verdict, s.Exit, s.Playbook, s.What)
		}
		again, err := remediate.ParseStepResults(b.String())
		if err != nil || !cmp.Equal(steps, again) {
			t.Errorf("written again: error %v\n%s", err, cmp.Diff(steps, again))
		}
	})
}
