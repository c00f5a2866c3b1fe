package storetest

import (
	"context"
	"iter"

	"oust/remediate"
)

// Sightings implements remediate.EvidenceStore.
func (m *Memory) Sightings(ctx context.Context) iter.Seq2[remediate.Sighting, error] {
	return yieldAll(func() ([]remediate.Sighting, error) {
		if err := m.enter(ctx); err != nil {
			return nil, err
		}
		defer m.mu.Unlock()
		var out []remediate.Sighting
		for _, l := range m.looks {
			if len(l.Findings) > 0 {
				out = append(out, remediate.Sighting{Host: l.Host, At: l.At, Findings: cloneFindings(l.Findings)})
			}
		}
		return out, nil
	})
}
