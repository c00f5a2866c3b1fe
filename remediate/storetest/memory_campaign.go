package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"oust/remediate"
)

// Approve implements remediate.Store.
func (m *Memory) Approve(ctx context.Context, a remediate.Approval) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := checkApproval(a); err != nil {
		return fmt.Errorf("approve plan %s: %w", a.Plan, err)
	}
	if m.approved[a.Plan] {
		return nil
	}
	m.approved[a.Plan] = true
	for _, script := range a.Scripts {
		m.scripts[script] = true
	}
	when := m.stamp(a.At)
	for _, h := range a.Hosts {
		m.host(h.Host)
		m.planned[h.Host] = remediate.Planned{Host: h.Host, Plan: a.Plan, Wave: h.Wave, At: when}
	}
	a.At, a.By = when, remediate.ClipText(a.By)
	for _, r := range a.Records() {
		m.ledger.append(r)
	}
	return nil
}

// ApprovedScripts implements remediate.Store.
func (m *Memory) ApprovedScripts(ctx context.Context) (map[string]bool, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return maps.Clone(m.scripts), nil
}

// PlannedHosts implements remediate.Store.
func (m *Memory) PlannedHosts(ctx context.Context) iter.Seq2[remediate.Planned, error] {
	return yieldAll(func() ([]remediate.Planned, error) {
		if err := m.enter(ctx); err != nil {
			return nil, err
		}
		defer m.mu.Unlock()
		return slices.SortedFunc(maps.Values(m.planned), func(a, b remediate.Planned) int {
			return cmp.Compare(a.Host, b.Host)
		}), nil
	})
}

// SaveHold implements remediate.Store.
func (m *Memory) SaveHold(ctx context.Context, h remediate.Hold) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := checkShort(h.Run, h.Plan); err != nil {
		return fmt.Errorf("save hold: %w", err)
	}
	if m.held() != nil {
		return nil
	}
	kept := remediate.Hold{At: m.stamp(h.At), Reason: remediate.ClipText(h.Reason), Run: h.Run, Plan: h.Plan, Wave: h.Wave}
	m.holds = append(m.holds, kept)
	m.ledger.append(kept.Record())
	return nil
}

// held is the hold that is in force, or nil.
func (m *Memory) held() *remediate.Hold {
	if n := len(m.holds); n > 0 && m.holds[n-1].Released.IsZero() {
		return &m.holds[n-1]
	}
	return nil
}

// ReleaseHold implements remediate.Store.
func (m *Memory) ReleaseHold(ctx context.Context, at time.Time, by string) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	h := m.held()
	if h == nil {
		return fmt.Errorf("release hold: %w", remediate.ErrNotFound)
	}
	h.Released, h.By = m.stamp(at), remediate.ClipText(by)
	m.ledger.append(h.ReleasedRecord())
	return nil
}

// Holds implements remediate.Store.
func (m *Memory) Holds(ctx context.Context) ([]remediate.Hold, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return slices.Clone(m.holds), nil
}

// SaveExemption implements remediate.Store.
func (m *Memory) SaveExemption(ctx context.Context, e remediate.Exemption) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := errors.Join(checkName("host", e.Host), checkShort(e.Ground)); err != nil {
		return fmt.Errorf("save exemption: %w", err)
	}
	kept := remediate.Exemption{
		Host: e.Host, Reason: remediate.ClipText(e.Reason), Approver: remediate.ClipText(e.Approver),
		Ground: e.Ground, Mitigation: remediate.ClipText(e.Mitigation),
		Until: e.Until.UTC().Truncate(time.Microsecond), At: m.stamp(e.At), By: remediate.ClipText(e.By),
	}
	if !kept.At.Before(kept.Until) {
		return errors.New("save exemption: it ends before it begins")
	}
	m.endExemptions(kept.Host, kept.At)
	m.exemptions = append(m.exemptions, kept)
	m.host(kept.Host)
	m.ledger.append(kept.Record())
	return nil
}

// EndExemption implements remediate.Store.
func (m *Memory) EndExemption(ctx context.Context, host string, at time.Time) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	ended := remediate.Exemption{Host: host, Ended: m.stamp(at)}
	if m.endExemptions(host, ended.Ended) == 0 {
		return fmt.Errorf("exemption of %s: %w", host, remediate.ErrNotFound)
	}
	m.ledger.append(ended.EndedRecord())
	return nil
}

// endExemptions ends what holds for a host, and returns how many did.
func (m *Memory) endExemptions(host string, at time.Time) int {
	n := 0
	for i := range m.exemptions {
		if e := &m.exemptions[i]; e.Host == host && e.InForce(at) {
			e.Ended = at
			n++
		}
	}
	return n
}

// Exemptions implements remediate.Store.
func (m *Memory) Exemptions(ctx context.Context) ([]remediate.Exemption, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	out := slices.Clone(m.exemptions)
	slices.SortStableFunc(out, func(a, b remediate.Exemption) int { return a.At.Compare(b.At) })
	return out, nil
}
