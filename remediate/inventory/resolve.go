package inventory

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// settings are the variables that hold, by id.
type settings [numVars]*variable

func (s *settings) apply(vars []variable) {
	for i := range vars {
		s[vars[i].id] = &vars[i]
	}
}

// groupSet is what hosts in the same groups have in common.
type groupSet struct {
	tags []string
	vars settings
}

// resolve makes the loader's hosts of everything that was read.
func (a *ansible) resolve(l *loader) {
	if len(a.order) == 0 {
		return
	}
	a.connect(&l.report)
	files := newVarsFiles(&l.report, a.folders, l.max)
	sets := map[string]*groupSet{}
	made := len(l.hosts)
	l.expect(len(a.order))
	faults := l.faults()
	for _, h := range a.order {
		ids := memberIDs(h)
		set, ok := sets[ids]
		if !ok {
			set = a.groupSet(ids, files)
			sets[ids] = set
		}
		vars := set.vars
		vars.apply(h.vars)
		for _, folder := range files.folders {
			vars.apply(folder.host(h.name))
		}
		l.addAnsible(h, set.tags, &vars)
	}
	if len(l.hosts) == made && l.faults() == faults {
		l.problem(a.order[0].place, "no host of the Ansible inventory is reached over SSH or WinRM")
	}
}

// connect finds parents, depths and priorities, and leaves out a link that
// would close a circle.
func (a *ansible) connect(r *report) {
	for _, g := range a.ordered {
		for _, v := range g.vars {
			if n, err := strconv.Atoi(v.value.text); v.id == varPriority && err == nil {
				g.priority = n
			} else if v.id == varPriority {
				r.problem(v.place, "ansible_group_priority is not a whole number")
			}
		}
	}
	var sorted []*group // children before parents
	for _, g := range a.ordered {
		if g.visit == 0 {
			sorted = walkDown(r, g, sorted)
		}
	}
	for _, g := range slices.Backward(sorted) {
		for _, c := range g.children {
			c.child.depth = max(c.child.depth, g.depth+1)
			c.child.parents = append(c.child.parents, g)
		}
	}
}

// States of group.visit.
const (
	visitOpen = 1
	visitDone = 2
)

// walkDown appends the groups below g, then g.
func walkDown(r *report, g *group, sorted []*group) []*group {
	g.visit = visitOpen
	kept := g.children[:0]
	for _, c := range g.children {
		if c.child.visit == visitOpen {
			r.problem(c.place, "the group %s cannot be in %s, which is in it", c.child.name, g.name)
			continue
		}
		if c.child.visit == 0 {
			sorted = walkDown(r, c.child, sorted)
		}
		kept = append(kept, c)
	}
	g.children = kept
	g.visit = visitDone
	return append(sorted, g)
}

// memberIDs is the set of groups that a host was put into, as a key. A host
// that is in no group but all is in ungrouped, and only such a host is.
func memberIDs(h *groupedHost) string {
	ids := make([]uint16, 0, len(h.groups))
	for _, g := range h.groups {
		if g.name != groupAll && g.name != groupUngrouped {
			ids = append(ids, uint16(g.index))
		}
	}
	slices.Sort(ids)
	key := make([]byte, 0, 2*len(ids))
	for _, id := range slices.Compact(ids) {
		key = binary.BigEndian.AppendUint16(key, id)
	}
	return string(key)
}

// groupSet finds all groups above some, and what they set.
func (a *ansible) groupSet(ids string, files *varsFiles) *groupSet {
	seen := map[*group]bool{}
	var groups []*group
	var add func(g *group)
	add = func(g *group) {
		if seen[g] {
			return
		}
		seen[g] = true
		groups = append(groups, g)
		for _, p := range g.parents {
			add(p)
		}
	}
	if ids == "" {
		add(a.groups[groupUngrouped])
	}
	for b := []byte(ids); len(b) > 0; b = b[2:] {
		add(a.ordered[binary.BigEndian.Uint16(b)])
	}
	slices.SortFunc(groups, func(x, y *group) int {
		return cmp.Or(cmp.Compare(x.depth, y.depth), cmp.Compare(x.priority, y.priority), strings.Compare(x.name, y.name))
	})
	set := &groupSet{}
	set.vars.apply(a.groups[groupAll].vars)
	for _, g := range groups {
		set.vars.apply(g.vars)
		if g.name != groupUngrouped {
			set.tags = append(set.tags, g.name)
		}
	}
	for _, folder := range files.folders {
		set.vars.apply(folder.group(groupAll))
	}
	for _, folder := range files.folders {
		for _, g := range groups {
			set.vars.apply(folder.group(g.name))
		}
	}
	slices.Sort(set.tags)
	return set
}
