package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"

	"oust/remediate"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as ours, in its header: "oust"
// (https://www.sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x6f757374

// inspect looks at the file through a connection that cannot change it, and
// refuses what this program does not understand. A file without any table is
// new: a writer takes it, a reader finds no store. rules are those that a writer
// knows, 0 for a reader: rows that newer rules have made can be read.
func inspect(ctx context.Context, path string, rules int, options ...string) error {
	db, err := pool(path, 1, options...)
	if err != nil {
		return err
	}
	defer db.Close()
	var id, tables, versioned, inForce int64
	err = db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		count(*), count(*) FILTER (WHERE name = 'goose_db_version') FROM sqlite_schema`).
		Scan(&id, &inForce, &tables, &versioned)
	if err != nil {
		return err
	}
	if id != applicationID && (id != 0 || tables > 0) {
		return ErrForeign
	}
	var have int64
	if versioned > 0 {
		err = db.QueryRowContext(ctx, `SELECT ifnull(max(version_id), 0) FROM goose_db_version`).Scan(&have)
		if err != nil {
			return err
		}
	}
	if rules > 0 && have > 0 && inForce > int64(rules) {
		return fmt.Errorf("%w (rules %d, this one knows %d)", ErrNewer, inForce, rules)
	}
	want, err := newest(db)
	if err != nil {
		return err
	}
	return judge(have, want, rules > 0)
}

// judge compares the version of a file's schema with the newest that this
// program knows.
func judge(have, want int64, writer bool) error {
	switch {
	case have > want:
		return fmt.Errorf("%w (schema %d, this one knows %d)", ErrNewer, have, want)
	case writer || have == want:
		return nil
	case have == 0:
		return ErrNoStore
	default:
		return fmt.Errorf("%w (schema %d of %d)", ErrOlder, have, want)
	}
}

// migrate brings the file up to date and gives a new one its id. Each
// migration is one transaction; an interrupted one is taken up again.
func migrate(ctx context.Context, db *sql.DB, now time.Time) error {
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID)); err != nil {
		return err
	}
	p, err := provider(db)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the store up to date: %w", err)
	}
	_, err = db.ExecContext(ctx, `INSERT INTO meta (one, campaign_id, created) VALUES (1, ?, ?) ON CONFLICT DO NOTHING`,
		remediate.NewID(now), micros(now))
	return err
}

// newest is the version of the last migration that this program knows.
func newest(db *sql.DB) (int64, error) {
	p, err := provider(db)
	if err != nil {
		return 0, err
	}
	sources := p.ListSources()
	return sources[len(sources)-1].Version, nil
}

// provider is goose without its global registry and without its logging.
func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithVerbose(false), goose.WithSlog(slog.New(slog.DiscardHandler)))
}
