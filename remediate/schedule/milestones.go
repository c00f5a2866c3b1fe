package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// Names of the milestones of bod-17-01.
const (
	MilestoneIdentify = "identify"
	MilestonePlan     = "plan"
	MilestoneBegin    = "begin"
	MilestoneFinish   = "finish"
)

// mandate is a built-in mandate.
type mandate struct {
	name string
	days []mandateDay
	// finishDay is the day of MilestoneFinish unless a campaign sets a date.
	finishDay int
}

type mandateDay struct {
	name, what string
	day        int // calendar days after the issue
}

// mandates are the built-in ones. BOD 17-01 is read from its text (82 FR
// 43782-43784, and pages/17-01.md of cisagov/cyber.dhs.gov): identify within
// 30 calendar days, plan within 60, begin at 90. It sets no day for the end;
// contractors were held to 90 by the DSS notice, so 90 is the default.
var mandates = []mandate{{
	name: "bod-17-01",
	days: []mandateDay{
		{MilestoneIdentify, "identify the products on all systems and report them", 30},
		{MilestonePlan, "a detailed plan to remove and discontinue them", 60},
		{MilestoneBegin, "begin to carry out the plan", 90},
	},
	finishDay: 90,
}}

// Mandates lists the built-in mandates.
func Mandates() []string {
	out := make([]string, len(mandates))
	for i, m := range mandates {
		out[i] = m.name
	}
	return out
}

// Milestones returns the days of a built-in mandate, earliest first. Dates
// are midnight UTC; of issued and finish only the calendar date counts, in
// their own zone. finish is the campaign's own last day, zero for the
// mandate's default; it is an error before the issue.
func Milestones(name string, issued, finish time.Time) ([]remediate.Milestone, error) {
	i := slices.IndexFunc(mandates, func(m mandate) bool { return m.name == name })
	if i < 0 {
		return nil, unknownMandate(name)
	}
	if issued.IsZero() {
		return nil, errors.New("the mandate has no date of issue")
	}
	m, day0 := mandates[i], date(issued)
	last := day0.AddDate(0, 0, m.finishDay)
	if !finish.IsZero() {
		last = date(finish)
	}
	if last.Before(day0) {
		return nil, fmt.Errorf("the finish date %s is before the issue, %s",
			last.Format(time.DateOnly), day0.Format(time.DateOnly))
	}
	var out []remediate.Milestone
	for _, d := range m.days {
		out = append(out, remediate.Milestone{Name: d.name, What: d.what, Date: day0.AddDate(0, 0, d.day)})
	}
	out = append(out, remediate.Milestone{Name: MilestoneFinish, What: "removed from every host", Date: last})
	slices.SortStableFunc(out, func(a, b remediate.Milestone) int { return a.Date.Compare(b.Date) })
	return out, nil
}

func unknownMandate(name string) error {
	known := strings.Join(Mandates(), ", ")
	if near := remediate.Nearest(name, Mandates()); near != "" {
		return fmt.Errorf("unknown mandate %q: did you mean %q? (known: %s)", remediate.ClipText(name), near, known)
	}
	return fmt.Errorf("unknown mandate %q (known: %s)", remediate.ClipText(name), known)
}

// DaysLeft is the number of calendar days (UTC) from now to the milestone: 0
// on its day, negative after it.
func DaysLeft(m remediate.Milestone, now time.Time) int {
	const day = 24 * time.Hour // UTC has no days of another length
	return int(date(m.Date).Sub(date(now.UTC())) / day)
}

// date is midnight UTC of t's calendar date in t's own zone.
func date(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
