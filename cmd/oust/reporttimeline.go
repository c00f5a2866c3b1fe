package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/report"
	"oust/remediate/schedule"
)

// stage is a wave of a plan, with those of the inventory's hosts that are in it.
type stage struct {
	what  string
	note  string
	hosts []*report.HostInput
}

// timeline tells when removals are to happen, and happened: the waves of a plan
// file where one is named, else those of the approved plans, else those of the
// newest plan file in the campaign's folder. Hosts that have something on them
// and are in no wave come last.
func (w *workspace) timeline(ctx context.Context, in report.Input, planFile string) ([]report.Stage, error) {
	byName := make(map[string]*report.HostInput, len(in.Hosts))
	for i := range in.Hosts {
		byName[in.Hosts[i].Host.Name] = &in.Hosts[i]
	}
	stages, err := w.stages(ctx, byName, in.CampaignID, planFile)
	if err != nil {
		return nil, err
	}
	exempt := exemptNow(in.Exemptions, in.Now)
	staged := map[*report.HostInput]bool{}
	for _, s := range stages {
		for _, h := range s.hosts {
			staged[h] = true
		}
	}
	rest := stage{what: report.InNoPlan, note: "make a plan with 'oust plan'"}
	for i := range in.Hosts {
		if h := &in.Hosts[i]; !staged[h] && !exempt[h.Host.Name] && toRemove(h) {
			rest.hosts = append(rest.hosts, h)
		}
	}
	e, err := w.readingEngine()
	if err != nil {
		return nil, err
	}
	gate, err := e.NewGate(ctx, false)
	if err != nil {
		return nil, err
	}
	c := clockwork{gate: gate, exempt: exempt, at: in.Now, atOnce: max(w.campaign.Limits.Hosts, 1), held: in.Held != nil}
	var out []report.Stage
	for _, s := range stages {
		one, err := c.stage(s)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	if len(rest.hosts) > 0 && len(out) > 0 {
		out = append(out, report.Stage{What: rest.what, Hosts: len(rest.hosts), Note: rest.note})
	}
	return out, nil
}

func exemptNow(all []remediate.Exemption, now time.Time) map[string]bool {
	out := map[string]bool{}
	for _, e := range all {
		if e.Holds(now) {
			out[e.Host] = true
		}
	}
	return out
}

// toRemove reports whether something is to be removed from a host.
func toRemove(h *report.HostInput) bool {
	return h.State.Standing == remediate.StandPresent || h.State.Standing == remediate.StandReappeared
}

// stages are the waves in their order.
func (w *workspace) stages(ctx context.Context, byName map[string]*report.HostInput, campaignID, planFile string) ([]stage, error) {
	if planFile != "" {
		p, err := readPlanFile(planFile)
		if err != nil {
			return nil, err
		}
		if p.CampaignID != campaignID {
			return nil, fmt.Errorf("--plan %s: it is a plan of another campaign, %s", planFile, printable(p.Campaign))
		}
		return planStages(p, filepath.Base(planFile), byName), nil
	}
	approved, err := w.approvedStages(ctx, byName)
	if err != nil || len(approved) > 0 {
		return approved, err
	}
	p, name, err := w.newestPlan(campaignID)
	if p == nil || err != nil {
		return nil, err
	}
	return planStages(p, name, byName), nil
}

// approvedStages are the waves of the plans that were approved.
func (w *workspace) approvedStages(ctx context.Context, byName map[string]*report.HostInput) ([]stage, error) {
	type wave struct {
		plan   string
		number int
	}
	at := map[wave]int{}
	var waves []wave
	var approvals []time.Time
	var out []stage
	for p, err := range w.store.PlannedHosts(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the approved plans: %w", err)
		}
		h := byName[p.Host]
		if h == nil {
			continue
		}
		id := wave{p.Plan, p.Wave}
		i, known := at[id]
		if !known {
			i = len(out)
			at[id] = i
			waves, approvals = append(waves, id), append(approvals, p.At)
			out = append(out, stage{what: fmt.Sprintf("Wave %d of the plan approved %s", p.Wave, p.At.UTC().Format(time.DateOnly))})
		}
		out[i].hosts = append(out[i].hosts, h)
	}
	order := make([]int, len(out))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int {
		return cmp.Or(approvals[x].Compare(approvals[y]), cmp.Compare(waves[x].plan, waves[y].plan), cmp.Compare(waves[x].number, waves[y].number))
	})
	sorted := make([]stage, len(out))
	for i, o := range order {
		sorted[i] = out[o]
	}
	return sorted, nil
}

// planStages are the waves of a plan file.
func planStages(p *remediate.Plan, name string, byName map[string]*report.HostInput) []stage {
	out := make([]stage, len(p.Waves))
	for i := range out {
		out[i] = stage{what: fmt.Sprintf("Wave %d of %s", i+1, printable(name)), note: "not approved yet"}
	}
	for _, h := range p.Hosts {
		if host := byName[h.Name]; host != nil && h.Wave >= 1 && h.Wave <= len(out) {
			out[h.Wave-1].hosts = append(out[h.Wave-1].hosts, host)
		}
	}
	return slices.DeleteFunc(out, func(s stage) bool { return len(s.hosts) == 0 })
}

// newestPlan is the newest plan of the campaign among the files of its folder,
// nil if there is none.
func (w *workspace) newestPlan(campaignID string) (newest *remediate.Plan, name string, err error) {
	files, err := os.ReadDir(w.campaign.Dir)
	if err != nil {
		return nil, "", fmt.Errorf("look for plan files: %w", err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() || filepath.Ext(f.Name()) != ".json" {
			continue
		}
		file := filepath.Join(w.campaign.Dir, f.Name())
		p, err := readPlanFile(file)
		if _, refused := errors.AsType[*engine.RefusedError](err); refused || errors.Is(err, os.ErrNotExist) {
			continue // not a plan, or not one that could be applied
		}
		if err != nil {
			return nil, "", err
		}
		if p.CampaignID == campaignID && (newest == nil || p.Created.After(newest.Created)) {
			newest, name = p, f.Name()
		}
	}
	return newest, name, nil
}

// clockwork tells when stages can happen, one after the other.
type clockwork struct {
	gate   *engine.Gate
	exempt map[string]bool
	at     time.Time // when the next stage can begin
	atOnce int       // hosts
	held   bool
}

// stage says from when to when: for what is done, the removals; for the rest
// what windows and expected durations allow, if all goes well.
func (c *clockwork) stage(s stage) (report.Stage, error) {
	out := report.Stage{What: s.what, Hosts: len(s.hosts)}
	var left []*report.HostInput
	exempt := 0
	for _, h := range s.hosts {
		switch {
		case c.exempt[h.Host.Name]:
			exempt++
		case !toRemove(h):
			out.From, out.To = spread(out.From, out.To, h.State.RemovedAt)
		default:
			left = append(left, h)
		}
	}
	notes := []string{}
	if s.note != "" {
		notes = append(notes, s.note)
	}
	switch done := len(s.hosts) - len(left) - exempt; {
	case done > 0 && done == len(s.hosts):
		notes = append(notes, "done")
	case done > 0:
		notes = append(notes, thousands(done)+" done")
	}
	if exempt > 0 {
		notes = append(notes, thousands(exempt)+" exempt")
	}
	n, err := c.span(left, &out)
	if err != nil {
		return out, err
	}
	if n.never > 0 {
		notes = append(notes, "no window reaches "+plural(n.never, "host"))
	}
	if n.person > 0 {
		notes = append(notes, "no time for "+plural(n.person, "host")+" for which a person has to do something first")
	}
	if c.held && len(left) > 0 {
		notes = append(notes, "the campaign is held, so this is at the earliest")
	}
	out.Note = strings.Join(notes, "; ")
	return out, nil
}

// timeless counts hosts for which no time can be given.
type timeless struct{ never, person int }

// span fills in from when to when the hosts that are left can be changed, and
// moves the clock to their end.
func (c *clockwork) span(left []*report.HostInput, out *report.Stage) (n timeless, err error) {
	turns := (len(left) + c.atOnce - 1) / c.atOnce
	end := c.at
	for _, h := range left {
		if h.Next.Work == string(schedule.WorkPerson) {
			n.person++
			continue
		}
		at := c.at
		if h.Next.At.After(at) {
			at = h.Next.At
		}
		need := c.gate.Need(engine.PlaybookNames(h.State.Findings))
		o, err := c.gate.At(h.Host, at, need)
		switch {
		case err != nil:
			return n, fmt.Errorf("host %s: %w", h.Host.Name, err)
		case o.Never:
			n.never++
			continue
		case !o.Open:
			at = o.Next
		}
		done := at.Add(need * time.Duration(turns))
		out.From, out.To = spread(out.From, out.To, at.UTC())
		out.From, out.To = spread(out.From, out.To, done.UTC())
		_, end = spread(at, end, done)
	}
	c.at = end
	return n, nil
}

// spread widens a span by a time, if there is one.
func spread(from, to, at time.Time) (time.Time, time.Time) {
	if at.IsZero() {
		return from, to
	}
	if from.IsZero() || at.Before(from) {
		from = at
	}
	if to.IsZero() || at.After(to) {
		to = at
	}
	return from, to
}
