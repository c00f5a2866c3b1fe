package sqlite

import (
	"oust/remediate"
)

// The lists of which a row is one record, with its end in it: what was decided
// and what was restarted before there was a ledger.

func (s *session) carryHolds() (int, error) {
	type row struct {
		remediate.Hold
		seq int64
	}
	holds, err := pick(s, `SELECT seq, at, reason, run, plan, wave, released, person FROM holds
		WHERE record IS NULL ORDER BY seq LIMIT ?`, []any{carryMost}, func(from scanner, h *row) error {
		var at, released int64
		err := from.Scan(&h.seq, &at, &h.Reason, &h.Run, &h.Plan, &h.Wave, &released, &h.By)
		h.At, h.Released = fromMicros(at), fromMicros(released)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, h := range holds {
		if err := s.exec(`UPDATE holds SET record = ? WHERE seq = ?`, s.log.next(), h.seq); err != nil {
			return 0, err
		}
		if err := s.appender.carry(h.Record()); err != nil {
			return 0, err
		}
	}
	return len(holds), nil
}

func (s *session) carryExemptions() (int, error) {
	type row struct {
		remediate.Exemption
		seq int64
	}
	exemptions, err := pick(s, `SELECT seq, host, reason, approver, until, at, person, ended FROM exemptions
		WHERE record IS NULL ORDER BY seq LIMIT ?`, []any{carryMost}, func(from scanner, e *row) error {
		var until, at, ended int64
		err := from.Scan(&e.seq, &e.Host, &e.Reason, &e.Approver, &until, &at, &e.By, &ended)
		e.Until, e.At, e.Ended = fromMicros(until), fromMicros(at), fromMicros(ended)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, e := range exemptions {
		if err := s.exec(`UPDATE exemptions SET record = ? WHERE seq = ?`, s.log.next(), e.seq); err != nil {
			return 0, err
		}
		if err := s.appender.carry(e.Record()); err != nil {
			return 0, err
		}
	}
	return len(exemptions), nil
}

func (s *session) carryReboots() (int, error) {
	type row struct {
		remediate.Reboot
		seq int64
	}
	reboots, err := pick(s, `SELECT seq, host, boot_id, attempt, at, back FROM reboots
		WHERE record IS NULL ORDER BY seq LIMIT ?`, []any{carryMost}, func(from scanner, r *row) error {
		var at, back int64
		err := from.Scan(&r.seq, &r.Host, &r.BootID, &r.Attempt, &at, &back)
		r.At, r.Back = fromMicros(at), fromMicros(back)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, r := range reboots {
		if err := s.exec(`UPDATE reboots SET record = ? WHERE seq = ?`, s.log.next(), r.seq); err != nil {
			return 0, err
		}
		if err := s.appender.carry(r.Record()); err != nil {
			return 0, err
		}
	}
	return len(reboots), nil
}
