package lab

import (
	"io/fs"
	"maps"
	"slices"
	"time"
)

// node is one file of a tree: a file, a folder or a link. A node without an
// owner belongs to an image that many hosts share, and never changes; a tree
// copies it, with the folders above it, before its first change.
type node struct {
	owner *tree
	ino   uint64
	mode  fs.FileMode // type and permission bits
	uid   uint32
	gid   uint32
	nlink uint32
	mtime int64 // Unix seconds
	// fixed nodes are not removed, renamed or written, by nobody (as with
	// `chattr +i`).
	fixed  bool
	data   []byte // what is below len(data) is never changed in place
	target string // of a symbolic link
	kids   map[string]*node
	// live makes the content of a node at each look, as /proc does.
	live live
}

// live is what stands behind a node of /proc.
type live struct {
	// text is a file's content; look and list are a folder's.
	text func(v view) []byte
	look func(v view, name string) *node
	list func(v view) []string
	// link is a symbolic link's target.
	link func(v view) string
}

func (n *node) isDir() bool  { return n.mode.IsDir() }
func (n *node) isLink() bool { return n.mode&fs.ModeSymlink != 0 }

// child returns the entry of a folder, or nil.
func (n *node) child(v view, name string) *node {
	if k, ok := n.kids[name]; ok {
		return k
	}
	if n.live.look != nil {
		return n.live.look(v, name)
	}
	return nil
}

// names lists a folder, sorted.
func (n *node) names(v view) []string {
	out := slices.Collect(maps.Keys(n.kids))
	if n.live.list != nil {
		out = append(out, n.live.list(v)...)
	}
	slices.Sort(out)
	return out
}

func (n *node) linkTarget(v view) string {
	if n.live.link != nil {
		return n.live.link(v)
	}
	return n.target
}

func (n *node) content(v view) []byte {
	if n.live.text != nil {
		return n.live.text(v)
	}
	return n.data
}

// clone copies a node for a tree. The entries of a folder are shared.
func (n *node) clone(owner *tree) *node {
	c := *n
	c.owner = owner
	c.kids = maps.Clone(n.kids)
	c.data = slices.Clip(n.data)
	return &c
}

// nodeInfo is a node as fs.FileInfo.
type nodeInfo struct {
	name string
	node // a copy
	size int64
}

func (i nodeInfo) Name() string       { return i.name }
func (i nodeInfo) Size() int64        { return i.size }
func (i nodeInfo) Mode() fs.FileMode  { return i.mode }
func (i nodeInfo) ModTime() time.Time { return time.Unix(i.mtime, 0) }
func (i nodeInfo) IsDir() bool        { return i.isDir() }
func (i nodeInfo) Sys() any           { return nil }

func (n *node) info(v view, name string) nodeInfo {
	i := nodeInfo{name: name, node: *n}
	switch {
	case n.isDir():
		i.size = 4096
	case n.isLink():
		i.size = int64(len(n.linkTarget(v)))
	case n.live.text == nil: // files of /proc have the size 0, as in Linux
		i.size = int64(len(n.data))
	}
	return i
}

var _ fs.FileInfo = nodeInfo{}
