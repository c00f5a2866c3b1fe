package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// saved is a look for tests that only want something to be there.
func saved(host string) remediate.Look {
	return remediate.Look{
		Host: host, Kind: remediate.LookScan, At: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
		Raw: []byte("raw " + host), Platform: remediate.Linux, Complete: true,
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, s remediate.Store) []string {
	t.Helper()
	var out []string
	for state, err := range s.HostStates(t.Context()) {
		must(t, err)
		out = append(out, state.Host)
	}
	return out
}

func holdsHosts(t *testing.T, s remediate.Store, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, names(t, s)); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
}

func openReadOnly(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.OpenReadOnly(t.Context(), path, sqlite.Options{})
	must(t, err)
	return s
}

func TestReopen(t *testing.T) {
	for _, name := range []string{sqlite.FileName, "a b?c#d%41&mode=memory.db", "\u00fc'\".db"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			s := open(t, path)
			id, err := s.CampaignID(t.Context())
			must(t, err)
			for _, host := range []string{"web1", "web2", "web3"} {
				must(t, s.SaveLook(t.Context(), saved(host)))
				must(t, s.Close())
				s = open(t, path)
			}
			if again, err := s.CampaignID(t.Context()); err != nil || again != id {
				t.Errorf("campaign id is %q, %v after %q", again, err, id)
			}
			holdsHosts(t, s, "web1", "web2", "web3")
			must(t, s.Close())
			left, err := os.ReadDir(filepath.Dir(path))
			if err != nil || len(left) != 2 {
				t.Errorf("files are %v, want the store and its lock", left)
			}
			info, err := os.Stat(path)
			must(t, err)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("mode is %v", info.Mode())
			}
		})
	}
}

func TestOpenReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	writer := open(t, path)
	must(t, writer.SaveLook(t.Context(), saved("web1")))
	reader := openReadOnly(t, path)
	holdsHosts(t, reader, "web1")
	mine, err := writer.CampaignID(t.Context())
	must(t, err)
	if theirs, err := reader.CampaignID(t.Context()); err != nil || mine != theirs {
		t.Errorf("campaign ids are %q and %q, %v", mine, theirs, err)
	}
	if err := reader.SaveLook(t.Context(), saved("web2")); !errors.Is(err, sqlite.ErrReadOnly) {
		t.Errorf("a write to a reader: %v", err)
	}
	must(t, writer.SaveLook(t.Context(), saved("web2")))
	holdsHosts(t, reader, "web1", "web2")
	must(t, writer.Close())
	holdsHosts(t, reader, "web1", "web2")
	must(t, reader.Close())
	if err := reader.SaveLook(t.Context(), saved("web3")); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("a write to a closed reader: %v", err)
	}
}

func TestOpenReadOnlyWithoutStore(t *testing.T) {
	dir := t.TempDir()
	_, err := sqlite.OpenReadOnly(t.Context(), filepath.Join(dir, sqlite.FileName), sqlite.Options{})
	if !errors.Is(err, sqlite.ErrNoStore) {
		t.Errorf("without a store: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("reading without a store left %v, %v", left, err)
	}
}

// TestReadAfterKill holds that a reader finds what a killed writer left in
// the log beside the store.
func TestReadAfterKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	p := start(t, "write:"+path)
	acked := append(p.read(20)[1:], p.kill(t)...)
	reader := openReadOnly(t, path)
	defer reader.Close()
	for _, id := range acked {
		if !remediate.ValidID(id) {
			continue
		}
		state, err := reader.HostState(t.Context(), id)
		must(t, err)
		if state.Standing != remediate.StandClear {
			t.Errorf("%s is %s", id, state.Standing)
		}
	}
}

// TestReaderBlocksNobody keeps a list half read while much is written and the
// store is closed.
func TestReaderBlocksNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	writer := open(t, path)
	for _, host := range []string{"web1", "web2", "web3"} {
		must(t, writer.SaveLook(t.Context(), saved(host)))
	}
	reader := openReadOnly(t, path)
	defer reader.Close()
	seen := 0
	for state, err := range reader.HostStates(t.Context()) {
		must(t, err)
		if seen++; state.Host != "web2" {
			continue
		}
		for range 200 {
			must(t, writer.SaveLook(t.Context(), saved("web9")))
		}
		must(t, writer.Close())
		integrity(t, path)
	}
	if seen != 3 {
		t.Errorf("saw %d hosts of 3", seen)
	}
}

func TestOpenWithoutFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", sqlite.FileName)
	if _, err := sqlite.Open(t.Context(), path, signed); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := sqlite.Open(t.Context(), filepath.Join(file, sqlite.FileName), sqlite.Options{}); err == nil {
		t.Error("a store was made inside of a file")
	}
}

// TestCloseDrains closes in the middle of many writes: each is either
// answered as done, and is there, or refused.
func TestCloseDrains(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	s := open(t, path)
	const callers = 300
	done, first := make(chan string, callers), make(chan struct{}, callers)
	for range callers {
		go func() {
			host := remediate.NewID(time.Now())
			err := s.SaveLook(t.Context(), saved(host))
			first <- struct{}{}
			if err != nil {
				if !errors.Is(err, sqlite.ErrClosed) {
					t.Errorf("a write during close: %v", err)
				}
				host = ""
			}
			done <- host
		}()
	}
	<-first
	must(t, s.Close())
	again := open(t, path)
	defer again.Close()
	there := map[string]bool{}
	for _, name := range names(t, again) {
		there[name] = true
	}
	for range callers {
		if host := <-done; host != "" && !there[host] {
			t.Errorf("%s was acknowledged and is lost", host)
		}
	}
}
