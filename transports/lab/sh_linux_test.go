package lab

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"testing"
)

// TestShIsTrue: what the tests expect of the simulated shell and tools is what
// real ones do.
func TestShIsTrue(t *testing.T) {
	for _, c := range slices.Concat(shCases, toolCases) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out, errOut bytes.Buffer
			cmd := exec.CommandContext(t.Context(), "sh", "-c", c.script)
			cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &out, &errOut
			cmd.Env = []string{"PATH=" + defaultPath, "LC_ALL=C"}
			err := cmd.Run()
			if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
				t.Fatal(err)
			} else if out.String() != c.out || ok && exit.ExitCode() != c.exit || !ok && c.exit != 0 {
				t.Errorf("%s\nprints %q, %v (stderr %q)\nwant   %q, exit %d", c.script, out.String(), err, errOut.String(), c.out, c.exit)
			}
		})
	}
}
