package storetest

import (
	"context"
	"fmt"
	"slices"

	"oust/remediate"
)

// phases in their one direction.
var phases = []remediate.Phase{
	remediate.PhaseIntended, remediate.PhaseLaunched, remediate.PhaseEnded,
	remediate.PhaseClosed, remediate.PhaseCleaned,
}

// BeginRun implements remediate.Store.
func (m *Memory) BeginRun(ctx context.Context, run remediate.Run) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := checkName("run", run.ID); err != nil {
		return err
	}
	if m.run(run.ID) != nil {
		return fmt.Errorf("begin run %s: it was begun before", run.ID)
	}
	run.Started = m.stamp(run.Started)
	m.runs = append(m.runs, &remediate.Run{ID: run.ID, Kind: run.Kind, Plan: run.Plan, Started: run.Started})
	return nil
}

// EndRun implements remediate.Store.
func (m *Memory) EndRun(ctx context.Context, run remediate.Run) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	known := m.run(run.ID)
	switch {
	case known == nil:
		return fmt.Errorf("end run %s: %w", run.ID, remediate.ErrNotFound)
	case known.Ended.IsZero():
		known.Ended, known.Exit, known.Note = m.stamp(run.Ended), run.Exit, remediate.ClipText(run.Note)
	case known.Exit != run.Exit:
		return fmt.Errorf("end run %s: it has ended with exit code %d", run.ID, known.Exit)
	}
	return nil
}

// OpenRun implements remediate.Store.
func (m *Memory) OpenRun(ctx context.Context, kind, plan string) (remediate.Run, error) {
	if err := m.enter(ctx); err != nil {
		return remediate.Run{}, err
	}
	defer m.mu.Unlock()
	var newest *remediate.Run
	for _, r := range m.runs {
		if r.Kind == kind && r.Plan == plan && r.Ended.IsZero() && (newest == nil || !r.Started.Before(newest.Started)) {
			newest = r
		}
	}
	if newest == nil {
		return remediate.Run{}, fmt.Errorf("open run: %w", remediate.ErrNotFound)
	}
	return *newest, nil
}

func (m *Memory) run(id string) *remediate.Run {
	i := slices.IndexFunc(m.runs, func(r *remediate.Run) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return m.runs[i]
}

// BeginAttempt implements remediate.Store.
func (m *Memory) BeginAttempt(ctx context.Context, a remediate.Attempt) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := checkAttempt(a); err != nil {
		return err
	}
	if a.Phase != "" && a.Phase != remediate.PhaseIntended {
		return fmt.Errorf("begin attempt %s: it cannot begin in phase %q", a.ID, a.Phase)
	}
	if m.byID[a.ID] != nil {
		return fmt.Errorf("begin attempt %s: it was begun before", a.ID)
	}
	a.Phase, a.Outcome = remediate.PhaseIntended, remediate.Outcome{}
	m.addAttempt(a)
	return nil
}

// SaveAttempt implements remediate.Store.
func (m *Memory) SaveAttempt(ctx context.Context, a remediate.Attempt) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	known := m.byID[a.ID]
	if known == nil {
		return fmt.Errorf("save attempt %s: %w", a.ID, remediate.ErrNotFound)
	}
	if err := sameAttempt(known, a); err != nil {
		return err
	}
	from, to := slices.Index(phases, known.Phase), slices.Index(phases, a.Phase)
	closed := slices.Index(phases, remediate.PhaseClosed)
	if to < from || (to >= closed && from < closed) {
		return fmt.Errorf("save attempt %s: it cannot go from phase %q to %q", a.ID, known.Phase, a.Phase)
	}
	m.update(known, a)
	return nil
}

// CloseAttempt implements remediate.Store.
func (m *Memory) CloseAttempt(ctx context.Context, a remediate.Attempt, look *remediate.Look) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := checkClose(a, look); err != nil {
		return fmt.Errorf("close attempt %s: %w", a.ID, err)
	}
	var seen remediate.Look
	if look != nil {
		var err error
		if seen, err = m.checkLook(*look); err != nil {
			return fmt.Errorf("close attempt %s: %w", a.ID, err)
		}
	}
	known := m.byID[a.ID]
	if known != nil {
		if err := sameAttempt(known, a); err != nil {
			return err
		}
		if known.Outcome.Kind != "" {
			return m.closeAgain(known, a)
		}
		m.update(known, a)
	} else {
		known = m.addAttempt(a)
	}
	known.Outcome = a.Outcome
	known.Outcome.Detail = remediate.ClipText(a.Outcome.Detail)
	if look != nil {
		m.addLook(seen)
	}
	m.setOutcome(known)
	return nil
}

// closeAgain takes the repeat of a close after a crash, and no other.
func (m *Memory) closeAgain(known *remediate.Attempt, a remediate.Attempt) error {
	if known.Outcome.Kind != a.Outcome.Kind || known.Outcome.Class != a.Outcome.Class {
		return fmt.Errorf("close attempt %s: it is closed as %s", a.ID, known.Outcome.Kind)
	}
	if a.Phase == remediate.PhaseCleaned {
		known.Phase = a.Phase
	}
	return nil
}

// setOutcome moves a closed attempt's outcome into the state of its host.
func (m *Memory) setOutcome(a *remediate.Attempt) {
	h := m.host(a.Host)
	h.state.Last, h.state.LastAt = a.Outcome, a.Updated
	switch a.Outcome.Kind {
	case remediate.OutcomeFailed:
		h.owed = a.Outcome
	case remediate.OutcomeRemoved, remediate.OutcomeNothingToDo, remediate.OutcomeRebootPending:
		h.owed = remediate.Outcome{}
	default:
		return
	}
	h.state.Class, h.state.Detail = h.owed.Class, h.owed.Detail
}

func (m *Memory) addAttempt(a remediate.Attempt) *remediate.Attempt {
	added := &remediate.Attempt{
		ID: a.ID, Run: a.Run, Host: a.Host, Plan: a.Plan, Script: a.Script,
		Started: m.stamp(a.Started), Phase: a.Phase,
	}
	m.update(added, a)
	m.attempts = append(m.attempts, added)
	m.byID[a.ID] = added
	m.host(a.Host)
	return added
}

// update replaces the fields that may change.
func (m *Memory) update(known *remediate.Attempt, a remediate.Attempt) {
	known.Phase, known.BootID, known.Exit = a.Phase, remediate.ClipText(a.BootID), a.Exit
	known.Updated, known.Result = m.stamp(a.Updated), remediate.ClipResult(a.Result)
	if a.Log != nil {
		known.Log = slices.Clone(remediate.ClipLog(a.Log))
	}
}
