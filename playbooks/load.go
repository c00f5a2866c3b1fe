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

// LoadDir reads every .yaml and .yml file below a folder; names that begin
// with a dot, and folders called cases, are left out. A link to a file is followed. A link to a folder is
// an error, because a playbook that is silently not read is a product that is
// silently not found. All problems of all files are reported at once. A folder
// without playbooks is an error.
func LoadDir(dir string) (*Library, error) {
	var list []*Playbook
	var problems []error
	err := WalkDir(dir, func(name string) error {
		p, err := parseFile(name)
		if err != nil {
			problems = append(problems, err)
		} else {
			list = append(list, p)
		}
		return nil
	})
	if err = errors.Join(append(problems, err)...); err != nil {
		return nil, fmt.Errorf("load playbooks: %w", err)
	}
	return newLibrary(list, nil)
}

// WalkDir calls visit with the playbooks that LoadDir reads, in the order of
// their names, until it returns an error.
func WalkDir(dir string, visit func(name string) error) error {
	if info, err := os.Lstat(dir); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		dir += string(filepath.Separator) // the folder itself may be a link
	}
	n := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != dir && (strings.HasPrefix(d.Name(), ".") || d.IsDir() && d.Name() == casesFolder) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if read, err := isRead(name, d); err != nil || !read {
			return err
		}
		if n++; n > maxFiles {
			return fmt.Errorf("%s: more than %d playbooks", dir, maxFiles)
		}
		return visit(name)
	})
	if err == nil && n == 0 {
		return fmt.Errorf("%s: no .yaml file there", dir)
	}
	return err
}

// isRead tells playbooks from other entries of a folder.
func isRead(name string, d fs.DirEntry) (bool, error) {
	link := d.Type()&fs.ModeSymlink != 0
	if d.IsDir() || !link && !isPlaybook(name) {
		return false, nil
	}
	if !link {
		return true, nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil && !isPlaybook(name):
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fmt.Errorf("%s: a link to a folder is not followed; name the folder by itself", name)
	}
	return isPlaybook(name), nil
}

func isPlaybook(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

func parseFile(name string) (*Playbook, error) {
	data, err := readFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// readFile reads a file of at most MaxSize bytes, and one more where there is
// more. What is no regular file, such as a pipe, is an error: opening it could
// wait for ever.
func readFile(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read playbook: %s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read playbook: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read playbook: %w", err)
	}
	return data, nil
}

// None is a library without playbooks: it asks nothing and finds nothing.
func None() *Library { return &Library{} }

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
	for _, p := range l.list {
		if _, chosen := out.Get(p.Name); !chosen {
			out.others = append(out.others, p)
		}
	}
	out.beside = out.neighbours()
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
	vendors := slices.DeleteFunc(known, func(n string) bool { return strings.Contains(n, "/") })
	slices.Sort(vendors)
	return nil, fmt.Errorf("playbook %q is unknown; there are those of %s (a path of your own begins with ./); 'oust playbook list' has their names",
		name, strings.Join(slices.Compact(vendors), ", "))
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
