package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"oust/remediate"
)

const (
	plannedColumns = `p.host, p.plan, p.wave, a.at`
	somePlanned    = ` FROM planned p JOIN approvals a ON a.plan = p.plan WHERE p.host > ? ORDER BY p.host LIMIT ?`
	plannedQuery   = `SELECT ` + plannedColumns + somePlanned
	// joinedPlannedQuery has one value for all columns, see cutRow.
	joinedPlannedQuery = `SELECT concat_ws(char(31), ` + plannedColumns + `)` + somePlanned
)

// plannedRows is how many rows a page of planned hosts has.
const plannedRows = 4096

// PlannedHosts implements remediate.Store.
func (s *Store) PlannedHosts(ctx context.Context) iter.Seq2[remediate.Planned, error] {
	return stream(ctx, s, "planned hosts", func() cursor[remediate.Planned] {
		after := ""
		r := plannedReader{words: words{}}
		return func(ctx context.Context, into []remediate.Planned) ([]remediate.Planned, bool, error) {
			page, more, err := listOf(ctx, s.reads, plannedRows, into, r.joined, joinedPlannedQuery, after)
			if errors.Is(err, errSeparator) {
				page, more, err = listOf(ctx, s.reads, plannedRows, into, r.single, plannedQuery, after)
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
	words   words
	raw     sql.RawBytes
	columns [4][]byte
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
	if err := row.Scan(&c[0], &c[1], &c[2], &c[3]); err != nil {
		return 0, err
	}
	return r.planned(p)
}

func (r *plannedReader) planned(p *remediate.Planned) (int, error) {
	wave, err := parseInt(r.columns[2])
	at, err2 := parseInt(r.columns[3])
	*p = remediate.Planned{Host: string(r.columns[0]), Plan: r.words.of(r.columns[1]), Wave: int(wave), At: fromMicros(at)}
	return 256, errors.Join(err, err2)
}
