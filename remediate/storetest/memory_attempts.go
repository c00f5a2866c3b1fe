package storetest

import (
	"context"
	"fmt"
	"slices"

	"oust/remediate"
)

// phases in their one direction.
var phases = []remediate.Phase{
	remediate.PhaseIntended, remediate.PhaseLaunched, remediate.PhaseRunning,
	remediate.PhaseEnded, remediate.PhaseClosed, remediate.PhaseCleaned,
}

// BeginAttempt implements remediate.Store.
func (m *Memory) BeginAttempt(ctx context.Context, a remediate.Attempt) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	a, err := checkAttempt(a)
	if err != nil {
		return err
	}
	if a.Phase != "" && a.Phase != remediate.PhaseIntended {
		return fmt.Errorf("begin attempt %s: it cannot begin in phase %q", a.ID, a.Phase)
	}
	if m.byID[a.ID] != nil {
		return fmt.Errorf("begin attempt %s: it was begun before", a.ID)
	}
	a.Phase, a.Outcome = remediate.PhaseIntended, remediate.Outcome{}
	m.ledger.append(m.addAttempt(a).BegunRecord())
	return nil
}

// SaveAttempt implements remediate.Store.
func (m *Memory) SaveAttempt(ctx context.Context, a remediate.Attempt) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	a, err := checkAttempt(a)
	if err != nil {
		return err
	}
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
	if from >= closed {
		m.enterPhase(known, a)
		return nil
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
	a, err := checkAttempt(a)
	if err == nil {
		err = checkClose(a, look)
	}
	if err != nil {
		return fmt.Errorf("close attempt %s: %w", a.ID, err)
	}
	var seen remediate.Look
	if look != nil {
		if seen, err = m.checkLook(*look); err == nil && m.closes(a.ID) {
			err = m.holdsRaw(seen)
		}
		if err != nil {
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
		if seen.Class == "" || a.Outcome.Kind != remediate.OutcomeFailed { // else one failure, not two
			m.moveState(seen)
		}
	}
	m.ledger.append(known.EndedRecord(digestOf(known.Log), look != nil))
	m.setOutcome(known)
	return nil
}

// closes reports whether the attempt has no outcome yet.
func (m *Memory) closes(id string) bool {
	known := m.byID[id]
	return known == nil || known.Outcome.Kind == ""
}

// digestOf is the digest of a log, empty for none.
func digestOf(log []byte) string {
	if len(log) == 0 {
		return ""
	}
	return remediate.Digest(log)
}

// closeAgain takes the repeat of a close after a crash, and no other.
func (m *Memory) closeAgain(known *remediate.Attempt, a remediate.Attempt) error {
	if known.Outcome.Kind != a.Outcome.Kind || known.Outcome.Class != a.Outcome.Class {
		return fmt.Errorf("close attempt %s: it is closed as %s", a.ID, known.Outcome.Kind)
	}
	if a.Phase == remediate.PhaseCleaned {
		m.enterPhase(known, a)
	}
	return nil
}

// setOutcome moves a closed attempt's outcome into the state of its host.
func (m *Memory) setOutcome(a *remediate.Attempt) {
	h := m.host(a.Host)
	h.state.Last, h.state.LastAt = a.Outcome, a.Updated
	switch a.Outcome.Kind {
	case remediate.OutcomeFailed:
		class := a.Outcome.Class
		f := h.again(class, a.Outcome.Detail, a.Updated)
		if h.state.Class != class && h.owed.class == class {
			f.tries += h.owed.tries
		}
		if class == remediate.ClassUnreachable && h.owed.reached() {
			h.show(f)
			return
		}
		h.owed = f
	case remediate.OutcomeRemoved, remediate.OutcomeNothingToDo, remediate.OutcomeRebootPending:
		h.owed = failure{}
	default:
		return
	}
	h.show(h.owed)
}

// reached reports whether it is the failure of an attempt that reached the host.
func (f failure) reached() bool {
	switch f.class {
	case "", remediate.ClassUnreachable, remediate.ClassAuth, remediate.ClassUntrusted:
		return false
	}
	return true
}

func (m *Memory) addAttempt(a remediate.Attempt) *remediate.Attempt {
	added := &remediate.Attempt{
		ID: a.ID, Run: a.Run, Host: a.Host, Plan: a.Plan, Script: a.Script,
		Address: a.Address, Playbooks: a.Playbooks, Started: m.stamp(a.Started),
	}
	m.update(added, a)
	m.attempts = append(m.attempts, added)
	m.byID[a.ID] = added
	m.host(a.Host)
	return added
}

// update replaces the fields that may change.
func (m *Memory) update(known *remediate.Attempt, a remediate.Attempt) {
	m.enterPhase(known, a)
	known.BootID, known.Exit = remediate.ClipText(a.BootID), a.Exit
	known.Updated, known.Result = m.stamp(a.Updated), remediate.ClipResult(a.Result)
	if a.Log != nil {
		known.Log = slices.Clone(remediate.ClipLog(a.Log))
	}
}

// enterPhase moves an attempt to a's phase, and notes a new one.
func (m *Memory) enterPhase(known *remediate.Attempt, a remediate.Attempt) {
	if known.Phase == a.Phase {
		return
	}
	known.Phase = a.Phase
	known.Journal = append(known.Journal, remediate.JournalEntry{Phase: a.Phase, At: m.stamp(a.Updated)})
}
