package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// jobDone is an attempt that goes through the phases to its outcome.
type jobDone struct {
	started, ended int // minutes
	outcome        remediate.OutcomeKind
	phases         []remediate.Phase
	playbooks      []string
}

func (j jobDone) play(f fixture, id string) {
	f.Helper()
	a := intent(id, "web1", at(j.started))
	a.Playbooks = j.playbooks
	f.ok(f.BeginAttempt(f.ctx, a))
	for _, phase := range j.phases {
		a.Phase, a.Updated = phase, at(j.started+1)
		f.ok(f.SaveAttempt(f.ctx, a))
	}
	o := remediate.Outcome{Kind: j.outcome}
	if j.outcome == remediate.OutcomeFailed {
		o.Class = remediate.ClassUninstaller
	}
	f.ok(f.CloseAttempt(f.ctx, closed(a, at(j.ended), o), nil))
}

func testDurations(t *testing.T, open Open) {
	t.Run("of each playbook, newest first", testNewestDurations(open))
	t.Run("of jobs that ran to a good end", testWhichDurations(open))
	t.Run("until the outcome, not the cleaning", func(t *testing.T) {
		f := begin(t, open)
		a := intent("a1", "web1", at(0))
		f.ok(f.BeginAttempt(f.ctx, a))
		a.Phase, a.Updated = remediate.PhaseLaunched, at(1)
		f.ok(f.SaveAttempt(f.ctx, a))
		a = closed(a, at(7), removed)
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		a.Updated = at(8)
		f.ok(f.CloseAttempt(f.ctx, a, nil))
		a.Phase, a.Updated = remediate.PhaseCleaned, at(5000)
		f.ok(f.SaveAttempt(f.ctx, a))
		f.holdsDurations(9, map[string][]int{"kaspersky/kesl": {7}})
	})
	t.Run("of one moment, the later begun first", func(t *testing.T) {
		f := begin(t, open)
		for i, started := range []int{3, 1, 2} {
			jobDone{started, 9, remediate.OutcomeRemoved, launched, []string{"a"}}.play(f, fmt.Sprint("a", i))
		}
		f.holdsDurations(2, map[string][]int{"a": {7, 8}})
	})
}

var launched = []remediate.Phase{remediate.PhaseLaunched}

func testNewestDurations(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		f.holdsDurations(5, map[string][]int{})
		for i, j := range []jobDone{
			{0, 10, remediate.OutcomeRemoved, launched, []string{"a", "b"}},
			{0, 40, remediate.OutcomeRemoved, launched, []string{"a", "a"}},
			{1, 30, remediate.OutcomeRebootPending, launched, []string{"a"}},
			{50, 52, remediate.OutcomeRemoved, launched, []string{"c"}},
			{60, 60, remediate.OutcomeRemoved, launched, []string{"b"}},
		} {
			j.play(f, fmt.Sprint("a", i))
		}
		f.holdsDurations(5, map[string][]int{"a": {40, 29, 10}, "b": {0, 10}, "c": {2}})
		f.holdsDurations(2, map[string][]int{"a": {40, 29}, "b": {0, 10}, "c": {2}})
		f.holdsDurations(1, map[string][]int{"a": {40}, "b": {0}, "c": {2}})
		f.holdsDurations(0, map[string][]int{})
		f.holdsDurations(-1, map[string][]int{})
	}
}

func testWhichDurations(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		want := map[string][]int{}
		for _, kind := range remediate.Outcomes() {
			name := "after " + string(kind)
			jobDone{0, 3, kind, launched, []string{name}}.play(f, name)
			if kind == remediate.OutcomeRemoved || kind == remediate.OutcomeRebootPending {
				want[name] = []int{3}
			}
		}
		for _, phase := range []remediate.Phase{remediate.PhaseLaunched, remediate.PhaseRunning, remediate.PhaseEnded} {
			name := "by way of " + string(phase)
			jobDone{0, 4, remediate.OutcomeRemoved, []remediate.Phase{phase}, []string{name}}.play(f, name)
			want[name] = []int{4}
		}
		jobDone{0, 5, remediate.OutcomeRemoved, nil, []string{"not launched"}}.play(f, "a1")
		jobDone{6, 5, remediate.OutcomeRemoved, launched, []string{"a clock set back"}}.play(f, "a2")
		jobDone{0, 5, remediate.OutcomeRemoved, launched, nil}.play(f, "a3")
		never := closed(intent("a4", "web1", at(0)), at(5), removed)
		never.Playbooks = []string{"never begun"}
		f.ok(f.CloseAttempt(f.ctx, never, nil))
		f.holdsDurations(5, want)
	}
}

// holdsDurations compares the durations, in minutes.
func (f fixture) holdsDurations(limit int, want map[string][]int) {
	f.Helper()
	durations, err := f.Durations(f.ctx, limit)
	f.ok(err)
	got := map[string][]int{}
	for playbook, list := range durations {
		for _, d := range list {
			got[playbook] = append(got[playbook], int(d/time.Minute))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("durations (-want +got):\n%s", diff)
	}
}
