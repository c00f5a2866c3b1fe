package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/campaign"
	"oust/remediate/engine"
	"oust/remediate/mandate"
	"oust/remediate/schedule"
)

// readMandate reads the mandate that a campaign names, and holds what the
// campaign says of itself against it.
func readMandate(c remediate.Campaign) (remediate.Campaign, error) {
	placed := func(key string, err error) error {
		return fmt.Errorf("%s: %w", campaign.Place(c.Dir, key), err)
	}
	var err error
	if mandate.IsFile(c.Mandate) {
		c.Terms, err = mandate.File(campaign.Path(c.Dir, c.Mandate))
	} else {
		c.Terms, err = mandate.Named(c.Mandate)
	}
	if err != nil {
		return c, placed("mandate", err)
	}
	if c.Milestones, err = schedule.Milestones(c.Terms, c.Issued, c.Finish, time.Time{}); err != nil {
		key := "issued"
		if !c.Finish.IsZero() {
			key = "finish"
		}
		return c, placed(key, err)
	}
	known := mandate.Fields(c.Terms)
	for _, name := range slices.Sorted(maps.Keys(c.Form.Fields)) {
		if err := askedFor(name, known, c.Terms.Name); err != nil {
			return c, placed("report.fields."+name, err)
		}
	}
	return c, nil
}

// askedFor refuses an answer to what nobody asks.
func askedFor(name string, known []string, mandate string) error {
	if slices.Contains(known, name) {
		return nil
	}
	if near := remediate.Nearest(name, known); near != "" {
		return fmt.Errorf("%s does not ask for it; did you mean %q?", mandate, near)
	}
	if len(known) == 0 {
		return fmt.Errorf("%s asks for no fields", mandate)
	}
	return fmt.Errorf("%s does not ask for it; it asks for %s", mandate, strings.Join(known, ", "))
}

// progress is what the campaign has done of its mandate; all are the outlooks
// of all hosts of the inventory, found is when something was first found on any
// host, also on one that has left it.
func (w *workspace) progress(ctx context.Context, all []engine.HostOutlook, found time.Time) (schedule.Progress, error) {
	p := schedule.Progress{Issued: w.campaign.Issued, Finish: w.campaign.Finish, Found: found, Hosts: len(all), Now: w.a.now()}
	exemptions, err := w.store.Exemptions(ctx)
	if err != nil {
		return p, fmt.Errorf("read the exemptions: %w", err)
	}
	exempt := map[string]time.Time{}
	for _, e := range exemptions {
		if e.Holds(p.Now) {
			exempt[e.Host] = e.At
		}
	}
	stands := make([]schedule.Stand, len(all))
	for i, h := range all {
		stands[i] = schedule.Stand{Host: h.Host, Standing: h.State.Standing, Exempt: exempt[h.Host]}
		switch {
		case stands[i].Open():
			p.Open++
		case schedule.Stand{Standing: h.State.Standing}.Open():
			p.Exempt++
		}
	}
	if p.Begun, err = w.firstRemoval(ctx); err != nil {
		return p, err
	}
	if p.Submissions, err = w.store.Submissions(ctx); err != nil {
		return p, fmt.Errorf("read the submissions: %w", err)
	}
	if p.Open > 0 {
		return p, nil
	}
	if p.Finished, err = schedule.FinishedAt(stands, w.store.LatestMoves(ctx)); err != nil {
		return p, fmt.Errorf("read since when no host is left: %w", err)
	}
	return p, nil
}

// firstRemoval is when the first script was run on a host, zero if none was.
func (w *workspace) firstRemoval(ctx context.Context) (time.Time, error) {
	for run, err := range w.store.Runs(ctx) {
		if err != nil {
			return time.Time{}, fmt.Errorf("read the runs: %w", err)
		}
		if run.Kind != "apply" && run.Kind != "retry" {
			continue
		}
		for at, err := range w.store.RunAttempts(ctx, run.ID) {
			if err != nil {
				return time.Time{}, fmt.Errorf("read the attempts: %w", err)
			}
			if at.Script != "" {
				return at.Started, nil
			}
		}
	}
	return time.Time{}, nil
}

// firstFound is the earlier of a moment and that at which something was first
// found on a host; a zero time is none.
func firstFound(found time.Time, state *remediate.HostState) time.Time {
	if at := state.FoundAt; !at.IsZero() && (found.IsZero() || at.Before(found)) {
		return at
	}
	return found
}

// milestones are the states of the mandate's days; see progress.
func (w *workspace) milestones(ctx context.Context, all []engine.HostOutlook, found time.Time) ([]schedule.MilestoneState, []schedule.DutyState, error) {
	p, err := w.progress(ctx, all, found)
	if err != nil {
		return nil, nil, err
	}
	days, err := schedule.MilestoneStates(w.campaign.Terms, p)
	if err != nil {
		return nil, nil, err
	}
	duties, err := schedule.DutyStates(w.campaign.Terms, p)
	return days, duties, err
}

// milestoneTexts tells the days of a mandate, which are those of zone; nil is UTC.
func milestoneTexts(days []schedule.MilestoneState, duties []schedule.DutyState, zone *time.Location) []string {
	if zone == nil {
		zone = time.UTC
	}
	if len(days) == 0 {
		return nil
	}
	out := []string{"", "milestones"}
	for _, d := range days {
		text := fmt.Sprintf("  %-10s  %-9s %-19s %s", d.Date, d.Name, milestoneText(d, zone), printable(d.What))
		if d.State != schedule.StateMet {
			text += " (" + printable(d.Why) + ")"
		}
		out = append(out, text)
	}
	for _, d := range duties {
		text := fmt.Sprintf("  %-10s  %-9s %-19s %s", d.Next, d.Name, dutyText(d), printable(d.What))
		if n := len(d.Missed); n > 0 {
			text += fmt.Sprintf(" (missed %s)", few(d.Missed, 60))
		}
		out = append(out, text)
	}
	return out
}

func milestoneText(d schedule.MilestoneState, zone *time.Location) string {
	switch {
	case d.State == schedule.StateMet && d.MetAt.IsZero():
		return "met"
	case d.State == schedule.StateMet && d.Late:
		return "met late " + d.MetAt.In(zone).Format(time.DateOnly)
	case d.State == schedule.StateMet:
		return "met " + d.MetAt.In(zone).Format(time.DateOnly)
	case d.State == schedule.StateWaiting:
		return d.State
	}
	return daysText(d.DaysLeft)
}

func dutyText(d schedule.DutyState) string {
	switch {
	case d.Ended:
		return "ended"
	case d.Next == "":
		return schedule.StateWaiting
	}
	return daysText(d.DaysLeft)
}

// daysText says how far away a day is that something is due on.
func daysText(days int) string {
	switch {
	case days == 0:
		return "due today"
	case days > 0:
		return "due in " + plural(days, "day")
	}
	return "late by " + plural(-days, "day")
}
