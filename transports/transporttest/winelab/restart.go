package winelab

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Shutdown is a restart that shutdown.exe was asked for.
type Shutdown struct {
	After   time.Duration
	Comment string
}

func (h *Host) shutdownNote() string { return filepath.Join(h.Root, "windows", "shutdown.txt") }

// Shutdown tells which restart shutdown.exe has scheduled, if any. The host does
// not restart by itself: Reboot does it, and then none is scheduled any more.
func (h *Host) Shutdown() (s Shutdown, scheduled bool) {
	h.t.Helper()
	data, err := os.ReadFile(h.shutdownNote())
	if errors.Is(err, fs.ErrNotExist) {
		return s, false
	}
	h.must(err)
	after, comment, _ := strings.Cut(strings.TrimSuffix(string(data), "\n"), "\t")
	seconds, err := strconv.Atoi(after)
	h.must(err)
	return Shutdown{time.Duration(seconds) * time.Second, comment}, true
}

// LogOn has the account of every login work at a desktop too, as the registry
// tells, until the host restarts.
func (h *Host) LogOn() {
	h.t.Helper()
	const key = `"HKCU\Volatile Environment\1"`
	if out, exit := h.Exec("reg add " + key + " /v SESSIONNAME /d Console /f"); exit != 0 {
		h.t.Fatalf("wine hosts: log on: exit code %d: %s", exit, out)
	}
}

// forgetShutdown ends what a restart ends besides processes.
func (h *Host) forgetShutdown() error {
	if err := os.Remove(h.shutdownNote()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
