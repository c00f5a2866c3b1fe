package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/report"
	"oust/remediate/schedule"
	"oust/remediate/sqlite"
)

// newClockwork has a window on Saturdays at 22:00 UTC, for hosts of the site
// "hq" alone; a removal is expected to take an hour.
func newClockwork(t *testing.T, now time.Time) clockwork {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName), sqlite.Options{Unsigned: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	library, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	w := &workspace{a: &app{now: func() time.Time { return now }, logger: hclog.NewNullLogger()}, store: store, library: library, campaign: remediate.Campaign{
		Windows: []remediate.Window{{Days: []time.Weekday{time.Saturday}, Start: 22 * time.Hour, Length: 6 * time.Hour, Sites: []string{"hq"}}},
		Timing:  remediate.Timing{Expected: time.Hour},
	}}
	e, err := w.readingEngine()
	if err != nil {
		t.Fatal(err)
	}
	gate, err := e.NewGate(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return clockwork{gate: gate, exempt: map[string]bool{"exempt": true}, at: now, atOnce: 2}
}

func staged(name, site string, s remediate.Standing) *report.HostInput {
	return &report.HostInput{
		Host:  remediate.Host{Name: name, Site: site, Zone: "UTC"},
		State: remediate.HostState{Host: name, Standing: s, Findings: []remediate.Finding{{Playbook: "kaspersky/kesl"}}},
		Next:  report.Next{Work: string(schedule.WorkRemove)},
	}
}

// TestTimeline: what is done tells when it was; the rest goes by windows, one
// stage after the other, and what has no time is said.
func TestTimeline(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 10, 9, 0, 0, 0, time.UTC) // a Thursday
	at := func(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC) }
	removed := staged("removed", "hq", remediate.StandRemoved)
	removed.State.RemovedAt = at(3, 4)
	person := staged("person", "hq", remediate.StandPresent)
	person.Next.Work = string(schedule.WorkPerson)
	later := staged("later", "hq", remediate.StandReappeared)
	later.Next.At = at(13, 5) // after the first window
	c := newClockwork(t, now)
	var got []report.Stage
	for _, s := range []stage{
		{what: "done", hosts: []*report.HostInput{removed, staged("exempt", "hq", remediate.StandPresent)}},
		{what: "next", note: "not approved yet", hosts: []*report.HostInput{
			removed, person, staged("a", "hq", remediate.StandPresent), staged("b", "hq", remediate.StandPresent), staged("c", "hq", remediate.StandPresent),
		}},
		{what: "after", hosts: []*report.HostInput{later}},
		{what: "never", hosts: []*report.HostInput{staged("far", "branch", remediate.StandPresent), person}},
	} {
		one, err := c.stage(s)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, one)
	}
	want := []report.Stage{
		{What: "done", Hosts: 2, From: at(3, 4), To: at(3, 4), Note: "1 done; 1 exempt"},
		// Four hosts two at a time.
		{What: "next", Hosts: 5, From: at(3, 4), To: at(13, 0), Note: "not approved yet; 1 done; no time for 1 host for which a person has to do something first"},
		{What: "after", Hosts: 1, From: at(19, 22), To: at(19, 23)},
		{What: "never", Hosts: 2, Note: "no window reaches 1 host; no time for 1 host for which a person has to do something first"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	c = newClockwork(t, now)
	c.held = true
	one, err := c.stage(stage{what: "held", hosts: []*report.HostInput{later}})
	if err != nil || one.Note != "the campaign is held, so this is at the earliest" {
		t.Errorf("%+v, %v", one, err)
	}
}
