package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func testHolds(t *testing.T, open Open) {
	hold := func(n int, reason string) remediate.Hold {
		return remediate.Hold{At: at(n), Reason: reason, Run: "run1", Plan: "plan1", Wave: 3}
	}
	holds := func(f fixture, want ...remediate.Hold) {
		f.Helper()
		got, err := f.Holds(f.ctx)
		f.ok(err)
		if diff := cmp.Diff(want, got); diff != "" {
			f.Errorf("holds (-want +got):\n%s", diff)
		}
	}
	releaseNone := func(f fixture) {
		f.Helper()
		if err := f.ReleaseHold(f.ctx, at(9), "kim"); !errors.Is(err, remediate.ErrNotFound) {
			f.Errorf("release without a hold: %v, not ErrNotFound", err)
		}
	}
	t.Run("one at a time", func(t *testing.T) {
		f := begin(t, open)
		holds(f)
		releaseNone(f)
		first := hold(1, "20 hosts failed")
		f.ok(f.SaveHold(f.ctx, first))
		f.ok(f.SaveHold(f.ctx, hold(2, "another")))
		holds(f, first)
		f.ok(f.ReleaseHold(f.ctx, at(3), "kim@desk"))
		first.Released, first.By = at(3), "kim@desk"
		holds(f, first)
		releaseNone(f)
		// The clock was set back: the last that is recorded stands last.
		second := hold(0, "bare hosts")
		f.ok(f.SaveHold(f.ctx, second))
		holds(f, first, second)
		f.ok(f.ReleaseHold(f.ctx, at(5), ""))
		second.Released = at(5)
		holds(f, first, second)
		if got := all(f, f.HostStates(f.ctx)); len(got) > 0 {
			t.Errorf("holds left hosts: %v", got)
		}
	})
	t.Run("are in force when they are saved", func(t *testing.T) {
		f := begin(t, open)
		h := hold(1, "")
		h.Released, h.By = at(2), "nobody"
		f.ok(f.SaveHold(f.ctx, h))
		holds(f, hold(1, ""))
	})
	t.Run("get the clock's time where they have none", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.SaveHold(f.ctx, remediate.Hold{}))
		f.ok(f.ReleaseHold(f.ctx, remediate.Hold{}.At, "kim"))
		got, err := f.Holds(f.ctx)
		f.ok(err)
		if len(got) != 1 || got[0].At.IsZero() || got[0].Released.IsZero() {
			t.Errorf("holds are %+v", got)
		}
	})
	t.Run("are bounded", func(t *testing.T) {
		f := begin(t, open)
		long := strings.Repeat("ü", remediate.MaxText)
		h := hold(1, long)
		h.Run = long
		f.refused("a run that is too long", f.SaveHold(f.ctx, h))
		h.Run, h.Plan = "run1", long
		f.refused("a plan that is too long", f.SaveHold(f.ctx, h))
		holds(f)
		f.ok(f.SaveHold(f.ctx, hold(1, long)))
		f.ok(f.ReleaseHold(f.ctx, at(2), long))
		want := hold(1, remediate.ClipText(long))
		want.Released, want.By = at(2), remediate.ClipText(long)
		holds(f, want)
	})
	t.Run("one winner of many", func(t *testing.T) {
		f := begin(t, open)
		together(func(i int) {
			if err := f.SaveHold(f.ctx, hold(i, "")); err != nil {
				t.Errorf("save hold: %v", err)
			}
		})
		if got, err := f.Holds(f.ctx); err != nil || len(got) != 1 {
			t.Errorf("%d holds, %v", len(got), err)
		}
	})
}
