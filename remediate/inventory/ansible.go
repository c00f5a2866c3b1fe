package inventory

import (
	"slices"
	"strings"
)

// Groups that every inventory has.
const (
	groupAll       = "all"
	groupUngrouped = "ungrouped"
)

// ansible is an inventory of groups and hosts, of one file or of several.
type ansible struct {
	groups  map[string]*group
	ordered []*group
	hosts   map[string]*groupedHost
	order   []*groupedHost
	members int // mentions of hosts and groups in groups
	max     limits
	// folders are where group_vars and host_vars stand, in order of sources.
	folders []string
	full    bool // a bound was told
}

type group struct {
	index    int
	name     string
	children []link
	parents  []*group // known at the end
	vars     []variable
	depth    int // one more than that of the deepest parent; 0 without one
	priority int
	visit    int // while cycles are looked for
}

// link is a child, and where it was made one.
type link struct {
	child *group
	place Place
}

type groupedHost struct {
	name   string
	place  Place    // where it stands first
	groups []*group // it was put into; one may be there twice
	vars   []variable
}

func newAnsible(max limits) *ansible {
	a := &ansible{max: max, groups: map[string]*group{}, hosts: map[string]*groupedHost{}}
	a.newGroup(groupAll)
	a.newGroup(groupUngrouped)
	return a
}

// size grows with everything that a file adds.
func (a *ansible) size() int { return len(a.ordered) + a.members }

func (a *ansible) addFolder(folder string) {
	if folder != "" && !slices.Contains(a.folders, folder) {
		a.folders = append(a.folders, folder)
	}
}

func (a *ansible) newGroup(name string) *group {
	g := &group{index: len(a.ordered), name: name, priority: 1}
	a.groups[name] = g
	a.ordered = append(a.ordered, g)
	return g
}

// group finds a group, or makes it; nil past a bound.
func (a *ansible) group(r *report, at Place, name string) *group {
	if g, ok := a.groups[name]; ok {
		return g
	}
	if err := checkName(name); err != nil {
		r.problem(at, "group: %v", err)
		return nil
	}
	if len(a.ordered) >= a.max.groups {
		a.tooMuch(r, at, "groups", a.max.groups)
		return nil
	}
	return a.newGroup(strings.Clone(name))
}

func (a *ansible) tooMuch(r *report, at Place, what string, most int) {
	if !a.full {
		a.full = true
		r.problem(at, "more than %d %s", most, what)
	}
}

// mention counts one; false past the bound.
func (a *ansible) mention(r *report, at Place) bool {
	if !a.hasRoom(r, at) {
		return false
	}
	a.members++
	return true
}

func (a *ansible) hasRoom(r *report, at Place) bool {
	if a.members >= a.max.mentions {
		a.tooMuch(r, at, "mentions of hosts and groups in groups", a.max.mentions)
		return false
	}
	return true
}

// addChild puts a group into another; cycles are found at the end.
func (a *ansible) addChild(r *report, at Place, parent, child *group) {
	if child.name == groupAll {
		r.problem(at, "the group all cannot be in a group")
		return
	}
	if parent.name == groupAll {
		return // every group is in all
	}
	if !a.mention(r, at) {
		return
	}
	parent.children = append(parent.children, link{child, at})
}

// addHost puts a host into a group, or into none; nil past a bound.
func (a *ansible) addHost(r *report, at Place, g *group, name string) *groupedHost {
	if !a.mention(r, at) {
		return nil
	}
	h, ok := a.hosts[name]
	if !ok {
		if len(a.order) >= a.max.hosts {
			a.tooMuch(r, at, "hosts", a.max.hosts)
			return nil
		}
		h = &groupedHost{name: name, place: at}
		a.hosts[name] = h
		a.order = append(a.order, h)
	}
	if g == nil || len(h.groups) > 0 && h.groups[len(h.groups)-1] == g {
		return h
	}
	h.groups = append(h.groups, g)
	return h
}

// setHost gives a host a variable. Ansible gives it to the group where one has
// the host's name (inventory/data.py, set_variable).
func (a *ansible) setHost(r *report, h *groupedHost, v variable) {
	if g, ok := a.groups[h.name]; ok {
		g.vars = put(g.vars, v)
		return
	}
	for _, old := range h.vars {
		if old.id == v.id && old.value != v.value {
			r.warn(v.place, h.name, "it has another "+varNames[v.id]+" at "+old.place.String()+"; Ansible takes the later one")
		}
	}
	h.vars = put(h.vars, v)
}

// put sets a variable; a later value takes the place of an earlier one.
func put(vars []variable, v variable) []variable {
	for i := range vars {
		if vars[i].id == v.id {
			vars[i] = v
			return vars
		}
	}
	return append(vars, v)
}
