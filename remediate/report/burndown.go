package report

import (
	"cmp"
	"slices"
	"time"

	"oust/remediate"
)

// mostDays bounds the days of a burn-down: of a longer campaign the newest stay.
const mostDays = 3660

// change is a host's change of standing or of exemption.
type change struct {
	at    time.Time
	row   int
	to    remediate.Standing // empty: exempt says what changes
	holds bool
}

// burndown is how the hosts of the inventory stood at the end of each day, from
// the issue or the first change, whichever is earlier. Its last day is the
// snapshot itself.
func (b *builder) burndown() []Day {
	changes := b.changes()
	first := b.now
	for _, t := range []time.Time{b.in.Campaign.Issued, firstOf(changes)} {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	last := midnight(b.now)
	from := midnight(first)
	if earliest := last.AddDate(0, 0, 1-mostDays); from.Before(earliest) {
		from = earliest
	}
	c := newCounter(len(b.rows))
	days := make([]Day, 0, int(last.Sub(from).Hours()/24)+1)
	next := 0
	for d := from; d.Before(last); d = d.AddDate(0, 0, 1) {
		for end := d.AddDate(0, 0, 1); next < len(changes) && changes[next].at.Before(end); next++ {
			c.apply(changes[next])
		}
		days = append(days, c.day(d))
	}
	return append(days, Day{Date: last.Format(time.DateOnly), Standing: b.s.Totals.Standing, Exempt: b.s.Totals.Exempt})
}

func firstOf(changes []change) time.Time {
	if len(changes) == 0 {
		return time.Time{}
	}
	return changes[0].at
}

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// changes are those of the inventory's hosts up to now, oldest first.
func (b *builder) changes() []change {
	var out []change
	for _, m := range b.in.Moves {
		if i, known := b.index[m.Host]; known && !m.At.After(b.now) {
			out = append(out, change{at: m.At, row: i, to: m.To})
		}
	}
	for _, e := range b.in.Exemptions {
		i, known := b.index[e.Host]
		if !known || e.At.After(b.now) || e.Ground == remediate.GroundRetired {
			continue
		}
		end := e.Until
		if !e.Ended.IsZero() && e.Ended.Before(end) {
			end = e.Ended
		}
		if out = append(out, change{at: e.At, row: i, holds: true}); !end.After(b.now) {
			out = append(out, change{at: end, row: i})
		}
	}
	slices.SortStableFunc(out, func(x, y change) int { // of equal times an end comes before a beginning
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(rank(x), rank(y)))
	})
	return out
}

func rank(c change) int {
	switch {
	case c.to != "":
		return 0
	case c.holds:
		return 2
	}
	return 1
}

// counter counts hosts by standing while changes are played.
type counter struct {
	standing []remediate.Standing
	exempt   []bool
	by       map[remediate.Standing]int
	exempted int
}

func newCounter(hosts int) *counter {
	c := &counter{standing: make([]remediate.Standing, hosts), exempt: make([]bool, hosts), by: noStandings()}
	for i := range c.standing {
		c.standing[i] = remediate.StandUnseen
	}
	c.by[remediate.StandUnseen] = hosts
	return c
}

func (c *counter) apply(x change) {
	c.count(x.row, -1)
	if x.to != "" {
		c.standing[x.row] = x.to
	} else {
		c.exempt[x.row] = x.holds
	}
	c.count(x.row, 1)
}

func (c *counter) count(row, n int) {
	if c.exempt[row] {
		c.exempted += n
		return
	}
	c.by[c.standing[row]] += n
}

func (c *counter) day(d time.Time) Day {
	out := Day{Date: d.Format(time.DateOnly), Standing: noStandings(), Exempt: c.exempted}
	for _, s := range remediate.Standings() {
		out.Standing[s] = c.by[s]
	}
	return out
}
