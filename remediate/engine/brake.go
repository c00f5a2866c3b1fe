package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"oust/remediate"
	"oust/remediate/schedule"
)

// HeldError says that the campaign is held: no removal starts until a person
// has it go on.
type HeldError struct{ Hold remediate.Hold }

func (e *HeldError) Error() string {
	at := ""
	if e.Hold.Wave > 0 {
		at = fmt.Sprintf(", in wave %d", e.Hold.Wave)
	}
	return fmt.Sprintf("the campaign is held since %s%s: %s; look at the failed hosts with 'oust status', then go on with 'oust apply --resume'",
		e.Hold.At.UTC().Format("2006-01-02 15:04 UTC"), at, e.Hold.Reason)
}

// hold returns the hold that is in force, and since when failures count: the
// last release, zero if there was none.
func (e *Engine) hold(ctx context.Context) (held *remediate.Hold, since time.Time, err error) {
	all, err := e.Store.Holds(ctx)
	if err != nil {
		return nil, since, fmt.Errorf("read the holds: %w", err)
	}
	for i := range all {
		if all[i].Released.IsZero() {
			held = &all[i]
			continue
		}
		if all[i].Released.After(since) {
			since = all[i].Released
		}
	}
	return held, since, nil
}

// brake is the campaign's guard as all that runs shares it. It is safe for
// concurrent use.
type brake struct {
	e *Engine

	mu    sync.Mutex
	guard *schedule.Guard
	held  *remediate.Hold
}

// newBrake counts what stands failed since the last release. Waves are those
// of the approved plans, and of plan.
func (e *Engine) newBrake(ctx context.Context, plan *remediate.Plan) (*brake, error) {
	held, since, err := e.hold(ctx)
	if err != nil {
		return nil, err
	}
	b := &brake{e: e, guard: schedule.NewGuard(e.Campaign.Stop), held: held}
	planned := map[string]remediate.Planned{}
	sizes := map[schedule.WaveID]int{}
	for p, err := range e.Store.PlannedHosts(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the approved plans: %w", err)
		}
		planned[p.Host] = p
		sizes[schedule.WaveID{Plan: p.Plan, Number: p.Wave}]++
	}
	b.addWaves(sizes)
	for i, size := range plan.Waves {
		b.guard.AddWave(schedule.WaveID{Plan: plan.ID, Number: i + 1}, size)
	}
	for st, err := range e.Store.HostStates(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the hosts: %w", err)
		}
		b.stood(&st, planned[st.Host], since)
	}
	return b, nil
}

func (b *brake) addWaves(sizes map[schedule.WaveID]int) {
	for wave, size := range sizes {
		b.guard.AddWave(wave, size)
	}
}

// stood counts a host by what the store has of it; place is where the newest
// approval has put it, if one has.
func (b *brake) stood(st *remediate.HostState, place remediate.Planned, since time.Time) {
	if st.Bare != "" && st.BareSince.After(since) && st.SeenAt.Sub(st.BareSince) >= bareGrace {
		b.guard.RecordBare(st.Host, true)
	}
	if st.Last.Kind != remediate.OutcomeFailed || !st.LastAt.After(since) || st.Class == "" {
		return
	}
	var wave schedule.WaveID // a failure from before its plan counts in the campaign alone
	if place.Host != "" && !st.LastAt.Before(place.At) {
		wave = schedule.WaveID{Plan: place.Plan, Number: place.Wave}
	}
	b.guard.Record(wave, st.Host, st.Last)
}

// record counts an outcome.
func (b *brake) record(wave schedule.WaveID, host string, o remediate.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.guard.Record(wave, host, o)
}

// bare counts a host that nothing protects, or no more.
func (b *brake) bare(host string, bare bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.guard.RecordBare(host, bare)
}

// on reports whether removals are held, and records a hold that is new.
func (b *brake) on(ctx context.Context, run, plan string) (h *remediate.Hold, fresh bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held != nil {
		return b.held, false, nil
	}
	reason, over := b.guard.Stopped()
	if !over {
		return nil, false, nil
	}
	wave := b.guard.Wave()
	if wave.Plan != "" {
		plan = wave.Plan
	}
	hold := remediate.Hold{At: b.e.Now().UTC(), Reason: reason, Run: run, Plan: plan, Wave: wave.Number}
	if err := b.e.record(ctx, func(ctx context.Context) error { return b.e.Store.SaveHold(ctx, hold) }); err != nil {
		return nil, false, err
	}
	b.held = &hold
	return b.held, true, nil
}

// exemptions are those that hold now, by host.
func (e *Engine) exemptions(ctx context.Context) (map[string]remediate.Exemption, error) {
	all, err := e.Store.Exemptions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the exemptions: %w", err)
	}
	out := map[string]remediate.Exemption{}
	for _, x := range all {
		if x.Holds(e.Now()) {
			out[x.Host] = x
		}
	}
	return out, nil
}

// approve records that a person has had the plan applied.
func (e *Engine) approve(ctx context.Context, plan *remediate.Plan) error {
	a := remediate.Approval{Plan: plan.ID, At: e.Now().UTC(), By: e.By, Hosts: make([]remediate.Planned, 0, len(plan.Hosts))}
	for _, s := range plan.Scripts {
		a.Scripts = append(a.Scripts, s.Digest)
	}
	for i := range plan.Hosts {
		h := &plan.Hosts[i]
		a.Hosts = append(a.Hosts, remediate.Planned{Host: h.Name, Plan: plan.ID, Wave: h.Wave, At: a.At})
	}
	return e.record(ctx, func(ctx context.Context) error { return e.Store.Approve(ctx, a) })
}

// PlaybookNames are the distinct playbooks of findings, sorted.
func PlaybookNames(fs []remediate.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Playbook)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
