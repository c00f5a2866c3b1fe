package campaign

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// Limits of windows and blackouts.
const (
	maxWindows   = 1000
	shortest     = time.Minute // that a window may be
	maxPlaces    = 10_000      // sites or tags of one window or blackout
	maxPlaceName = 253         // bytes
)

// window is an entry of windows.
type window struct {
	Days   listed `yaml:"days"`
	Start  word   `yaml:"start"`
	Length word   `yaml:"length"`
	Sites  listed `yaml:"sites"`
	Tags   listed `yaml:"tags"`
}

// blackout is an entry of blackouts.
type blackout struct {
	From  word   `yaml:"from"`
	To    word   `yaml:"to"`
	Why   word   `yaml:"why"`
	Sites listed `yaml:"sites"`
	Tags  listed `yaml:"tags"`
}

// entry is the spot of the i-th entry of a list; lines are those of its keys.
func entry(list string, i int, lines ...int) spot {
	line := 0
	for _, l := range lines {
		if l > 0 && (line == 0 || l < line) {
			line = l
		}
	}
	return spot{list, line, fmt.Sprintf("entry %d:", i+1)}
}

// windows reads the change windows.
func (f *file) windows(p *problems) []remediate.Window {
	if len(f.Windows) > maxWindows {
		p.add("windows", "at most %d", maxWindows)
		return nil
	}
	var out []remediate.Window
	for i, w := range f.Windows {
		at := entry("windows", i, w.Days.line, w.Start.line, w.Length.line, w.Sites.line, w.Tags.line)
		one := remediate.Window{
			Days: p.weekdays(at.below("days"), w.Days), Start: p.clock(at.below("start"), w.Start),
			Length: p.duration(at.below("length"), w.Length, shortest, remediate.MaxWindow),
			Sites:  p.places(at.below("sites"), w.Sites), Tags: p.places(at.below("tags"), w.Tags),
		}
		if w.Length.line == 0 {
			at.below("length").add(p, 0, "missing; how long the window stays open, such as 6h")
		}
		out = append(out, one)
	}
	return out
}

// blackouts reads the days on which nothing is changed.
func (f *file) blackouts(p *problems) []remediate.Blackout {
	if len(f.Blackouts) > maxWindows {
		p.add("blackouts", "at most %d", maxWindows)
		return nil
	}
	var out []remediate.Blackout
	for i, b := range f.Blackouts {
		at := entry("blackouts", i, b.From.line, b.To.line, b.Why.line, b.Sites.line, b.Tags.line)
		one := remediate.Blackout{
			From: p.day(at.below("from"), b.From), To: p.day(at.below("to"), b.To), Why: p.line(at.below("why"), b.Why, maxName),
			Sites: p.places(at.below("sites"), b.Sites), Tags: p.places(at.below("tags"), b.Tags),
		}
		switch {
		case b.From.line == 0:
			at.below("from").add(p, 0, "missing; the first day, such as 2026-12-20")
		case b.To.line == 0:
			one.To = one.From
		case !one.From.IsZero() && !one.To.IsZero() && one.To.Before(one.From):
			at.below("to").add(p, b.To.line, "is before from")
		}
		out = append(out, one)
	}
	return out
}

// day reads a date.
func (p *problems) day(at spot, w word) time.Time {
	if w.line == 0 {
		return time.Time{}
	}
	d, err := parseDate(w.text)
	if err != nil {
		at.add(p, w.line, "%v", err)
	}
	return d
}

// clock reads a time of the day.
func (p *problems) clock(at spot, w word) time.Duration {
	if w.line == 0 {
		at.add(p, 0, "missing; the time at which the window opens, such as \"22:00\"")
		return 0
	}
	t, err := time.Parse("15:04", w.text)
	if err != nil || len(w.text) != len("15:04") {
		at.add(p, w.line, "%q is not a time of the day such as \"22:00\"", w.text)
		return 0
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}

// places reads sites or tags. A list without any is refused: it could mean
// every host, or none.
func (p *problems) places(at spot, l listed) []string {
	switch {
	case l.line == 0:
		return nil
	case len(l.words) == 0:
		at.add(p, l.line, "names nothing; leave it out where every host is meant")
	case len(l.words) > maxPlaces:
		at.add(p, l.line, "at most %d", maxPlaces)
	case slices.ContainsFunc(l.words, func(s string) bool {
		return s == "" || len(s) > maxPlaceName || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' })
	}):
		at.add(p, l.line, "a name has 1 to %d bytes, on one line", maxPlaceName)
	}
	return slices.Clone(l.words)
}

// line reads one line of text.
func (p *problems) line(at spot, w word, most int) string {
	if len(w.text) > most || strings.ContainsFunc(w.text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		at.add(p, w.line, "at most %d bytes, on one line", most)
	}
	return w.text
}

// week are the names of the days in their order, from Monday on.
var week = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// weekNames are names for several days.
var weekNames = []struct {
	name string
	days []string
}{{"weekdays", week[:5]}, {"weekend", week[5:]}, {"daily", week}}

// weekdays reads days of the week, nil for all of them.
func (p *problems) weekdays(at spot, l listed) []time.Weekday {
	if l.line > 0 && len(l.words) == 0 {
		at.add(p, l.line, "names no day; leave it out for every day")
	}
	var on [7]bool // by time.Weekday
	for _, text := range l.words {
		names, bad, ok := dayNames(text)
		if !ok {
			known := slices.Clone(week)
			for _, n := range weekNames {
				known = append(known, n.name)
			}
			at.add(p, l.line, "%q is not a day; there are %s, and ranges such as mon-fri%s", text, strings.Join(known, ", "), meant(bad, known))
		}
		for _, n := range names {
			on[(slices.Index(week, n)+1)%7] = true
		}
	}
	var out []time.Weekday
	for d, is := range on {
		if is {
			out = append(out, time.Weekday(d))
		}
	}
	if len(out) == len(on) {
		return nil
	}
	return out
}

// dayNames takes a day, a range of days or a name for several apart, or says
// which part of it is none.
func dayNames(text string) (names []string, bad string, ok bool) {
	text = strings.ToLower(text)
	for _, n := range weekNames {
		if text == n.name {
			return n.days, "", true
		}
	}
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	i, k := slices.Index(week, from), slices.Index(week, to)
	if i < 0 {
		return nil, from, false
	}
	if k < 0 {
		return nil, to, false
	}
	for ; week[i] != week[k]; i = (i + 1) % 7 {
		names = append(names, week[i])
	}
	return append(names, week[k]), "", true
}
