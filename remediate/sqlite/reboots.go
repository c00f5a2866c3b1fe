package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oust/remediate"
)

// BeginReboot implements remediate.Store.
func (s *Store) BeginReboot(ctx context.Context, r remediate.Reboot, budget int) error {
	op := "begin reboot of " + r.Host
	if err := errors.Join(checkName("host", r.Host), checkName("boot id", r.BootID), checkShort(r.Attempt)); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	kept := remediate.Reboot{Host: r.Host, BootID: r.BootID, Attempt: r.Attempt, At: fromMicros(s.stamp(r.At))}
	return s.write(ctx, op, func(tx *session) error { return tx.beginReboot(kept, budget) })
}

func (s *session) beginReboot(r remediate.Reboot, budget int) error {
	var spent, known int
	_, err := s.get(`SELECT count(*), count(*) FILTER (WHERE boot_id = ?2) FROM reboots WHERE host = ?1`,
		[]any{r.Host, r.BootID}, &spent, &known)
	switch {
	case err != nil || known > 0:
		return err
	case spent >= budget:
		return remediate.ErrBudget
	}
	if err := s.insertReboot(r); err != nil {
		return err
	}
	err = s.exec(`INSERT INTO hosts (name, reboots) VALUES (?, 1) ON CONFLICT DO UPDATE SET reboots = reboots + 1`, r.Host)
	if err != nil {
		return err
	}
	return s.log.append(r.Record())
}

func (s *session) insertReboot(r remediate.Reboot) error {
	return s.exec(`INSERT INTO reboots (host, boot_id, attempt, at, back, record) VALUES (?, ?, ?, ?, ?, ?)`,
		r.Host, r.BootID, r.Attempt, micros(r.At), micros(r.Back), s.log.next())
}

// EndReboot implements remediate.Store.
func (s *Store) EndReboot(ctx context.Context, host, bootID string, at time.Time) error {
	r := remediate.Reboot{Host: host, BootID: bootID, Back: fromMicros(s.stamp(at))}
	return s.write(ctx, "end reboot of "+host, func(tx *session) error { return tx.endReboot(r) })
}

func (s *session) endReboot(r remediate.Reboot) error {
	ended, err := s.changes(`UPDATE reboots SET back = ?, back_record = ? WHERE host = ? AND boot_id = ? AND back = 0`,
		micros(r.Back), s.log.next(), r.Host, r.BootID)
	if err != nil || ended == 0 {
		return err
	}
	return s.log.append(r.BackRecord())
}

const rebootsQuery = `SELECT host, boot_id, attempt, at, back FROM reboots WHERE host = ? ORDER BY at, seq`

// Reboots implements remediate.Store.
func (s *Store) Reboots(ctx context.Context, host string) ([]remediate.Reboot, error) {
	op := "reboots of " + host
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	reboots, err := collect(ctx, s.reads, func(row scanner, r *remediate.Reboot) error {
		var at, back int64
		err := row.Scan(&r.Host, &r.BootID, &r.Attempt, &at, &back)
		r.At, r.Back = fromMicros(at), fromMicros(back)
		return err
	}, rebootsQuery, host)
	return reboots, explain(op, err)
}
