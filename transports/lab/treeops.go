package lab

import (
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// The operations of a tree are named after the system calls that they stand
// for and fail with the same errors. Paths are absolute.

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// need is find for a file that must exist. The caller holds the lock.
func (v view) need(name string, follow bool) (place, error) {
	p, err := v.find(name, follow)
	if err == nil && p.node == nil {
		err = syscall.ENOENT
	}
	return p, err
}

func (v view) stat(name string, follow bool) (nodeInfo, error) {
	v.t.mu.RLock()
	defer v.t.mu.RUnlock()
	p, err := v.need(name, follow)
	if err != nil {
		return nodeInfo{}, pathError("stat", name, err)
	}
	return p.node.info(v, path.Base(name)), nil
}

func (v view) access(name string, want uint32) error {
	v.t.mu.RLock()
	defer v.t.mu.RUnlock()
	p, err := v.need(name, true)
	if err == nil && !v.may(p.node, want) {
		err = syscall.EACCES
	}
	return pathError("access", name, err)
}

// readDir lists a folder, sorted by name.
func (v view) readDir(name string) ([]nodeInfo, error) {
	v.t.mu.RLock()
	defer v.t.mu.RUnlock()
	p, err := v.need(name, true)
	switch {
	case err != nil:
	case !p.node.isDir():
		err = syscall.ENOTDIR
	case !v.may(p.node, mayRead):
		err = syscall.EACCES
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	var out []nodeInfo
	for _, k := range p.node.names(v) {
		if n := p.node.child(v, k); n != nil {
			out = append(out, n.info(v, k))
		}
	}
	return out, nil
}

// readFile returns the content of a file. It is not to be changed.
func (v view) readFile(name string) ([]byte, error) {
	v.t.mu.RLock()
	defer v.t.mu.RUnlock()
	p, err := v.need(name, true)
	switch {
	case err != nil:
	case p.node.isDir():
		err = syscall.EISDIR
	case !v.may(p.node, mayRead):
		err = syscall.EACCES
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return p.node.content(v), nil
}

func (v view) readlink(name string) (string, error) {
	v.t.mu.RLock()
	defer v.t.mu.RUnlock()
	p, err := v.need(name, false)
	if err == nil && !p.node.isLink() {
		err = syscall.EINVAL
	}
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	return p.node.linkTarget(v), nil
}

// realpath resolves all links. A missing last part is allowed.
func (v view) realpath(name string) (string, error) {
	v.t.mu.RLock()
	defer v.t.mu.RUnlock()
	p, err := v.find(name, true)
	if err != nil {
		return "", pathError("realpath", name, err)
	}
	return path.Clean(p.path()), nil
}

func (v view) mkdir(name string, perm fs.FileMode) error {
	return v.create("mkdir", name, &node{mode: fs.ModeDir | perm})
}

func (v view) symlink(target, name string) error {
	return v.create("symlink", name, &node{mode: fs.ModeSymlink | 0o777, target: target})
}

// create makes a file that must not exist yet.
func (v view) create(op, name string, n *node) error {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	p, err := v.find(strings.TrimRight(name, "/"), false)
	switch {
	case err != nil:
	case p.node != nil:
		err = syscall.EEXIST
	default:
		err = v.mayChange(&p)
	}
	if err == nil {
		v.put(&p, n)
	}
	return pathError(op, name, err)
}

// link makes a second name for a file.
func (v view) link(old, name string) error {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	from, err := v.need(old, false)
	if err == nil && from.node.isDir() {
		err = syscall.EPERM
	}
	if err != nil {
		return pathError("link", old, err)
	}
	n := v.t.ownNode(&from)
	to, err := v.find(name, false)
	switch {
	case err != nil:
	case to.node != nil:
		err = syscall.EEXIST
	default:
		err = v.mayChange(&to)
	}
	if err != nil {
		return pathError("link", name, err)
	}
	dir := v.t.own(&to)
	dir.kids[to.name] = n
	n.nlink++
	return nil
}

// remove is unlink(2) for files and rmdir(2) for folders.
func (v view) remove(name string, dirs bool) error {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	p, err := v.need(strings.TrimRight(name, "/"), false)
	if err == nil {
		err = v.mayRemove(&p, dirs)
	}
	if err != nil {
		return pathError("remove", name, err)
	}
	dir := v.t.own(&p)
	if p.node.owner == v.t {
		p.node.nlink--
	}
	delete(dir.kids, p.name)
	dir.mtime = v.t.now()
	return nil
}

func (v view) mayRemove(p *place, dirs bool) error {
	switch {
	case p.name == "":
		return syscall.EBUSY
	case dirs && !p.node.isDir():
		return syscall.ENOTDIR
	case !dirs && p.node.isDir():
		return syscall.EISDIR
	case p.node.fixed:
		return syscall.EPERM
	}
	if err := v.mayChange(p); err != nil {
		return err
	}
	if dirs && (len(p.node.kids) > 0 || p.node.live.list != nil) {
		return syscall.ENOTEMPTY
	}
	return nil
}

// rename is rename(2): what is at the new name is replaced at once.
func (v view) rename(old, name string) error {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	from, err := v.need(strings.TrimRight(old, "/"), false)
	switch {
	case err != nil:
	case from.name == "":
		err = syscall.EBUSY
	case from.node.fixed:
		err = syscall.EPERM
	default:
		err = v.mayChange(&from)
	}
	if err != nil {
		return pathError("rename", old, err)
	}
	to, err := v.find(strings.TrimRight(name, "/"), false)
	if err == nil {
		err = v.mayReplace(&from, &to)
	}
	if err != nil || to.node == from.node {
		return pathError("rename", name, err)
	}
	v.move(&from, &to)
	return nil
}

// mayReplace says whether the file of one place may take another place.
func (v view) mayReplace(from, to *place) error {
	if to.name == "" {
		return syscall.EBUSY
	}
	if from.node.isDir() {
		for _, n := range to.chain {
			if n == from.node {
				return syscall.EINVAL // into itself
			}
		}
	}
	if to.node == nil {
		return v.mayChange(to)
	}
	switch {
	case to.node == from.node:
		return nil
	case to.node.isDir() && !from.node.isDir():
		return syscall.EISDIR
	case !to.node.isDir() && from.node.isDir():
		return syscall.ENOTDIR
	}
	return v.mayRemove(to, to.node.isDir())
}

func (v view) move(from, to *place) {
	n := from.node
	v.t.own(from)
	// The folders of both places may be the same: look again after the copy.
	target, err := v.find(to.path(), false)
	if err != nil {
		return
	}
	dir := v.t.own(&target)
	source, err := v.find(from.path(), false)
	if err != nil {
		return
	}
	delete(v.t.own(&source).kids, from.name)
	if old := dir.kids[to.name]; old != nil && old.owner == v.t {
		old.nlink--
	}
	dir.kids[to.name] = n
	dir.mtime = v.t.now()
}

// change alters a node's attributes.
func (v view) change(op, name string, follow bool, f func(n *node) error) error {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	p, err := v.need(name, follow)
	switch {
	case err != nil:
	case p.node.fixed && v.h != nil:
		err = syscall.EPERM
	case v.uid != 0 && v.uid != p.node.uid:
		err = syscall.EPERM
	default:
		err = f(v.t.ownNode(&p))
	}
	return pathError(op, name, err)
}

func (v view) chmod(name string, set setMode) error {
	return v.change("chmod", name, true, func(n *node) error {
		n.mode = n.mode.Type() | set(n.mode&^fs.ModeType)
		return nil
	})
}

func (v view) chtime(name string, unix int64) error {
	return v.change("utimensat", name, true, func(n *node) error {
		n.mtime = unix
		return nil
	})
}

// removeAll removes a file or folder with all below it. It goes on after an
// error and calls fail for each.
func (v view) removeAll(name string, fail func(name string, err error)) {
	info, err := v.stat(name, false)
	if err != nil {
		fail(name, err)
		return
	}
	if info.isDir() {
		kids, err := v.readDir(name)
		if err != nil {
			fail(name, err)
			return
		}
		left := false
		for _, k := range kids {
			v.removeAll(path.Join(name, k.name), func(n string, err error) {
				left = true
				fail(n, err)
			})
		}
		if left {
			return
		}
	}
	if err := v.remove(name, info.isDir()); err != nil {
		fail(name, err)
	}
}
