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
	kept := remediate.Hold{
		At: fromMicros(s.stamp(h.At)), Reason: remediate.ClipText(h.Reason), Run: h.Run, Plan: h.Plan, Wave: h.Wave,
	}
	return s.write(ctx, op, func(tx *session) error { return tx.saveHold(kept) })
}

func (s *session) saveHold(h remediate.Hold) error {
	added, err := s.changes(`INSERT INTO holds (at, reason, run, plan, wave, record) SELECT ?, ?, ?, ?, ?, ?
		WHERE NOT EXISTS (SELECT 1 FROM holds WHERE released = 0)`,
		micros(h.At), h.Reason, h.Run, h.Plan, h.Wave, s.log.next())
	if err != nil || added == 0 {
		return err
	}
	return s.log.append(h.Record())
}

// ReleaseHold implements remediate.Store.
func (s *Store) ReleaseHold(ctx context.Context, at time.Time, by string) error {
	h := remediate.Hold{Released: fromMicros(s.stamp(at)), By: remediate.ClipText(by)}
	return s.write(ctx, "release hold", func(tx *session) error { return tx.releaseHold(h) })
}

func (s *session) releaseHold(h remediate.Hold) error {
	released, err := s.changes(`UPDATE holds SET released = ?, person = ?, released_record = ? WHERE released = 0`,
		micros(h.Released), h.By, s.log.next())
	switch {
	case err != nil:
		return err
	case released == 0:
		return remediate.ErrNotFound
	}
	return s.log.append(h.ReleasedRecord())
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
