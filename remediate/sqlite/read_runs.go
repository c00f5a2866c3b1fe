package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"oust/remediate"
)

const runColumns = `seq, id, kind, plan, started, ended, exit, note, person, lowered`

const (
	openRunQuery = `SELECT ` + runColumns + ` FROM runs WHERE kind = ? AND plan = ? AND ended = 0
		ORDER BY started DESC, seq DESC LIMIT 1`
	openRunsQuery = `SELECT ` + runColumns + ` FROM runs WHERE ended = 0 AND (started, seq) > (?, ?)
		ORDER BY started, seq LIMIT ?`
	runsQuery = `SELECT ` + runColumns + ` FROM runs WHERE (started, seq) > (?, ?) ORDER BY started, seq LIMIT ?`
)

// OpenRun implements remediate.Store.
func (s *Store) OpenRun(ctx context.Context, kind, plan string) (remediate.Run, error) {
	const op = "open run"
	if err := s.readable(ctx); err != nil {
		return remediate.Run{}, fmt.Errorf("%s: %w", op, err)
	}
	var run remediate.Run
	var p place
	_, err := scanRun(s.reads.QueryRowContext(ctx, openRunQuery, kind, plan), &run, &p)
	if errors.Is(err, sql.ErrNoRows) {
		err = remediate.ErrNotFound
	}
	return run, explain(op, err)
}

// OpenRuns implements remediate.Store.
func (s *Store) OpenRuns(ctx context.Context) ([]remediate.Run, error) {
	var out []remediate.Run
	for run, err := range s.runs(ctx, "open runs", openRunsQuery) {
		if err != nil {
			return nil, err
		}
		out = append(out, run)
	}
	return out, nil
}

// Runs implements remediate.Store.
func (s *Store) Runs(ctx context.Context) iter.Seq2[remediate.Run, error] {
	return s.runs(ctx, "runs", runsQuery)
}

func (s *Store) runs(ctx context.Context, op, query string) iter.Seq2[remediate.Run, error] {
	return stream(ctx, s, op, func() cursor[remediate.Run] {
		p := beginning
		scan := func(rows *sql.Rows, run *remediate.Run) (int, error) { return scanRun(rows, run, &p) }
		return func(ctx context.Context, into []remediate.Run) ([]remediate.Run, bool, error) {
			return list(ctx, s.reads, into, scan, query, p.at, p.seq)
		}
	})
}

// scanRun scans a run, and its place in the order into p.
func scanRun(row scanner, run *remediate.Run, p *place) (int, error) {
	var ended int64
	err := row.Scan(&p.seq, &run.ID, &run.Kind, &run.Plan, &p.at, &ended, &run.Exit, &run.Note, &run.By, &run.Lowered)
	if err != nil {
		return 0, err
	}
	run.Started, run.Ended = fromMicros(p.at), fromMicros(ended)
	return 512 + len(run.Note) + len(run.By) + len(run.Lowered), nil
}
