package playbooks

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oust/remediate"
)

// maxFiles bounds the playbooks of one folder.
const maxFiles = 1000

// LoadFile reads a library of one playbook.
func LoadFile(file string) (*Library, error) {
	p, err := parseFile(file)
	if err != nil {
		return nil, err
	}
	return newLibrary([]*Playbook{p}, nil)
}

// LoadDir reads every .yaml and .yml file below a folder; links are not
// followed, and names that begin with a dot are left out. All problems of all
// files are reported at once. A folder without playbooks is an error.
func LoadDir(dir string) (*Library, error) {
	var list []*Playbook
	var problems []error
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != dir && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || !isPlaybook(name):
			return nil
		case len(list)+len(problems) >= maxFiles:
			return fmt.Errorf("%s: more than %d playbooks", dir, maxFiles)
		}
		p, err := parseFile(name)
		if err != nil {
			problems = append(problems, err)
			return nil
		}
		list = append(list, p)
		return nil
	})
	if err = errors.Join(append(problems, err)...); err != nil {
		return nil, fmt.Errorf("load playbooks: %w", err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("load playbooks: %s: no .yaml file there", dir)
	}
	return newLibrary(list, nil)
}

func isPlaybook(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

func parseFile(name string) (*Playbook, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read playbook: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read playbook: %w", err)
	}
	return Parse(name, data)
}

// Select makes a library of what a campaign's playbooks list names:
//
//	kaspersky         every playbook of a vendor in l
//	kaspersky/kesl    one playbook of l
//	./dir             every playbook below a folder of one's own
//	./file.yaml       one playbook of one's own
//
// Paths begin with ./, ../ or /; relative ones start at base. A playbook that
// is named twice counts once; two playbooks of one name are an error that
// names both files. A name that is not known is an error with the nearest one.
func (l *Library) Select(base string, names []string) (*Library, error) {
	if len(names) == 0 {
		return nil, errors.New("no playbooks are named")
	}
	var list []*Playbook
	for _, n := range names {
		some, err := l.pick(base, n)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			if !slices.ContainsFunc(list, func(q *Playbook) bool { return q.file == p.file }) {
				list = append(list, p)
			}
		}
	}
	out, err := newLibrary(list, l.Names())
	if err != nil {
		return nil, err
	}
	return out, out.checkAfter()
}

func (l *Library) pick(base, name string) ([]*Playbook, error) {
	if isPath(name) {
		return pickPath(base, name)
	}
	var out []*Playbook
	known := l.Names()
	for _, p := range l.list {
		known = append(known, p.vendorKey())
		if p.Name == name || p.vendorKey() == name {
			out = append(out, p)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if near := remediate.Nearest(name, known); near != "" {
		return nil, fmt.Errorf("playbook %q is unknown; did you mean %s?", name, near)
	}
	slices.Sort(known)
	return nil, fmt.Errorf("playbook %q is unknown; there are %s (a path of your own begins with ./)",
		name, strings.Join(slices.Compact(known), ", "))
}

func isPath(name string) bool {
	return name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || filepath.IsAbs(name)
}

func pickPath(base, name string) ([]*Playbook, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(base, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("load playbooks: %w", err)
	}
	load := LoadFile
	if info.IsDir() {
		load = LoadDir
	}
	l, err := load(name)
	if err != nil {
		return nil, err
	}
	return l.list, nil
}
