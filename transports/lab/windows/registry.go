package windows

import (
	"slices"
	"strings"
	"sync"
)

// Types of registry values.
const (
	regSZ     = "REG_SZ"
	regExpand = "REG_EXPAND_SZ"
	regMulti  = "REG_MULTI_SZ"
	regDword  = "REG_DWORD"
	regQword  = "REG_QWORD"
	regBinary = "REG_BINARY"
)

// value is a value of a registry key. Its data is as reg.exe prints it: a
// number as 0x1f, bytes as capital hexadecimal digits, the texts of a
// REG_MULTI_SZ parted by \0. The default value of a key has no name.
type value struct {
	name, kind, data string
}

// key is a registry key. It is never changed: what changes a registry makes
// new keys from the root down to the place and keeps all others, so that many
// machines share one image.
type key struct {
	name   string
	values []value // in the order in which they were set
	subs   []*key  // by name, without regard to case
}

// find is the place of a subkey, or the one where it would be.
func (k *key) find(name string) (int, bool) {
	return slices.BinarySearchFunc(k.subs, name, func(s *key, n string) int { return foldCompare(s.name, n) })
}

func foldCompare(a, b string) int { return strings.Compare(strings.ToUpper(a), strings.ToUpper(b)) }

func (k *key) value(name string) (value, bool) {
	if i := k.valueIndex(name); i >= 0 {
		return k.values[i], true
	}
	return value{}, false
}

func (k *key) valueIndex(name string) int {
	return slices.IndexFunc(k.values, func(v value) bool { return strings.EqualFold(v.name, name) })
}

// with is k with change applied to the key at a path below it. Keys on the way
// are made if make is set; without it, nil means that the path is not there.
func (k *key) with(path []string, create bool, change func(*key)) *key {
	out := &key{name: k.name, values: k.values, subs: k.subs}
	if len(path) == 0 {
		out.values = slices.Clone(k.values)
		change(out)
		return out
	}
	i, found := k.find(path[0])
	if !found && !create {
		return nil
	}
	below := &key{name: path[0]}
	if found {
		below = k.subs[i]
	}
	below = below.with(path[1:], create, change)
	if below == nil {
		return nil
	}
	out.subs = slices.Clone(k.subs)
	if found {
		out.subs[i] = below
	} else {
		out.subs = slices.Insert(out.subs, i, below)
	}
	return out
}

// Registry is a machine's registry. It is safe for concurrent use.
type Registry struct {
	mu   sync.Mutex
	root *key
}

// Clone returns a registry with the same content, which it shares until one of
// the two changes.
func (r *Registry) Clone() *Registry { return &Registry{root: r.top()} }

func (r *Registry) top() *key {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.root == nil {
		r.root = &key{}
	}
	return r.root
}

// open returns the key at a stored path, or nil.
func (r *Registry) open(path []string) *key {
	k := r.top()
	for _, step := range path {
		i, found := k.find(step)
		if !found {
			return nil
		}
		k = k.subs[i]
	}
	return k
}

// change applies a change to the key at a stored path, and reports whether the
// key is there.
func (r *Registry) change(path []string, create bool, change func(*key)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.root == nil {
		r.root = &key{}
	}
	root := r.root.with(path, create, change)
	if root == nil {
		return false
	}
	r.root = root
	return true
}

// set makes a value, and the keys on the way to it.
func (r *Registry) set(path []string, v value) {
	r.change(path, true, func(k *key) {
		if i := k.valueIndex(v.name); i >= 0 {
			k.values[i] = v
		} else {
			k.values = append(k.values, v)
		}
	})
}

// unset removes a value, and reports whether it was there.
func (r *Registry) unset(path []string, name string) (found bool) {
	r.change(path, false, func(k *key) {
		if i := k.valueIndex(name); i >= 0 {
			k.values = slices.Delete(k.values, i, i+1)
			found = true
		}
	})
	return found
}

// remove removes a key and all below it, and reports whether it was there.
func (r *Registry) remove(path []string) (found bool) {
	if len(path) == 0 {
		return false
	}
	r.change(path[:len(path)-1], false, func(k *key) {
		if i, there := k.find(path[len(path)-1]); there {
			k.subs = slices.Delete(slices.Clone(k.subs), i, i+1)
			found = true
		}
	})
	return found
}

// Get returns the data of a value of a key of the 64-bit view, such as
// HKLM\SYSTEM\CurrentControlSet\Control\Windows, as reg.exe prints it.
func (r *Registry) Get(path, name string) (data string, ok bool) {
	p, ok := parsePath(path, "", view64)
	if !ok {
		return "", false
	}
	k := r.open(p.stored)
	if k == nil {
		return "", false
	}
	v, ok := k.value(name)
	return v.data, ok
}

// Has reports whether a key of the 64-bit view is there.
func (r *Registry) Has(path string) bool {
	p, ok := parsePath(path, "", view64)
	return ok && r.open(p.stored) != nil
}

// Set makes a value of a key of the 64-bit view, and the key itself. With an
// empty kind only the key is made.
func (r *Registry) Set(path, name, kind, data string) {
	p, ok := parsePath(path, "", view64)
	switch {
	case !ok:
	case kind == "":
		r.change(p.stored, true, func(*key) {})
	default:
		r.set(p.stored, value{name, kind, data})
	}
}

// Remove removes a key of the 64-bit view with all below it, and reports
// whether it was there.
func (r *Registry) Remove(path string) bool {
	p, ok := parsePath(path, "", view64)
	return ok && r.remove(p.stored)
}
