package storetest

import (
	"context"
	"iter"
	"slices"
	"strings"

	"oust/remediate"
)

// OpenAttempts implements remediate.Store.
func (m *Memory) OpenAttempts(ctx context.Context) ([]remediate.Attempt, error) {
	return m.listAttempts(ctx, false, func(a *remediate.Attempt) bool { return a.Phase != remediate.PhaseCleaned })
}

// RunAttempts implements remediate.Store.
func (m *Memory) RunAttempts(ctx context.Context, run string) iter.Seq2[remediate.Attempt, error] {
	return yieldAll(func() ([]remediate.Attempt, error) {
		return m.listAttempts(ctx, false, func(a *remediate.Attempt) bool { return a.Run == run })
	})
}

// HostAttempts implements remediate.Store.
func (m *Memory) HostAttempts(ctx context.Context, host string) iter.Seq2[remediate.Attempt, error] {
	return yieldAll(func() ([]remediate.Attempt, error) {
		return m.listAttempts(ctx, true, func(a *remediate.Attempt) bool { return a.Host == host })
	})
}

// listAttempts copies attempts, with log and journal where whole is true.
func (m *Memory) listAttempts(ctx context.Context, whole bool, want func(*remediate.Attempt) bool) ([]remediate.Attempt, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var out []remediate.Attempt
	for _, a := range m.attempts {
		if !want(a) {
			continue
		}
		c := *a
		c.Playbooks = slices.Clone(a.Playbooks)
		if c.Log, c.Journal = nil, nil; whole {
			c.Log, c.Journal = slices.Clone(a.Log), slices.Clone(a.Journal)
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b remediate.Attempt) int { return a.Started.Compare(b.Started) })
	return out, nil
}

// HostState implements remediate.Store.
func (m *Memory) HostState(ctx context.Context, host string) (remediate.HostState, error) {
	if err := m.enter(ctx); err != nil {
		return remediate.HostState{}, err
	}
	defer m.mu.Unlock()
	if h, ok := m.hosts[host]; ok {
		return h.copy(), nil
	}
	return remediate.HostState{Host: host, Standing: remediate.StandUnseen}, nil
}

// HostStates implements remediate.Store.
func (m *Memory) HostStates(ctx context.Context) iter.Seq2[remediate.HostState, error] {
	return yieldAll(func() ([]remediate.HostState, error) {
		if err := m.enter(ctx); err != nil {
			return nil, err
		}
		defer m.mu.Unlock()
		out := make([]remediate.HostState, 0, len(m.hosts))
		for _, h := range m.hosts {
			out = append(out, h.copy())
		}
		slices.SortFunc(out, func(a, b remediate.HostState) int { return strings.Compare(a.Host, b.Host) })
		return out, nil
	})
}

// HostLooks implements remediate.Store.
func (m *Memory) HostLooks(ctx context.Context, host string) iter.Seq2[remediate.Look, error] {
	return yieldAll(func() ([]remediate.Look, error) {
		if err := m.enter(ctx); err != nil {
			return nil, err
		}
		defer m.mu.Unlock()
		var out []remediate.Look
		for _, l := range m.looks {
			if l.Host == host {
				l.Findings = cloneFindings(l.Findings)
				l.Raw = slices.Clone(m.raws[l.RawDigest])
				out = append(out, l)
			}
		}
		slices.SortStableFunc(out, func(a, b remediate.Look) int { return a.At.Compare(b.At) })
		return out, nil
	})
}

func (h *memoryHost) copy() remediate.HostState {
	s := h.state
	s.Findings = cloneFindings(s.Findings)
	return s
}

// yieldAll reads the list when the loop starts, and yields it without a lock.
func yieldAll[T any](list func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		all, err := list()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}
