package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"oust/remediate/sqlite"
)

// TestOpenCopy: what an older program has left is checked without its key, and
// without a change of it.
func TestOpenCopy(t *testing.T) {
	temporary := t.TempDir()
	story := storyFile(t)
	t.Setenv("TMPDIR", temporary)
	for _, statement := range []string{
		`DROP TRIGGER host_added`, `DROP TRIGGER host_changed`, `DROP TRIGGER host_gone`, `DROP VIEW joined_hosts`, `DROP TABLE states`,
		`DELETE FROM goose_db_version WHERE version_id = 4`,
	} {
		alter(t, story, statement)
	}
	before, err := os.ReadFile(story)
	must(t, err)
	if _, err := sqlite.OpenSnapshot(t.Context(), story, sqlite.Options{}); !errors.Is(err, sqlite.ErrOlder) {
		t.Fatalf("%v: the test needs an older store", err)
	}
	misfits := func() (n int) {
		t.Helper()
		s, err := sqlite.OpenCopy(t.Context(), story, sqlite.Options{})
		must(t, err)
		must(t, s.CheckLedger(t.Context(), func(sqlite.Misfit) error { n++; return nil }, nil))
		for _, err := range s.HostStates(t.Context()) {
			must(t, err)
		}
		must(t, s.Close())
		return n
	}
	if n := misfits(); n != 0 {
		t.Errorf("%d things do not fit", n)
	}
	after, err := os.ReadFile(story)
	must(t, err)
	if string(before) != string(after) {
		t.Error("the file has changed")
	}
	alter(t, story, `UPDATE hosts SET standing = 'clear' WHERE standing = 'present'`)
	if misfits() == 0 {
		t.Error("what was changed is not found")
	}

	first := filepath.Join(t.TempDir(), sqlite.FileName)
	firstStore(t, first, firstRecords)
	if _, err := sqlite.OpenCopy(t.Context(), first, sqlite.Options{}); !errors.Is(err, sqlite.ErrOlder) {
		t.Errorf("a store of before there was a ledger: %v", err)
	}
	if _, err := sqlite.OpenCopy(t.Context(), filepath.Join(t.TempDir(), "none.db"), sqlite.Options{}); err == nil {
		t.Error("no store is opened")
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
