package lab

import (
	"io/fs"
	"path"
	"strings"
	"sync"
	"syscall"
)

// tree is the file tree of one host. It starts as the tree of an image and
// copies what it changes. Methods are safe for concurrent use.
type tree struct {
	mu   sync.RWMutex
	root *node
	ino  uint64 // the last inode number given out
	now  func() int64
}

// view is who looks at a tree: permissions, and what /proc says, depend on it.
type view struct {
	t   *tree
	h   *host // nil in tests of the tree alone
	uid uint32
	gid uint32
	pid int
}

const (
	mayRead  = 4
	mayWrite = 2
	mayExec  = 1
)

// may reports whether the viewer has all of the rights on the node.
func (v view) may(n *node, want uint32) bool {
	if v.uid == 0 {
		return want&mayExec == 0 || n.isDir() || n.mode.Perm()&0o111 != 0
	}
	bits := uint32(n.mode.Perm())
	switch {
	case n.uid == v.uid:
		bits >>= 6
	case n.gid == v.gid:
		bits >>= 3
	}
	return bits&want == want
}

// place is where a path leads: the chain of nodes from the root to its
// folder, the name in it, and the node of that name if there is one.
type place struct {
	names []string // of the chain without the root
	chain []*node  // len(names)+1 nodes; the last is the folder
	name  string   // "" for the root itself
	node  *node    // nil if there is no such file
}

const mostLinks = 40 // as Linux: MAXSYMLINKS

// find resolves a path. With follow, a link at its end is followed too. The
// error says why the folder of the path cannot be had; a missing last part is
// not an error. The caller holds the lock.
func (v view) find(name string, follow bool) (place, error) {
	p := place{chain: []*node{v.t.root}}
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		if part == "" || part == "." {
			continue
		}
		if p.name != "" { // something was found before: go into it
			if err := v.enter(&p); err != nil {
				return p, err
			}
		}
		if part == ".." {
			p.up()
			continue
		}
		dir := p.chain[len(p.chain)-1]
		if !v.may(dir, mayExec) {
			return p, syscall.EACCES
		}
		n := dir.child(v, part)
		if n != nil && n.isLink() && (follow || last(todo) != "") {
			if links++; links > mostLinks {
				return p, syscall.ELOOP
			}
			target := n.linkTarget(v)
			if path.IsAbs(target) {
				p.names, p.chain = p.names[:0], p.chain[:1]
			}
			todo = append(strings.Split(target, "/"), todo...)
			continue
		}
		p.name, p.node = part, n
	}
	if p.node != nil && !p.node.isDir() && strings.HasSuffix(name, "/") {
		return p, syscall.ENOTDIR
	}
	if p.name == "" {
		p.node = p.chain[len(p.chain)-1]
	}
	return p, nil
}

// last returns what of the parts is left besides "" and ".".
func last(parts []string) string {
	for _, s := range parts {
		if s != "" && s != "." {
			return s
		}
	}
	return ""
}

func (v view) enter(p *place) error {
	switch {
	case p.node == nil:
		return syscall.ENOENT
	case !p.node.isDir():
		return syscall.ENOTDIR
	}
	p.names = append(p.names, p.name)
	p.chain = append(p.chain, p.node)
	p.name, p.node = "", nil
	return nil
}

func (p *place) up() {
	if n := len(p.names); n > 0 {
		p.names, p.chain = p.names[:n-1], p.chain[:n]
	}
	p.name, p.node = "", nil
}

// path is the place's path without links.
func (p place) path() string {
	return "/" + strings.Join(append(p.names[:len(p.names):len(p.names)], p.name), "/")
}

// own makes the folder of a place the tree's own and returns it, with a map for
// its entries.
func (t *tree) own(p *place) *node {
	for i, n := range p.chain {
		if n.owner == t {
			continue
		}
		c := n.clone(t)
		if i == 0 {
			t.root = c
		} else {
			p.chain[i-1].kids[p.names[i-1]] = c
		}
		p.chain[i] = c
	}
	dir := p.chain[len(p.chain)-1]
	if dir.kids == nil {
		dir.kids = make(map[string]*node)
	}
	return dir
}

// ownNode makes the node of a place the tree's own and returns it.
func (t *tree) ownNode(p *place) *node {
	dir := t.own(p)
	if p.name == "" {
		p.node = dir
		return dir
	}
	if p.node.owner != t {
		p.node = p.node.clone(t)
		dir.kids[p.name] = p.node
	}
	return p.node
}

// restore makes an entry of the root folder what it is in another root.
func (t *tree) restore(name string, from *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := place{chain: []*node{t.root}}
	t.own(&p).kids[name] = from.kids[name]
}

// put enters a new node into the folder of a place.
func (v view) put(p *place, n *node) {
	dir := v.t.own(p)
	v.t.ino++
	n.owner, n.ino, n.nlink, n.mtime = v.t, v.t.ino, 1, v.t.now()
	n.uid, n.gid = v.uid, v.gid
	if n.isDir() {
		n.nlink = 2
	}
	dir.kids[p.name] = n
	dir.mtime = v.t.now()
	p.node = n
}

// mayChange says whether entries of the place's folder may be made or removed.
func (v view) mayChange(p *place) error {
	dir := p.chain[len(p.chain)-1]
	switch {
	case dir.live.look != nil || dir.live.list != nil:
		return syscall.EPERM
	case dir.fixed:
		return syscall.EPERM
	case !v.may(dir, mayWrite|mayExec):
		return syscall.EACCES
	}
	if p.node != nil && dir.mode&fs.ModeSticky != 0 && v.uid != 0 && v.uid != p.node.uid && v.uid != dir.uid {
		return syscall.EPERM
	}
	return nil
}
