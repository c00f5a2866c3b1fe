package storetest

import (
	"context"
	"slices"
	"time"

	"oust/remediate"
)

// Durations implements remediate.Store.
func (m *Memory) Durations(ctx context.Context, limit int) (map[string][]time.Duration, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	type job struct {
		attempt *remediate.Attempt
		ended   time.Time
	}
	var jobs []job
	for _, a := range slices.Backward(m.attempts) {
		if ended, counts := outcomeOfJob(a); counts {
			jobs = append(jobs, job{a, ended})
		}
	}
	slices.SortStableFunc(jobs, func(a, b job) int { return b.ended.Compare(a.ended) })
	out := map[string][]time.Duration{}
	for _, j := range jobs {
		for _, name := range j.attempt.Playbooks {
			if len(out[name]) < limit {
				out[name] = append(out[name], j.ended.Sub(j.attempt.Started))
			}
		}
	}
	return out, nil
}

// outcomeOfJob is when an attempt got its outcome, and whether that tells how
// long its job takes.
func outcomeOfJob(a *remediate.Attempt) (at time.Time, counts bool) {
	if a.Outcome.Kind != remediate.OutcomeRemoved && a.Outcome.Kind != remediate.OutcomeRebootPending {
		return time.Time{}, false
	}
	ran := false
	for _, e := range a.Journal {
		switch e.Phase {
		case remediate.PhaseLaunched, remediate.PhaseRunning, remediate.PhaseEnded:
			ran = true
		case remediate.PhaseClosed, remediate.PhaseCleaned:
			return e.At, ran && !e.At.Before(a.Started)
		}
	}
	return time.Time{}, false
}
