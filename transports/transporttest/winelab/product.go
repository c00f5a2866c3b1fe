package winelab

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Product is a program with an uninstaller of its own that copies itself, as
// those of NSIS do: what is started ends at once, and the copy removes the
// product a while later. Without /S it waits for ever.
type Product struct {
	// Name is the folder below C:\Program Files and the uninstall key, and
	// the name that is shown.
	Name string
	// Publisher is shown beside it; none by default.
	Publisher string
	// Uninstaller is the program's name, default uninst.exe. Unquoted writes its
	// path into the registry without quotes, as some products do.
	Uninstaller string
	Unquoted    bool
	// Files are more files of its folder.
	Files []string
	// Seconds is how long the copy works.
	Seconds int
	// Exit is the exit code of what is started.
	Exit int
	// Lies leaves the product where it is, Hangs never ends.
	Lies, Hangs bool
}

// Dir is the product's folder.
func (p Product) Dir() string { return `C:\Program Files\` + p.Name }

// Key is the product's uninstall key.
func (p Product) Key() string { return `HKLM\` + p.below() }

func (p Product) below() string {
	return `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\` + p.Name
}

// InstallProduct puts a product's folder and its uninstall key on the host.
func (h *Host) InstallProduct(p Product) {
	h.t.Helper()
	dir := filepath.Join(h.Root, "Program Files", p.Name)
	h.must(os.MkdirAll(dir, 0o755))
	program, err := os.ReadFile(filepath.Join(h.built, "uninst.exe"))
	h.must(err)
	name := cmp.Or(p.Uninstaller, "uninst.exe")
	h.must(os.WriteFile(filepath.Join(dir, name), program, 0o755))
	for _, f := range p.Files {
		h.must(os.WriteFile(filepath.Join(dir, f), nil, 0o644))
	}
	flag := map[bool]int{true: 1}
	ini := fmt.Sprintf("[uninst]\nKey=%s\nSeconds=%d\nExit=%d\nLies=%d\nHangs=%d\n", p.below(), p.Seconds, p.Exit, flag[p.Lies], flag[p.Hangs])
	h.must(os.WriteFile(filepath.Join(dir, "uninst.ini"), []byte(strings.ReplaceAll(ini, "\n", "\r\n")), 0o644))
	command := p.Dir() + `\` + name
	if !p.Unquoted {
		command = `\"` + command + `\"`
	}
	values := map[string]string{"DisplayName": p.Name, "UninstallString": command}
	if p.Publisher != "" {
		values["Publisher"] = p.Publisher
	}
	for name, value := range values {
		line := fmt.Sprintf(`reg add "%s" /v %s /t REG_SZ /d "%s" /f`, p.Key(), name, value)
		if out, exit := h.Exec(line); exit != 0 {
			h.t.Fatalf("wine hosts: install %s: exit code %d: %s", p.Name, exit, out)
		}
	}
}
