package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oust/remediate"
)

// SaveExemption implements remediate.Store.
func (s *Store) SaveExemption(ctx context.Context, e remediate.Exemption) error {
	op := "save exemption of " + e.Host
	at, until := s.stamp(e.At), micros(e.Until)
	err := checkName("host", e.Host)
	if err == nil && at >= until {
		err = errors.New("it ends before it begins")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	reason, approver, by := remediate.ClipText(e.Reason), remediate.ClipText(e.Approver), remediate.ClipText(e.By)
	return s.write(ctx, op, func(tx *session) error {
		if _, err := tx.endExemptions(e.Host, at); err != nil {
			return err
		}
		err := tx.exec(`INSERT INTO exemptions (host, reason, approver, until, at, person) VALUES (?, ?, ?, ?, ?, ?)`,
			e.Host, reason, approver, until, at, by)
		if err != nil {
			return err
		}
		return tx.addHost(e.Host)
	})
}

// EndExemption implements remediate.Store.
func (s *Store) EndExemption(ctx context.Context, host string, at time.Time) error {
	us := s.stamp(at)
	return s.write(ctx, "end exemption of "+host, func(tx *session) error {
		ended, err := tx.endExemptions(host, us)
		if err == nil && ended == 0 {
			err = remediate.ErrNotFound
		}
		return err
	})
}

// endExemptions ends what holds for a host, and returns how many did.
func (s *session) endExemptions(host string, at int64) (int64, error) {
	return s.changes(`UPDATE exemptions SET ended = ?2 WHERE host = ?1 AND ended = 0 AND until > ?2`, host, at)
}

const exemptionsQuery = `SELECT host, reason, approver, until, at, person, ended FROM exemptions ORDER BY at, seq`

// Exemptions implements remediate.Store.
func (s *Store) Exemptions(ctx context.Context) ([]remediate.Exemption, error) {
	const op = "exemptions"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	exemptions, err := collect(ctx, s.reads, func(row scanner, e *remediate.Exemption) error {
		var until, at, ended int64
		err := row.Scan(&e.Host, &e.Reason, &e.Approver, &until, &at, &e.By, &ended)
		e.Until, e.At, e.Ended = fromMicros(until), fromMicros(at), fromMicros(ended)
		return err
	}, exemptionsQuery)
	return exemptions, explain(op, err)
}
