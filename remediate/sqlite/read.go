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

// cursor reads a list page by page. It keeps its own place between calls.
type cursor[T any] func(ctx context.Context) (page []T, more bool, err error)

// stream yields what a cursor reads. Each loop over the result starts a
// cursor of its own; between pages nothing is held.
func stream[T any](ctx context.Context, s *Store, op string, start func() cursor[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		next := start()
		for more := true; more; {
			var page []T
			err := s.readable(ctx)
			if err == nil {
				page, more, err = next(ctx)
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

// list reads one page: at most pageRows rows of a query that is limited to
// them. scan returns about how many bytes a row takes in memory. more is
// false when the query had no further row.
func list[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows, *T) (int, error), query string, args ...any) (page []T, more bool, err error) {
	rows, err := db.QueryContext(ctx, query, append(args, pageRows)...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for bytes := 0; rows.Next(); {
		var v T
		n, err := scan(rows, &v)
		if err != nil {
			return nil, false, err
		}
		page = append(page, v)
		if bytes += n; bytes >= pageBytes {
			return page, true, nil
		}
	}
	return page, len(page) == pageRows, rows.Err()
}
