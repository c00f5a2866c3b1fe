package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func testPlans(t *testing.T, open Open) {
	f := begin(t, open)
	id, err := f.CampaignID(f.ctx)
	f.ok(err)
	if !remediate.ValidID(id) {
		t.Errorf("campaign id %q is not of the form that NewID gives", id)
	}
	if again, err := f.CampaignID(f.ctx); err != nil || again != id {
		t.Errorf("campaign id is %q, %v after %q", again, err, id)
	}
	if _, err := f.PlanDigest(f.ctx, "plan1"); !errors.Is(err, remediate.ErrNotFound) {
		t.Errorf("an unknown plan: %v, not ErrNotFound", err)
	}
	f.ok(f.SavePlan(f.ctx, "plan1", "sha256:01", at(1)))
	f.ok(f.SavePlan(f.ctx, "plan2", "sha256:02", at(1)))
	f.ok(f.SavePlan(f.ctx, "plan1", "sha256:01", at(2)))
	f.refused("a plan with another digest", f.SavePlan(f.ctx, "plan1", "sha256:03", at(2)))
	f.refused("a plan without an id", f.SavePlan(f.ctx, "", "sha256:03", at(2)))
	if got, err := f.PlanDigest(f.ctx, "plan1"); err != nil || got != "sha256:01" {
		t.Errorf("digest is %q, %v", got, err)
	}
}

func testRuns(t *testing.T, open Open) {
	run := func(id, kind, plan string, when time.Time) remediate.Run {
		return remediate.Run{ID: id, Kind: kind, Plan: plan, Started: when}
	}
	holdsOpen := func(f fixture, kind, plan string, want remediate.Run) {
		f.Helper()
		got, err := f.OpenRun(f.ctx, kind, plan)
		f.ok(err)
		if diff := cmp.Diff(want, got); diff != "" {
			f.Errorf("open run (-want +got):\n%s", diff)
		}
	}
	holdsNone := func(f fixture, kind, plan string) {
		f.Helper()
		if _, err := f.OpenRun(f.ctx, kind, plan); !errors.Is(err, remediate.ErrNotFound) {
			f.Errorf("open run of %s %q: %v, not ErrNotFound", kind, plan, err)
		}
	}
	t.Run("the newest open one of its kind and plan", func(t *testing.T) {
		f := begin(t, open)
		holdsNone(f, "apply", "plan1")
		newer, older := run("r2", "apply", "plan1", at(2)), run("r1", "apply", "plan1", at(1))
		f.ok(f.BeginRun(f.ctx, newer))
		f.ok(f.BeginRun(f.ctx, older))
		f.ok(f.BeginRun(f.ctx, run("r3", "apply", "plan2", at(3))))
		f.ok(f.BeginRun(f.ctx, run("r4", "scan", "", at(4))))
		holdsOpen(f, "apply", "plan1", newer)
		holdsOpen(f, "scan", "", run("r4", "scan", "", at(4)))
		holdsNone(f, "verify", "")
		newer.Ended, newer.Exit, newer.Note = at(5), 2, "stopped"
		f.ok(f.EndRun(f.ctx, newer))
		holdsOpen(f, "apply", "plan1", older)
		f.ok(f.EndRun(f.ctx, older))
		holdsNone(f, "apply", "plan1")
	})
	t.Run("the later one of two of a moment", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.BeginRun(f.ctx, run("r2", "scan", "", at(1))))
		f.ok(f.BeginRun(f.ctx, run("r1", "scan", "", at(1))))
		holdsOpen(f, "scan", "", run("r1", "scan", "", at(1)))
	})
	t.Run("in lists, oldest first", testRunLists(open))
	t.Run("begin and end once", func(t *testing.T) {
		f := begin(t, open)
		r := run("r1", "scan", "", at(1))
		f.ok(f.BeginRun(f.ctx, r))
		f.refused("a second begin", f.BeginRun(f.ctx, r))
		f.refused("a run without an id", f.BeginRun(f.ctx, run("", "scan", "", at(1))))
		if err := f.EndRun(f.ctx, run("r9", "scan", "", at(1))); !errors.Is(err, remediate.ErrNotFound) {
			t.Errorf("end of an unknown run: %v, not ErrNotFound", err)
		}
		r.Exit = 2
		f.ok(f.EndRun(f.ctx, r))
		f.ok(f.EndRun(f.ctx, r))
		r.Exit = 0
		f.refused("an end with another exit code", f.EndRun(f.ctx, r))
	})
}

func testRunLists(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		holds := func(openRuns, runs []remediate.Run) {
			t.Helper()
			got, err := f.OpenRuns(f.ctx)
			f.ok(err)
			if diff := cmp.Diff(openRuns, got); diff != "" {
				t.Errorf("open runs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(runs, all(f, f.Runs(f.ctx))); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
		}
		holds(nil, nil)
		long := strings.Repeat("ü", remediate.MaxText)
		a := remediate.Run{ID: "r9", Kind: "apply", Plan: "plan1", Started: at(1), By: "kim@desk", Lowered: "ignore-windows"}
		b := remediate.Run{ID: "r1", Kind: "scan", Started: at(5)}
		c := remediate.Run{ID: "r5", Kind: "retry", Plan: "plan1", Started: at(5), By: long, Lowered: long}
		for _, run := range []remediate.Run{b, c, a} {
			f.ok(f.BeginRun(f.ctx, run))
		}
		c.By, c.Lowered = remediate.ClipText(long), remediate.ClipText(long)
		holds([]remediate.Run{a, b, c}, []remediate.Run{a, b, c})
		if got, err := f.OpenRun(f.ctx, "apply", "plan1"); err != nil || got != a {
			t.Errorf("open run is %+v, %v", got, err)
		}
		end := remediate.Run{ID: a.ID, Ended: at(9), Exit: 3, Note: long, By: "someone else", Lowered: "all"}
		f.ok(f.EndRun(f.ctx, end))
		a.Ended, a.Exit, a.Note = at(9), 3, remediate.ClipText(long)
		holds([]remediate.Run{b, c}, []remediate.Run{a, b, c})
		f.ok(f.LowerRun(f.ctx, b.ID, long))
		b.Lowered = remediate.ClipText(long)
		holds([]remediate.Run{b, c}, []remediate.Run{a, b, c})
		if err := f.LowerRun(f.ctx, "nobody", "x"); !errors.Is(err, remediate.ErrNotFound) {
			t.Errorf("a run that was never begun: %v", err)
		}
		leaveEarly(f, "runs", f.Runs(f.ctx))

		const more = 600 // more than a store reads at once
		for i := range more {
			f.ok(f.BeginRun(f.ctx, remediate.Run{ID: fmt.Sprint("more", i), Kind: "verify", Started: at(6)}))
		}
		list, err := f.OpenRuns(f.ctx)
		f.ok(err)
		if n := len(all(f, f.Runs(f.ctx))); len(list) != 2+more || n != 3+more || list[1+more].ID != fmt.Sprint("more", more-1) {
			t.Errorf("%d runs, %d of them open", n, len(list))
		}
	}
}
