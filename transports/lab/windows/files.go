package windows

import (
	"fmt"
	"io"
	"io/fs"
	"strings"

	"oust/transports/lab/cmdexe"
)

// clean is a path as cmdexe.Files takes it.
func clean(path string) string {
	path = strings.ReplaceAll(path, "/", `\`)
	if len(path) < 2 || path[1] != ':' {
		return path
	}
	var out []string
	for _, step := range strings.Split(path[2:], `\`) {
		switch {
		case step == "" || step == ".":
		case step == "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, step)
		}
	}
	return path[:2] + `\` + strings.Join(out, `\`)
}

// cleanIn is a path that may be meant from a folder.
func cleanIn(dir, path string) string {
	path = strings.ReplaceAll(path, "/", `\`)
	switch {
	case len(path) > 1 && path[1] == ':':
		return clean(path)
	case strings.HasPrefix(path, `\`) && len(dir) > 1:
		return clean(dir[:2] + path)
	}
	return clean(dir + `\` + path)
}

// guardedPath reports whether only administrators change what is at a path.
func guardedPath(path string) bool {
	low := strings.ToLower(path) + `\`
	for _, p := range []string{`c:\program files\`, `c:\program files (x86)\`, `c:\windows\`} {
		if strings.HasPrefix(low, p) {
			return true
		}
	}
	return strings.Count(low, `\`) == 2
}

// guarded is a disk as an account may use it.
type guarded struct {
	cmdexe.Files
	admin bool
}

func (g guarded) allow(op, path string) error {
	if g.admin || !guardedPath(path) {
		return nil
	}
	return fmt.Errorf("%s %s: %w", op, path, fs.ErrPermission)
}

func (g guarded) Create(path string, appending bool) (io.WriteCloser, error) {
	if err := g.allow("create", path); err != nil {
		return nil, err
	}
	return g.Files.Create(path, appending)
}

func (g guarded) Mkdir(path string) error {
	if err := g.allow("mkdir", path); err != nil {
		return err
	}
	return g.Files.Mkdir(path)
}

func (g guarded) Remove(path string) error {
	if err := g.allow("remove", path); err != nil {
		return err
	}
	return g.Files.Remove(path)
}

func (g guarded) Rename(from, to string) error {
	if err := g.allow("rename", from); err != nil {
		return err
	}
	if err := g.allow("rename", to); err != nil {
		return err
	}
	return g.Files.Rename(from, to)
}

var _ cmdexe.Files = guarded{}

// EachFile gives the path and the content of every file of the machine to
// visit.
func (h *Host) EachFile(visit func(path string, content []byte)) error {
	folders := []string{`C:\`}
	for len(folders) > 0 {
		at := folders[0]
		folders = folders[1:]
		list, err := h.Files.List(at)
		if err != nil {
			return err
		}
		for _, info := range list {
			path := clean(at + `\` + info.Name)
			if info.Dir {
				folders = append(folders, path)
				continue
			}
			content, err := h.readFile(path)
			if err != nil {
				return err
			}
			visit(path, content)
		}
	}
	return nil
}

func (h *Host) readFile(path string) ([]byte, error) {
	f, err := h.Files.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}
