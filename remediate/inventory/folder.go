package inventory

import (
	"os"
	"path/filepath"
	"strings"
)

// Bounds of an inventory that is a folder.
const (
	maxFolderDepth = 10
	maxFolderFiles = 1000
)

// ignored are the endings that Ansible leaves alone in a folder
// (INVENTORY_IGNORE_EXTS), but for .ini: some versions of it read those.
var ignored = []string{".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"}

// loadFolder reads the files of a folder and of those in it by name, as
// Ansible does. group_vars and host_vars of the folder itself count.
func (l *loader) loadFolder(path string) {
	before, faults := l.ansible.size()+len(l.hosts), l.faults()
	files := 0
	l.walkFolder(path, path, 0, &files)
	if l.faults() == faults && l.ansible.size()+len(l.hosts) == before {
		l.problem(Place{File: path}, "there is no host in the files of this folder")
	}
}

func (l *loader) walkFolder(root, path string, depth int, files *int) {
	entries, err := os.ReadDir(path)
	if err != nil {
		l.problem(Place{File: path}, "%v", cause(err))
		return
	}
	if depth > maxFolderDepth {
		l.problem(Place{File: path}, "folders are nested deeper than %d", maxFolderDepth)
		return
	}
	for _, e := range entries {
		if skipInFolder(e.Name()) {
			continue
		}
		if *files++; *files > maxFolderFiles {
			l.problem(Place{File: root}, "more than %d files in the folder", maxFolderFiles)
			return
		}
		name := filepath.Join(path, e.Name())
		info, err := os.Stat(name)
		switch {
		case err != nil:
			l.problem(Place{File: name}, "%v", cause(err))
		case info.IsDir():
			l.walkFolder(root, name, depth+1, files)
		default:
			l.loadFile(source{name: name, folder: root, inFolder: true}, info)
		}
	}
}

func skipInFolder(name string) bool {
	if strings.HasPrefix(name, ".") || name == "group_vars" || name == "host_vars" || name == "vars_plugins" {
		return true
	}
	for _, end := range ignored {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
