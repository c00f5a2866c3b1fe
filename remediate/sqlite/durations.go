package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"oust/remediate"
)

const (
	nextPlaybookQuery = `SELECT min(playbook) FROM durations WHERE playbook > ?`
	durationsQuery    = `SELECT took FROM durations WHERE playbook = ? ORDER BY ended DESC, attempt DESC LIMIT ?`
)

// addDurations notes how long the job of an attempt that gets its outcome has
// taken, if it had run, and if the clock was not set back meanwhile.
func (s *session) addDurations(known *knownAttempt, r *attemptRecord) error {
	ran := slices.Contains([]remediate.Phase{remediate.PhaseLaunched, remediate.PhaseRunning, remediate.PhaseEnded}, known.phase)
	counts := r.Outcome.Kind == remediate.OutcomeRemoved || r.Outcome.Kind == remediate.OutcomeRebootPending
	if !ran || !counts || r.updated < known.started {
		return nil
	}
	for _, name := range r.Playbooks {
		err := s.exec(`INSERT INTO durations (playbook, ended, attempt, took) VALUES (?, ?, ?, ?)`,
			name, r.updated, known.seq, r.updated-known.started)
		if err != nil {
			return err
		}
	}
	return nil
}

// Durations implements remediate.Store.
func (s *Store) Durations(ctx context.Context, limit int) (map[string][]time.Duration, error) {
	const op = "durations"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	out := map[string][]time.Duration{}
	if limit <= 0 {
		return out, nil
	}
	for playbook := ""; ; {
		var next sql.NullString
		if err := s.reads.QueryRowContext(ctx, nextPlaybookQuery, playbook).Scan(&next); err != nil {
			return nil, explain(op, err)
		}
		if !next.Valid {
			return out, nil
		}
		playbook = next.String
		took, err := collect(ctx, s.reads, func(row scanner, d *time.Duration) error {
			var us int64
			err := row.Scan(&us)
			*d = time.Duration(us) * time.Microsecond
			return err
		}, durationsQuery, playbook, limit)
		if err != nil {
			return nil, explain(op, err)
		}
		out[playbook] = took
	}
}

// collect reads all rows of a query whose answer is short.
func collect[T any](ctx context.Context, db *sql.DB, read func(row scanner, v *T) error, query string, args ...any) (out []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v T
		if err := read(rows, &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
