package schedule

import "time"

// widest is more than any zone's clocks are ahead of UTC or behind it.
const widest = 26 * time.Hour

// first returns the first moment at which a zone's clocks show a wall time or
// a later one: where they jump over it, the moment of the jump; where they show
// it twice, the first. wall is that time as if it were UTC.
func first(loc *time.Location, wall time.Time) time.Time {
	for t := wall.Add(-widest).In(loc); ; {
		_, offset := t.Zone()
		begin, end := t.ZoneBounds() // of the time in which this offset holds
		at := wall.Add(-time.Duration(offset) * time.Second)
		if at.Before(begin) {
			at = begin
		}
		if end.IsZero() || at.Before(end) {
			return at.In(loc)
		}
		t = end.In(loc)
	}
}

// last returns the moment from which on a zone's clocks never again show a
// time before the wall time.
func last(loc *time.Location, wall time.Time) time.Time {
	for t := wall.Add(widest).In(loc); ; {
		_, offset := t.Zone()
		begin, end := t.ZoneBounds()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if !end.IsZero() && end.Before(at) {
			at = end
		}
		if begin.IsZero() || at.After(begin) {
			return at.In(loc)
		}
		t = begin.Add(-1).In(loc)
	}
}

// opening is the moment at which a window that begins at start opens on a day
// (midnight UTC of its date). A day that the zone never had, as Samoa had no
// 30 December 2011, opens nothing.
func opening(loc *time.Location, day time.Time, start time.Duration) (time.Time, bool) {
	at := first(loc, day.Add(start))
	if date(at).Equal(day) {
		return at, true
	}
	return at, date(first(loc, day)).Equal(day)
}
