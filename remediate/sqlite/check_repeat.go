package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"

	"oust/remediate/ledger"
)

// ledgerRow is a row of the ledger, and what its text says.
type ledgerRow struct {
	entry
	host   string
	hashes int   // bytes
	says   int64 // the number in the text
	err    error // of the text
}

// readAhead is how many rows are read and decoded while earlier ones are
// repeated: so many batches of so many.
const (
	aheadBatches = 8
	aheadRows    = 64
)

// readLedger reads and decodes the ledger, in batches, until it ends or nobody
// takes them any more.
func readLedger(ctx context.Context, conn *sql.Conn, out chan<- []ledgerRow) (err error) {
	rows, err := conn.QueryContext(ctx, `SELECT seq, host, length(hashes), text FROM ledger ORDER BY seq`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	batch := make([]ledgerRow, 0, aheadRows)
	send := func() error {
		select {
		case out <- batch:
			batch = make([]ledgerRow, 0, aheadRows)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for rows.Next() {
		var r ledgerRow
		if err := rows.Scan(&r.number, &r.host, &r.hashes, &r.text); err != nil {
			return err
		}
		r.says, r.Record, r.err = ledger.Decode(r.text)
		if batch = append(batch, r); len(batch) == aheadRows {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return errors.Join(rows.Err(), send())
}

// repeatAll repeats the whole ledger.
func repeatAll(ctx context.Context, conn *sql.Conn, r *repeater, progress func(done, all int64)) error {
	var all int64
	if err := conn.QueryRowContext(ctx, sizeQuery).Scan(&all); err != nil {
		return err
	}
	if err := r.s.exec(`BEGIN`); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches, end := make(chan []ledgerRow, aheadBatches), make(chan error, 1)
	go func() {
		defer close(batches)
		end <- readLedger(ctx, conn, batches)
	}()
	var next int64
	for batch := range batches {
		for _, row := range batch {
			if rules := ledger.RulesOf(row.text); rules > r.known {
				cancel()
				for range batches { // until nobody reads any more
				}
				return &ledger.NewerRulesError{From: row.number, Rules: rules}
			}
			if row.number != next {
				r.misfit(Misfit{Record: next, Table: "ledger", Why: fmt.Sprintf("the record after %d is %d", next-1, row.number)})
			}
			next = row.number + 1
			r.row(row)
		}
		if progress != nil {
			progress(next, all)
		}
	}
	if err := <-end; err != nil {
		return err
	}
	r.end()
	return r.s.exec(`COMMIT`)
}

// row repeats the record of a row, if it is one.
func (r *repeater) row(row ledgerRow) {
	wrong := func(format string, args ...any) {
		r.misfit(Misfit{Record: row.number, Table: "ledger", Why: fmt.Sprintf(format, args...)})
	}
	switch {
	case row.err != nil:
		wrong("%v", row.err)
		return
	case row.says != row.number:
		wrong("its text says that it is %d", row.says)
		return
	case row.Record.Host != row.host:
		wrong("it stands with the host %q, and is about %q", row.host, row.Record.Host)
	case row.hashes != 32*(bits.TrailingZeros64(uint64(row.number)+1)+1):
		wrong("it stands with %d bytes of hashes", row.hashes)
	}
	r.take(row.entry)
}
