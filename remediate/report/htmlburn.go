package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

// The chart's size, in units of its viewBox.
const (
	burnWidth, burnPlot = 760, 216
	burnLeft, burnRight = 58, 36
	burnBottom          = 30
	// markLine is the height of a line of labels above the plot, markLines how
	// many there can be.
	markLine, markLines = 15, 10
	// markLetter is about how wide a letter of a label is, markLetters how many
	// it may have.
	markLetter, markLetters = 6.6, 40
)

// burnSpan bounds the days of the chart, and burnDays the rows of its table.
const (
	burnSpan = 3 * 366
	burnDays = 16
)

// burnOrder stacks the hosts that are open, from below.
var burnOrder = []remediate.Standing{remediate.StandReappeared, remediate.StandPresent, remediate.StandUnseen}

// burnChart draws how many hosts were open, day by day.
type burnChart struct {
	Width, Height float64
	Left, Right   float64 // of the plot
	Top, Bottom   float64
	Areas         []burnArea
	Line          string // the sum's outline
	Ticks         []burnTick
	Dates         []burnTick
	Marks         []burnMark
	Days          []Day // for the table
	All           int   // days that there are numbers for
	First, Last   burnSum
}

type burnArea struct {
	Standing remediate.Standing
	Name     string
	Points   string
}

type burnTick struct {
	At    float64
	Label string
}

// burnMark is a day with a name: a milestone's, or that of the report.
type burnMark struct {
	X, Y   float64 // of its label
	Anchor string
	Label  string
	Today  bool
}

// burnSum is a day and its open hosts.
type burnSum struct {
	Date string
	Open int
}

// burnChartOf is nil where there are not two days to draw.
func burnChartOf(s Snapshot) *burnChart {
	days, dates := burnDates(s.Burndown)
	if len(days) < 2 || !dates[len(dates)-1].After(dates[0]) {
		return nil
	}
	from, to := dates[0], dates[len(dates)-1]
	marks := burnMarks(s)
	for _, m := range marks {
		// A milestone of long ago, or far away, would leave no room for the rest.
		if m.date.Before(from) && dates[len(dates)-1].Sub(m.date) <= burnSpan/2*24*time.Hour {
			from = m.date
		}
		if m.date.After(to) && m.date.Sub(dates[0]) <= burnSpan/2*24*time.Hour {
			to = m.date
		}
	}
	c := &burnChart{
		Width: burnWidth, Left: burnLeft, Right: burnWidth - burnRight, Days: pickDays(days), All: len(days),
		First: burnSum{days[0].Date, openOn(days[0])}, Last: burnSum{days[len(days)-1].Date, openOn(days[len(days)-1])},
	}
	x := func(t time.Time) float64 {
		return c.Left + (c.Right-c.Left)*float64(t.Sub(from))/float64(to.Sub(from))
	}
	marks = slices.DeleteFunc(marks, func(m burnDate) bool { return m.date.Before(from) || m.date.After(to) })
	c.place(marks, x)
	c.Bottom = c.Top + burnPlot
	c.Height = c.Bottom + burnBottom
	most := 1
	for _, d := range days {
		most = max(most, openOn(d))
	}
	step := tickStep(most)
	top := (most + step - 1) / step * step
	y := func(hosts int) float64 { return c.Bottom - burnPlot*float64(hosts)/float64(top) }
	for v := 0; v <= top; v += step {
		c.Ticks = append(c.Ticks, burnTick{y(v), thousands(v)})
	}
	c.dateTicks(from, to, x)
	c.stack(days, dates, x, y)
	return c
}

// burnDates reads the days' dates; a day whose date is none is left out.
func burnDates(all []Day) (days []Day, dates []time.Time) {
	for _, d := range all {
		if t, err := time.Parse(time.DateOnly, d.Date); err == nil {
			days, dates = append(days, d), append(dates, t)
		}
	}
	return days, dates
}

func openOn(d Day) int {
	n := 0
	for _, s := range burnOrder {
		n += d.Standing[s]
	}
	return n
}

// OpenOn and On are for the table.
func (c *burnChart) OpenOn(d Day) int { return openOn(d) }

// On is how many hosts stood so.
func (c *burnChart) On(d Day, s remediate.Standing) int { return d.Standing[s] }

// pickDays keeps days on which something changed, and of too many of them
// evenly chosen ones; the first and the last always.
func pickDays(days []Day) []Day {
	picked := []Day{days[0]}
	for i := 1; i < len(days); i++ {
		if i == len(days)-1 || !sameDay(days[i], days[i-1]) {
			picked = append(picked, days[i])
		}
	}
	if len(picked) <= burnDays {
		return picked
	}
	out := make([]Day, 0, burnDays)
	for i := range burnDays {
		out = append(out, picked[i*(len(picked)-1)/(burnDays-1)])
	}
	return out
}

func sameDay(a, b Day) bool {
	for _, s := range remediate.Standings() {
		if a.Standing[s] != b.Standing[s] {
			return false
		}
	}
	return true
}

// tickStep is 1, 2 or 5 times a power of ten, so that there are two to five
// steps.
func tickStep(most int) int {
	for step := 1; ; step *= 10 {
		for _, by := range []int{1, 2, 5} {
			if most <= step*by*5 {
				return step * by
			}
		}
	}
}

func (c *burnChart) dateTicks(from, to time.Time, x func(time.Time) float64) {
	days := int(to.Sub(from).Hours() / 24)
	every := max(1, (days+5)/6)
	for d := 0; d <= days; d += every {
		t := from.AddDate(0, 0, d)
		c.Dates = append(c.Dates, burnTick{x(t), t.Format(time.DateOnly)})
	}
}

func (c *burnChart) stack(days []Day, dates []time.Time, x func(time.Time) float64, y func(int) float64) {
	below := make([]int, len(days))
	for _, s := range burnOrder {
		var up, down strings.Builder
		some := false
		for i := range days {
			n := days[i].Standing[s]
			some = some || n > 0
			back := len(days) - 1 - i
			fmt.Fprintf(&up, "%.1f,%.1f ", x(dates[i]), y(below[i]+n))
			fmt.Fprintf(&down, "%.1f,%.1f ", x(dates[back]), y(below[back]))
		}
		for i := range days {
			below[i] += days[i].Standing[s]
		}
		if some {
			c.Areas = append(c.Areas, burnArea{Standing: s, Name: standingTexts[s].Name, Points: strings.TrimSpace(up.String() + down.String())})
		}
	}
	var line strings.Builder
	for i := range days {
		fmt.Fprintf(&line, "%.1f,%.1f ", x(dates[i]), y(below[i]))
	}
	c.Line = strings.TrimSpace(line.String())
}

type burnDate struct {
	date  time.Time
	label string
	today bool
}

func burnMarks(s Snapshot) []burnDate {
	var marks []burnDate
	for _, m := range s.Milestones {
		if t, err := time.Parse(time.DateOnly, m.Date); err == nil {
			marks = append(marks, burnDate{date: t, label: shortened(m.Name, markLetters-len(" 2006-01-02")) + " " + m.Date})
		}
	}
	today := s.At.UTC().Truncate(24 * time.Hour)
	return append(marks, burnDate{date: today, label: "this report", today: true})
}

// place puts each label beside its mark, on the side where it crosses no other
// mark if there is one, and on the first line above the plot on which there is
// room for it. The plot begins below the lines.
func (c *burnChart) place(marks []burnDate, x func(time.Time) float64) {
	var ends [markLines][][2]float64
	lines := make([]int, len(marks))
	used := 1
	for i, m := range marks {
		mark := burnMark{X: x(m.date), Anchor: "start", Label: m.label, Today: m.today}
		wide := markLetter * float64(utf8.RuneCountInString(m.label))
		left := mark.X
		fits := mark.X-wide >= 0
		if fits && (mark.X+wide > c.Width || crossed(marks, x, mark.X, mark.X+wide) && !crossed(marks, x, mark.X-wide, mark.X)) {
			mark.Anchor, left = "end", mark.X-wide
		}
		line := 0
		for line < markLines-1 && overlaps(ends[line], left, left+wide) {
			line++
		}
		ends[line] = append(ends[line], [2]float64{left - markLetter, left + wide + markLetter})
		lines[i], used = line, max(used, line+1)
		c.Marks = append(c.Marks, mark)
	}
	c.Top = float64(markLine*used + 9)
	for i, line := range lines {
		c.Marks[i].Y = c.Top - 6 - float64(markLine*line)
	}
}

// crossed reports whether a mark stands between the two.
func crossed(marks []burnDate, x func(time.Time) float64, from, to float64) bool {
	for _, m := range marks {
		if at := x(m.date); at > from && at < to {
			return true
		}
	}
	return false
}

func overlaps(taken [][2]float64, from, to float64) bool {
	for _, t := range taken {
		if from < t[1] && to > t[0] {
			return true
		}
	}
	return false
}

// shortened is a text of at most so many runes.
func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
