package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"oust/remediate"
)

// attemptRecord is an attempt in the form in which it is kept.
type attemptRecord struct {
	remediate.Attempt // as it is kept, without Log
	started, updated  int64
	playbooks         string // JSON, empty for none
	hasLog            bool
	log               packed
	logDigest         []byte // nil for an empty log
}

// attempt checks an attempt and gives it the form in which it is kept.
func (s *Store) attempt(a remediate.Attempt) (*attemptRecord, error) {
	if err := errors.Join(checkName("attempt", a.ID), checkName("host", a.Host),
		checkShort(a.Run, a.Plan, a.Script), checkAddress(a.Address)); err != nil {
		return nil, err
	}
	r := &attemptRecord{Attempt: a, started: s.stamp(a.Started), updated: s.stamp(a.Updated), hasLog: a.Log != nil}
	if err := r.setPlaybooks(a.Playbooks); err != nil {
		return nil, err
	}
	if len(a.Log) > 0 {
		log := remediate.ClipLog(a.Log)
		digest := sha256.Sum256(log)
		var err error
		if r.log, err = s.packer.pack(log); err != nil {
			return nil, err
		}
		r.logDigest = digest[:]
	}
	r.Log, r.Journal = nil, nil
	r.Started, r.Updated = fromMicros(r.started), fromMicros(r.updated)
	r.BootID, r.Result = remediate.ClipText(a.BootID), remediate.ClipResult(a.Result)
	r.Outcome.Detail = remediate.ClipText(a.Outcome.Detail)
	return r, nil
}

// BeginAttempt implements remediate.Store.
func (s *Store) BeginAttempt(ctx context.Context, a remediate.Attempt) error {
	op := "begin attempt " + a.ID
	r, err := s.attempt(a)
	if err == nil && a.Phase != "" && a.Phase != remediate.PhaseIntended {
		err = fmt.Errorf("it cannot begin in phase %q", a.Phase)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	r.Phase, r.Outcome = remediate.PhaseIntended, remediate.Outcome{}
	return s.write(ctx, op, func(tx *session) error { return tx.beginAttempt(r) })
}

func (s *session) beginAttempt(r *attemptRecord) error {
	if _, err := s.addAttempt(r, s.log.next(), nil); err != nil {
		return err
	}
	return s.log.append(r.BegunRecord())
}

// SaveAttempt implements remediate.Store. A nil log leaves the stored one; once
// the outcome is recorded, only the phase goes on.
func (s *Store) SaveAttempt(ctx context.Context, a remediate.Attempt) error {
	op := "save attempt " + a.ID
	r, err := s.attempt(a)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(tx *session) error {
		known, err := tx.known(r)
		if err != nil {
			return err
		}
		if known == nil {
			return remediate.ErrNotFound
		}
		if err := step(known.phase, a.Phase); err != nil {
			return err
		}
		if known.outcome.Kind != "" {
			return tx.enterPhase(known, r)
		}
		return tx.update(known, r)
	})
}

// CloseAttempt implements remediate.Store. The same kind and class of outcome
// again is no error and changes nothing but the phase, which may go on to
// PhaseCleaned.
func (s *Store) CloseAttempt(ctx context.Context, a remediate.Attempt, look *remediate.Look) error {
	op := "close attempt " + a.ID
	r, err := s.attempt(a)
	if err == nil {
		err = checkClose(a, look)
	}
	var l *lookRecord
	if err == nil && look != nil {
		l, err = s.record(*look)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return s.write(ctx, op, func(tx *session) error { return tx.closeAttempt(r, l) })
}

func checkClose(a remediate.Attempt, look *remediate.Look) error {
	o := a.Outcome
	failed := o.Kind == remediate.OutcomeFailed
	switch {
	case a.Phase != remediate.PhaseClosed && a.Phase != remediate.PhaseCleaned:
		return fmt.Errorf("phase %q is not closed", a.Phase)
	case !slices.Contains(remediate.Outcomes(), o.Kind):
		return fmt.Errorf("%q is no outcome", o.Kind)
	case failed && !o.Class.Known(), !failed && o.Class != "":
		return fmt.Errorf("outcome %s does not go with class %q", o.Kind, o.Class)
	case look != nil && look.Host != a.Host:
		return errors.New("the look is of another host")
	}
	return nil
}

// phases in their one direction.
var phases = []remediate.Phase{
	remediate.PhaseIntended, remediate.PhaseLaunched, remediate.PhaseRunning,
	remediate.PhaseEnded, remediate.PhaseClosed, remediate.PhaseCleaned,
}

// step refuses a way back, and a way past the outcome, which only
// CloseAttempt records.
func step(from, to remediate.Phase) error {
	i, j := slices.Index(phases, from), slices.Index(phases, to)
	closed := slices.Index(phases, remediate.PhaseClosed)
	if j < i || i < closed && j >= closed {
		return fmt.Errorf("it cannot go from phase %q to %q", from, to)
	}
	return nil
}

// knownAttempt is what is recorded of an attempt already.
type knownAttempt struct {
	seq     int64
	started int64
	phase   remediate.Phase
	outcome remediate.Outcome // without Detail
	journal string
}

// known finds an attempt, nil if there is none, and holds that what
// identifies it has not changed.
func (s *session) known(r *attemptRecord) (*knownAttempt, error) {
	var k knownAttempt
	var run, host, plan, script, playbooks, address string
	found, err := s.get(`SELECT seq, run, host, plan, script, playbooks, address, started, phase, kind, class, journal
		FROM attempts WHERE id = ?`, []any{r.ID}, &k.seq, &run, &host, &plan, &script, &playbooks, &address,
		&k.started, (*string)(&k.phase), (*string)(&k.outcome.Kind), (*string)(&k.outcome.Class), &k.journal)
	if err != nil || !found {
		return nil, err
	}
	if run != r.Run || host != r.Host || plan != r.Plan || script != r.Script || playbooks != r.playbooks || address != r.Address {
		return nil, errors.New("host, address, run, plan, script and playbooks of an attempt never change")
	}
	return &k, nil
}

// addAttempt writes a new attempt. intent and outcome are the numbers of its
// records, nil for none.
func (s *session) addAttempt(r *attemptRecord, intent, outcome any) (*knownAttempt, error) {
	res, err := s.result(`INSERT INTO attempts
			(id, run, host, plan, script, phase, boot_id, started, updated, exit, kind, class, detail, result,
			playbooks, journal, address, record, outcome_record)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		r.ID, r.Run, r.Host, r.Plan, r.Script, string(r.Phase), r.BootID, r.started, r.updated, r.Exit,
		string(r.Outcome.Kind), string(r.Outcome.Class), r.Outcome.Detail, r.Result,
		r.playbooks, journalLine(r), r.Address, intent, outcome)
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return nil, errors.Join(errors.New("it was begun before"), err)
	}
	added := &knownAttempt{started: r.started, phase: r.Phase, journal: journalLine(r)}
	if added.seq, err = res.LastInsertId(); err != nil {
		return nil, err
	}
	if err := s.setLog(added.seq, r); err != nil {
		return nil, err
	}
	return added, s.addHost(r.Host)
}

// update replaces the fields that may change, all but the outcome.
func (s *session) update(known *knownAttempt, r *attemptRecord) error {
	err := s.exec(`UPDATE attempts SET phase = ?, journal = journal || ?, boot_id = ?, updated = ?, exit = ?, result = ?
		WHERE seq = ?`, string(r.Phase), known.entry(r), r.BootID, r.updated, r.Exit, r.Result, known.seq)
	if err != nil {
		return err
	}
	return s.setLog(known.seq, r)
}

func (s *session) setLog(seq int64, r *attemptRecord) error {
	switch {
	case !r.hasLog:
		return nil
	case r.log.size == 0:
		return s.exec(`DELETE FROM logs WHERE attempt = ?`, seq)
	}
	return s.exec(`INSERT INTO logs (attempt, size, data, digest) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET size = excluded.size, data = excluded.data, digest = excluded.digest`,
		seq, r.log.size, r.log.data, r.logDigest)
}

// closeAttempt writes an outcome and the look that it rests on.
func (s *session) closeAttempt(r *attemptRecord, look *lookRecord) error {
	number := s.log.next()
	if look != nil {
		number++ // its record comes first
	}
	known, err := s.known(r)
	switch {
	case err != nil:
		return err
	case known == nil:
		known, err = s.addAttempt(r, nil, number)
	case known.outcome.Kind != "":
		return s.closeAgain(known, r)
	default:
		err = s.setClosed(known, r, number)
	}
	if err != nil {
		return err
	}
	if look != nil {
		if err := s.addLook(look); err != nil {
			return err
		}
		if look.Class == "" || r.Outcome.Kind != remediate.OutcomeFailed { // else one failure, not two
			if err := s.moveState(look); err != nil {
				return err
			}
		}
	}
	if err := s.recordOutcome(known, r, look != nil); err != nil {
		return err
	}
	return s.setOutcome(r.Host, r.Outcome, r.updated)
}

// recordOutcome makes the record of an outcome.
func (s *session) recordOutcome(known *knownAttempt, r *attemptRecord, looked bool) error {
	log := r.logDigest
	if !r.hasLog {
		if _, err := s.get(`SELECT digest FROM logs WHERE attempt = ?`, []any{known.seq}, &log); err != nil {
			return err
		}
	}
	a := r.Attempt
	a.Started = fromMicros(known.started)
	var err error
	if a.Journal, err = parseJournal(known.journal); err != nil {
		return err
	}
	return s.log.append(a.EndedRecord(formatDigest(log), looked))
}

func (s *session) setClosed(known *knownAttempt, r *attemptRecord, number int64) error {
	if err := s.update(known, r); err != nil {
		return err
	}
	known.journal += known.entry(r)
	if err := s.addDurations(known, r); err != nil {
		return err
	}
	return s.exec(`UPDATE attempts SET kind = ?, class = ?, detail = ?, outcome_record = ? WHERE seq = ?`,
		string(r.Outcome.Kind), string(r.Outcome.Class), r.Outcome.Detail, number, known.seq)
}

// closeAgain takes the repeat of a close after a crash, and no other.
func (s *session) closeAgain(known *knownAttempt, r *attemptRecord) error {
	if known.outcome.Kind != r.Outcome.Kind || known.outcome.Class != r.Outcome.Class {
		return fmt.Errorf("it is closed as %s", known.outcome.Kind)
	}
	if r.Phase != remediate.PhaseCleaned {
		return nil
	}
	return s.enterPhase(known, r)
}

// enterPhase moves an attempt to the record's phase, and notes a new one.
func (s *session) enterPhase(known *knownAttempt, r *attemptRecord) error {
	return s.exec(`UPDATE attempts SET phase = ?, journal = journal || ? WHERE seq = ?`,
		string(r.Phase), known.entry(r), known.seq)
}
