package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"oust/remediate"
)

// BeginRun implements remediate.Store.
func (m *Memory) BeginRun(ctx context.Context, run remediate.Run) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := errors.Join(checkName("run", run.ID), checkShort(run.Kind, run.Plan)); err != nil {
		return err
	}
	if m.runByID[run.ID] != nil {
		return fmt.Errorf("begin run %s: it was begun before", run.ID)
	}
	run.Started = m.stamp(run.Started)
	kept := &remediate.Run{
		ID: run.ID, Kind: run.Kind, Plan: run.Plan, Started: run.Started,
		By: remediate.ClipText(run.By), Lowered: remediate.ClipText(run.Lowered),
	}
	m.runs, m.runByID[run.ID] = append(m.runs, kept), kept
	m.ledger.append(kept.BegunRecord())
	return nil
}

// EndRun implements remediate.Store.
func (m *Memory) EndRun(ctx context.Context, run remediate.Run) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	known := m.runByID[run.ID]
	switch {
	case known == nil:
		return fmt.Errorf("end run %s: %w", run.ID, remediate.ErrNotFound)
	case known.Ended.IsZero():
		known.Ended, known.Exit, known.Note = m.stamp(run.Ended), run.Exit, remediate.ClipText(run.Note)
		m.ledger.append(known.EndedRecord())
	case known.Exit != run.Exit:
		return fmt.Errorf("end run %s: it has ended with exit code %d", run.ID, known.Exit)
	}
	return nil
}

// LowerRun implements remediate.Store.
func (m *Memory) LowerRun(ctx context.Context, run, lowered string) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	known := m.runByID[run]
	if known == nil {
		return fmt.Errorf("lower run %s: %w", run, remediate.ErrNotFound)
	}
	if lowered = remediate.ClipText(lowered); known.Lowered != lowered {
		known.Lowered = lowered
		m.ledger.append(known.LoweredRecord(m.stamp(time.Time{})))
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

// OpenRuns implements remediate.Store.
func (m *Memory) OpenRuns(ctx context.Context) ([]remediate.Run, error) {
	return m.listRuns(ctx, func(r *remediate.Run) bool { return r.Ended.IsZero() })
}

// Runs implements remediate.Store.
func (m *Memory) Runs(ctx context.Context) iter.Seq2[remediate.Run, error] {
	return yieldAll(func() ([]remediate.Run, error) {
		return m.listRuns(ctx, func(*remediate.Run) bool { return true })
	})
}

func (m *Memory) listRuns(ctx context.Context, want func(*remediate.Run) bool) ([]remediate.Run, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var out []remediate.Run
	for _, r := range m.runs {
		if want(r) {
			out = append(out, *r)
		}
	}
	slices.SortStableFunc(out, func(a, b remediate.Run) int { return a.Started.Compare(b.Started) })
	return out, nil
}
