package sqlite_test

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"oust/remediate"
	"oust/remediate/sqlite"
	"oust/remediate/storetest"
)

// TestKill kills a process that writes with all its might, at random moments,
// and holds that what it was told is on disk is on disk.
func TestKill(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	acked := map[string]bool{}
	for round := range storetest.Rounds(10) {
		moment := rng.IntN(200)
		if round < 3 {
			moment = 0 // while the store is made
		}
		p := start(t, "write:"+path)
		if said := p.read(1); len(said) == 0 {
			t.Fatal("the child did not start")
		}
		for _, id := range append(p.read(moment), p.kill(t)...) {
			if remediate.ValidID(id) { // the kill may have cut the last line short
				acked[id] = true
			}
		}
		holdsAll(t, path, acked)
		fits(t, path)
	}
	t.Logf("%d outcomes were acknowledged", len(acked))
	if len(acked) == 0 {
		t.Error("nothing was acknowledged: the test showed nothing")
	}
}

// holdsAll opens the store as the next process does and compares.
func holdsAll(t *testing.T, path string, acked map[string]bool) {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	whole := map[string]bool{}
	for a, err := range s.RunAttempts(t.Context(), "run1") {
		if err != nil {
			t.Fatal(err)
		}
		if a.Phase == remediate.PhaseClosed {
			whole[a.ID] = true
		}
	}
	for id := range acked {
		if !whole[id] {
			t.Errorf("the outcome of %s was acknowledged and is lost", id)
		}
	}
	for state, err := range s.HostStates(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if closed := whole[state.Host]; closed != (state.Standing == remediate.StandClear) || closed != (state.Last.Kind != "") {
			t.Errorf("half of an outcome: closed is %t, and the state is %+v", closed, state)
		}
		holdsSteps(t, s, state, whole[state.Host])
	}
	integrity(t, path)
}

// holdsSteps compares a host's journal and reboots with what is counted.
func holdsSteps(t *testing.T, s *sqlite.Store, state remediate.HostState, closed bool) {
	t.Helper()
	reboots, err := s.Reboots(t.Context(), state.Host)
	must(t, err)
	if len(reboots) != state.Reboots || closed && len(reboots) != 1 {
		t.Errorf("%s has %d reboots, %d are counted, closed is %t", state.Host, len(reboots), state.Reboots, closed)
	}
	for a, err := range s.HostAttempts(t.Context(), state.Host) {
		must(t, err)
		if want := map[bool]int{false: 1, true: 2}[closed]; len(a.Journal) != want || a.Journal[want-1].Phase != a.Phase {
			t.Errorf("%s is %s, and its journal is %v", a.ID, a.Phase, a.Journal)
		}
	}
}

// integrity lets SQLite check the whole file.
func integrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
}

func TestHeldByAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	p := start(t, "hold:"+path)
	if said := p.read(1); len(said) == 0 || said[0] != "ready" {
		t.Fatalf("the child said %q", said)
	}
	_, err := sqlite.Open(t.Context(), path, signed)
	if !errors.Is(err, remediate.ErrStoreHeld) {
		t.Fatalf("open of a held store: %v", err)
	}
	host, _ := os.Hostname()
	for _, want := range []string{path, "pid " + strconv.Itoa(p.cmd.Process.Pid), host} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
	p.kill(t)
	if err := open(t, path).Close(); err != nil {
		t.Error(err)
	}
}

func TestHeldByThisProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	s := open(t, path)
	if _, err := sqlite.Open(t.Context(), path, signed); !errors.Is(err, remediate.ErrStoreHeld) {
		t.Errorf("second open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Error(err)
	}
}
