package inventory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFolderDepth bounds folders in one another.
const maxFolderDepth = 10

// ignored are the endings that Ansible leaves alone in a folder
// (INVENTORY_IGNORE_EXTS), but for .ini: some versions of it read those.
var ignored = []string{".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"}

// loadFolder reads the files of a folder and of those in it by name, as
// Ansible does. group_vars and host_vars of the folder itself count.
func (l *loader) loadFolder(path string) {
	before, faults := l.ansible.size()+len(l.hosts), l.faults()
	w := folderWalk{l: l, root: path}
	w.walk(path, nil)
	if l.faults() == faults && l.ansible.size()+len(l.hosts) == before {
		l.problem(Place{File: path}, "there is no host in the files of this folder")
	}
}

// folderWalk is one reading of a folder.
type folderWalk struct {
	l     *loader
	root  string
	files int
}

// walk reads the files of a folder; above are the folders that it is in.
func (w *folderWalk) walk(path string, above []os.FileInfo) {
	entries, above, err := enter(path, above)
	if err != nil {
		w.l.problem(Place{File: path}, "%v", err)
		return
	}
	for _, e := range entries {
		if skipInFolder(e.Name()) {
			continue
		}
		if w.files++; w.files > w.l.max.folderFiles {
			if w.files == w.l.max.folderFiles+1 {
				w.l.problem(Place{File: w.root}, "more than %d files in the folder", w.l.max.folderFiles)
			}
			return
		}
		name := filepath.Join(path, e.Name())
		info, err := os.Stat(name)
		switch {
		case err != nil:
			w.l.problem(Place{File: name}, "%v", cause(err))
		case info.IsDir():
			w.walk(name, above)
		default:
			w.l.loadFile(source{name: name, folder: w.root, inFolder: true}, info)
		}
	}
}

// enter lists a folder, and adds it to those above. It refuses one that is
// above already: a link leads there.
func enter(path string, above []os.FileInfo) ([]os.DirEntry, []os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, cause(err)
	}
	if slices.ContainsFunc(above, func(a os.FileInfo) bool { return os.SameFile(a, info) }) {
		return nil, nil, errors.New("a link that leads back to a folder which it is in")
	}
	if len(above) > maxFolderDepth {
		return nil, nil, fmt.Errorf("folders are nested deeper than %d", maxFolderDepth)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, cause(err)
	}
	return entries, append(above[:len(above):len(above)], info), nil
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
