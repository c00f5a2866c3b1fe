package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
)

// secondStore makes a store as the second version of oust left it, with all of
// the story that it could keep, and looks at many more hosts.
func secondStore(t *testing.T, path, story string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	run := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run(`PRAGMA application_id = 0x6f757374; PRAGMA journal_mode = WAL;
		CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
			is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1), (2, 1);`)
	for _, name := range []string{"00001_store.sql", "00002_campaign.sql"} {
		schema, err := os.ReadFile(filepath.Join("migrations", name))
		must(t, err)
		run(string(schema))
	}
	tables := strings.Fields(scalar(t, path, `SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'goose*' AND name NOT GLOB 'sqlite*'`))
	run(`ATTACH '` + story + `' AS story`)
	for _, table := range tables {
		columns := strings.ReplaceAll(scalar(t, path, `SELECT group_concat(name, ' ') FROM pragma_table_info('`+table+`')`), " ", ", ")
		run(`INSERT INTO ` + table + ` (` + columns + `) SELECT ` + columns + ` FROM story.` + table)
	}
	run(`DETACH story`)
	for i := range 300 {
		run(fmt.Sprintf(`INSERT INTO hosts (name, standing, seen_at) VALUES ('more%03d', 'clear', 1790000000000000);
			INSERT INTO looks (host, kind, run, at, platform, os, boot_id, complete, class, detail)
			VALUES ('more%03d', 'scan', 'run1', 1790000000000000, 'linux', '', '', 1, '', '')`, i, i))
	}
	must(t, db.Close())
}

// fading is a context that ends when it has been asked a number of times.
type fading struct {
	context.Context
	left *atomic.Int64
}

func (f fading) Err() error {
	if f.left.Add(-1) < 0 {
		return context.Canceled
	}
	return f.Context.Err()
}

// TestCarry brings a store of the second version up to date, and is
// interrupted again and again meanwhile.
func TestCarry(t *testing.T) {
	t.Parallel()
	story := storyFile(t)
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	secondStore(t, path, story)
	interrupted := 0
	for left := int64(1); ; left++ {
		var n atomic.Int64
		n.Store(left)
		s, err := sqlite.Open(fading{t.Context(), &n}, path, signed)
		if err == nil {
			must(t, s.Close())
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		reader, err := sqlite.OpenReadOnly(t.Context(), path, signed)
		if err == nil { // all is in the ledger, and only the rest of Open was cut short
			must(t, reader.Close())
			fits(t, path)
			continue
		}
		if interrupted++; !errors.Is(err, sqlite.ErrOlder) {
			t.Fatalf("read of a store that is half up to date: %v", err)
		}
	}
	if interrupted < 5 {
		t.Errorf("interrupted %d times", interrupted)
	}
	fits(t, path)
	holdsCarried(t, path, story)
	s := open(t, path)
	defer s.Close()
	must(t, s.CloseAttempt(t.Context(), openAttemptOf(t, s), nil))
	must(t, s.SaveLook(t.Context(), saved("more001")))
	must(t, s.ReleaseHold(t.Context(), minute(99), "kim"))
	fits(t, path)
}

// openAttemptOf is the open attempt of the story, with an outcome.
func openAttemptOf(t *testing.T, s *sqlite.Store) remediate.Attempt {
	t.Helper()
	list, err := s.OpenAttempts(t.Context())
	must(t, err)
	i := slices.IndexFunc(list, func(a remediate.Attempt) bool { return a.ID == "a4" })
	if i < 0 {
		t.Fatalf("open attempts are %+v", list)
	}
	a := list[i]
	a.Phase, a.Updated, a.Outcome = remediate.PhaseClosed, minute(98), remediate.Outcome{Kind: remediate.OutcomeRemoved}
	return a
}

// holdsCarried compares a store that was brought up to date with the story.
func holdsCarried(t *testing.T, path, story string) {
	t.Helper()
	got, want := openReadOnly(t, path), openReadOnly(t, story)
	defer got.Close()
	defer want.Close()
	var carried int
	var first remediate.LedgerBegun
	for e, err := range got.Ledger(t.Context(), 0) {
		must(t, err)
		_, r, err := ledger.Decode(e.Text)
		must(t, err)
		if e.Number == 0 {
			first, _ = r.Body.(remediate.LedgerBegun)
			continue
		}
		carried++
		if r.By != "" {
			t.Errorf("record %d of an earlier time is by %q", e.Number, r.By)
		}
	}
	if int(first.Earlier) != carried || carried < 600 {
		t.Errorf("%d records are of an earlier time, the first says %d", carried, first.Earlier)
	}
	for state, err := range want.HostStates(t.Context()) {
		must(t, err)
		state.Transport, state.Probe = "", ""
		have, err := got.HostState(t.Context(), state.Host)
		must(t, err)
		if diff := cmp.Diff(state, have); diff != "" {
			t.Errorf("state of %s (-want +got):\n%s", state.Host, diff)
		}
	}
	moves := func(s *sqlite.Store) (out []remediate.Move) {
		for m, err := range s.Moves(t.Context()) {
			must(t, err)
			if !strings.HasPrefix(m.Host, "more") {
				out = append(out, m)
			}
		}
		return out
	}
	if diff := cmp.Diff(moves(want), moves(got)); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
}
