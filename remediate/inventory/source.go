package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"oust/remediate"
)

// stdinName stands for standard input where a file is named.
const stdinName = "stdin"

// source is the text of one file, as UTF-8 without a byte order mark.
type source struct {
	name string
	text []byte
	// folder is where group_vars and host_vars stand; empty for none.
	folder string
	// inFolder says that the file was found in a folder, not named.
	inFolder bool
}

func (l *loader) loadStdin() {
	if l.opts.Stdin == nil {
		l.problem(Place{File: stdinName}, "there is no standard input here; name a file")
		return
	}
	l.read(l.opts.Stdin, source{name: stdinName}, 0)
}

// loadPath reads a file, or a folder as Ansible does.
func (l *loader) loadPath(path string) {
	info, err := os.Stat(path) // before opening: opening a pipe waits for its writer
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.problem(Place{File: path}, "there is no such file%s", nearestFile(path))
	case err != nil:
		l.problem(Place{File: path}, "%v", cause(err))
	case info.IsDir():
		l.loadFolder(path)
	default:
		l.loadFile(source{name: path, folder: filepath.Dir(path)}, info)
	}
}

func (l *loader) loadFile(s source, info fs.FileInfo) {
	at := Place{File: s.name}
	for _, f := range l.files {
		if os.SameFile(f, info) {
			l.problem(at, "the file is named twice")
			return
		}
	}
	l.files = append(l.files, info)
	switch {
	case !info.Mode().IsRegular():
		l.problem(at, "not a file; to pipe an inventory in, name it \"-\"")
		return
	case info.Size() > int64(l.max.file):
		l.problem(at, "the file has %d bytes; at most %d are read", info.Size(), l.max.file)
		return
	}
	f, err := os.Open(s.name)
	if err != nil {
		l.problem(at, "%v", cause(err))
		return
	}
	defer f.Close()
	l.read(f, s, info.Size())
}

// read takes one byte more than the most, so that it can say so. The size is a
// guess.
func (l *loader) read(r io.Reader, s source, size int64) {
	at := Place{File: s.name}
	var b bytes.Buffer
	b.Grow(int(size) + bytes.MinRead)
	_, err := b.ReadFrom(io.LimitReader(r, int64(l.max.file)+1))
	data := b.Bytes()
	if err != nil {
		l.problem(at, "%v", cause(err))
		return
	}
	switch {
	case len(data) > l.max.file:
		l.problem(at, "more than %d bytes; no more are read", l.max.file)
		return
	case bytes.HasPrefix(data, []byte("#!")):
		l.problem(at, "a script; oust does not run inventories: write its output into a file (ansible-inventory -i %s --list >hosts.json) and name that", filepath.Base(s.name))
		return
	case bytes.HasPrefix(data, vaultMark):
		l.problem(at, "encrypted with Ansible Vault; oust does not decrypt inventories")
		return
	}
	text, fault := decode(data)
	if fault != nil {
		fault.File = s.name
		l.problem(fault.Place, "%s", fault.Msg)
		return
	}
	s.text = text
	l.parse(s)
}

// cause takes the path out of an error that is told with it.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// nearestFile proposes a name where one was mistyped.
func nearestFile(path string) string {
	const most = 1000
	if _, err := os.Lstat(path); err == nil {
		return "; the link leads nowhere"
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return ""
	}
	defer dir.Close()
	names, err := dir.Readdirnames(most)
	if err != nil {
		return ""
	}
	if near := remediate.Nearest(filepath.Base(path), names); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}
