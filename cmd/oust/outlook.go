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

	"github.com/sourcegraph/conc"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
	"oust/transports"
)

// errReading is what a dial of an engine ends with that is only there to read.
var errReading = errors.New("this command reaches no host")

// readingEngine reads the store and reaches no host; it resolves no secret.
func (w *workspace) readingEngine() (*engine.Engine, error) {
	drafts := newDraftFile(w.campaign.Dir, engine.DraftBasis(w.library, w.campaign), w.a.logger.Named("drafts"))
	w.a.closers = append(w.a.closers, drafts)
	return engine.New(engine.Config{
		Drafts: drafts, Store: w.store, Library: w.library, Campaign: w.campaign, Now: w.a.now, Logger: w.a.logger.Named("engine"),
		Dialer: transports.DialerFunc(func(context.Context, transports.Target) (transports.Conn, error) { return nil, errReading }),
		Target: func(remediate.Host) (transports.Target, error) { return transports.Target{}, errReading },
	})
}

// largeStore is how many bytes a store has for which it pays to make room.
const largeStore = 128 << 20

// openRecords reads the campaign and, at the same time, its inventory and what
// its store has of the hosts.
func (a *app) openRecords(ctx context.Context) (*workspace, *engine.Engine, *engine.Records, error) {
	w, err := a.readCampaign()
	if err != nil {
		return nil, nil, nil, err
	}
	if info, err := os.Stat(filepath.Join(w.campaign.Dir, storeName)); err == nil && info.Size() > largeStore {
		makeRoom()
	}
	var e *engine.Engine
	var records *engine.Records
	var recordsErr error
	var wg conc.WaitGroup
	wg.Go(func() {
		if recordsErr = w.openStoreToRead(ctx); recordsErr != nil {
			return
		}
		if e, recordsErr = w.readingEngine(); recordsErr == nil {
			records, recordsErr = e.Records(ctx, false)
		}
	})
	err = w.readInventory()
	wg.Wait()
	return w, e, records, cmp.Or(err, recordsErr)
}

// statesOf are the states in records.
func statesOf(r *engine.Records) hostStates {
	out := hostStates{}
	for st := range r.States {
		out[st.Host] = *st
	}
	return out
}

// nextLines groups hosts by what they need next, those that wait for a person
// first.
func nextLines(hosts []engine.HostOutlook) []nextLine {
	type key struct {
		work   schedule.Work
		person bool
	}
	at := map[key]*nextLine{}
	for i := range hosts {
		h := &hosts[i]
		if h.Work == schedule.WorkNone || h.Work == schedule.WorkExempt {
			continue
		}
		k := key{h.Work, h.Person}
		l := at[k]
		if l == nil {
			l = &nextLine{Work: h.Work, Person: h.Person, From: h.At, Why: h.Why}
			at[k] = l
		}
		l.Hosts++
		if !h.At.IsZero() && (l.From.IsZero() || h.At.Before(l.From)) {
			l.From = h.At
		}
		if l.Why != h.Why {
			l.Why = ""
		}
	}
	out := make([]nextLine, 0, len(at))
	for _, l := range at {
		out = append(out, *l)
	}
	rank := func(l nextLine) int {
		if l.Person {
			return 0
		}
		return 1
	}
	slices.SortFunc(out, func(a, b nextLine) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.From.Compare(b.From), cmp.Compare(a.Work, b.Work))
	})
	return out
}

// nextTexts are the lines about what comes next.
func nextTexts(next []nextLine) []string {
	if len(next) == 0 {
		return nil
	}
	out := []string{"", "next ('oust status HOST' says why, 'oust serve' does it, 'oust retry' does it now)"}
	for _, l := range next {
		s := fmt.Sprintf("  %s %s", plural(l.Hosts, "host"), workText(l.Work))
		switch {
		case l.Person && l.Work != schedule.WorkPerson && l.Work != schedule.WorkPlan:
			s += ", and a person should look"
		case !l.Person && !l.From.IsZero():
			s += ", from " + l.From.UTC().Format("Mon 2006-01-02 15:04 UTC")
		}
		if l.Why != "" {
			s += ": " + printable(l.Why)
		}
		out = append(out, s)
	}
	return out
}

func workText(w schedule.Work) string {
	for _, t := range workTexts {
		if t.work == w {
			return t.text
		}
	}
	return string(w)
}

// nextText is what one host needs next.
func nextText(h engine.HostOutlook) string {
	s := string(h.Work)
	if !h.At.IsZero() {
		s += " at " + h.At.UTC().Format("2006-01-02 15:04 UTC")
	}
	if h.Why != "" {
		s += ": " + printable(h.Why)
	}
	return s
}

// heldLines say where the waves stand, and why nothing goes on.
func heldLines(m statusMessage) []string {
	var out []string
	if h := m.Held; h != nil {
		where := ""
		if h.Wave > 0 {
			where = fmt.Sprintf(" in wave %d", h.Wave)
		}
		out = append(out, "", fmt.Sprintf("HELD since %s%s: %s", h.At.UTC().Format("2006-01-02 15:04 UTC"), where, printable(h.Reason)),
			"  no new removal starts; look at the failed hosts, then: oust apply --resume")
	}
	plan := ""
	for _, w := range m.Waves {
		if w.Plan != plan {
			plan = w.Plan
			out = append(out, "", fmt.Sprintf("waves of the plan applied %s", w.Approved.UTC().Format("2006-01-02 15:04 UTC")))
		}
		parts := []string{}
		for _, p := range []struct {
			n    int
			what string
		}{{w.Done, "done"}, {w.Failed, "failed"}, {w.Unreachable, "unreachable"}, {w.Other, "other"}, {w.Waiting, "to go"}} {
			if p.n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", thousands(p.n), p.what))
			}
		}
		s := fmt.Sprintf("  wave %d  %10s  %s", w.Wave, plural(w.Hosts, "host"), strings.Join(parts, ", "))
		if w.Current {
			s += "  <- now"
		}
		out = append(out, s)
	}
	return out
}

// windowLines say, in a plan's preview, which of its hosts no window reaches,
// and when the first of the others may be changed.
func windowLines(p *remediate.Plan, hosts []remediate.Host, gate *engine.Gate, now time.Time, width int) ([]string, error) {
	byName := make(map[string]remediate.Host, len(hosts))
	for _, h := range hosts {
		byName[h.Name] = h
	}
	never := map[string][]string{}
	var order []string
	var first time.Time
	open := 0
	for i := range p.Hosts {
		h, ok := byName[p.Hosts[i].Name]
		if !ok {
			continue
		}
		o, err := gate.At(h, now, gate.Need(engine.PlaybookNames(p.Hosts[i].Findings)))
		switch {
		case err != nil:
			return nil, fmt.Errorf("host %s: %w", h.Name, err)
		case o.Never:
			if never[o.Why] == nil {
				order = append(order, o.Why)
			}
			never[o.Why] = append(never[o.Why], h.Name)
		case o.Open:
			open++
		case first.IsZero() || o.Next.Before(first):
			first = o.Next
		}
	}
	var out []string
	if open < len(p.Hosts) {
		s := fmt.Sprintf("%s may be changed now", plural(open, "host"))
		if !first.IsZero() {
			s += opensText(first)
		}
		out = append(out, "", s)
	}
	for _, why := range order {
		out = append(out, "", fmt.Sprintf("%s that no window ever reaches: %s", plural(len(never[why]), "host"), printable(why)),
			"    "+few(never[why], width-4))
	}
	return out, nil
}
