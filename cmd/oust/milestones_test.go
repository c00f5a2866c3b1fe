package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/schedule"
)

// TestExemptSince: a renewal does not move the day on which a campaign was
// finished; one after a break does.
func TestExemptSince(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 10, n, 9, 0, 0, 0, time.UTC) }
	x := func(host string, at, until, ended int) remediate.Exemption {
		e := remediate.Exemption{Host: host, At: day(at), Until: day(until)}
		if ended > 0 {
			e.Ended = day(ended)
		}
		return e
	}
	retired := x("retired", 2, 30, 0)
	retired.Ground = remediate.GroundRetired
	got := exemptSince([]remediate.Exemption{
		x("renewed", 1, 10, 5), x("broken", 1, 5, 0), retired, x("over", 2, 9, 0), x("ended", 2, 30, 9),
		x("renewed", 5, 12, 0), x("broken", 6, 20, 0), x("renewed", 12, 20, 0), x("later", 13, 20, 0),
	}, day(12))
	if d := cmp.Diff(map[string]time.Time{"renewed": day(1), "broken": day(6)}, got); d != "" {
		t.Error(d)
	}
}

// TestPlaybooksSince: a playbook that was changed, or that was out of force for a
// while, counts from the run that brought it.
func TestPlaybooksSince(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Date(2026, 10, n, 9, 0, 0, 0, time.UTC) }
	ref := func(name, digest string) remediate.PlaybookRef {
		return remediate.PlaybookRef{Name: name, Digest: digest}
	}
	var settings []remediate.Record
	for i, refs := range [][]remediate.PlaybookRef{
		{ref("a", "1"), ref("b", "1"), ref("c", "1"), ref("gone", "1")},
		{ref("a", "1"), ref("b", "2")},
		{ref("a", "1"), ref("b", "2"), ref("c", "1"), ref("new", "1")},
	} {
		settings = append(settings, remediate.Record{At: at(i + 1), Body: remediate.Settings{Playbooks: refs}})
	}
	want := map[remediate.PlaybookRef]time.Time{ref("a", "1"): {}, ref("b", "2"): at(2), ref("c", "1"): at(3), ref("new", "1"): at(3)}
	if d := cmp.Diff(want, playbooksSince(settings)); d != "" {
		t.Error(d)
	}
}

func TestMilestoneTexts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 20, 9, 0, 0, 0, time.UTC)
	days := []schedule.MilestoneState{
		{Name: "identify", What: "say it", Date: "2026-10-31", State: schedule.StateMet, MetAt: at, DaysLeft: -9, Why: "handed in"},
		{Name: "plan", What: "plan it", Date: "2026-10-11", State: schedule.StateMet, Late: true, MetAt: at, DaysLeft: -29},
		{Name: "begin", What: "begin it", Date: "2026-11-09", State: schedule.StateDue, Why: "no removal has begun"},
		{Name: "half", What: "half of it", Date: "2026-11-10", State: schedule.StateDue, DaysLeft: 1, Why: "9 of 9 hosts"},
		{Name: "finish", What: "end\x1b it", Date: "2026-11-08", State: schedule.StateLate, Late: true, DaysLeft: -1, Why: "9 of 9 hosts"},
		{Name: "clear", What: "all of it", Date: "2026-11-08", State: schedule.StateMet},
		{Name: "but", What: "all of it", Date: "2026-11-08", State: schedule.StateMet, Why: "no host is left, but for 1 that is exempt"},
		{Name: "tell", What: "tell it", State: schedule.StateWaiting, Why: "nothing was found yet"},
	}
	duties := []schedule.DutyState{
		{Name: "status", What: "say how it goes", Next: "2026-12-09", DaysLeft: 30, Missed: []string{"2026-10-10", "2026-11-08"}},
		{Name: "old", What: "said", Ended: true},
		{Name: "new", What: "to be said"},
	}
	want := []string{
		"", "milestones",
		"  2026-10-31  identify  met 2026-10-20      say it",
		"  2026-10-11  plan      met late 2026-10-20 plan it",
		"  2026-11-09  begin     due today           begin it (no removal has begun)",
		"  2026-11-10  half      due in 1 day        half of it (9 of 9 hosts)",
		"  2026-11-08  finish    late by 1 day       end? it (9 of 9 hosts)",
		"  2026-11-08  clear     met                 all of it",
		"  2026-11-08  but       met                 all of it (no host is left, but for 1 that is exempt)",
		"              tell      waiting             tell it (nothing was found yet)",
		"  2026-12-09  status    due in 30 days      say how it goes (missed 2026-10-10, 2026-11-08)",
		"              old       ended               said",
		"              new       waiting             to be said",
	}
	if d := cmp.Diff(want, milestoneTexts(days, duties, nil)); d != "" {
		t.Error(d)
	}
	if got := milestoneTexts(nil, duties, nil); got != nil {
		t.Errorf("without milestones: %q", got)
	}
	sydney, err := time.LoadLocation("Australia/Sydney")
	if err != nil {
		t.Fatal(err)
	}
	evening := schedule.MilestoneState{State: schedule.StateMet, Late: true, MetAt: time.Date(2025, 4, 1, 13, 10, 0, 0, time.UTC)}
	if got, want := milestoneText(evening, sydney), "met late 2025-04-02"; got != want {
		t.Errorf("%q, want %q: the day is that of the mandate's zone", got, want)
	}
}
