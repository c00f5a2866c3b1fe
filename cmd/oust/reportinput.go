package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/ledger"
	"oust/remediate/report"
	"oust/remediate/sqlite"
)

// snapshot is the campaign as a report tells it, now. The store is closed
// again.
func (w *workspace) snapshot(ctx context.Context, kind remediate.ReportKind, planFile string) (s report.Snapshot, err error) {
	path := filepath.Join(w.campaign.Dir, storeName)
	w.store, err = sqlite.OpenSnapshot(ctx, path, sqlite.Options{Logger: w.a.logger.Named("store"), Now: w.a.now})
	if err != nil {
		return s, err
	}
	defer func() {
		err = errors.Join(err, w.store.Close())
		w.store = nil
	}()
	in, err := w.reportInput(ctx, planFile)
	if err != nil {
		return s, err
	}
	in.Report = kind
	return report.Build(in)
}

// reportInput reads all that reports are made of from the store that is open.
// The kind is left open.
func (w *workspace) reportInput(ctx context.Context, planFile string) (in report.Input, err error) {
	in = report.Input{Now: w.a.now(), By: operator(), Campaign: w.campaign, Playbooks: reportPlaybooks(w.library)}
	for _, read := range []func(context.Context, *report.Input) error{w.readRecords, w.readLedgerHead, w.readHosts} {
		if err := read(ctx, &in); err != nil {
			return in, err
		}
	}
	if err := w.readSince(ctx, in.Playbooks, in.Now); err != nil {
		return in, err
	}
	in.Timeline, err = w.timeline(ctx, in, planFile)
	return in, err
}

// readSince notes from when on looks were compared with each playbook as it is
// now.
func (w *workspace) readSince(ctx context.Context, playbooks []report.Playbook, now time.Time) error {
	settings, err := w.store.Settings(ctx)
	if err != nil {
		return fmt.Errorf("read the settings of runs: %w", err)
	}
	since := playbooksSince(settings)
	for i := range playbooks {
		p := &playbooks[i]
		at, in := since[remediate.PlaybookRef{Name: p.Name, Digest: p.Digest}]
		if p.Since = at; !in && len(settings) > 0 {
			p.Since = now
		}
	}
	return nil
}

// playbooksSince is from which record of settings on playbooks have been in force
// up to the last; the zero time for the first record.
func playbooksSince(settings []remediate.Record) map[remediate.PlaybookRef]time.Time {
	since := map[remediate.PlaybookRef]time.Time{}
	for i, r := range settings {
		s, _ := r.Body.(remediate.Settings)
		now := make(map[remediate.PlaybookRef]time.Time, len(s.Playbooks))
		for _, p := range s.Playbooks {
			at, before := since[p]
			if !before && i > 0 {
				at = r.At
			}
			now[p] = at
		}
		since = now
	}
	return since
}

func reportPlaybooks(l *playbooks.Library) []report.Playbook {
	var out []report.Playbook
	for _, p := range l.List() {
		out = append(out, report.Playbook{Name: p.Name, Title: p.Title, Digest: p.Digest(), Embedded: p.Is(playbooks.KindEmbedded)})
	}
	return out
}

// readRecords reads what does not belong to one host.
func (w *workspace) readRecords(ctx context.Context, in *report.Input) (err error) {
	if in.CampaignID, err = w.store.CampaignID(ctx); err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	if in.Exemptions, err = w.store.Exemptions(ctx); err != nil {
		return fmt.Errorf("read the exemptions: %w", err)
	}
	if in.Submissions, err = w.store.Submissions(ctx); err != nil {
		return fmt.Errorf("read the submissions: %w", err)
	}
	for m, err := range w.store.Moves(ctx) {
		if err != nil {
			return fmt.Errorf("read how hosts stood: %w", err)
		}
		in.Moves = append(in.Moves, m)
	}
	return nil
}

// readLedgerHead finds the newest head.
func (w *workspace) readLedgerHead(ctx context.Context, in *report.Input) error {
	heads, err := w.store.Heads(ctx)
	if err != nil {
		return fmt.Errorf("read the heads of the ledger: %w", err)
	}
	if len(heads) == 0 {
		return nil
	}
	key, err := w.store.LedgerKey(ctx)
	if err != nil {
		return fmt.Errorf("read the key of the ledger: %w", err)
	}
	note := heads[len(heads)-1]
	h, err := ledger.OpenHead(note, key)
	if err != nil {
		return fmt.Errorf("the newest head of the ledger: %w; run 'oust audit'", err)
	}
	in.Ledger = report.Head{Size: h.Size, Root: base64.StdEncoding.EncodeToString(h.Root[:]), Key: key, Note: note}
	return nil
}

// readHosts reads how every host stands, what was ever found on it, and what it
// needs next.
func (w *workspace) readHosts(ctx context.Context, in *report.Input) error {
	e, err := w.readingEngine()
	if err != nil {
		return err
	}
	outlook, err := e.Outlook(ctx, w.hosts, w.hosts)
	if err != nil {
		return err
	}
	in.Held, in.Waves = outlook.Held, reportWaves(outlook.Waves)
	row := make(map[string]int, len(w.hosts))
	in.Hosts = make([]report.HostInput, len(w.hosts))
	for i, h := range w.hosts {
		row[h.Name] = i
		o := &outlook.Hosts[i]
		in.Hosts[i] = report.HostInput{Host: h, State: *o.State, Next: report.Next{Work: string(o.Work), At: o.At, Person: o.Person, Why: o.Why}}
	}
	var seen everSeen
	for state, err := range w.store.HostStates(ctx) {
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		seen.add(&state)
		if _, known := row[state.Host]; !known {
			in.Gone = append(in.Gone, state.Host)
			if !state.FoundAt.IsZero() {
				in.GoneFound++
			}
		}
	}
	reckoned, err := w.milestones(ctx, outlook.Hosts, &seen)
	if err != nil {
		return err
	}
	in.GoneOpen = reckoned.left
	for _, d := range reckoned.days {
		in.Milestones = append(in.Milestones, report.MilestoneState(d))
	}
	for _, d := range reckoned.duties {
		in.Duties = append(in.Duties, report.DutyState(d))
	}
	return w.readSightings(ctx, in, row)
}

// readSightings notes what was ever found on the hosts.
func (w *workspace) readSightings(ctx context.Context, in *report.Input, row map[string]int) error {
	for x, err := range w.store.Sightings(ctx) {
		if err != nil {
			return fmt.Errorf("read what looks found: %w", err)
		}
		i, known := row[x.Host]
		if !known {
			continue
		}
		h := &in.Hosts[i]
		for _, f := range x.Findings {
			thing := report.FoundThing{Playbook: f.Playbook, Title: f.Product, Version: f.Version, Kind: f.Kind}
			if !slices.Contains(h.Ever, thing) {
				h.Ever = append(h.Ever, thing)
			}
		}
	}
	return nil
}

func reportWaves(waves []engine.WaveOutlook) []report.Wave {
	out := make([]report.Wave, len(waves))
	for i, w := range waves {
		out[i] = report.Wave{
			Plan: w.Plan, Wave: w.Wave, Approved: w.Approved.UTC(), Hosts: w.Hosts, Done: w.Done, Failed: w.Failed,
			Unreachable: w.Unreachable, Waiting: w.Waiting, Other: w.Other, Current: w.Current,
		}
	}
	return out
}
