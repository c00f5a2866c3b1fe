package winelab

import (
	"slices"
	"strings"
	"testing"
)

// TestProduct: the uninstaller ends before its work does, and lies if told to.
func TestProduct(t *testing.T) {
	t.Parallel()
	h := Start(t, Options{})
	const programs, uninstall = `C:\Program Files`, `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	files, keys := h.Files(programs), h.RegDump(uninstall)
	good, liar := Product{Name: "Good Player", Seconds: 1, Exit: 5}, Product{Name: "Liar", Lies: true}
	for _, p := range []Product{good, liar} {
		h.InstallProduct(p)
		if out, _ := h.Exec(`reg query "` + p.Key() + `" /v UninstallString`); !strings.Contains(out, `"`+p.Dir()+`\uninst.exe"`) {
			t.Errorf("the uninstall string: %s", out)
		}
		if _, exit := h.Exec(`"` + p.Dir() + `\uninst.exe" /S`); exit != p.Exit {
			t.Errorf("%s: exit code %d, want %d", p.Name, exit, p.Exit)
		}
		if !h.FileExists(p.Dir() + `\uninst.exe`) {
			t.Errorf("%s: gone at once", p.Name)
		}
	}
	// The host's own time passes: ping waits a second between two packets.
	for range 20 {
		if h.Exec("ping -n 2 127.0.0.1 >nul"); !h.FileExists(good.Dir()) && !h.RegExists(good.Key()) {
			break
		}
	}
	if h.FileExists(good.Dir()) || h.RegExists(good.Key()) {
		t.Error("the uninstaller has left its product")
	}
	if !h.FileExists(liar.Dir()) || !h.RegExists(liar.Key()) {
		t.Error("the liar has removed its product")
	}
	if now := h.RegDump(uninstall); now == keys || !strings.Contains(now, "Liar") || strings.Contains(now, good.Name) {
		t.Errorf("the dump: %s", now)
	}
	if now := h.Files(programs); slices.Equal(now, files) || !slices.Contains(now, `Liar\uninst.exe`) || slices.Contains(now, good.Name) {
		t.Errorf("the files: %q", now)
	}
}
