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

// everSeen is what is known of all hosts together, those that have left the
// inventory included.
type everSeen struct {
	found time.Time // when something was first found on any, zero if never
	had   []hadHost // by name
}

// hadHost is a host that had it when it was last seen.
type hadHost struct {
	schedule.Stand
	seen time.Time
}

// add takes a host in.
func (e *everSeen) add(s *remediate.HostState) {
	if at := s.FoundAt; !at.IsZero() && (e.found.IsZero() || at.Before(e.found)) {
		e.found = at
	}
	if had(s) {
		e.had = append(e.had, hadHost{schedule.Stand{Host: s.Host, Standing: s.Standing}, s.SeenAt})
	}
}

func had(s *remediate.HostState) bool {
	return s.Standing == remediate.StandPresent || s.Standing == remediate.StandReappeared
}

// left are those that had it and are not in the inventory, all of whose hosts
// are given.
func (e *everSeen) left(inventory []engine.HostOutlook) []hadHost {
	n := 0
	for i := range inventory {
		if had(inventory[i].State) {
			n++
		}
	}
	if n == len(e.had) {
		return nil
	}
	here := make(map[string]bool, n)
	for _, h := range inventory {
		if had(h.State) {
			here[h.Host] = true
		}
	}
	var out []hadHost
	for _, h := range e.had {
		if !here[h.Host] {
			out = append(out, h)
		}
	}
	return out
}

// progress is what the campaign has done of its mandate; all are the outlooks
// of all hosts of the inventory.
func (w *workspace) progress(ctx context.Context, all []engine.HostOutlook, seen *everSeen) (schedule.Progress, error) {
	p := schedule.Progress{Issued: w.campaign.Issued, Finish: w.campaign.Finish, Found: seen.found, Hosts: len(all), Now: w.a.now()}
	exemptions, err := w.store.Exemptions(ctx)
	if err != nil {
		return p, fmt.Errorf("read the exemptions: %w", err)
	}
	exempt, retired := exemptSince(exemptions, p.Now), map[string]time.Time{}
	for _, e := range exemptions {
		if e.Retires(p.Now) {
			retired[e.Host] = e.At
		}
	}
	left := seen.left(all)
	for i := range left {
		h := &left[i]
		h.Exempt = exempt[h.Host]
		if at := retired[h.Host]; at.After(h.seen) { // else it has come back since
			h.Exempt = at
		}
		if h.Exempt.IsZero() {
			p.Left = append(p.Left, h.Host)
		}
	}
	for i := range all {
		if (schedule.Stand{Standing: all[i].State.Standing}).Open() {
			if exempt[all[i].Host].IsZero() {
				p.Open++
			} else {
				p.Exempt++
			}
		}
	}
	if p.Begun, err = w.firstRemoval(ctx); err != nil {
		return p, err
	}
	if p.Submissions, err = w.store.Submissions(ctx); err != nil {
		return p, fmt.Errorf("read the submissions: %w", err)
	}
	if p.Open > 0 || len(p.Left) > 0 {
		return p, nil
	}
	stands := make([]schedule.Stand, 0, len(all)+len(left))
	for i := range all {
		stands = append(stands, schedule.Stand{Host: all[i].Host, Standing: all[i].State.Standing, Exempt: exempt[all[i].Host]})
	}
	for _, h := range left {
		stands = append(stands, h.Stand)
	}
	if p.Finished, err = schedule.FinishedAt(stands, w.store.LatestMoves(ctx)); err != nil {
		return p, fmt.Errorf("read since when no host is left: %w", err)
	}
	return p, nil
}

// exemptSince is since when the hosts that are exempt now have been so without
// a break: a renewal goes on with the exemption whose place it takes. The
// exemptions come oldest first.
func exemptSince(exemptions []remediate.Exemption, now time.Time) map[string]time.Time {
	since, upTo := map[string]time.Time{}, map[string]time.Time{}
	for _, e := range exemptions {
		if e.Ground == remediate.GroundRetired || e.At.After(now) {
			continue
		}
		if end, had := upTo[e.Host]; !had || e.At.After(end) {
			since[e.Host] = e.At
		}
		upTo[e.Host] = e.Until
		if !e.Ended.IsZero() && e.Ended.Before(e.Until) {
			upTo[e.Host] = e.Ended
		}
	}
	maps.DeleteFunc(since, func(host string, _ time.Time) bool { return !now.Before(upTo[host]) })
	return since
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

// reckoning is how far a campaign is.
type reckoning struct {
	days   []schedule.MilestoneState
	duties []schedule.DutyState
	left   []string // see schedule.Progress
}

// milestones are the states of the mandate's days; see progress.
func (w *workspace) milestones(ctx context.Context, all []engine.HostOutlook, seen *everSeen) (r reckoning, err error) {
	p, err := w.progress(ctx, all, seen)
	if err != nil {
		return r, err
	}
	r.left = p.Left
	if r.days, err = schedule.MilestoneStates(w.campaign.Terms, p); err != nil {
		return r, err
	}
	r.duties, err = schedule.DutyStates(w.campaign.Terms, p)
	return r, err
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
		if d.State != schedule.StateMet || strings.Contains(d.Why, schedule.ButExempt) {
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
