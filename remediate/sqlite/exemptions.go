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
	kept := remediate.Exemption{
		Host: e.Host, Reason: remediate.ClipText(e.Reason), Approver: remediate.ClipText(e.Approver), Ground: e.Ground,
		Mitigation: remediate.ClipText(e.Mitigation), Until: fromMicros(micros(e.Until)), At: fromMicros(s.stamp(e.At)),
		By: remediate.ClipText(e.By),
	}
	err := errors.Join(checkName("host", e.Host), checkShort(e.Ground))
	if err == nil && !kept.At.Before(kept.Until) {
		err = errors.New("it ends before it begins")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(tx *session) error { return tx.saveExemption(kept) })
}

func (s *session) saveExemption(e remediate.Exemption) error {
	if _, err := s.endExemptions(e.Host, micros(e.At)); err != nil {
		return err
	}
	if err := s.insertExemption(e); err != nil {
		return err
	}
	if err := s.addHost(e.Host); err != nil {
		return err
	}
	return s.log.append(e.Record())
}

func (s *session) insertExemption(e remediate.Exemption) error {
	return s.exec(`INSERT INTO exemptions (host, reason, approver, ground, mitigation, until, at, person, ended, record)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.Host, e.Reason, e.Approver, e.Ground, e.Mitigation,
		micros(e.Until), micros(e.At), e.By, micros(e.Ended), s.log.next())
}

// EndExemption implements remediate.Store.
func (s *Store) EndExemption(ctx context.Context, host string, at time.Time) error {
	e := remediate.Exemption{Host: host, Ended: fromMicros(s.stamp(at))}
	return s.write(ctx, "end exemption of "+host, func(tx *session) error { return tx.endExemption(e) })
}

func (s *session) endExemption(e remediate.Exemption) error {
	ended, err := s.endExemptions(e.Host, micros(e.Ended))
	switch {
	case err != nil:
		return err
	case ended == 0:
		return remediate.ErrNotFound
	}
	return s.log.append(e.EndedRecord())
}

// endExemptions ends what holds for a host, and returns how many did. The next
// record is the one that tells it.
func (s *session) endExemptions(host string, at int64) (int64, error) {
	return s.changes(`UPDATE exemptions SET ended = ?2, ended_record = ?3 WHERE host = ?1 AND ended = 0 AND until > ?2`,
		host, at, s.log.next())
}

const exemptionsQuery = `SELECT host, reason, approver, ground, mitigation, until, at, person, ended FROM exemptions ORDER BY at, seq`

// Exemptions implements remediate.Store.
func (s *Store) Exemptions(ctx context.Context) ([]remediate.Exemption, error) {
	const op = "exemptions"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	exemptions, err := collect(ctx, s.reads, func(row scanner, e *remediate.Exemption) error {
		var until, at, ended int64
		err := row.Scan(&e.Host, &e.Reason, &e.Approver, &e.Ground, &e.Mitigation, &until, &at, &e.By, &ended)
		e.Until, e.At, e.Ended = fromMicros(until), fromMicros(at), fromMicros(ended)
		return err
	}, exemptionsQuery)
	return exemptions, explain(op, err)
}
