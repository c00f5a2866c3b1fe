package winelab

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// RegDump returns all below a key, as reg export writes it, to compare two
// states of a host.
func (h *Host) RegDump(key string) string {
	h.t.Helper()
	path := filepath.Join(h.dir, "run", "dump.reg")
	if out, exit := h.Exec(`reg export "` + key + `" "Z:` + strings.ReplaceAll(path, "/", `\`) + `" /y`); exit != 0 {
		h.t.Fatalf("wine hosts: export %s: exit code %d: %s", key, exit, out)
	}
	data, err := os.ReadFile(path)
	h.must(err)
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

// Files returns the paths below a folder of drive C such as C:\Program Files,
// in order and relative to it, to compare two states of a host.
func (h *Host) Files(folder string) []string {
	h.t.Helper()
	root := filepath.Join(h.Root, strings.ReplaceAll(strings.TrimPrefix(folder, `C:\`), `\`, "/"))
	var files []string
	h.must(filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rest, err := filepath.Rel(root, path)
		files = append(files, strings.ReplaceAll(rest, "/", `\`))
		return err
	}))
	return files
}
