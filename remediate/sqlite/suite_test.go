package sqlite_test

import (
	"path/filepath"
	"testing"

	"oust/remediate"
	"oust/remediate/sqlite"
	"oust/remediate/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) remediate.Store {
		path := filepath.Join(t.TempDir(), sqlite.FileName)
		t.Cleanup(func() { fits(t, path) }) // the suite has closed it
		return open(t, path)
	})
}

// open opens a store that the test closes.
func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, signed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
