package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// moment is how a time is written for a person.
const moment = "Mon 2006-01-02 15:04 MST"

// whyNot says why a change cannot start now but only in span i.
func (c *Calendar) whyNot(o *openings, i int, now time.Time, need time.Duration) string {
	if b, ok := o.closedAt(now); ok {
		return c.blackoutName(b) + " until " + c.lastDay(b).Format(time.DateOnly)
	}
	k := o.after(now)
	if s := o.spans[k]; k < i && !s.from.After(now) {
		late := duration(now.Add(need).Sub(s.to)) + " before it would be done"
		if b, ok := o.closedAt(s.to); ok {
			return fmt.Sprintf("%s begins at %s, %s", c.blackoutName(b), s.to.Format(moment), late)
		}
		return fmt.Sprintf("window %s ends at %s, %s", c.names[s.ends], s.to.Format(moment), late)
	}
	next := "; the next is " + c.names[o.spans[i].opens]
	if k < i {
		return "no window as long as the " + duration(need) + " that it needs is open" + next
	}
	return "no window is open" + next
}

// whyNever says why a host of these openings is never changed.
func (c *Calendar) whyNever(o *openings, now time.Time, need time.Duration) string {
	days := int(Horizon / (24 * time.Hour))
	if len(o.closed) == 0 {
		return c.tooShort(need)
	}
	if o.uncut == nil {
		o.uncut = &openings{loc: o.loc, all: o.all, windows: o.windows}
	}
	if _, found := o.uncut.find(now, need); !found {
		return c.tooShort(need)
	}
	if b, ok := o.closedAt(now); ok {
		return fmt.Sprintf("%s until %s; in the next %d days there is no time for the %s that it needs",
			c.blackoutName(b), c.lastDay(b).Format(time.DateOnly), days, duration(need))
	}
	return fmt.Sprintf("blackouts leave no time for the %s that it needs in the next %d days", duration(need), days)
}

func (c *Calendar) tooShort(need time.Duration) string {
	return "no window is as long as the " + duration(need) + " that it needs"
}

// closedAt finds the blackout that holds at a time; of several, the one that
// ends last.
func (o *openings) closedAt(t time.Time) (which int, ok bool) {
	var end time.Time
	for _, b := range o.closed {
		if b.from.After(t) {
			break
		}
		if b.to.After(t) && b.to.After(end) {
			which, end, ok = b.which, b.to, true
		}
	}
	return which, ok
}

func (c *Calendar) blackoutName(which int) string {
	if why := c.blackouts[which].Why; why != "" {
		return "blackout " + why
	}
	return "a blackout"
}

// lastDay is the last day of a blackout.
func (c *Calendar) lastDay(which int) time.Time {
	b := c.blackouts[which]
	if to := date(b.To); to.After(date(b.From)) {
		return to
	}
	return date(b.From)
}

// windowName is a window as a person would say it: "sat,sun 22:00 +6h".
func windowName(w remediate.Window) string {
	m := int(w.Start / time.Minute)
	return fmt.Sprintf("%s %02d:%02d +%s", daysName(w.Days), m/60, m%60, duration(w.Length))
}

// daysName names days of the week from Monday on, three or more in a row as
// "mon-fri".
func daysName(days []time.Weekday) string {
	var has [7]bool // from Monday
	for i := range has {
		has[i] = slices.Contains(days, time.Weekday((i+1)%7))
	}
	if len(days) == 0 || !slices.Contains(has[:], false) {
		return "daily"
	}
	name := func(i int) string { return strings.ToLower(time.Weekday((i + 1) % 7).String()[:3]) }
	var out []string
	for i := 0; i < 7; i++ {
		if !has[i] {
			continue
		}
		end := i
		for end < 6 && has[end+1] {
			end++
		}
		if end-i < 2 {
			out = append(out, name(i))
			continue
		}
		out = append(out, name(i)+"-"+name(end))
		i = end
	}
	return strings.Join(out, ",")
}

// duration writes a time as 40m, 1h30m, 6h or 2d, rounded up to minutes.
func duration(d time.Duration) string {
	m := int64((d + time.Minute - 1) / time.Minute)
	switch {
	case m > 0 && m%(24*60) == 0:
		return fmt.Sprintf("%dd", m/(24*60))
	case m < 60:
		return fmt.Sprintf("%dm", m)
	case m%60 == 0:
		return fmt.Sprintf("%dh", m/60)
	}
	return fmt.Sprintf("%dh%dm", m/60, m%60)
}
