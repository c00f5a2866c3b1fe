package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// smallDisk mounts a file system of that size, or skips the test where that
// is not allowed.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		skip(t, fmt.Sprintf("a small file system cannot be mounted (run as root): %v", err))
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// skip skips a test with its reason; with OUST_NO_SKIP=1 that is a failure.
func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("OUST_NO_SKIP") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// TestDiskFull writes until nothing fits any more: every caller is told, and
// nothing that was acknowledged is lost; with room again the same store works.
func TestDiskFull(t *testing.T) {
	dir := smallDisk(t, "4m")
	path := filepath.Join(dir, sqlite.FileName)
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, noise(1<<20), 0o600))
	s := open(t, path)

	var kept []string
	full := 0
	for i := 0; full < 3; i++ {
		look := saved(fmt.Sprintf("web%03d", i))
		look.Raw = append(noise(100_000), byte(i))
		err := s.SaveLook(t.Context(), look)
		if err == nil {
			kept = append(kept, look.Host)
			continue
		}
		full++
		if !strings.Contains(err.Error(), "make room") || !strings.Contains(err.Error(), look.Host) {
			t.Errorf("on a full disk: %v", err)
		}
	}
	if len(kept) == 0 {
		t.Fatal("nothing fitted")
	}
	holdsHosts(t, s, kept...)
	must(t, os.Remove(ballast))
	must(t, s.SaveLook(t.Context(), saved("web999")))
	kept = append(kept, "web999")
	must(t, s.Close())

	s = open(t, path)
	defer s.Close()
	holdsHosts(t, s, kept...)
	for _, host := range kept {
		for _, err := range s.HostLooks(t.Context(), host) {
			must(t, err)
		}
	}
	integrity(t, path)
	fits(t, path)
}

// TestDiskFullForMany lets many callers meet the full disk at once.
func TestDiskFullForMany(t *testing.T) {
	path := filepath.Join(smallDisk(t, "3m"), sqlite.FileName)
	s := open(t, path)
	defer s.Close()
	type answer struct {
		host string
		err  error
	}
	answers := make(chan answer)
	const callers = 60
	for i := range callers {
		go func() {
			look := saved(fmt.Sprintf("web%03d", i))
			look.Raw = append(noise(100_000), byte(i))
			answers <- answer{look.Host, s.SaveLook(t.Context(), look)}
		}()
	}
	kept := map[string]bool{}
	for range callers {
		if a := <-answers; a.err == nil {
			kept[a.host] = true
		} else if !strings.Contains(a.err.Error(), "make room") {
			t.Errorf("on a full disk: %v", a.err)
		}
	}
	if len(kept) == callers {
		t.Fatal("the disk was not full")
	}
	got := names(t, s)
	for _, host := range got {
		if !kept[host] {
			t.Errorf("%s was refused and is there", host)
		}
	}
	if len(got) != len(kept) {
		t.Errorf("%d hosts are there, %d were acknowledged", len(got), len(kept))
	}
	integrity(t, path)
	fits(t, path)
}

func TestReadOnlyFileSystem(t *testing.T) {
	dir := smallDisk(t, "8m")
	path := filepath.Join(dir, sqlite.FileName)
	empty := filepath.Join(dir, "empty")
	must(t, os.Mkdir(empty, 0o700))
	s := open(t, path)
	must(t, s.SaveLook(t.Context(), saved("web1")))
	must(t, s.Close())
	must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	for _, p := range []string{path, filepath.Join(empty, sqlite.FileName)} {
		if _, err := sqlite.Open(t.Context(), p, signed); err == nil || !strings.Contains(err.Error(), "read-only file system") {
			t.Errorf("open for writing: %v", err)
		}
	}
	reader := openReadOnly(t, path)
	defer reader.Close()
	holdsHosts(t, reader, "web1")
}

// TestReadOnlyWithLog: a file system that became read-only while the store
// was open. What the log holds cannot be read there, and is not left out.
func TestReadOnlyWithLog(t *testing.T) {
	dir := smallDisk(t, "8m")
	path := filepath.Join(dir, sqlite.FileName)
	p := start(t, "write:"+path)
	acked := p.read(20)
	p.kill(t)
	must(t, os.Remove(path+"-shm"))
	must(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	reader, err := sqlite.OpenReadOnly(t.Context(), path, sqlite.Options{})
	if err != nil {
		if !strings.Contains(err.Error(), "check the rights") {
			t.Errorf("open: %v", err)
		}
		return
	}
	defer reader.Close()
	for _, id := range acked[1:] {
		state, err := reader.HostState(t.Context(), id)
		must(t, err)
		if state.Standing != remediate.StandClear {
			t.Errorf("%s was left out", id)
		}
	}
}

// TestCheckWithoutRoom: a check writes nothing to the store's disk; where its
// own files have no room it says where that is.
func TestCheckWithoutRoom(t *testing.T) {
	path := storyFile(t)
	dir := smallDisk(t, "64k")
	t.Setenv("TMPDIR", dir)
	s := openReadOnly(t, path)
	defer s.Close()
	err := s.CheckLedger(t.Context(), func(m sqlite.Misfit) error {
		t.Errorf("misfit: %+v", m)
		return nil
	}, nil)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in %s: %v, %v", dir, left, err)
	}
}
