package job

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestLaunchRunsTheScriptAndReports(t *testing.T) {
	eachShell(t, func(t *testing.T, l *lab) {
		s := spec("echo out; echo err >&2; echo '1 ok 0 kaspersky/kesl purge' >>\"$OUST_DIR/result\"; exit 20\n")
		got := l.launch(s)
		want := Report{
			State: StateEnded, BootID: "boot-1", BeganIn: "boot-1", Exit: 20,
			Result: "1 ok 0 kaspersky/kesl purge\n", Log: []byte("out\nerr\n"),
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Report{}, "PID", "Started", "Ended")); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(got, l.join(s.ID)); d != "" {
			t.Errorf("join differs from launch: %s", d)
		}
		if c := l.clean(s.ID); c.State != StateCleaned {
			t.Errorf("clean: %+v", c)
		}
		if exists(l.base()) {
			t.Error("the base folder is still there")
		}
		if r := l.join(s.ID); r.State != StateAbsent {
			t.Errorf("after clean: %+v", r)
		}
	})
}
