package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	lib "modernc.org/sqlite/lib"
)

// OpenCopy opens a copy of a store that an older program has made, brought up to
// date as a writer would do it, as OpenSnapshot does: the file itself stays as it
// is, and no key is needed. The copy is in a folder for temporary files, and goes
// with Close.
func OpenCopy(ctx context.Context, path string, opts Options) (*Store, error) {
	op := "copy store " + path
	path, err := check(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	dir, err := os.MkdirTemp("", "oust-copy-")
	if err != nil {
		return nil, fmt.Errorf("%s: a folder for temporary files, which TMPDIR names: %w", op, err)
	}
	to := filepath.Join(dir, FileName)
	err = copyTo(ctx, path, to, "mode=ro")
	if c := code(err); (c == lib.SQLITE_CANTOPEN || c == lib.SQLITE_READONLY) && standsAlone(path) {
		err = copyTo(ctx, path, to, "mode=ro", "immutable=1")
	}
	if err == nil {
		err = update(ctx, to)
	}
	if err != nil {
		return nil, errors.Join(explain(op, err), os.RemoveAll(dir))
	}
	s, err := OpenSnapshot(ctx, to, opts)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.temporary = dir
	return s, nil
}

// copyTo writes what the file holds at this moment, with what is in its log
// (https://www.sqlite.org/lang_vacuum.html#vacuuminto).
func copyTo(ctx context.Context, from, to string, options ...string) (err error) {
	if err := create(to); err != nil {
		return err
	}
	db, err := pool(from, 1, options...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	return err
}

// update brings a file up to date.
func update(ctx context.Context, path string) (err error) {
	db, err := pool(path, 1, "mode=rw")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := provider(db)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the copy up to date: %w", err)
	}
	return nil
}
