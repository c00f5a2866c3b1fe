package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"oust/remediate"
	"oust/remediate/ledger"
)

// carryMost bounds the rows that are carried in one transaction.
const carryMost = 256

// What older versions of oust wrote gets its records when a newer one first
// opens the store for writing: table by table, each in the order of writing.
// In which order a host's looks and attempts came they do not tell, so the
// state of each host is carried as it is, in a record of its own.

// countEarlier is the number of records that carryEarlier will make.
func (s *session) countEarlier() (n int64, err error) {
	_, err = s.get(`SELECT (SELECT count(*) FROM plans) + (SELECT count(*) FROM holds) + (SELECT count(*) FROM exemptions)
		+ (SELECT count(*) FROM trust) + (SELECT count(*) FROM reboots) + (SELECT count(*) FROM looks)
		+ (SELECT count(*) FROM attempts) + (SELECT count(*) FROM hosts)
		+ (SELECT count(*) + count(*) FILTER (WHERE ended <> 0) FROM runs)
		+ (SELECT count(*) FROM approvals)
		+ (SELECT ifnull(sum((n + ?1 - 1) / ?1), 0) FROM (SELECT count(*) n FROM approved_scripts GROUP BY plan))
		+ (SELECT ifnull(sum((n + ?1 - 1) / ?1), 0) FROM (SELECT count(*) n FROM planned GROUP BY plan, wave))`,
		[]any{remediate.MaxApproved}, &n)
	return n, err
}

// carryEarlier makes the records of what older versions wrote, in bounded
// transactions; one that was cut short goes on where it stopped.
func (s *session) carryEarlier(ctx context.Context) error {
	var done bool
	if _, err := s.get(`SELECT carried FROM meta`, nil, &done); err != nil || done {
		return err
	}
	s.carried = map[string]remediate.Standing{}
	defer func() { s.carried = nil }()
	err := s.each(`SELECT host, after FROM moves ORDER BY seq`, nil, func(row scanner) error {
		var host, after string
		err := row.Scan(&host, &after)
		s.carried[host] = remediate.Standing(after)
		return err
	})
	if err != nil {
		return err
	}
	for _, step := range []func(*session) (int, error){
		(*session).carryPlans, (*session).carryRuns, (*session).carryApproval, (*session).carryHolds,
		(*session).carryExemptions, (*session).carryTrust, (*session).carryReboots,
		(*session).carryLooks, (*session).carryAttempts, (*session).carryStates,
	} {
		s.carriedTo = 0
		for n := 1; n > 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := s.alone("carry", func(tx *session) (err error) {
				n, err = step(tx)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return s.exec(`UPDATE meta SET carried = 1`)
}

// each scans the rows of a query.
func (s *session) each(query string, args []any, row func(row scanner) error) (err error) {
	stmt, err := s.prepare(query)
	if err != nil {
		return err
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// pick reads some rows into memory.
func pick[T any](s *session, query string, args []any, scan func(row scanner, v *T) error) (out []T, err error) {
	err = s.each(query, args, func(row scanner) error {
		var v T
		err := scan(row, &v)
		out = append(out, v)
		return err
	})
	return out, err
}

func (s *session) carryPlans() (int, error) {
	type plan struct {
		id, digest string
		at         int64
	}
	plans, err := pick(s, `SELECT id, digest, at FROM plans WHERE record IS NULL ORDER BY id LIMIT ?`, []any{carryMost},
		func(row scanner, p *plan) error { return row.Scan(&p.id, &p.digest, &p.at) })
	if err != nil {
		return 0, err
	}
	for _, p := range plans {
		if err := s.exec(`UPDATE plans SET record = ? WHERE id = ?`, s.log.next(), p.id); err != nil {
			return 0, err
		}
		if err := s.appender.carry(remediate.PlanRecord(p.id, p.digest, fromMicros(p.at))); err != nil {
			return 0, err
		}
	}
	return len(plans), nil
}

func (s *session) carryRuns() (int, error) {
	runs, err := pick(s, `SELECT `+runColumns+` FROM runs WHERE record IS NULL ORDER BY seq LIMIT ?`, []any{carryMost},
		func(row scanner, run *remediate.Run) error {
			_, err := scanRun(row, run, &place{})
			return err
		})
	if err != nil {
		return 0, err
	}
	for _, run := range runs {
		if err := s.exec(`UPDATE runs SET record = ? WHERE id = ?`, s.log.next(), run.ID); err != nil {
			return 0, err
		}
		if err := s.appender.carry(run.BegunRecord()); err != nil {
			return 0, err
		}
		if run.Ended.IsZero() {
			continue
		}
		if err := s.exec(`UPDATE runs SET ended_record = ? WHERE id = ?`, s.log.next(), run.ID); err != nil {
			return 0, err
		}
		if err := s.appender.carry(run.EndedRecord()); err != nil {
			return 0, err
		}
	}
	return len(runs), nil
}

// carryApproval carries one approval, with those of its hosts that no later
// one has taken over.
func (s *session) carryApproval() (int, error) {
	var a remediate.Approval
	var at int64
	found, err := s.get(`SELECT plan, at, person FROM approvals WHERE record IS NULL ORDER BY plan LIMIT 1`, nil, &a.Plan, &at, &a.By)
	if err != nil || !found {
		return 0, err
	}
	a.At = fromMicros(at)
	if a.Scripts, err = pick(s, `SELECT script FROM approved_scripts WHERE plan = ?`, []any{a.Plan},
		func(row scanner, script *string) error { return row.Scan(script) }); err != nil {
		return 0, err
	}
	if a.Hosts, err = pick(s, `SELECT host, wave FROM planned WHERE plan = ?`, []any{a.Plan},
		func(row scanner, p *remediate.Planned) error { return row.Scan(&p.Host, &p.Wave) }); err != nil {
		return 0, err
	}
	if err := s.exec(`UPDATE approvals SET record = ? WHERE plan = ?`, s.log.next(), a.Plan); err != nil {
		return 0, err
	}
	for _, r := range a.Records() {
		if err := s.appender.carry(r); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (s *session) carryTrust() (int, error) {
	type trust struct {
		host, address, fingerprint string
		at                         int64
	}
	rows, err := pick(s, `SELECT host, address, fingerprint, at FROM trust WHERE record IS NULL LIMIT ?`, []any{carryMost},
		func(row scanner, t *trust) error { return row.Scan(&t.host, &t.address, &t.fingerprint, &t.at) })
	if err != nil {
		return 0, err
	}
	for _, t := range rows {
		err := s.exec(`UPDATE trust SET record = ? WHERE host = ? AND address = ? AND fingerprint = ?`,
			s.log.next(), t.host, t.address, t.fingerprint)
		if err == nil {
			err = s.appender.carry(remediate.TrustRecord(t.host, t.address, t.fingerprint, fromMicros(t.at)))
		}
		if err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// carryLooks carries looks, and derives which of them moved a standing.
func (s *session) carryLooks() (int, error) {
	type row struct {
		remediate.Look
		seq int64
	}
	var parse findingsParser
	looks, err := pick(s, `SELECT `+lookColumns+`0, NULL FROM looks l WHERE l.seq > ? AND l.record IS NULL
		ORDER BY l.seq LIMIT ?`, []any{s.carriedTo, carryMost},
		func(from scanner, l *row) error {
			var p place
			_, err := parse.scanLook(from, &l.Look, &p)
			l.seq = p.seq
			return err
		})
	if err != nil {
		return 0, err
	}
	for _, l := range looks {
		r := &lookRecord{Look: l.Look, at: micros(l.At), record: s.log.next(), found: remediate.Counts(l.Findings)}
		if err := s.exec(`UPDATE looks SET record = ? WHERE seq = ?`, r.record, l.seq); err != nil {
			return 0, err
		}
		if err := s.carryMove(r); err != nil {
			return 0, err
		}
		if r.found && r.Class == "" {
			err := s.exec(`UPDATE hosts SET found_at = ? WHERE name = ? AND found_at = 0`, r.at, r.Host)
			if err != nil {
				return 0, err
			}
		}
		if err := s.appender.carry(r.Record()); err != nil {
			return 0, err
		}
		s.carriedTo = l.seq
	}
	return len(looks), nil
}

// carryMove writes what an earlier look did to the standing of its host.
func (s *session) carryMove(r *lookRecord) error {
	if r.Class != "" || r.Kind == remediate.LookPrecheck || !r.counts() {
		return nil
	}
	before, ok := s.carried[r.Host]
	if !ok {
		before = remediate.StandUnseen
	}
	after := before.Next(r.found)
	s.carried[r.Host] = after
	return s.addMove(r, before, after)
}

// carryAttempts carries attempts: the outcome of each that has one, with its
// whole journal, and the intent of the others.
func (s *session) carryAttempts() (int, error) {
	type row struct {
		remediate.Attempt
		seq int64
	}
	attempts, err := pick(s, `SELECT `+attemptColumns+`a.journal, NULL, NULL FROM attempts a
		WHERE a.seq > ? AND a.record IS NULL AND a.outcome_record IS NULL ORDER BY a.seq LIMIT ?`, []any{s.carriedTo, carryMost},
		func(from scanner, a *row) error {
			var p place
			_, err := scanAttempt(from, &a.Attempt, &p)
			a.seq = p.seq
			return err
		})
	if err != nil {
		return 0, err
	}
	for _, a := range attempts {
		log, err := s.digestLog(a.seq)
		if err != nil {
			return 0, err
		}
		column, r := "outcome_record", a.EndedRecord(log, false)
		if a.Outcome.Kind == "" {
			column, r = "record", a.BegunRecord()
		}
		if err := s.exec(`UPDATE attempts SET `+column+` = ? WHERE seq = ?`, s.log.next(), a.seq); err != nil {
			return 0, err
		}
		if err := s.appender.carry(r); err != nil {
			return 0, err
		}
		s.carriedTo = a.seq
	}
	return len(attempts), nil
}

// digestLog keeps the digest of a log beside it and returns it; there is none
// for a log that is damaged.
func (s *session) digestLog(attempt int64) (string, error) {
	var size sql.NullInt64
	var log packed
	found, err := s.get(`SELECT size, data FROM logs WHERE attempt = ?`, []any{attempt}, &size, &log.data)
	if err != nil || !found {
		return "", err
	}
	log.size = int(size.Int64)
	text, err := log.unpack(remediate.MaxLog)
	if errors.Is(err, errPacked) || text == nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(text)
	return formatDigest(digest[:]), s.exec(`UPDATE logs SET digest = ? WHERE attempt = ?`, digest[:], attempt)
}

// carryStates carries hosts by name, from the one on that the last record of
// the ledger is about.
func (s *session) carryStates() (int, error) {
	after := ""
	var text []byte
	if _, err := s.get(`SELECT text FROM ledger ORDER BY seq DESC LIMIT 1`, nil, &text); err != nil {
		return 0, err
	}
	_, last, err := ledger.Decode(text)
	if err != nil {
		return 0, err
	}
	if last.Kind == remediate.RecordState {
		after = last.Host
	}
	states, err := pick(s, `SELECT `+carriedColumns+` FROM hosts WHERE name > ? ORDER BY name LIMIT ?`, []any{after, carryMost},
		func(row scanner, h *carriedHost) error { return h.scan(row) })
	if err != nil {
		return 0, err
	}
	for _, h := range states {
		r := remediate.Record{Kind: remediate.RecordState, At: s.appender.now(), Host: h.name, Body: h.StateCarried}
		if err := s.appender.carry(r); err != nil {
			return 0, err
		}
	}
	return len(states), nil
}
