package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"math"

	"oust/remediate"
)

// place is how far a cursor has come in records that are ordered by a time
// and then by the order of writing.
type place struct{ at, seq int64 }

// beginning is before every place.
var beginning = place{math.MinInt64, math.MinInt64}

// end is after every place.
var end = place{math.MaxInt64, math.MaxInt64}

// attemptQuery reads attempts in the order of their start, whole ones with
// their journal and log. Its arguments are those of where, then those of
// place, then the limit.
func attemptQuery(whole, from, where string) string {
	return `SELECT ` + attemptColumns + whole + `
		FROM attempts a ` + from + ` WHERE ` + where + ` AND (a.started, a.seq) > (?, ?)
		ORDER BY a.started, a.seq LIMIT ?`
}

const attemptColumns = `a.seq, a.id, a.run, a.host, a.plan, a.script, a.phase, a.boot_id, a.started, a.updated,
	a.exit, a.kind, a.class, a.detail, a.result, a.playbooks, a.address, `

const (
	short   = `'', NULL, NULL`
	whole   = `a.journal, g.size, g.data`
	joinLog = `LEFT JOIN logs g ON g.attempt = a.seq`
)

var (
	openQuery  = attemptQuery(short, ``, `a.phase <> 'cleaned'`)
	runQuery   = attemptQuery(short, ``, `a.run = ?`)
	hostsQuery = attemptQuery(whole, joinLog, `a.host = ?`)
)

// OpenAttempts implements remediate.Store. Logs are left out.
func (s *Store) OpenAttempts(ctx context.Context) ([]remediate.Attempt, error) {
	var out []remediate.Attempt
	for a, err := range s.attempts(ctx, "open attempts", openQuery) {
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// RunAttempts implements remediate.Store. Logs are left out; they come oldest
// first.
func (s *Store) RunAttempts(ctx context.Context, run string) iter.Seq2[remediate.Attempt, error] {
	return s.attempts(ctx, "attempts of run "+run, runQuery, run)
}

// HostAttempts implements remediate.Store.
func (s *Store) HostAttempts(ctx context.Context, host string) iter.Seq2[remediate.Attempt, error] {
	return s.attempts(ctx, "attempts on "+host, hostsQuery, host)
}

func (s *Store) attempts(ctx context.Context, op, query string, args ...any) iter.Seq2[remediate.Attempt, error] {
	return stream(ctx, s, op, func() cursor[remediate.Attempt] {
		p := beginning
		scan := func(rows *sql.Rows, a *remediate.Attempt) (int, error) { return scanAttempt(rows, a, &p) }
		return func(ctx context.Context, into []remediate.Attempt) ([]remediate.Attempt, bool, error) {
			at := append(args[:len(args):len(args)], p.at, p.seq)
			return list(ctx, s.reads, into, scan, query, at...)
		}
	})
}

// scanAttempt scans an attempt, and its place in the order into p.
func scanAttempt(row scanner, a *remediate.Attempt, p *place) (int, error) {
	var updated int64
	var size sql.NullInt64
	var log packed
	var playbooks, journal string
	err := row.Scan(&p.seq, &a.ID, &a.Run, &a.Host, &a.Plan, &a.Script, &a.Phase, &a.BootID, &p.at, &updated,
		&a.Exit, &a.Outcome.Kind, &a.Outcome.Class, &a.Outcome.Detail, &a.Result,
		&playbooks, &a.Address, &journal, &size, &log.data)
	if err != nil {
		return 0, err
	}
	if a.Playbooks, err = parsePlaybooks(playbooks); err != nil {
		return 0, err
	}
	if a.Journal, err = parseJournal(journal); err != nil {
		return 0, err
	}
	a.Started, a.Updated = fromMicros(p.at), fromMicros(updated)
	log.size = int(size.Int64)
	if a.Log, err = log.unpack(remediate.MaxLog); err != nil {
		return 0, err
	}
	return 512 + len(a.Result) + len(playbooks) + len(a.Log), nil
}
