package probe_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate/probe"
)

// TestUnfold: lines in one piece say what they said in several.
func TestUnfold(t *testing.T) {
	t.Parallel()
	if raw := rawLook(t); !bytes.Equal(probe.Unfold(raw), raw) {
		t.Error("a look without a second answer is changed")
	}
	files, err := filepath.Glob(testdata + "/windows/*.said")
	if err != nil || len(files) < 5 {
		t.Fatalf("there are %d answers, error %v", len(files), err)
	}
	shorter := 0
	for _, file := range files {
		answer := asPowerShell(string(read(t, file)))
		for _, said := range [][]byte{answer, answer[:len(answer)/2], nil} {
			facts, raw, err := probe.Second(rawLook(t), said, "")
			if err != nil {
				t.Fatal(err)
			}
			unfolded := probe.Unfold(raw)
			again, err := probe.Reparse(unfolded)
			if err != nil || !cmp.Equal(facts, again) {
				t.Errorf("%s: unfolded it says something else, error %v:\n%s", file, err, cmp.Diff(facts, again))
			}
			if !bytes.Equal(probe.Unfold(unfolded), unfolded) {
				t.Errorf("%s: unfolding again changes it", file)
			}
			shorter += len(bytes.Split(raw, []byte("\n+"))) - len(bytes.Split(unfolded, []byte("\n+")))
		}
	}
	if shorter == 0 {
		t.Error("no line was in pieces")
	}
}
