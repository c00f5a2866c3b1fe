package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func testJournal(t *testing.T, open Open) {
	entry := func(phase remediate.Phase, n int) remediate.JournalEntry {
		return remediate.JournalEntry{Phase: phase, At: at(n)}
	}
	holds := func(f fixture, want ...remediate.JournalEntry) {
		f.Helper()
		if diff := cmp.Diff(want, f.whole("web1", "a1").Journal); diff != "" {
			f.Errorf("journal (-want +got):\n%s", diff)
		}
	}
	t.Run("has each phase once", func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		a.Journal = []remediate.JournalEntry{entry(remediate.PhaseCleaned, 0)}
		f.ok(f.BeginAttempt(f.ctx, a))
		want := []remediate.JournalEntry{entry(remediate.PhaseIntended, 1)}
		for i, phase := range []remediate.Phase{remediate.PhaseLaunched, remediate.PhaseRunning, remediate.PhaseEnded} {
			a.Phase = phase
			for again := range 2 {
				a.Updated = at(2 + 2*i + again)
				f.ok(f.SaveAttempt(f.ctx, a))
			}
			want = append(want, entry(phase, 2+2*i))
			holds(f, want...)
		}
		f.ok(f.CloseAttempt(f.ctx, closed(a, at(10), removed), nil))
		f.ok(f.CloseAttempt(f.ctx, closed(a, at(11), removed), nil))
		want = append(want, entry(remediate.PhaseClosed, 10))
		holds(f, want...)
		a = closed(a, at(12), removed)
		a.Phase = remediate.PhaseCleaned
		f.ok(f.SaveAttempt(f.ctx, a))
		a.Updated = at(13)
		f.ok(f.SaveAttempt(f.ctx, a))
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		holds(f, append(want, entry(remediate.PhaseCleaned, 12))...)
	})
	t.Run("has no refused phase", func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		f.ok(f.BeginAttempt(f.ctx, a))
		f.refused("a second begin", f.BeginAttempt(f.ctx, intent("a1", "web1", at(2))))
		a.Phase, a.Updated = remediate.PhaseClosed, at(2)
		f.refused("a way past the outcome", f.SaveAttempt(f.ctx, a))
		a.Phase = remediate.PhaseLaunched
		f.ok(f.SaveAttempt(f.ctx, a))
		a.Phase, a.Updated = remediate.PhaseIntended, at(3)
		f.refused("a way back", f.SaveAttempt(f.ctx, a))
		holds(f, entry(remediate.PhaseIntended, 1), entry(remediate.PhaseLaunched, 2))
	})
	t.Run("of an attempt that is closed by a repeat", func(t *testing.T) {
		f := begin(t, open)
		a := closed(intent("a1", "web1", at(1)), at(2), removed)
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		holds(f, entry(remediate.PhaseClosed, 2))
		a.Phase, a.Updated = remediate.PhaseCleaned, at(5)
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		holds(f, entry(remediate.PhaseClosed, 2), entry(remediate.PhaseCleaned, 5))
	})
	t.Run("of an attempt that never began", func(t *testing.T) {
		f := begin(t, open)
		a := closed(intent("a1", "web1", at(1)), at(2), removed)
		a.Phase = remediate.PhaseCleaned
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		holds(f, entry(remediate.PhaseCleaned, 2))
	})
	t.Run("stays out of short lists", testShortLists(open))
	t.Run("playbooks come back sorted, each once", testPlaybooks(open))
}

func testShortLists(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		f.ok(f.BeginAttempt(f.ctx, a))
		list, err := f.OpenAttempts(f.ctx)
		f.ok(err)
		for _, short := range append(list, all(f, f.RunAttempts(f.ctx, "run1"))...) {
			if diff := cmp.Diff(a, short); diff != "" {
				t.Errorf("attempt in a list (-want +got):\n%s", diff)
			}
		}
		if len(list) != 1 {
			t.Errorf("%d attempts are open", len(list))
		}
	}
}

func testPlaybooks(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		a.Playbooks = []string{"b/b", "a/a", "b/b", "ü\" ,x"}
		f.ok(f.BeginAttempt(f.ctx, a))
		a.Playbooks = []string{"ü\" ,x", "b/b", "a/a"}
		a.Phase = remediate.PhaseLaunched
		f.ok(f.SaveAttempt(f.ctx, a))
		got := f.whole("web1", "a1").Playbooks
		if want := []string{"a/a", "b/b", "ü\" ,x"}; !slices.Equal(got, want) {
			t.Errorf("playbooks are %q, not %q", got, want)
		}
		b := intent("a2", "web1", at(1))
		b.Playbooks = []string{}
		f.ok(f.BeginAttempt(f.ctx, b))
		if got := f.whole("web1", "a2").Playbooks; got != nil {
			t.Errorf("no playbooks come back as %#v", got)
		}
		c := intent("a3", "web1", at(1))
		for _, name := range []string{"", strings.Repeat("n", remediate.MaxName+1)} {
			c.Playbooks = []string{"a/a", name}
			f.refused("an attempt with an odd playbook", f.BeginAttempt(f.ctx, c))
		}
		c.Playbooks = nil
		for i := range remediate.MaxFindings/remediate.MaxName + 1 {
			c.Playbooks = append(c.Playbooks, fmt.Sprintf("%0*d", remediate.MaxName, i))
		}
		f.refused("an attempt with playbooks without bound", f.BeginAttempt(f.ctx, c))
	}
}
