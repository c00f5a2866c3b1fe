package schedule

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"oust/remediate"
)

const (
	// chunk is how many days are worked out at once.
	chunk = 35
	// before is how many days before the asked one a window may have opened that
	// is open still, one more for the difference of zones.
	before = int(remediate.MaxWindow/(24*time.Hour)) + 1
	// keep is how long what was worked out is good for.
	keep = 60 * 24 * time.Hour
)

// The times between which everything lies.
var (
	longAgo = time.Unix(-1<<40, 0)
	farAway = time.Unix(1<<40, 0)
)

// span is a time in which hosts may be changed, up to but without to. opens and
// ends are the windows that it begins and ends with.
type span struct {
	from, to    time.Time
	opens, ends int
}

// closed is a blackout in one zone.
type closed struct {
	from, to time.Time
	which    int
}

// openings are the times at which the hosts of one zone, and of one choice of
// windows and blackouts, may be changed. They are worked out as far as somebody
// asks.
type openings struct {
	loc     *time.Location
	all     []remediate.Window
	windows []int // of all, those that count
	closed  []closed

	base   time.Time // no earlier moment can be asked for
	spans  []span    // sorted; they do not touch
	cursor time.Time // the first day that is not in spans, as midnight UTC
	done   time.Time // where that day begins
	// uncut are the openings without blackouts, nil until they are asked for.
	uncut *openings
}

// close adds a blackout; they come in the order of their first days.
func (o *openings) close(which int, b remediate.Blackout) {
	from, to := date(b.From), date(b.To)
	if to.Before(from) {
		to = from
	}
	c := closed{from: first(o.loc, from), to: last(o.loc, to.AddDate(0, 0, 1)), which: which}
	if c.from.Before(c.to) {
		o.closed = append(o.closed, c)
	}
}

// find returns the number of the first span that takes a change of the needed
// time from now on, or from its own beginning. There is none if it would begin
// later than Horizon.
func (o *openings) find(now time.Time, need time.Duration) (int, bool) {
	o.reach(now)
	limit := now.Add(Horizon)
	i := o.after(now)
	for {
		if i < len(o.spans) {
			from := later(o.spans[i].from, now)
			if from.After(limit) {
				return 0, false
			}
			if !from.Add(need).After(o.spans[i].to) {
				return i, true
			}
			if o.final(i) {
				i++
				continue
			}
		} else if o.done.After(limit) {
			return 0, false
		}
		o.grow()
	}
}

// end is when a span ends, zero if that is Horizon away or more.
func (o *openings) end(i int, now time.Time) time.Time {
	limit := now.Add(Horizon)
	for !o.final(i) && o.spans[i].to.Before(limit) {
		o.grow()
	}
	if !o.spans[i].to.Before(limit) {
		return time.Time{}
	}
	return o.spans[i].to
}

// after is the number of the first span that ends after now.
func (o *openings) after(now time.Time) int {
	return sort.Search(len(o.spans), func(i int) bool { return o.spans[i].to.After(now) })
}

// final reports whether no later day can make a span longer.
func (o *openings) final(i int) bool { return o.spans[i].to.Before(o.done) }

// reach sees to it that everything before now, and now itself, is in spans.
func (o *openings) reach(now time.Time) {
	if o.base.IsZero() || now.Before(o.base) || now.After(o.base.Add(keep)) {
		o.base, o.spans = now, nil
		o.cursor = date(now.In(o.loc)).AddDate(0, 0, -before)
		o.done = first(o.loc, o.cursor)
		if len(o.windows) == 0 {
			o.spans = o.cut(nil, span{from: longAgo, to: farAway})
			o.done = farAway.Add(time.Second)
		}
	}
	for !o.done.After(now) {
		o.grow()
	}
}

// grow works out another chunk of days. Spans that are final keep their
// numbers.
func (o *openings) grow() {
	settled := sort.Search(len(o.spans), func(i int) bool { return !o.final(i) })
	pieces := slices.Clone(o.spans[settled:])
	for range chunk {
		for _, k := range o.windows {
			w := o.all[k]
			if w.Length <= 0 || len(w.Days) > 0 && !slices.Contains(w.Days, o.cursor.Weekday()) {
				continue
			}
			if at, ok := opening(o.loc, o.cursor, w.Start); ok {
				pieces = o.cut(pieces, span{from: at, to: at.Add(w.Length), opens: k, ends: k})
			}
		}
		o.cursor = o.cursor.AddDate(0, 0, 1)
	}
	o.done = first(o.loc, o.cursor)
	o.spans = join(o.spans[:settled], pieces)
}

// cut appends what the blackouts leave of a span.
func (o *openings) cut(to []span, s span) []span {
	for _, c := range o.closed {
		if !c.to.After(s.from) {
			continue
		}
		if !c.from.Before(s.to) {
			break
		}
		if c.from.After(s.from) {
			left := s
			left.to = c.from
			to = append(to, left)
		}
		s.from = c.to
	}
	if s.from.Before(s.to) {
		to = append(to, s)
	}
	return to
}

// join appends pieces, in any order, as spans that do not touch.
func join(to, pieces []span) []span {
	settled := len(to)
	slices.SortFunc(pieces, func(a, b span) int { return cmp.Or(a.from.Compare(b.from), a.opens-b.opens) })
	for _, p := range pieces {
		if len(to) == settled || p.from.After(to[len(to)-1].to) {
			to = append(to, p)
			continue
		}
		s := &to[len(to)-1]
		if p.to.After(s.to) || p.to.Equal(s.to) && p.ends < s.ends {
			s.to, s.ends = p.to, p.ends
		}
	}
	return to
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
