package storetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
	"oust/remediate/ledger"
)

// testModel lets chance use a store and the model side by side: each call is
// taken or refused by both, and everything that can be read is the same.
func testModel(t *testing.T, open Open) {
	chances(t, Rounds(25))
	rapid.Check(t, func(r *rapid.T) {
		p := &pair{real: open(t), model: NewMemory(func() time.Time { return epoch }), ctx: t.Context()}
		defer func() {
			holdsLedger(t, p.real)
			if err := p.real.Close(); err != nil {
				r.Errorf("close: %v", err)
			}
		}()
		r.Repeat(map[string]func(*rapid.T){
			"look": func(r *rapid.T) {
				l := drawLook(r)
				p.both(r, func(s remediate.Store) error { return s.SaveLook(p.ctx, l) })
			},
			"begin": func(r *rapid.T) {
				a := drawAttempt(r)
				p.both(r, func(s remediate.Store) error { return s.BeginAttempt(p.ctx, a) })
			},
			"save": func(r *rapid.T) {
				a := drawAttempt(r)
				p.both(r, func(s remediate.Store) error { return s.SaveAttempt(p.ctx, a) })
			},
			"close":     p.close,
			"run":       p.run,
			"approve":   p.approve,
			"hold":      p.hold,
			"exemption": p.exemption,
			"reboot":    p.reboot,
			"submit":    p.submit,
			"compare":   p.compare,
		})
		p.compare(r)
	})
}

// chances sets how often rapid tries, unless the command line does.
func chances(t *testing.T, n int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f == nil || f.Value.String() != f.DefValue {
		return
	}
	if err := flag.Set(f.Name, strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
}

// pair is a store under test and the model.
type pair struct {
	real, model remediate.Store
	ctx         context.Context
}

// both makes a call on both and compares whether it was taken.
func (p *pair) both(r *rapid.T, call func(remediate.Store) error) {
	real, model := call(p.real), call(p.model)
	same := (real == nil) == (model == nil)
	for _, sentinel := range []error{remediate.ErrNotFound, remediate.ErrBudget} {
		same = same && errors.Is(real, sentinel) == errors.Is(model, sentinel)
	}
	if !same {
		r.Fatalf("the store says %v, the model %v", real, model)
	}
}

// compare reads everything from both.
func (p *pair) compare(r *rapid.T) {
	if diff := cmp.Diff(p.view(p.model), p.view(p.real)); diff != "" {
		r.Fatalf("store and model differ (-model +store):\n%s", diff)
	}
}

func (p *pair) view(s remediate.Store) map[string]any {
	v := map[string]any{}
	note := func(key string, value any, err error) {
		if err != nil && !errors.Is(err, remediate.ErrNotFound) {
			value = err.Error()
		}
		v[key] = value
	}
	for state, err := range s.HostStates(p.ctx) {
		note("state "+state.Host, state, err)
	}
	for _, host := range hosts {
		n := 0
		for l, err := range s.HostLooks(p.ctx, host) {
			note(fmt.Sprint("look ", host, n), l, err)
			n++
		}
		for a, err := range s.HostAttempts(p.ctx, host) {
			note(fmt.Sprint("attempt ", host, n), a, err)
			n++
		}
	}
	list, err := s.OpenAttempts(p.ctx)
	note("open", list, err)
	for _, kind := range []string{"scan", "apply"} {
		for _, plan := range []string{"", "plan1"} {
			run, err := s.OpenRun(p.ctx, kind, plan)
			note("open "+kind+plan, run, err)
		}
	}
	p.viewCampaign(s, note)
	p.viewEvidence(s, note)
	return v
}

// viewEvidence reads what EvidenceStore gives. Of a record that is not about
// the ledger itself, all is the same but who wrote it, and the clock's times.
func (p *pair) viewEvidence(s remediate.Store, note func(key string, value any, err error)) {
	for e, err := range s.Ledger(p.ctx, 1) {
		_, r, decoded := ledger.Decode(e.Text)
		if r.By = ""; r.Kind == remediate.RecordRunLowered {
			r.At = epoch
		}
		note(fmt.Sprint("record ", e.Number), r, errors.Join(err, decoded))
	}
	n := 0
	for m, err := range s.Moves(p.ctx) {
		note(fmt.Sprint("move ", n), m, err)
		n++
	}
	submissions, err := s.Submissions(p.ctx)
	note("submissions", submissions, err)
	for _, host := range hosts {
		var mine []int64
		for e, err := range s.HostLedger(p.ctx, host) {
			note("records of "+host, mine, err)
			mine = append(mine, e.Number)
		}
		note("records of "+host, mine, nil)
	}
}

// viewCampaign reads what CampaignStore gives.
func (p *pair) viewCampaign(s remediate.Store, note func(key string, value any, err error)) {
	n := 0
	for run, err := range s.Runs(p.ctx) {
		note(fmt.Sprint("run ", n), run, err)
		n++
	}
	for planned, err := range s.PlannedHosts(p.ctx) {
		note(fmt.Sprint("planned ", n), planned, err)
		n++
	}
	openRuns, err := s.OpenRuns(p.ctx)
	note("open runs", openRuns, err)
	scripts, err := s.ApprovedScripts(p.ctx)
	note("scripts", scripts, err)
	holds, err := s.Holds(p.ctx)
	note("holds", holds, err)
	exemptions, err := s.Exemptions(p.ctx)
	note("exemptions", exemptions, err)
	for _, host := range hosts {
		reboots, err := s.Reboots(p.ctx, host)
		note("reboots of "+host, reboots, err)
	}
	durations, err := s.Durations(p.ctx, 2)
	note("durations", durations, err)
}
