package schedule

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"oust/remediate"
)

var planner = Planner{Rules: RetryRules(nil, remediate.WatchSettings{}), Reverify: Reverify()}

func present() View {
	return View{
		State: &remediate.HostState{Host: "h", Standing: remediate.StandPresent, SeenAt: noon.Add(-time.Hour), BootID: "b1",
			Findings: []remediate.Finding{{Playbook: "acme/widget"}}},
		Planned: remediate.Planned{Host: "h", Plan: "p", Wave: 2, At: noon.Add(-time.Minute)},
	}
}

// TestDecide goes through what docs/how-it-works.md says of each host.
func TestDecide(t *testing.T) {
	with := func(change func(*View)) View {
		v := present()
		change(&v)
		return v
	}
	failed := func(class remediate.Class, tries int, ago time.Duration) func(*View) {
		return func(v *View) {
			v.State.Class, v.State.Tries, v.State.FailedAt = class, tries, noon.Add(-ago)
			v.State.Last, v.State.LastAt = remediate.Failed(class, ""), noon.Add(-ago)
		}
	}
	removed := func(ago, seen time.Duration) View {
		return View{State: &remediate.HostState{Host: "h", Standing: remediate.StandRemoved, RemovedAt: noon.Add(-ago), SeenAt: noon.Add(-seen)}}
	}
	const day = 24 * time.Hour
	tests := []struct {
		name string
		view View
		want Next // Why and the jitter of At are left out
	}{
		{"never seen", View{State: &remediate.HostState{Host: "h", Standing: remediate.StandUnseen}}, Next{Work: WorkLook, At: noon}},
		{"never recorded", View{State: &remediate.HostState{Host: "h"}}, Next{Work: WorkLook, At: noon}},
		{"planned", present(), Next{Work: WorkRemove, At: noon, First: true}},
		{"in no plan", with(func(v *View) { v.Planned = remediate.Planned{} }), Next{Work: WorkPlan, Person: true}},
		{"an open attempt comes first", with(func(v *View) { v.Open = true; v.ExemptUntil = noon.Add(day) }), Next{Work: WorkJoin, At: noon, First: true}},
		{"exempt", with(func(v *View) { v.ExemptUntil = noon.Add(day) }), Next{Work: WorkExempt, At: noon.Add(day)}},
		{"exempt no more", with(func(v *View) { v.ExemptUntil = noon }), Next{Work: WorkRemove, At: noon, First: true}},
		{"deferred, its turn is still to come", with(func(v *View) {
			v.State.Last, v.State.LastAt = remediate.Outcome{Kind: remediate.OutcomeNotStarted}, noon
		}), Next{Work: WorkRemove, At: noon, First: true}},
		{"it had its turn", with(func(v *View) { v.State.Last, v.State.LastAt = remediate.Outcome{Kind: remediate.OutcomeStale}, noon }),
			Next{Work: WorkRemove, At: noon}},
		{"unreachable: watched, though it counts as a turn", with(failed(remediate.ClassUnreachable, 1, 0)),
			Next{Work: WorkRemove, At: noon.Add(10 * time.Minute), Watch: true}},
		{"unreachable for a week: a person is told", with(func(v *View) {
			failed(remediate.ClassUnreachable, 1, 8*day)(v)
			v.Planned.At = noon.Add(-9 * day)
		}),
			Next{Work: WorkRemove, At: noon.Add(10*time.Minute - 8*day), Watch: true, Person: true}},
		{"unreachable before it was planned: tried at once, since waves wait", with(failed(remediate.ClassUnreachable, 1, time.Hour)),
			Next{Work: WorkRemove, At: noon, First: true}},
		{"failed for the second time", with(failed(remediate.ClassUninstaller, 2, 0)), Next{Work: WorkRemove, At: noon.Add(2 * time.Hour)}},
		{"failed too often: a person, and a look a day", with(failed(remediate.ClassUninstaller, 3, 0)),
			Next{Work: WorkPerson, Person: true, At: noon.Add(day)}},
		{"a wrong password: a person alone", with(failed(remediate.ClassAuth, 1, 0)), Next{Work: WorkPerson, Person: true}},
		{"a look that failed", View{State: &remediate.HostState{Host: "h", Standing: remediate.StandUnseen, Class: remediate.ClassBusy, Tries: 1, FailedAt: noon}},
			Next{Work: WorkLook, At: noon.Add(5 * time.Minute)}},
		{"a restart that oust may do", with(func(v *View) {
			v.Restarts, v.State.Last = true, remediate.Outcome{Kind: remediate.OutcomeRebootPending}
		}), Next{Work: WorkRestart, At: noon}},
		{"a restart that is a person's", with(func(v *View) { v.State.Last = remediate.Outcome{Kind: remediate.OutcomeRebootPending} }),
			Next{Work: WorkVerify, At: noon.Add(day - time.Hour)}},
		{"clear", View{State: &remediate.HostState{Host: "h", Standing: remediate.StandClear, SeenAt: noon}}, Next{Work: WorkNone}},
		{"removed: after a day", removed(time.Hour, time.Hour), Next{Work: WorkVerify, At: noon.Add(day - time.Hour)}},
		{"removed: after a week", removed(2*day, day/2), Next{Work: WorkVerify, At: noon.Add(5 * day)}},
		{"removed, and looked at often enough", removed(30*day, day), Next{Work: WorkNone}},
		{"removed, and nobody looked for a month", removed(30*day, 30*day), Next{Work: WorkVerify, At: noon.Add(-29 * day)}},
		{"reappeared", with(func(v *View) {
			v.State.Standing = remediate.StandReappeared
			v.State.Last.Kind, v.State.LastAt = remediate.OutcomeRemoved, noon
		}),
			Next{Work: WorkRemove, At: noon}},
		{"bare", func() View {
			v := removed(time.Hour, 0)
			v.State.Bare, v.State.BareSince = "nothing", noon.Add(-time.Hour)
			return v
		}(), Next{Work: WorkVerify, At: noon.Add(time.Hour)}},
		{"bare for long: a person is told", func() View {
			v := removed(2*time.Hour, 0)
			v.State.Bare, v.State.BareSince = "nothing", noon.Add(-2*time.Hour)
			return v
		}(), Next{Work: WorkVerify, At: noon.Add(2 * time.Hour), Person: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := planner.Decide(tt.view, noon)
			if late := got.At.Sub(tt.want.At); late < 0 || late > 4*time.Hour {
				t.Errorf("due %v, want %v or a little later", got.At, tt.want.At)
			}
			if got.Why == "" {
				t.Error("it does not say why")
			}
			got.At, got.Why, tt.want.At = time.Time{}, "", time.Time{}
			if got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestDecideProperties: whatever a store holds, and wherever the clock was set
// to, a host is not forgotten, and not tried before its time.
func TestDecideProperties(t *testing.T) {
	drawTime := func(t *rapid.T, label string) time.Time {
		if rapid.IntRange(0, 4).Draw(t, label+" is set") == 0 {
			return time.Time{}
		}
		return noon.Add(time.Duration(rapid.IntRange(-90*24, 90*24).Draw(t, label)) * time.Hour)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := View{
			State: &remediate.HostState{
				Host: "h", Standing: rapid.SampledFrom(remediate.Standings()).Draw(t, "standing"),
				SeenAt: drawTime(t, "seen"), FailedAt: drawTime(t, "failed"), RemovedAt: drawTime(t, "removed"), LastAt: drawTime(t, "last"),
				Last: remediate.Outcome{Kind: rapid.SampledFrom(append(remediate.Outcomes(), "")).Draw(t, "outcome")},
			},
			Open: rapid.Bool().Draw(t, "open"), Restarts: rapid.Bool().Draw(t, "restarts"), ExemptUntil: drawTime(t, "exempt"),
		}
		if rapid.Bool().Draw(t, "planned") {
			v.Planned = remediate.Planned{Host: "h", Plan: "p", Wave: 1, At: drawTime(t, "approved")}
		}
		if rapid.Bool().Draw(t, "fails") {
			v.State.Class, v.State.Tries = rapid.SampledFrom(remediate.Classes()).Draw(t, "class"), rapid.IntRange(1, 40).Draw(t, "tries")
		}
		n := planner.Decide(v, noon)
		found := v.State.Standing == remediate.StandPresent || v.State.Standing == remediate.StandReappeared
		switch {
		case n.Why == "":
			t.Fatalf("%+v: no reason", n)
		case found && n.Work == WorkNone:
			t.Fatalf("a host with a product is forgotten: %+v", n)
		case n.Work == WorkRemove && (!found || v.Planned.Host == "" || v.Open || noon.Before(v.ExemptUntil)):
			t.Fatalf("removed from a host that is not to be changed: %+v", n)
		case n.Work == WorkRestart && !v.Restarts:
			t.Fatalf("restarted without leave: %+v", n)
		case n.At.IsZero() && n.Work != WorkNone && !n.Person:
			t.Fatalf("due never, and no person is told: %+v", n)
		case n.At.After(noon.Add(31*24*time.Hour)) && n.Work != WorkExempt:
			t.Fatalf("put off for more than a month: %+v", n)
		}
	})
}
