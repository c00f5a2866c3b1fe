package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"oust/remediate"
)

// Horizon is how far ahead of the asked moment a Calendar looks.
const Horizon = 400 * 24 * time.Hour

// Bounds of what a Calendar keeps between two questions. What is dropped is
// computed again.
const (
	maxZones    = 4096
	maxOpenings = 8192
)

// Opening is when a host may be changed. Its times are in the host's zone.
type Opening struct {
	// Open: a change that needs the asked time may start now, and must be over
	// at Until; zero means that no end is in sight (see Horizon).
	Open  bool
	Until time.Time
	// Next is when it could start next where it cannot now; zero where Open or
	// Never.
	Next time.Time
	// Never: no window reaches this host within Horizon, or none is long enough.
	Never bool
	// Why says to a person why it is not open; empty where Open.
	Why string
}

// Calendar says when hosts may be changed. A host's windows are all those
// whose sites or tags fit it; windows that touch or overlap are one opening.
// Blackout days cut openings: a change must be over before the host's midnight
// begins such a day. Without any window at all every host may be changed at any
// time outside its blackouts. See remediate.Window and remediate.Blackout for
// what becomes of days on which clocks are set.
//
// A Calendar is safe for concurrent use. What it answers depends on nothing
// but the question, and not on what was asked before.
type Calendar struct {
	windows   []remediate.Window // in the order of names
	names     []string           // of windows, for Why
	blackouts []remediate.Blackout
	// What hosts they are for.
	windowsOf, blackoutsOf choice

	mu    sync.Mutex
	zones map[string]zone
	known map[string]*openings // by zone, windows and blackouts
	key   []byte               // scratch, for known
}

// zone is what a name of a time zone stands for, or why it stands for none.
type zone struct {
	loc *time.Location
	err error
}

// NewCalendar makes a calendar; the order of windows and blackouts does not
// matter. Of a window longer than remediate.MaxWindow only that much counts. A
// blackout whose To is before its From is one day long.
func NewCalendar(windows []remediate.Window, blackouts []remediate.Blackout) *Calendar {
	c := &Calendar{
		windows: slices.Clone(windows), blackouts: slices.Clone(blackouts),
		zones: map[string]zone{}, known: map[string]*openings{},
	}
	slices.SortStableFunc(c.windows, func(a, b remediate.Window) int {
		return cmp.Compare(windowName(a), windowName(b))
	})
	slices.SortStableFunc(c.blackouts, func(a, b remediate.Blackout) int {
		return cmp.Or(date(a.From).Compare(date(b.From)), date(a.To).Compare(date(b.To)), cmp.Compare(a.Why, b.Why))
	})
	for i, w := range c.windows {
		c.windows[i].Length = min(w.Length, remediate.MaxWindow)
		c.names = append(c.names, windowName(w))
		c.windowsOf.add(i, w.Sites, w.Tags)
	}
	for i, b := range c.blackouts {
		c.blackoutsOf.add(i, b.Sites, b.Tags)
	}
	return c
}

// At says whether a change of the host that needs the given time may start
// now, and if not, when. A need below zero is none, and one above Horizon
// counts as Horizon. It is an error if the host's zone is unknown.
func (c *Calendar) At(h remediate.Host, now time.Time, need time.Duration) (Opening, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	loc, err := c.zone(h.Zone)
	if err != nil {
		return Opening{}, err
	}
	now, need = now.Round(0).In(loc), min(max(need, 0), Horizon)
	o := c.openings(h, loc)
	if len(o.windows) == 0 && len(c.windows) > 0 {
		return Opening{Never: true, Why: "no window is written for its site and tags"}, nil
	}
	i, found := o.find(now, need)
	switch {
	case !found:
		return Opening{Never: true, Why: c.whyNever(o, now, need)}, nil
	case o.spans[i].from.After(now):
		return Opening{Next: o.spans[i].from, Why: c.whyNot(o, i, now, need)}, nil
	}
	return Opening{Open: true, Until: o.end(i, now)}, nil
}

// zone finds a time zone by its name, and remembers it.
func (c *Calendar) zone(name string) (*time.Location, error) {
	if z, ok := c.zones[name]; ok {
		return z.loc, z.err
	}
	if len(c.zones) >= maxZones {
		clear(c.zones)
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // the zone of this machine is no host's
		loc, err = nil, fmt.Errorf("%q is not a time zone such as Europe/Berlin", remediate.ClipText(name))
	}
	c.zones[name] = zone{loc, err}
	return loc, err
}

// openings finds what holds for the hosts that are in the same zone, and have
// the same windows and blackouts, as h.
func (c *Calendar) openings(h remediate.Host, loc *time.Location) *openings {
	c.key = append(c.key[:0], h.Zone...)
	c.key = append(c.key, 0)
	bits := len(c.key)
	c.key = c.windowsOf.mark(c.key, h)
	split := len(c.key)
	c.key = c.blackoutsOf.mark(c.key, h)
	if o, ok := c.known[string(c.key)]; ok {
		return o
	}
	if len(c.known) >= maxOpenings {
		clear(c.known)
	}
	o := &openings{loc: loc, all: c.windows, windows: marked(c.key[bits:split])}
	for _, i := range marked(c.key[split:]) {
		o.close(i, c.blackouts[i])
	}
	c.known[string(c.key)] = o
	return o
}

// choice says which of several things, by their number, are for a host.
type choice struct {
	n              int
	everywhere     []int
	bySite, byTags map[string][]int
}

func (c *choice) add(i int, sites, tags []string) {
	if c.bySite == nil {
		c.bySite, c.byTags = map[string][]int{}, map[string][]int{}
	}
	c.n = max(c.n, i+1)
	if len(sites) == 0 && len(tags) == 0 {
		c.everywhere = append(c.everywhere, i)
	}
	for _, s := range sites {
		c.bySite[s] = append(c.bySite[s], i)
	}
	for _, t := range tags {
		c.byTags[t] = append(c.byTags[t], i)
	}
}

// mark appends a bit for each thing, set if it is for the host.
func (c *choice) mark(to []byte, h remediate.Host) []byte {
	at := len(to)
	for range (c.n + 7) / 8 {
		to = append(to, 0)
	}
	set := func(those []int) {
		for _, i := range those {
			to[at+i/8] |= 1 << (i % 8)
		}
	}
	set(c.everywhere)
	set(c.bySite[h.Site])
	for _, t := range h.Tags {
		set(c.byTags[t])
	}
	return to
}

// marked lists the bits that are set.
func marked(bits []byte) []int {
	var out []int
	for i := range len(bits) * 8 {
		if bits[i/8]&(1<<(i%8)) != 0 {
			out = append(out, i)
		}
	}
	return out
}
