package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

// SavePlan implements remediate.Store. The same digest again is no error.
func (s *Store) SavePlan(ctx context.Context, id, digest string, at time.Time) error {
	op := "save plan " + id
	if err := errors.Join(checkName("plan", id), checkShort(digest)); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	us := s.stamp(at)
	return s.write(ctx, op, func(tx *session) error { return tx.savePlan(id, digest, us) })
}

func (s *session) savePlan(id, digest string, at int64) error {
	var known string
	switch found, err := s.get(`SELECT digest FROM plans WHERE id = ?`, []any{id}, &known); {
	case err != nil:
		return err
	case found && known != digest:
		return errors.New("it is recorded with another digest")
	case found:
		return nil
	}
	err := s.exec(`INSERT INTO plans (id, digest, at, record) VALUES (?, ?, ?, ?)`, id, digest, at, s.log.next())
	if err != nil {
		return err
	}
	return s.log.append(remediate.PlanRecord(id, digest, fromMicros(at)))
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
	kept := remediate.Run{
		ID: run.ID, Kind: run.Kind, Plan: run.Plan, Started: fromMicros(s.stamp(run.Started)),
		By: remediate.ClipText(run.By), Lowered: remediate.ClipText(run.Lowered),
	}
	return s.write(ctx, op, func(tx *session) error { return tx.beginRun(kept) })
}

func (s *session) beginRun(run remediate.Run) error {
	added, err := s.changes(`INSERT INTO runs (id, kind, plan, started, person, lowered, record)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		run.ID, run.Kind, run.Plan, micros(run.Started), run.By, run.Lowered, s.log.next())
	switch {
	case err != nil:
		return err
	case added == 0:
		return errors.New("it was begun before")
	}
	return s.log.append(run.BegunRecord())
}

// EndRun implements remediate.Store. A run that has ended with that exit code
// already stays as it is.
func (s *Store) EndRun(ctx context.Context, run remediate.Run) error {
	run.Ended, run.Note = fromMicros(s.stamp(run.Ended)), remediate.ClipText(run.Note)
	return s.write(ctx, "end run "+run.ID, func(tx *session) error { return tx.endRun(run) })
}

func (s *session) endRun(run remediate.Run) error {
	var was, exit int64
	switch found, err := s.get(`SELECT ended, exit FROM runs WHERE id = ?`, []any{run.ID}, &was, &exit); {
	case err != nil:
		return err
	case !found:
		return remediate.ErrNotFound
	case was != 0 && exit != int64(run.Exit):
		return fmt.Errorf("it has ended with exit code %d", exit)
	case was != 0:
		return nil
	}
	err := s.exec(`UPDATE runs SET ended = ?, exit = ?, note = ?, ended_record = ? WHERE id = ?`,
		micros(run.Ended), run.Exit, run.Note, s.log.next(), run.ID)
	if err != nil {
		return err
	}
	return s.log.append(run.EndedRecord())
}

// LowerRun implements remediate.Store.
func (s *Store) LowerRun(ctx context.Context, run, lowered string) error {
	kept, at := remediate.Run{ID: run, Lowered: remediate.ClipText(lowered)}, fromMicros(s.stamp(time.Time{}))
	return s.write(ctx, "lower run "+run, func(tx *session) error { return tx.lowerRun(kept, at) })
}

func (s *session) lowerRun(run remediate.Run, at time.Time) error {
	var was string
	switch found, err := s.get(`SELECT lowered FROM runs WHERE id = ?`, []any{run.ID}, &was); {
	case err != nil:
		return err
	case !found:
		return remediate.ErrNotFound
	case was == run.Lowered:
		return nil
	}
	err := s.exec(`UPDATE runs SET lowered = ?, lowered_record = ? WHERE id = ?`, run.Lowered, s.log.next(), run.ID)
	if err != nil {
		return err
	}
	return s.log.append(run.LoweredRecord(at))
}

// TrustHostKey implements remediate.Store. A key that is recorded for the
// host and address already stays as it is.
func (s *Store) TrustHostKey(ctx context.Context, host, address, fingerprint string, at time.Time) error {
	op := "trust the key of " + host
	if err := errors.Join(checkName("host", host), checkAddress(address), checkShort(fingerprint)); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	us := s.stamp(at)
	return s.write(ctx, op, func(tx *session) error { return tx.trust(host, address, fingerprint, us) })
}

func (s *session) trust(host, address, fingerprint string, at int64) error {
	if err := s.addHost(host); err != nil {
		return err
	}
	added, err := s.changes(`INSERT INTO trust (host, address, fingerprint, at, record) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, host, address, fingerprint, at, s.log.next())
	if err != nil || added == 0 {
		return err
	}
	return s.log.append(remediate.TrustRecord(host, address, fingerprint, fromMicros(at)))
}

// checkAddress bounds HOST:PORT, which may be empty.
func checkAddress(address string) error {
	if len(address) > remediate.MaxAddress || !utf8.ValidString(address) {
		return fmt.Errorf("an address has %d bytes, more than %d, or is not UTF-8", len(address), remediate.MaxAddress)
	}
	return nil
}

// checkShort bounds ids and other short texts that may be empty.
func checkShort(texts ...string) error {
	for _, t := range texts {
		if len(t) > remediate.MaxName {
			return fmt.Errorf("an id has %d bytes, more than %d", len(t), remediate.MaxName)
		}
		if !utf8.ValidString(t) {
			return fmt.Errorf("an id is not UTF-8: %q", t)
		}
	}
	return nil
}
