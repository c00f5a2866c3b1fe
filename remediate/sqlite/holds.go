package sqlite

import (
	"context"
	"fmt"
	"time"

	"oust/remediate"
)

// SaveHold implements remediate.Store.
func (s *Store) SaveHold(ctx context.Context, h remediate.Hold) error {
	const op = "save hold"
	if err := checkShort(h.Run, h.Plan); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	at, reason := s.stamp(h.At), remediate.ClipText(h.Reason)
	return s.write(ctx, op, func(tx *session) error {
		return tx.exec(`INSERT INTO holds (at, reason, run, plan, wave) SELECT ?, ?, ?, ?, ?
			WHERE NOT EXISTS (SELECT 1 FROM holds WHERE released = 0)`, at, reason, h.Run, h.Plan, h.Wave)
	})
}

// ReleaseHold implements remediate.Store.
func (s *Store) ReleaseHold(ctx context.Context, at time.Time, by string) error {
	us, by := s.stamp(at), remediate.ClipText(by)
	return s.write(ctx, "release hold", func(tx *session) error {
		released, err := tx.changes(`UPDATE holds SET released = ?, person = ? WHERE released = 0`, us, by)
		if err == nil && released == 0 {
			err = remediate.ErrNotFound
		}
		return err
	})
}

const holdsQuery = `SELECT at, reason, run, plan, wave, released, person FROM holds ORDER BY seq`

// Holds implements remediate.Store.
func (s *Store) Holds(ctx context.Context) ([]remediate.Hold, error) {
	const op = "holds"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	holds, err := collect(ctx, s.reads, func(row scanner, h *remediate.Hold) error {
		var at, released int64
		err := row.Scan(&at, &h.Reason, &h.Run, &h.Plan, &h.Wave, &released, &h.By)
		h.At, h.Released = fromMicros(at), fromMicros(released)
		return err
	}, holdsQuery)
	return holds, explain(op, err)
}
