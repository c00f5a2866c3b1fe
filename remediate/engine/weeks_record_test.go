package engine_test

import (
	"context"
	"time"

	"oust/remediate"
)

// recordStore is the store as one process has it. It sees each write, and
// holds what is written to the campaign's rules.
type recordStore struct {
	remediate.Store
	p *life
}

// BeginAttempt implements remediate.Store: a launch follows.
func (s recordStore) BeginAttempt(ctx context.Context, a remediate.Attempt) error {
	if err := s.p.write(); err != nil {
		return err
	}
	w, now := s.p.w, time.Now()
	st, err := s.HostState(ctx, a.Host)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.count.attempts++
	h := w.byName[a.Host]
	if !w.open(h, now) {
		w.complain("%s is changed at %s, outside its windows", a.Host, now.In(w.zone(h)).Format("Mon 2006-01-02 15:04:05 MST"))
	}
	if x, ok := w.exempt[a.Host]; ok && x.Holds(now) {
		w.complain("%s is changed, and exempt until %s", a.Host, x.Until)
	}
	if !w.approved[a.Script] {
		w.complain("%s runs a script that nobody approved", a.Host)
	}
	if !w.held.IsZero() && w.held.Before(now) {
		w.complain("%s is changed while the campaign is held since %s", a.Host, w.held)
	}
	if st.Standing != remediate.StandPresent && st.Standing != remediate.StandReappeared {
		w.complain("%s is changed, and stands %s", a.Host, st.Standing)
	}
	w.known[a.ID] = a.Host
	s.p.intents[a.Host] = a.ID
	s.p.checkLimits(a.Host)
	w.mu.Unlock()
	w.checkWave(ctx, s.Store, a.Host, now)
	return s.Store.BeginAttempt(ctx, a)
}

// SaveAttempt implements remediate.Store.
func (s recordStore) SaveAttempt(ctx context.Context, a remediate.Attempt) error {
	if err := s.p.write(); err != nil {
		return err
	}
	return s.Store.SaveAttempt(ctx, a)
}

// CloseAttempt implements remediate.Store.
func (s recordStore) CloseAttempt(ctx context.Context, a remediate.Attempt, look *remediate.Look) error {
	if err := s.p.write(); err != nil {
		return err
	}
	w := s.p.w
	w.mu.Lock()
	w.count.outcomes[a.Outcome.Kind]++
	if s.p.intents[a.Host] == a.ID {
		delete(s.p.intents, a.Host)
	}
	switch a.Outcome.Kind {
	case remediate.OutcomeNotStarted, remediate.OutcomeDeferred, remediate.OutcomeExempt:
	default:
		w.hadTurn(a.Host)
	}
	if a.Outcome.Class == remediate.ClassTimeout && w.fault[a.Host] == "hangs" {
		w.press(a.Host)
	}
	w.mu.Unlock()
	return s.Store.CloseAttempt(ctx, a, look)
}

// SaveLook implements remediate.Store.
func (s recordStore) SaveLook(ctx context.Context, look remediate.Look) error {
	if err := s.p.write(); err != nil {
		return err
	}
	s.p.w.mu.Lock()
	s.p.w.count.looks++
	s.p.w.mu.Unlock()
	return s.Store.SaveLook(ctx, look)
}

// BeginReboot implements remediate.Store: a restart follows.
func (s recordStore) BeginReboot(ctx context.Context, r remediate.Reboot, budget int) error {
	if err := s.p.write(); err != nil {
		return err
	}
	err := s.Store.BeginReboot(ctx, r, budget)
	if err != nil {
		return err
	}
	w, now := s.p.w, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count.reboots++
	h := w.byName[r.Host]
	if !w.open(h, now) {
		w.complain("%s is restarted at %s, outside its windows", r.Host, now.In(w.zone(h)).Format("Mon 2006-01-02 15:04:05 MST"))
	}
	if x, ok := w.exempt[r.Host]; ok && x.Holds(now) {
		w.complain("%s is restarted, and exempt until %s", r.Host, x.Until)
	}
	return nil
}

// EndReboot implements remediate.Store.
func (s recordStore) EndReboot(ctx context.Context, host, bootID string, at time.Time) error {
	if err := s.p.write(); err != nil {
		return err
	}
	return s.Store.EndReboot(ctx, host, bootID, at)
}

// Approve implements remediate.Store: a person has said yes.
func (s recordStore) Approve(ctx context.Context, a remediate.Approval) error {
	if err := s.p.write(); err != nil {
		return err
	}
	w := s.p.w
	w.mu.Lock()
	for _, digest := range a.Scripts {
		w.approved[digest] = true
	}
	for _, h := range a.Hosts {
		w.hadTurn(h.Host)
		w.planned[h.Host] = h
		id := waveID{h.Plan, h.Wave}
		if w.turnless[id] == nil {
			w.turnless[id] = map[string]bool{}
		}
		w.turnless[id][h.Host] = true
	}
	w.mu.Unlock()
	return s.Store.Approve(ctx, a)
}

// SaveHold implements remediate.Store.
func (s recordStore) SaveHold(ctx context.Context, h remediate.Hold) error {
	if err := s.p.write(); err != nil {
		return err
	}
	w := s.p.w
	w.mu.Lock()
	w.count.holds++
	w.held = time.Now()
	w.reasons = append(w.reasons, h.Reason)
	w.mu.Unlock()
	return s.Store.SaveHold(ctx, h)
}

// ReleaseHold implements remediate.Store.
func (s recordStore) ReleaseHold(ctx context.Context, at time.Time, by string) error {
	err := s.Store.ReleaseHold(ctx, at, by)
	if err == nil {
		s.p.w.mu.Lock()
		s.p.w.held = time.Time{}
		s.p.w.mu.Unlock()
	}
	return err
}

// waveID is a wave of a plan.
type waveID struct {
	plan string
	wave int
}

// hadTurn notes that no wave has to wait for the host; under w.mu.
func (w *weeks) hadTurn(host string) {
	p := w.planned[host]
	delete(w.turnless[waveID{p.Plan, p.Wave}], host)
}

// checkWave: a host is changed after all hosts of the waves before its own
// have had their turn, but for those that wait for a person or are exempt.
func (w *weeks) checkWave(ctx context.Context, store remediate.Store, host string, now time.Time) {
	w.mu.Lock()
	p := w.planned[host]
	var before []string
	for wave := 1; wave < p.Wave; wave++ {
		for other := range w.turnless[waveID{p.Plan, wave}] {
			if x, ok := w.exempt[other]; (!ok || !x.Holds(now)) && !w.byName[other].HasTag(tagAppliance) {
				before = append(before, other)
			}
		}
	}
	w.hadTurn(host)
	w.mu.Unlock()
	for _, other := range before {
		st, err := store.HostState(ctx, other)
		if err != nil || st.Class == "" && st.Standing == remediate.StandPresent {
			w.mu.Lock()
			w.complain("%s of wave %d is changed before %s of wave %d: %+v, %v", host, p.Wave, other, w.planned[other].Wave, st, err)
			w.mu.Unlock()
		}
	}
}
