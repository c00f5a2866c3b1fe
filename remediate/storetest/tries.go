package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"oust/remediate"
)

// testTries tells how failures in a row are counted, and what else of a
// host's state has a time.
func testTries(t *testing.T, open Open) {
	t.Run("failures in a row", testRows(open))
	t.Run("a failed look and the failure that rests on it are one", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.SaveLook(f.ctx, failedLook("web1", at(1), remediate.ClassTimeout, "silent")))
		a := intent("a1", "web1", at(2))
		f.ok(f.BeginAttempt(f.ctx, a))
		l := failedLook("web1", at(3), remediate.ClassTimeout, "silent again")
		f.ok(f.CloseAttempt(f.ctx, closed(a, at(4), remediate.Failed(remediate.ClassTimeout, "given up")), &l))
		f.holdsTries("timeout 2 at 4")
		if looks := all(f, f.HostLooks(f.ctx, "web1")); len(looks) != 2 {
			t.Errorf("%d looks, not 2", len(looks))
		}
		b := closed(intent("a2", "web1", at(5)), at(6), remediate.Outcome{Kind: remediate.OutcomeStale})
		l = failedLook("web1", at(6), remediate.ClassTimeout, "silent for the third time")
		f.ok(f.CloseAttempt(f.ctx, b, &l))
		f.holdsTries("timeout 3 at 6")
	})
	t.Run("a failed attempt that is closed twice counts once", func(t *testing.T) {
		f := begin(t, open)
		a := closed(intent("a1", "web1", at(1)), at(2), remediate.Failed(remediate.ClassUninstaller, "exit 1"))
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		a.Updated = at(3)
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		f.holdsTries("uninstaller 1 at 2")
		a.Phase, a.Updated = remediate.PhaseCleaned, at(4)
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		f.holdsTries("uninstaller 1 at 2")
	})
	t.Run("the boot of the last successful look", testBootID(open))
	t.Run("what does not protect it", testBare(open))
	t.Run("since when it is removed", testRemovedAt(open))
}

func testRows(open Open) func(*testing.T) {
	const host = "web1"
	var (
		failed = func(class remediate.Class) func(int) event {
			return func(n int) event { return event{look: failedLook(host, at(n), class, "look")} }
		}
		seen = func(kind remediate.LookKind, found ...remediate.Finding) func(int) event {
			return func(n int) event { return event{look: look(host, kind, at(n), found...)} }
		}
		ended = func(kind remediate.OutcomeKind, class remediate.Class) func(int) event {
			return func(int) event { return event{outcome: remediate.Outcome{Kind: kind, Class: class}} }
		}
		found       = seen(remediate.LookScan, kesl("1"))
		precheck    = seen(remediate.LookPrecheck, kesl("1"))
		clean       = seen(remediate.LookVerify)
		silent      = failed(remediate.ClassUnreachable)
		busyLook    = failed(remediate.ClassBusy)
		uninstaller = ended(remediate.OutcomeFailed, remediate.ClassUninstaller)
		unreachable = ended(remediate.OutcomeFailed, remediate.ClassUnreachable)
		busy        = ended(remediate.OutcomeFailed, remediate.ClassBusy)
	)
	return func(t *testing.T) {
		for _, c := range []struct {
			name   string
			events []func(int) event
			want   string // after the last of them
		}{
			{"one look", []func(int) event{silent}, "unreachable 1 at 0"},
			{"looks of one class", []func(int) event{silent, silent, silent}, "unreachable 3 at 2"},
			{"looks of two classes", []func(int) event{silent, silent, busyLook}, "busy 1 at 2"},
			{"another class between", []func(int) event{silent, busyLook, silent}, "unreachable 1 at 2"},
			{"a success between", []func(int) event{silent, silent, found, silent}, "unreachable 1 at 3"},
			{"a precheck between", []func(int) event{silent, silent, precheck, silent}, "unreachable 1 at 3"},
			{"seen", []func(int) event{silent, silent, found}, "none"},
			{"one attempt", []func(int) event{uninstaller}, "uninstaller 1 at 0"},
			{"attempts of one class", []func(int) event{uninstaller, uninstaller}, "uninstaller 2 at 1"},
			{"attempts, and looks between", []func(int) event{busy, found, precheck, busy, found}, "busy 2 at 3"},
			{"attempt and look of one class", []func(int) event{unreachable, silent, unreachable}, "unreachable 3 at 2"},
			{"attempt and look of one class, the look answered", []func(int) event{busy, busyLook, found}, "busy 1 at 0"},
			{"an attempt's failure comes back", []func(int) event{uninstaller, uninstaller, silent, silent, found}, "uninstaller 2 at 1"},
			{"and goes on", []func(int) event{uninstaller, uninstaller, silent, precheck, uninstaller}, "uninstaller 3 at 4"},
			{"an attempt after a failed look of another class", []func(int) event{uninstaller, silent, uninstaller, found}, "uninstaller 2 at 2"},
			{"an attempt that did not reach the host", []func(int) event{uninstaller, unreachable}, "unreachable 1 at 1"},
			{"and the host is seen", []func(int) event{uninstaller, unreachable, found}, "uninstaller 1 at 0"},
			{"and fails again", []func(int) event{uninstaller, unreachable, unreachable, uninstaller, found}, "uninstaller 2 at 3"},
			{"and fails otherwise", []func(int) event{uninstaller, unreachable, busy, found}, "busy 1 at 2"},
			{"not reached, and before that neither", []func(int) event{unreachable, unreachable, found}, "none"},
			{"both answered", []func(int) event{uninstaller, silent, clean}, "none"},
			{"not reached, then seen", []func(int) event{unreachable, unreachable, precheck}, "none"},
			{"removed", []func(int) event{uninstaller, ended(remediate.OutcomeRemoved, "")}, "none"},
			{"removed, then seen", []func(int) event{busy, ended(remediate.OutcomeRemoved, ""), found}, "none"},
			{"removed, then a look fails and ends", []func(int) event{busy, ended(remediate.OutcomeRemoved, ""), silent, found}, "none"},
			{"failed after removed", []func(int) event{busy, ended(remediate.OutcomeRemoved, ""), busy}, "busy 1 at 2"},
			{"nothing to do", []func(int) event{silent, ended(remediate.OutcomeNothingToDo, "")}, "none"},
			{"reboot pending", []func(int) event{busy, ended(remediate.OutcomeRebootPending, "")}, "none"},
			{"stale", []func(int) event{busy, busy, ended(remediate.OutcomeStale, "")}, "busy 2 at 1"},
			{"not started", []func(int) event{busy, busy, ended(remediate.OutcomeNotStarted, "")}, "busy 2 at 1"},
			{"deferred", []func(int) event{busy, busy, ended(remediate.OutcomeDeferred, "")}, "busy 2 at 1"},
			{"exempt", []func(int) event{busy, busy, ended(remediate.OutcomeExempt, "")}, "busy 2 at 1"},
			{"ready", []func(int) event{busy, busy, ended(remediate.OutcomeReady, "")}, "busy 2 at 1"},
			{"deferred between", []func(int) event{busy, ended(remediate.OutcomeDeferred, ""), busy}, "busy 2 at 2"},
			{"deferred while a look's failure stands", []func(int) event{busy, silent, ended(remediate.OutcomeDeferred, ""), found}, "busy 1 at 0"},
		} {
			t.Run(c.name, func(t *testing.T) {
				f := begin(t, open)
				for i, e := range c.events {
					e(i).play(f, host, i)
				}
				f.holdsTries(c.want)
			})
		}
	}
}

// holdsTries compares the failure in the state of web1, in the form "CLASS
// TRIES at MINUTE", or "none".
func (f fixture) holdsTries(want string) {
	f.Helper()
	s := f.state("web1")
	got := fmt.Sprintf("%s %d at %v", s.Class, s.Tries, s.FailedAt.Sub(epoch).Minutes())
	if s.Class == "" && s.Tries == 0 && s.FailedAt.IsZero() {
		got = "none"
	}
	if got != want {
		f.Errorf("failure is %q, not %q", got, want)
	}
}

func testBootID(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		holds := func(want string) {
			t.Helper()
			if got := f.state("web1").BootID; got != want {
				t.Errorf("boot id is %q, not %q", got, want)
			}
		}
		for i, kind := range []remediate.LookKind{remediate.LookScan, remediate.LookPrecheck, remediate.LookVerify} {
			l := look("web1", kind, at(i))
			l.BootID, l.Complete = string(kind), false
			f.ok(f.SaveLook(f.ctx, l))
			holds(string(kind))
		}
		failed := failedLook("web1", at(4), remediate.ClassTimeout, "")
		failed.BootID = "b00b00"
		f.ok(f.SaveLook(f.ctx, failed))
		holds("verify")
		none := look("web1", remediate.LookScan, at(5))
		none.BootID = ""
		f.ok(f.SaveLook(f.ctx, none))
		holds("")
	}
}

func testBare(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		for i, step := range []struct {
			kind  remediate.LookKind
			class remediate.Class
			bare  string
			want  string
			since int // minute, of a want that is not empty
		}{
			{remediate.LookScan, "", "", "", 0},
			{remediate.LookPrecheck, "", "no Defender", "", 0},
			{remediate.LookScan, "", "no Defender", "no Defender", 2},
			{remediate.LookVerify, "", "no Defender running", "no Defender running", 2},
			{remediate.LookPrecheck, "", "", "no Defender running", 2},
			{remediate.LookScan, remediate.ClassTimeout, "", "no Defender running", 2},
			{remediate.LookScan, remediate.ClassTimeout, "something", "no Defender running", 2},
			{remediate.LookScan, "", "", "", 0},
			{remediate.LookVerify, "", "no Defender", "no Defender", 8},
		} {
			l := look("web1", step.kind, at(i), kesl("1"))
			if step.class != "" {
				l = failedLook("web1", at(i), step.class, "")
			}
			l.Bare, l.Complete = step.bare, i%2 == 0
			f.ok(f.SaveLook(f.ctx, l))
			var since time.Time
			if step.want != "" {
				since = at(step.since)
			}
			if got := f.state("web1"); got.Bare != step.want || !got.BareSince.Equal(since) {
				t.Errorf("after look %d it is %q since %v, not %q since %v", i, got.Bare, got.BareSince, step.want, since)
			}
			looks := all(f, f.HostLooks(f.ctx, "web1"))
			if got := looks[len(looks)-1].Bare; got != step.bare {
				t.Errorf("look %d comes back with %q, not %q", i, got, step.bare)
			}
		}
		long := look("web1", remediate.LookScan, at(20))
		long.Bare = strings.Repeat("ü", remediate.MaxText)
		f.ok(f.SaveLook(f.ctx, long))
		if got := f.state("web1").Bare; got != remediate.ClipText(long.Bare) {
			t.Errorf("a text that is too long is kept with %d bytes", len(got))
		}
	}
}

func testRemovedAt(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(0))))
		holds := func(want time.Time) {
			t.Helper()
			if got := f.state("web1").RemovedAt; !got.Equal(want) {
				t.Errorf("removed at %v, not %v", got, want)
			}
		}
		holds(time.Time{}) // clear is not removed
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(1), kesl("1"))))
		f.ok(f.SaveLook(f.ctx, incomplete("web1", at(2))))
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookPrecheck, at(3))))
		holds(time.Time{})
		verify := look("web1", remediate.LookVerify, at(4))
		f.ok(f.CloseAttempt(f.ctx, closed(intent("a1", "web1", at(1)), at(5), removed), &verify))
		holds(at(4))
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(6))))
		f.ok(f.SaveLook(f.ctx, failedLook("web1", at(7), remediate.ClassAuth, "")))
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookPrecheck, at(8), kesl("1"))))
		holds(at(4))
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(9), kesl("1"))))
		holds(time.Time{})
		f.ok(f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(10))))
		holds(at(10))
	}
}
