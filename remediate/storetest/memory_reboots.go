package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"oust/remediate"
)

// BeginReboot implements remediate.Store.
func (m *Memory) BeginReboot(ctx context.Context, r remediate.Reboot, budget int) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := errors.Join(checkName("host", r.Host), checkName("boot id", r.BootID), checkShort(r.Attempt)); err != nil {
		return fmt.Errorf("begin reboot: %w", err)
	}
	if m.reboot(r.Host, r.BootID) != nil {
		return nil
	}
	if h, ok := m.hosts[r.Host]; budget <= 0 || ok && h.state.Reboots >= budget {
		return fmt.Errorf("begin reboot of %s: %w", r.Host, remediate.ErrBudget)
	}
	m.host(r.Host).state.Reboots++
	kept := remediate.Reboot{Host: r.Host, BootID: r.BootID, Attempt: r.Attempt, At: m.stamp(r.At)}
	m.reboots = append(m.reboots, kept)
	m.ledger.append(kept.Record())
	return nil
}

func (m *Memory) reboot(host, bootID string) *remediate.Reboot {
	i := slices.IndexFunc(m.reboots, func(r remediate.Reboot) bool { return r.Host == host && r.BootID == bootID })
	if i < 0 {
		return nil
	}
	return &m.reboots[i]
}

// EndReboot implements remediate.Store.
func (m *Memory) EndReboot(ctx context.Context, host, bootID string, at time.Time) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if r := m.reboot(host, bootID); r != nil && r.Back.IsZero() {
		r.Back = m.stamp(at)
		m.ledger.append(r.BackRecord())
	}
	return nil
}

// Reboots implements remediate.Store.
func (m *Memory) Reboots(ctx context.Context, host string) ([]remediate.Reboot, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var out []remediate.Reboot
	for _, r := range m.reboots {
		if r.Host == host {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b remediate.Reboot) int { return a.At.Compare(b.At) })
	return out, nil
}
