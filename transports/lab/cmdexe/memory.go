package cmdexe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrNotDir: a step of a path is a file, or a folder was wanted.
var ErrNotDir = errors.New("not a directory")

// errNotEmpty is what removing a folder that holds something ends in.
var errNotEmpty = errors.New("the directory is not empty")

// maxFile is the size that a file in memory does not grow over, in bytes.
const maxFile = 64 << 20

// Memory is a file system in memory, safe for concurrent use. Clones share
// what neither has changed.
type Memory struct {
	// Deny, if set, is asked before each operation (stat, list, open, create,
	// mkdir, remove, rename); its error is the operation's. It is set before
	// the first use, and clones have it too.
	Deny func(op, path string) error
	// Now is the time that new files get; time.Now if nil.
	Now func() time.Time

	mu    sync.Mutex
	root  *entry // holds the drives
	owner *byte  // entries with another owner are shared and are copied first
}

var _ Files = (*Memory)(nil)

// entry is a file or a folder. Those whose owner is not the tree's are never
// changed.
type entry struct {
	info  Info
	data  []byte
	below map[string]*entry // by name in upper case; nil for a file
	owner *byte
}

// NewMemory makes a file system with an empty drive C:.
func NewMemory() *Memory {
	m := &Memory{owner: new(byte)}
	m.root = &entry{info: Info{Dir: true}, below: map[string]*entry{}, owner: m.owner}
	m.root.below["C:"] = &entry{info: Info{Name: "C:", Dir: true}, below: map[string]*entry{}, owner: m.owner}
	return m
}

// Clone makes a file system with the same content. It costs no more than a
// few words until one of the two changes.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owner = new(byte)
	return &Memory{Deny: m.Deny, Now: m.Now, root: m.root, owner: new(byte)}
}

// steps are the parts of a path, such as C: and Windows.
func steps(path string) []string {
	out := make([]string, 0, 8)
	for step, rest := firstStep(path); step != ""; step, rest = firstStep(rest) {
		out = append(out, step)
	}
	return out
}

// firstStep cuts the first part off a path; it is "" when there is no more.
func firstStep(path string) (step, rest string) {
	path = strings.TrimLeft(path, `\/`)
	if end := strings.IndexAny(path, `\/`); end >= 0 {
		return path[:end], path[end:]
	}
	return path, ""
}

// pathError is what went wrong at a path. Most are never read: they are what a
// search finds where nothing is.
type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return e.path + ": " + e.err.Error() }
func (e *pathError) Unwrap() error { return e.err }

func (m *Memory) denied(op, path string) error {
	if m.Deny == nil {
		return nil
	}
	return m.Deny(op, path)
}

func (m *Memory) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// find walks down to an entry, for reading.
func (m *Memory) find(path string) (*entry, error) {
	e := m.root
	for s, rest := firstStep(path); s != ""; s, rest = firstStep(rest) {
		if e.below == nil {
			return nil, &pathError{path, ErrNotDir}
		}
		next := e.below[strings.ToUpper(s)]
		if next == nil {
			return nil, &pathError{path, fs.ErrNotExist}
		}
		e = next
	}
	return e, nil
}

// own is an entry that may be changed: itself or a copy.
func (m *Memory) own(e *entry) *entry {
	if e.owner == m.owner {
		return e
	}
	c := &entry{info: e.info, data: slices.Clip(e.data), owner: m.owner}
	if e.below != nil {
		c.below = make(map[string]*entry, len(e.below))
		for k, v := range e.below {
			c.below[k] = v
		}
	}
	return c
}

// folder walks down to the folder above a path, for changing it, and returns
// that and the path's last step.
func (m *Memory) folder(path string) (*entry, string, error) {
	all := steps(path)
	if len(all) < 2 {
		return nil, "", fmt.Errorf("%s: %w", path, fs.ErrPermission)
	}
	m.root = m.own(m.root)
	e := m.root
	for _, s := range all[:len(all)-1] {
		key := strings.ToUpper(s)
		next := e.below[key]
		switch {
		case next == nil:
			return nil, "", fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		case next.below == nil:
			return nil, "", fmt.Errorf("%s: %w", path, ErrNotDir)
		}
		next = m.own(next)
		e.below[key] = next
		e = next
	}
	return e, all[len(all)-1], nil
}

// Stat says what is at a path.
func (m *Memory) Stat(path string) (Info, error) {
	if err := m.denied("stat", path); err != nil {
		return Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.find(path)
	if err != nil {
		return Info{}, err
	}
	return e.info, nil
}

// List returns what is in a folder, by name.
func (m *Memory) List(path string) ([]Info, error) {
	if err := m.denied("list", path); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.find(path)
	if err != nil {
		return nil, err
	}
	if e.below == nil {
		return nil, fmt.Errorf("%s: %w", path, ErrNotDir)
	}
	all := make([]Info, 0, len(e.below))
	for _, b := range e.below {
		all = append(all, b.info)
	}
	slices.SortFunc(all, func(a, b Info) int {
		return strings.Compare(strings.ToUpper(a.Name), strings.ToUpper(b.Name))
	})
	return all, nil
}

// Open reads a file as it is at this moment.
func (m *Memory) Open(path string) (io.ReadCloser, error) {
	if err := m.denied("open", path); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.find(path)
	if err != nil {
		return nil, err
	}
	if e.below != nil {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrPermission)
	}
	return io.NopCloser(bytes.NewReader(e.data)), nil
}

// Create makes a file, or empties it, or goes on at its end.
func (m *Memory) Create(path string, appending bool) (io.WriteCloser, error) {
	if err := m.denied("create", path); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, name, err := m.folder(path)
	if err != nil {
		return nil, err
	}
	key := strings.ToUpper(name)
	e := dir.below[key]
	switch {
	case e == nil:
		e = &entry{info: Info{Name: name}, owner: m.owner}
	case e.below != nil:
		return nil, fmt.Errorf("%s: %w", path, fs.ErrPermission)
	default:
		e = m.own(e)
	}
	if !appending {
		e.data, e.info.Size = nil, 0
	}
	e.info.Time = m.now()
	dir.below[key] = e
	return &memoryFile{m: m, path: path}, nil
}

// memoryFile appends to the file at a path; to none once that is removed.
type memoryFile struct {
	m    *Memory
	path string
}

func (f *memoryFile) Write(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	dir, name, err := f.m.folder(f.path)
	if err != nil {
		return 0, err
	}
	e := dir.below[strings.ToUpper(name)]
	if e == nil || e.below != nil {
		return 0, fmt.Errorf("%s: %w", f.path, fs.ErrNotExist)
	}
	if len(e.data)+len(p) > maxFile {
		return 0, fmt.Errorf("%s: larger than %d bytes", f.path, maxFile)
	}
	e = f.m.own(e)
	e.data = append(e.data, p...)
	e.info.Size = int64(len(e.data))
	dir.below[strings.ToUpper(name)] = e
	return len(p), nil
}

func (f *memoryFile) Close() error { return nil }

// Mkdir makes one folder.
func (m *Memory) Mkdir(path string) error {
	if err := m.denied("mkdir", path); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, name, err := m.folder(path)
	if err != nil {
		return err
	}
	key := strings.ToUpper(name)
	if dir.below[key] != nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	dir.below[key] = &entry{info: Info{Name: name, Dir: true, Time: m.now()}, below: map[string]*entry{}, owner: m.owner}
	return nil
}

// Remove removes a file or an empty folder.
func (m *Memory) Remove(path string) error {
	if err := m.denied("remove", path); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, name, err := m.folder(path)
	if err != nil {
		return err
	}
	key := strings.ToUpper(name)
	e := dir.below[key]
	switch {
	case e == nil:
		return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	case len(e.below) > 0:
		return fmt.Errorf("%s: %w", path, errNotEmpty)
	}
	delete(dir.below, key)
	return nil
}

// Rename moves a file or a folder with all that is in it.
func (m *Memory) Rename(from, to string) error {
	if err := m.denied("rename", from); err != nil {
		return err
	}
	if err := m.denied("rename", to); err != nil {
		return err
	}
	if strings.HasPrefix(strings.ToUpper(to)+`\`, strings.ToUpper(from)+`\`) && !strings.EqualFold(from, to) {
		return fmt.Errorf("%s: %w", to, fs.ErrPermission)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, name, err := m.folder(from)
	if err != nil {
		return err
	}
	e := dir.below[strings.ToUpper(name)]
	if e == nil {
		return fmt.Errorf("%s: %w", from, fs.ErrNotExist)
	}
	into, newName, err := m.folder(to)
	if err != nil {
		return err
	}
	if other := into.below[strings.ToUpper(newName)]; other != nil && other != e {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	delete(dir.below, strings.ToUpper(name))
	e = m.own(e)
	e.info.Name = newName
	into.below[strings.ToUpper(newName)] = e
	return nil
}

// MkdirAll makes a folder and those above it.
func (m *Memory) MkdirAll(path string) error {
	all := steps(path)
	for i := 2; i <= len(all); i++ {
		if err := m.Mkdir(strings.Join(all[:i], `\`)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// WriteFile makes a file and the folders above it.
func (m *Memory) WriteFile(path string, data []byte) error {
	if i := strings.LastIndexByte(path, '\\'); i > 0 {
		if err := m.MkdirAll(path[:i]); err != nil {
			return err
		}
	}
	w, err := m.Create(path, false)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
