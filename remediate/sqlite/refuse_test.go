package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oust/remediate/sqlite"
)

// TestRefused holds that what is not a store of this program is refused with
// a reason, and left byte for byte as it was.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		want error
		says string
	}{
		"a text file":         {withText("campaign: x\n" + strings.Repeat("# comment\n", 200)), sqlite.ErrForeign, "move it away"},
		"a short text":        {withText("hello"), sqlite.ErrForeign, "move it away"},
		"another program's":   {foreign(`CREATE TABLE contacts (name TEXT)`), sqlite.ErrForeign, "move it away"},
		"another application": {foreign(`PRAGMA application_id = 7`), sqlite.ErrForeign, "move it away"},
		"a newer oust's":      {tampered(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`), sqlite.ErrNewer, "newer oust"},
		"a folder":            {func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, nil, "is a folder"},
		"a damaged store":     {damaged(100, 4096), nil, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), sqlite.FileName)
			c.make(t, path)
			before := content(t, path)
			for what, open := range map[string]func(context.Context, string, sqlite.Options) (*sqlite.Store, error){
				"Open": sqlite.Open, "OpenReadOnly": sqlite.OpenReadOnly,
			} {
				s, err := open(t.Context(), path, signed)
				if err == nil {
					must(t, s.Close())
					t.Errorf("%s took it", what)
					continue
				}
				if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if after := content(t, path); !bytes.Equal(after, before) {
				t.Errorf("the file was changed: %d bytes became %d", len(before), len(after))
			}
		})
	}
}

// TestUnfinished holds that a store whose making was cut short is no store to
// a reader, and is finished by the next process that writes.
func TestUnfinished(t *testing.T) {
	for name, make := range map[string]func(*testing.T, string){
		"an empty file":    withText(""),
		"a marked file":    foreign(`PRAGMA application_id = 0x6f757374`),
		"without its id":   tampered(`DELETE FROM meta; DELETE FROM ledger; DELETE FROM heads`),
		"without versions": foreign(`PRAGMA application_id = 0x6f757374; CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now'))); INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)`),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), sqlite.FileName)
			make(t, path)
			if _, err := sqlite.OpenReadOnly(t.Context(), path, sqlite.Options{}); !errors.Is(err, sqlite.ErrNoStore) {
				t.Errorf("read of it: %v", err)
			}
			s := open(t, path)
			must(t, s.SaveLook(t.Context(), saved("web1")))
			holdsHosts(t, s, "web1")
			must(t, s.Close())
		})
	}
}

// TestDamagedLater damages pages that opening does not read: reads say so,
// and the rest can still be read.
func TestDamagedLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	s := open(t, path)
	look := saved("web1")
	look.Raw = noise(200_000)
	look.RawDigest = ""
	must(t, s.SaveLook(t.Context(), look))
	must(t, s.Close())
	info, err := os.Stat(path)
	must(t, err)
	damage(t, path, info.Size()-180_000, info.Size())
	s = open(t, path)
	defer s.Close()
	holdsHosts(t, s, "web1")
	var last error
	for _, err := range s.HostLooks(t.Context(), "web1") {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "damaged") || !strings.Contains(last.Error(), "web1") {
		t.Errorf("read of a damaged record: %v", last)
	}
}

// content is what stands at path, nil for a folder.
func content(t *testing.T, path string) []byte {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	if info.IsDir() {
		return nil
	}
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

func withText(text string) func(*testing.T, string) {
	return func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte(text), 0o600)) }
}

// foreign is a SQLite file that oust has not made.
func foreign(statements string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(`PRAGMA user_version = 3; ` + statements)
		must(t, err)
		must(t, db.Close())
	}
}

// tampered is a store in which somebody ran a statement.
func tampered(statement string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		must(t, open(t, path).Close())
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(statement)
		must(t, err)
		must(t, db.Close())
	}
}

// damaged is a store with a range of bytes overwritten.
func damaged(from, to int64) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		must(t, open(t, path).Close())
		damage(t, path, from, to)
	}
}

func damage(t *testing.T, path string, from, to int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0xee}, int(to-from)), from)
	must(t, errors.Join(err, f.Close()))
}
