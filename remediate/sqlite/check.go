package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	lib "modernc.org/sqlite/lib"

	"oust/remediate"
	"oust/remediate/ledger"
)

// Misfit is something in a store that does not fit its ledger.
type Misfit struct {
	// Record is the number of the record that it does not fit, -1 if there is
	// none.
	Record int64
	// Table is where it is, and Row which: its key.
	Table, Row string
	Why        string
}

// MaxMisfits bounds what one CheckLedger reports: the misfits of the earliest
// records, and one more that counts the others.
const MaxMisfits = 10_000

// CheckLedger compares the store with its ledger, as they stand at one moment:
// each row with what the records tell, the state of every host and the moves
// of standings with what follows from them, and each text that hosts printed
// with its digest. It reports what does not fit, by the numbers of records;
// those that have none come first. Of records that were written by rules that
// this program does not know it returns a ledger.NewerRulesError. The ledger itself is ledger.Check's to
// check: here it is taken for true, and holds if that finds nothing either.
//
// What is no evidence is not compared: how long jobs took, how an attempt
// stands that has no outcome, and whether its folder was cleaned since it got
// one. CheckLedger writes to a folder for temporary files, about as much as
// the store holds without raw texts.
//
// progress, which may be nil, is told now and then how many records are
// repeated of how many; some work comes after the last.
func (s *Store) CheckLedger(ctx context.Context, report func(Misfit) error, progress func(done, all int64)) error {
	const op = "check the store against its ledger"
	if err := s.readable(ctx); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	found := &misfits{}
	err := s.check(ctx, found, progress)
	if code(err) == lib.SQLITE_FULL { // nothing else is written
		return fmt.Errorf("%s: there is no room for temporary files in %s; make room, or name another folder with TMPDIR: %w", op, os.TempDir(), err)
	}
	if err != nil {
		return explain(op, err)
	}
	return found.report(report)
}

// misfits keeps those of the earliest records.
type misfits struct {
	kept []Misfit
	more int
}

func (m *misfits) add(one Misfit) {
	m.kept = append(m.kept, one)
	if len(m.kept) < 2*MaxMisfits {
		return
	}
	m.cut()
}

func (m *misfits) cut() {
	slices.SortStableFunc(m.kept, func(a, b Misfit) int { return cmp.Compare(a.Record, b.Record) })
	if over := len(m.kept) - MaxMisfits; over > 0 {
		m.kept, m.more = m.kept[:MaxMisfits], m.more+over
	}
}

func (m *misfits) report(to func(Misfit) error) error {
	m.cut()
	for _, one := range m.kept {
		if err := to(one); err != nil {
			return err
		}
	}
	if m.more == 0 {
		return nil
	}
	return to(Misfit{Record: -1, Why: fmt.Sprintf("%d more do not fit", m.more)})
}

// check reads everything through one connection, in one transaction.
func (s *Store) check(ctx context.Context, found *misfits, progress func(done, all int64)) (err error) {
	conn, err := s.reads.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if !s.pinned {
		if _, err := conn.ExecContext(ctx, `BEGIN`); err != nil {
			return err
		}
		defer func() {
			_, end := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
			err = errors.Join(err, end)
		}()
	}
	told, err := openTold(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, told.close()) }()
	r := &repeater{s: told.session, misfit: found.add, known: s.rules}
	told.session.log, told.session.carried = r, map[string]remediate.Standing{}
	texts := startTexts(ctx, conn)
	err = told.withoutTriggers(ctx, func() error { return repeatAll(ctx, conn, r, progress) })
	if err != nil {
		return errors.Join(err, texts.stop())
	}
	last := lastRecords(ctx, conn)
	for _, t := range tables() {
		err := t.compare(ctx, conn, told.session.conn, func(m Misfit) { found.add(last(m)) })
		if err != nil {
			return errors.Join(err, texts.stop())
		}
	}
	return errors.Join(checkMeta(ctx, conn, r), checkKept(ctx, conn, r), texts.wait(found),
		checkStates(ctx, conn, func(m Misfit) { found.add(last(m)) }))
}

// lastRecords gives a misfit of a host's state the last record about the host,
// and one of an approval's hosts and scripts that of the approval.
func lastRecords(ctx context.Context, conn *sql.Conn) func(Misfit) Misfit {
	return func(m Misfit) Misfit {
		var query string
		switch m.Table {
		case "hosts", "states":
			query = `SELECT ifnull(max(seq), -1) FROM ledger WHERE host = ? AND host <> ''`
		case "planned":
			query = `SELECT ifnull(max(a.record), -1) FROM planned p JOIN approvals a ON a.plan = p.plan WHERE p.host = ?`
		case "raws":
			query = `SELECT ifnull(min(record), -1) FROM looks WHERE hex(digest) = upper(?)`
		case "logs":
			query = `SELECT ifnull(max(outcome_record), -1) FROM attempts WHERE seq = ?`
		default:
			return m
		}
		// Where the answer cannot be read, the misfit stays without a number.
		_ = conn.QueryRowContext(ctx, query, m.Row).Scan(&m.Record)
		return m
	}
}

// toldStore is an empty store for what the ledger tells.
type toldStore struct {
	dir     string
	db      *sql.DB
	session *session
}

func openTold(ctx context.Context) (*toldStore, error) {
	dir, err := os.MkdirTemp("", "oust-audit-")
	if err != nil {
		return nil, fmt.Errorf("a folder for temporary files, which TMPDIR names: %w", err)
	}
	told := &toldStore{dir: dir}
	if err := told.open(ctx); err != nil {
		return nil, errors.Join(err, told.close())
	}
	return told, nil
}

func (t *toldStore) open(ctx context.Context) (err error) {
	path := filepath.Join(t.dir, FileName)
	if err := create(path); err != nil {
		return err
	}
	if t.db, err = pool(path, 1, "mode=rw", "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)",
		"_pragma=locking_mode(EXCLUSIVE)", "_pragma=cache_size(-65536)", "_pragma=temp_store(FILE)"); err != nil {
		return err
	}
	p, err := provider(t.db)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	conn, err := t.db.Conn(ctx)
	if err != nil {
		return err
	}
	t.session = newSession(conn)
	return nil
}

// withoutTriggers puts the triggers away while do runs: what they write follows
// from the rows of the store itself, see checkStates.
func (t *toldStore) withoutTriggers(ctx context.Context, do func() error) error {
	triggers := map[string]string{} // as they were made, by name
	err := t.session.each(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`, nil, func(row scanner) error {
		var name, text string
		err := row.Scan(&name, &text)
		triggers[name] = text
		return err
	})
	if err != nil {
		return err
	}
	for name := range triggers {
		if _, err := t.session.conn.ExecContext(ctx, `DROP TRIGGER "`+name+`"`); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, text := range triggers {
		if _, err := t.session.conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (t *toldStore) close() error {
	var errs []error
	if t.session != nil {
		errs = append(errs, t.session.close())
	}
	if t.db != nil {
		errs = append(errs, t.db.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(t.dir))...)
}

// checkMeta compares the one row of meta with the records that tell it.
func checkMeta(ctx context.Context, conn *sql.Conn, r *repeater) error {
	var id, key string
	var rows, carried any
	err := conn.QueryRowContext(ctx, `SELECT count(*), ifnull(max(campaign_id), ''), ifnull(max(ledger_key), ''), ifnull(max(carried), 0) FROM meta`).
		Scan(&rows, &id, &key, &carried)
	if err != nil {
		return err
	}
	wrong := func(why string, args ...any) {
		r.misfit(Misfit{Record: 0, Table: "meta", Why: fmt.Sprintf(why, args...)})
	}
	if rows != int64(1) {
		wrong("it has %v rows, not one", rows)
	}
	if id != r.begun.CampaignID {
		wrong("campaign_id is %s, and the ledger tells %s", shown(id), shown(r.begun.CampaignID))
	}
	if key != r.key {
		wrong("ledger_key is %s, and the ledger tells %s", shown(key), shown(r.key))
	}
	var rules int
	if err := conn.QueryRowContext(ctx, rulesQuery).Scan(&rules); err != nil {
		return err
	}
	if rules != r.rules {
		wrong("the file is of rules %d, and the ledger tells %d", rules, r.rules)
	}
	if carried != int64(1) {
		wrong("what was kept before the ledger is not all in it")
	}
	return nil
}

// checkKept compares the rows of heads with what the heads in them say.
func checkKept(ctx context.Context, conn *sql.Conn, r *repeater) (err error) {
	rows, err := conn.QueryContext(ctx, `SELECT day, size, text FROM heads ORDER BY size`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var on, size int64
		var text string
		if err := rows.Scan(&on, &size, &text); err != nil {
			r.misfit(Misfit{Record: -1, Table: "heads", Why: err.Error()})
			continue
		}
		wrong := func(why string) {
			r.misfit(Misfit{Record: max(size-1, -1), Table: "heads", Row: fmt.Sprint(on), Why: why})
		}
		head, err := ledger.OpenHead(text, r.keys...)
		switch {
		case err != nil:
			wrong(err.Error())
		case head.Size != size:
			wrong(fmt.Sprintf("size is %d, and the head says %d", size, head.Size))
		case day(head.At) != on:
			wrong(fmt.Sprintf("day is %d, and the head says %d", on, day(head.At)))
		}
	}
	return rows.Err()
}

// checkStates holds that the text of each host's state is that of its row.
func checkStates(ctx context.Context, conn *sql.Conn, misfit func(Misfit)) (err error) {
	rows, err := conn.QueryContext(ctx, `SELECT h.name FROM joined_hosts h LEFT JOIN states s ON s.name = h.name WHERE s.joined IS NOT h.joined
		UNION ALL SELECT name FROM states WHERE name NOT IN (SELECT name FROM hosts)`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name any
		if err := rows.Scan(&name); err != nil {
			return err
		}
		misfit(Misfit{Record: -1, Table: "states", Row: plainValue(name), Why: "the text is not that of the host's row"})
	}
	return rows.Err()
}
