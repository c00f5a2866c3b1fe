package lab

import "path"

// Files gives the path and the content of every regular file of a host to
// visit, in no certain order, with the rights of its administrator; /proc and
// the like are left out. The content must not be changed.
func (f *Fleet) Files(name string, visit func(path string, content []byte)) error {
	if w := f.winByName[name]; w != nil {
		return w.machine.EachFile(visit)
	}
	h, err := f.host(name)
	if err != nil {
		return err
	}
	h.tree.mu.RLock()
	defer h.tree.mu.RUnlock()
	eachFile("/", h.tree.root, visit)
	return nil
}

func eachFile(at string, n *node, visit func(path string, content []byte)) {
	if n.mode.IsRegular() && n.live.text == nil {
		visit(at, n.data)
	}
	for name, kid := range n.kids {
		eachFile(path.Join(at, name), kid, visit)
	}
}
