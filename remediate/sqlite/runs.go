package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oust/remediate"
)

// SavePlan implements remediate.Store. The same digest again is no error.
func (s *Store) SavePlan(ctx context.Context, id, digest string, at time.Time) error {
	op := "save plan " + id
	if err := errors.Join(checkName("plan", id), checkShort(digest)); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	us := s.stamp(at)
	return s.write(ctx, op, func(tx *session) error {
		var known string
		switch found, err := tx.get(`SELECT digest FROM plans WHERE id = ?`, []any{id}, &known); {
		case err != nil:
			return err
		case found && known != digest:
			return errors.New("it is recorded with another digest")
		case found:
			return nil
		}
		return tx.exec(`INSERT INTO plans (id, digest, at) VALUES (?, ?, ?)`, id, digest, us)
	})
}

// PlanDigest implements remediate.Store.
func (s *Store) PlanDigest(ctx context.Context, id string) (string, error) {
	op := "plan " + id
	if err := s.readable(ctx); err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	var digest string
	err := s.reads.QueryRowContext(ctx, `SELECT digest FROM plans WHERE id = ?`, id).Scan(&digest)
	if errors.Is(err, sql.ErrNoRows) {
		err = remediate.ErrNotFound
	}
	return digest, explain(op, err)
}

// BeginRun implements remediate.Store.
func (s *Store) BeginRun(ctx context.Context, run remediate.Run) error {
	op := "begin run " + run.ID
	if err := errors.Join(checkName("run", run.ID), checkShort(run.Kind, run.Plan)); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	started, by, lowered := s.stamp(run.Started), remediate.ClipText(run.By), remediate.ClipText(run.Lowered)
	return s.write(ctx, op, func(tx *session) error {
		added, err := tx.changes(`INSERT INTO runs (id, kind, plan, started, person, lowered)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, run.ID, run.Kind, run.Plan, started, by, lowered)
		if err == nil && added == 0 {
			err = errors.New("it was begun before")
		}
		return err
	})
}

// EndRun implements remediate.Store. A run that has ended with that exit code
// already stays as it is.
func (s *Store) EndRun(ctx context.Context, run remediate.Run) error {
	ended := s.stamp(run.Ended)
	note := remediate.ClipText(run.Note)
	return s.write(ctx, "end run "+run.ID, func(tx *session) error {
		var was, exit int64
		switch found, err := tx.get(`SELECT ended, exit FROM runs WHERE id = ?`, []any{run.ID}, &was, &exit); {
		case err != nil:
			return err
		case !found:
			return remediate.ErrNotFound
		case was != 0 && exit != int64(run.Exit):
			return fmt.Errorf("it has ended with exit code %d", exit)
		case was != 0:
			return nil
		}
		return tx.exec(`UPDATE runs SET ended = ?, exit = ?, note = ? WHERE id = ?`, ended, run.Exit, note, run.ID)
	})
}

// LowerRun implements remediate.Store.
func (s *Store) LowerRun(ctx context.Context, run, lowered string) error {
	lowered = remediate.ClipText(lowered)
	return s.write(ctx, "lower run "+run, func(tx *session) error {
		known, err := tx.changes(`UPDATE runs SET lowered = ? WHERE id = ?`, lowered, run)
		if err == nil && known == 0 {
			err = remediate.ErrNotFound
		}
		return err
	})
}

// TrustHostKey implements remediate.Store. A key that is recorded for the
// host and address already stays as it is.
func (s *Store) TrustHostKey(ctx context.Context, host, address, fingerprint string, at time.Time) error {
	op := "trust the key of " + host
	if err := errors.Join(checkName("host", host), checkShort(address, fingerprint)); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	us := s.stamp(at)
	return s.write(ctx, op, func(tx *session) error {
		if err := tx.addHost(host); err != nil {
			return err
		}
		return tx.exec(`INSERT INTO trust (host, address, fingerprint, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			host, address, fingerprint, us)
	})
}

// checkShort bounds ids and other short texts that may be empty.
func checkShort(texts ...string) error {
	for _, t := range texts {
		if len(t) > remediate.MaxName {
			return fmt.Errorf("an id has %d bytes, more than %d", len(t), remediate.MaxName)
		}
	}
	return nil
}
