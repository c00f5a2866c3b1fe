package sqlite

import (
	"context"
	"errors"
)

// OpenSnapshot opens the store as OpenReadOnly does, and all that is read from
// it is as it stands at this moment, whatever others write meanwhile. Close it
// soon: the log of the file cannot be written back beyond that moment before.
func OpenSnapshot(ctx context.Context, path string, opts Options) (*Store, error) {
	s, err := OpenReadOnly(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	if err := s.pin(ctx); err != nil {
		return nil, errors.Join(explain("open a snapshot of store "+path, err), s.Close())
	}
	return s, nil
}

// pin begins a transaction that ends with the connection, on the only one that
// reads from here on. SQLite takes the snapshot with the first read
// (https://www.sqlite.org/isolation.html).
func (s *Store) pin(ctx context.Context) error {
	s.reads.SetMaxOpenConns(1)
	s.pinned = true
	if _, err := s.reads.ExecContext(ctx, `BEGIN`); err != nil {
		return err
	}
	return s.reads.QueryRowContext(ctx, `SELECT campaign_id FROM meta`).Scan(&s.campaign)
}
