package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"oust/remediate/sqlite"
)

// TestSnapshot: a snapshot does not see what is written after it, however it is
// read.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	if _, err := sqlite.OpenSnapshot(t.Context(), path, sqlite.Options{}); !errors.Is(err, sqlite.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
	s := open(t, path)
	defer func() { must(t, s.Close()) }()
	must(t, s.SaveLook(t.Context(), saved("a")))
	snap, err := sqlite.OpenSnapshot(t.Context(), path, sqlite.Options{})
	must(t, err)
	for i := range 1200 { // more than a page
		must(t, s.SaveLook(t.Context(), saved(fmt.Sprintf("b%04d", i))))
	}
	holdsHosts(t, snap, "a")
	for state, err := range snap.HostStates(t.Context()) { // reads inside a read
		must(t, err)
		for range snap.HostLooks(t.Context(), state.Host) {
			_, err := snap.HostState(t.Context(), "b0000")
			must(t, err)
		}
	}
	holdsHosts(t, snap, "a")
	if err := snap.SaveLook(t.Context(), saved("c")); !errors.Is(err, sqlite.ErrReadOnly) {
		t.Errorf("a write: %v", err)
	}
	must(t, snap.Close())
	if n := len(names(t, s)); n != 1201 {
		t.Errorf("%d hosts, want 1201", n)
	}
}
