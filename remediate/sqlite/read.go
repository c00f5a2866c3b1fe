package sqlite

import (
	"context"
	"database/sql"
	"iter"
)

// A page ends with pageRows rows, or earlier once it has pageBytes bytes.
const (
	pageRows  = 512
	pageBytes = 4 << 20
)

// cursor reads a list page by page into the memory of the page before. It
// keeps its own place between calls.
type cursor[T any] func(ctx context.Context, into []T) (page []T, more bool, err error)

// stream yields what a cursor reads. Each loop over the result starts a
// cursor of its own; between pages nothing is held.
func stream[T any](ctx context.Context, s *Store, op string, start func() cursor[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		next := start()
		var page []T
		for more := true; more; {
			err := s.readable(ctx)
			if err == nil {
				page, more, err = next(ctx, page[:0])
			}
			if err != nil {
				var none T
				yield(none, explain(op, err))
				return
			}
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// reader scans a row into v and returns about how many bytes it takes in
// memory.
type reader[T any] func(rows *sql.Rows, v *T) (int, error)

// list reads one page: at most pageRows rows of a query that is limited to
// them. more is false when the query had no further row.
func list[T any](ctx context.Context, db *sql.DB, into []T, read reader[T], query string, args ...any) (page []T, more bool, err error) {
	return listOf(ctx, db, pageRows, into, read, query, args...)
}

// listOf is list with a number of rows.
func listOf[T any](ctx context.Context, db *sql.DB, most int, into []T, read reader[T], query string, args ...any) (page []T, more bool, err error) {
	rows, err := db.QueryContext(ctx, query, append(args, most)...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	page = into
	for bytes := 0; rows.Next(); {
		var none T
		page = append(page, none) // read in its place: on its own each row would be an allocation
		n, err := read(rows, &page[len(page)-1])
		if err != nil {
			return nil, false, err
		}
		if bytes += n; bytes >= pageBytes {
			return page, true, nil
		}
	}
	return page, len(page) == most, rows.Err()
}
