package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"oust/remediate"
)

const (
	plannedColumns = `host, plan, wave`
	somePlanned    = ` FROM planned WHERE host > ? ORDER BY host LIMIT ?`
	plannedQuery   = `SELECT ` + plannedColumns + somePlanned
	// joinedPlannedQuery has one value for all columns, see cutRow.
	joinedPlannedQuery = `SELECT concat_ws(char(31), ` + plannedColumns + `)` + somePlanned
	approvedAtQuery    = `SELECT at FROM approvals WHERE plan = ?`
)

// plannedRows is how many rows a page of planned hosts has.
const plannedRows = 4096

// PlannedHosts implements remediate.Store.
func (s *Store) PlannedHosts(ctx context.Context) iter.Seq2[remediate.Planned, error] {
	return stream(ctx, s, "planned hosts", func() cursor[remediate.Planned] {
		after := ""
		r := plannedReader{words: words{}, approved: map[string]time.Time{}}
		return func(ctx context.Context, into []remediate.Planned) ([]remediate.Planned, bool, error) {
			page, more, err := listOf(ctx, s.reads, plannedRows, into, r.joined, joinedPlannedQuery, after)
			if errors.Is(err, errSeparator) {
				page, more, err = listOf(ctx, s.reads, plannedRows, into, r.single, plannedQuery, after)
			}
			if err == nil {
				err = r.date(ctx, s.reads, page)
			}
			if len(page) > 0 {
				after = page[len(page)-1].Host
			}
			return page, more, err
		}
	})
}

// plannedReader reads rows of planned hosts.
type plannedReader struct {
	words    words
	raw      sql.RawBytes
	columns  [3][]byte
	approved map[string]time.Time // by plan
}

// date says when the plans of a page were approved. There are few of them: to
// join them to each host would take longer than to read the hosts.
func (r *plannedReader) date(ctx context.Context, db *sql.DB, page []remediate.Planned) error {
	for i := range page {
		p := &page[i]
		if i > 0 && page[i-1].Plan == p.Plan {
			p.At = page[i-1].At
			continue
		}
		at, ok := r.approved[p.Plan]
		if !ok {
			var micros int64
			if err := db.QueryRowContext(ctx, approvedAtQuery, p.Plan).Scan(&micros); err != nil {
				return fmt.Errorf("when plan %s was approved: %w", p.Plan, err)
			}
			at = fromMicros(micros)
			r.approved[p.Plan] = at
		}
		p.At = at
	}
	return nil
}

// joined scans a row with one value for all columns.
func (r *plannedReader) joined(row *sql.Rows, p *remediate.Planned) (int, error) {
	if err := row.Scan(&r.raw); err != nil {
		return 0, err
	}
	if err := cutRow(r.raw, r.columns[:]); err != nil {
		return 0, err
	}
	return r.planned(p)
}

// single scans a row with a value for each column.
func (r *plannedReader) single(row *sql.Rows, p *remediate.Planned) (int, error) {
	c := &r.columns
	if err := row.Scan(&c[0], &c[1], &c[2]); err != nil {
		return 0, err
	}
	return r.planned(p)
}

func (r *plannedReader) planned(p *remediate.Planned) (int, error) {
	wave, err := parseInt(r.columns[2])
	*p = remediate.Planned{Host: string(r.columns[0]), Plan: r.words.of(r.columns[1]), Wave: int(wave)}
	return 256, err
}
