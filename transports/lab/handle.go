package lab

import (
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"
)

// handle is an open file. Copies of it (dup) share the position.
type handle struct {
	v    view
	file *openFile
}

type openFile struct {
	mu     sync.Mutex
	node   *node
	null   bool // a device that takes everything and gives nothing
	flag   int
	offset int64
}

// open opens a file as open(2) does; flag is of package os.
func (v view) open(name string, flag int, perm fs.FileMode) (*handle, error) {
	write := flag&(os.O_WRONLY|os.O_RDWR) != 0
	if write {
		v.t.mu.Lock()
		defer v.t.mu.Unlock()
	} else {
		v.t.mu.RLock()
		defer v.t.mu.RUnlock()
	}
	p, err := v.find(name, true)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	if err := v.openable(&p, flag, write, perm); err != nil {
		return nil, pathError("open", name, err)
	}
	n := p.node
	null := n.mode&fs.ModeCharDevice != 0
	if write && !null {
		n = v.t.ownNode(&p)
		if flag&os.O_TRUNC != 0 {
			n.data, n.mtime = nil, v.t.now()
		}
	}
	return &handle{v: v, file: &openFile{node: n, null: null, flag: flag}}, nil
}

// openable checks, and creates the file if the flags say so.
func (v view) openable(p *place, flag int, write bool, perm fs.FileMode) error {
	if p.node == nil {
		if flag&os.O_CREATE == 0 {
			return syscall.ENOENT
		}
		if err := v.mayChange(p); err != nil {
			return err
		}
		v.put(p, &node{mode: perm})
		return nil
	}
	want := uint32(mayRead)
	if write {
		want = mayWrite
	}
	switch {
	case flag&os.O_EXCL != 0 && flag&os.O_CREATE != 0:
		return syscall.EEXIST
	case p.node.isDir() && write:
		return syscall.EISDIR
	case !v.may(p.node, want):
		return syscall.EACCES
	case write && p.node.fixed:
		return syscall.EPERM
	case write && p.node.live.text != nil:
		return syscall.EACCES
	}
	return nil
}

func (h *handle) Read(b []byte) (int, error) {
	f := h.file
	f.mu.Lock()
	defer f.mu.Unlock()
	h.v.t.mu.RLock()
	defer h.v.t.mu.RUnlock()
	if f.node.isDir() {
		return 0, syscall.EISDIR
	}
	data := f.node.content(h.v)
	if f.offset >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(b, data[f.offset:])
	f.offset += int64(n)
	return n, nil
}

// mostFile bounds a file of a host, in bytes.
const mostFile = 64 << 20

func (h *handle) Write(b []byte) (int, error) {
	f := h.file
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.null {
		return len(b), nil
	}
	h.v.t.mu.Lock()
	defer h.v.t.mu.Unlock()
	n := f.node
	at := f.offset
	if f.flag&os.O_APPEND != 0 {
		at = int64(len(n.data))
	}
	if at+int64(len(b)) > mostFile {
		return 0, syscall.EFBIG
	}
	n.data = splice(n.data, at, b)
	n.mtime = h.v.t.now()
	f.offset = at + int64(len(b))
	return len(b), nil
}

// splice writes b at a position of data. Bytes below len(data) are not
// changed in place: a reader may hold them.
func splice(data []byte, at int64, b []byte) []byte {
	if at == int64(len(data)) {
		return append(data, b...)
	}
	out := make([]byte, max(int64(len(data)), at+int64(len(b))))
	copy(out, data)
	copy(out[at:], b)
	return out
}

// Close does nothing: a handle holds nothing that must be given back.
func (h *handle) Close() error { return nil }

// writeFile replaces a file's content, making it if need be.
func (v view) writeFile(name string, data []byte, perm fs.FileMode) error {
	f, err := v.open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return pathError("write", name, err)
}

// mkdirAll makes a folder and those above it.
func (v view) mkdirAll(name string, perm fs.FileMode) error {
	info, err := v.stat(name, true)
	if err == nil {
		if !info.isDir() {
			return pathError("mkdir", name, syscall.ENOTDIR)
		}
		return nil
	}
	if up := path.Dir(name); up != name {
		if err := v.mkdirAll(up, perm); err != nil {
			return err
		}
	}
	return v.mkdir(name, perm)
}

var _ io.ReadWriteCloser = (*handle)(nil)
