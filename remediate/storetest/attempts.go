package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func testAttempts(t *testing.T, open Open) {
	t.Run("go through their phases", testPhases(open))
	t.Run("never go back", testWaysBack(open))
	t.Run("begin once", func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		f.ok(f.BeginAttempt(f.ctx, a))
		f.refused("a second begin", f.BeginAttempt(f.ctx, a))
		f.ok(f.CloseAttempt(f.ctx, closed(a, at(2), removed), nil))
		f.refused("a begin after the end", f.BeginAttempt(f.ctx, a))
		f.refused("an attempt without an id", f.BeginAttempt(f.ctx, intent("", "web1", at(1))))
		f.refused("an attempt without a host", f.BeginAttempt(f.ctx, intent("a2", "", at(1))))
		launched := intent("a3", "web1", at(1))
		launched.Phase = remediate.PhaseLaunched
		f.refused("a begin in a later phase", f.BeginAttempt(f.ctx, launched))
	})
	t.Run("list their host", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.BeginAttempt(f.ctx, intent("a1", "web1", at(1))))
		f.holdsState(remediate.HostState{Host: "web1", Standing: remediate.StandUnseen})
	})
	t.Run("are saved only if begun", func(t *testing.T) {
		f := begin(t, open)
		if err := f.SaveAttempt(f.ctx, intent("a1", "web1", at(1))); !errors.Is(err, remediate.ErrNotFound) {
			t.Errorf("save of an unknown attempt: %v, not ErrNotFound", err)
		}
	})
	t.Run("stay what they are", func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		f.ok(f.BeginAttempt(f.ctx, a))
		for name, spoil := range map[string]func(*remediate.Attempt){
			"host":          func(a *remediate.Attempt) { a.Host = "web2" },
			"run":           func(a *remediate.Attempt) { a.Run = "run2" },
			"address":       func(a *remediate.Attempt) { a.Address = "10.0.0.2:22" },
			"plan":          func(a *remediate.Attempt) { a.Plan = "plan2" },
			"script":        func(a *remediate.Attempt) { a.Script = "sha256:5d" },
			"playbook":      func(a *remediate.Attempt) { a.Playbooks = []string{"kaspersky/ksc"} },
			"playbook too":  func(a *remediate.Attempt) { a.Playbooks = []string{"kaspersky/kesl", "kaspersky/ksc"} },
			"playbook less": func(a *remediate.Attempt) { a.Playbooks = nil },
		} {
			b := a
			spoil(&b)
			f.refused("a save with another "+name, f.SaveAttempt(f.ctx, b))
			f.refused("a close with another "+name, f.CloseAttempt(f.ctx, closed(b, at(2), removed), nil))
		}
		if diff := cmp.Diff(a, f.attempt("web1", "a1")); diff != "" {
			t.Errorf("attempt (-want +got):\n%s", diff)
		}
	})
}

func testPhases(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		holds := func() {
			t.Helper()
			if diff := cmp.Diff(a, f.attempt("web1", "a1")); diff != "" {
				t.Errorf("attempt (-want +got):\n%s", diff)
			}
		}
		f.ok(f.BeginAttempt(f.ctx, a))
		holds()
		a.Phase, a.Updated, a.BootID = remediate.PhaseLaunched, at(2), "b007ed"
		f.ok(f.SaveAttempt(f.ctx, a))
		holds()
		a.Phase, a.Updated, a.Exit = remediate.PhaseEnded, at(3), remediate.ScriptFailed
		a.Result, a.Log = "step 1 ok\nstep 2 failed 3\n", []byte("removing kesl\x00\xff\n")
		f.ok(f.SaveAttempt(f.ctx, a))
		f.ok(f.SaveAttempt(f.ctx, a))
		holds()
		log := a.Log
		a.Log = nil // as a caller has it after it read the open attempts
		a = closed(a, at(4), remediate.Failed(remediate.ClassUninstaller, "rpm: exit 1"))
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		a.Log = log
		holds()
		a.Phase = remediate.PhaseCleaned
		after := a
		after.Updated, after.Log, after.Exit, after.Result = at(5), []byte("another"), 7, "step 9 ok\n"
		f.ok(f.SaveAttempt(f.ctx, after))
		holds()
	}
}

func testWaysBack(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		order := []remediate.Phase{
			remediate.PhaseIntended, remediate.PhaseLaunched, remediate.PhaseRunning, remediate.PhaseEnded,
			remediate.PhaseClosed, remediate.PhaseCleaned,
		}
		const closes = 4 // the place of PhaseClosed
		for i, from := range order {
			for j, to := range append(order, "", "resting") {
				a := intent(string(from)+"-"+string(to), "web1", at(1))
				f.ok(f.BeginAttempt(f.ctx, a))
				a.Phase = from
				if a.Outcome = (remediate.Outcome{}); i >= closes {
					a.Outcome = removed
					f.ok(f.CloseAttempt(f.ctx, a, nil))
				} else {
					f.ok(f.SaveAttempt(f.ctx, a))
				}
				a.Phase = to
				err := f.SaveAttempt(f.ctx, a)
				if may := j >= i && j < len(order) && (j < closes || i >= closes); may != (err == nil) {
					t.Errorf("from %q to %q: %v", from, to, err)
				}
			}
		}
	}
}

func testClose(t *testing.T, open Open) {
	t.Run("takes outcome and look together", testCloseWithLook(open))
	t.Run("takes an attempt that never began", func(t *testing.T) {
		f := begin(t, open)
		a := closed(intent("a1", "web1", at(1)), at(2), remediate.Outcome{Kind: remediate.OutcomeStale, Detail: "12.2 instead of 12.1"})
		a.Phase = remediate.PhaseCleaned
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		if diff := cmp.Diff(a, f.attempt("web1", "a1")); diff != "" {
			t.Errorf("attempt (-want +got):\n%s", diff)
		}
		if list := all(f, f.RunAttempts(f.ctx, "run1")); len(list) != 1 {
			t.Errorf("the run has %d attempts, not 1", len(list))
		}
		f.holdsState(remediate.HostState{Host: "web1", Standing: remediate.StandUnseen, Last: a.Outcome, LastAt: at(2)})
	})
	t.Run("takes the same again, and nothing else", testCloseAgain(open))
	t.Run("refuses what makes no sense", testBadCloses(open))
}

func testCloseWithLook(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(0), kesl("12.1"))))
		a := intent("a1", "web1", at(1))
		f.ok(f.BeginAttempt(f.ctx, a))
		a = closed(a, at(3), removed)
		verify := look("web1", remediate.LookVerify, at(2))
		f.ok(f.CloseAttempt(f.ctx, a, &verify))
		want := stateAfter(verify, remediate.StandRemoved, at(0))
		want.Last, want.LastAt, want.RemovedAt = removed, at(3), at(2)
		f.holdsState(want)
		if looks := all(f, f.HostLooks(f.ctx, "web1")); len(looks) != 2 || looks[1].Kind != remediate.LookVerify {
			t.Errorf("looks are %+v", looks)
		}

		b := intent("a2", "web1", at(4))
		f.ok(f.BeginAttempt(f.ctx, b))
		found := look("web1", remediate.LookVerify, at(5), kesl("12.1"))
		still := remediate.Failed(remediate.ClassStillPresent, "exit 0, and it is there")
		f.ok(f.CloseAttempt(f.ctx, closed(b, at(6), still), &found))
		want = stateAfter(found, remediate.StandReappeared, at(0))
		want.Last, want.LastAt, want.Class, want.Detail = still, at(6), still.Class, still.Detail
		want.Tries, want.FailedAt = 1, at(6)
		f.holdsState(want)
	}
}

func testCloseAgain(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		a := closed(intent("a1", "web1", at(1)), at(3), removed)
		verify := look("web1", remediate.LookVerify, at(2))
		f.ok(f.CloseAttempt(f.ctx, a, &verify))
		f.ok(f.CloseAttempt(f.ctx, a, &verify))
		other := a
		other.Outcome.Detail, other.Updated = "the same in other words", at(9)
		f.ok(f.CloseAttempt(f.ctx, other, &verify))
		if looks := all(f, f.HostLooks(f.ctx, "web1")); len(looks) != 1 {
			t.Errorf("repeats left %d looks, not 1", len(looks))
		}
		for _, o := range []remediate.Outcome{
			{Kind: remediate.OutcomeNothingToDo},
			remediate.Failed(remediate.ClassResidue, ""),
		} {
			f.refused("a close as "+string(o.Kind), f.CloseAttempt(f.ctx, closed(a, at(4), o), nil))
		}
		if diff := cmp.Diff(a, f.attempt("web1", "a1")); diff != "" {
			t.Errorf("attempt (-want +got):\n%s", diff)
		}
		a.Phase = remediate.PhaseCleaned
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		a.Phase = remediate.PhaseClosed
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		if got := f.attempt("web1", "a1").Phase; got != remediate.PhaseCleaned {
			t.Errorf("phase is %q, not cleaned", got)
		}
	}
}

func testBadCloses(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(1))
		f.ok(f.BeginAttempt(f.ctx, a))
		for name, spoil := range map[string]func(*remediate.Attempt){
			"no outcome":       func(a *remediate.Attempt) { a.Outcome = remediate.Outcome{} },
			"an odd outcome":   func(a *remediate.Attempt) { a.Outcome.Kind = "lucky" },
			"no class":         func(a *remediate.Attempt) { a.Outcome = remediate.Failed("", "x") },
			"an odd class":     func(a *remediate.Attempt) { a.Outcome = remediate.Failed("tired", "x") },
			"a class too many": func(a *remediate.Attempt) { a.Outcome.Class = remediate.ClassBusy },
			"an open phase":    func(a *remediate.Attempt) { a.Phase = remediate.PhaseEnded },
		} {
			b := closed(a, at(2), removed)
			spoil(&b)
			f.refused("a close with "+name, f.CloseAttempt(f.ctx, b, nil))
		}
		foreign := look("web2", remediate.LookVerify, at(2))
		f.refused("a look at another host", f.CloseAttempt(f.ctx, closed(a, at(2), removed), &foreign))
		odd := look("web1", remediate.LookVerify, at(2))
		odd.Kind = "glance"
		f.refused("a look of an odd kind", f.CloseAttempt(f.ctx, closed(a, at(2), removed), &odd))
		if got := f.attempt("web1", "a1"); got.Phase != remediate.PhaseIntended {
			t.Errorf("refused closes left %+v", got)
		}
		if looks := all(f, f.HostLooks(f.ctx, "web1")); len(looks) > 0 {
			t.Errorf("refused closes left looks: %v", looks)
		}
	}
}
