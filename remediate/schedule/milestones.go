package schedule

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"oust/remediate"
)

// Milestones returns the days of a mandate, earliest first; those that count
// from what has not happened yet come last and have no Date. Dates are
// midnight UTC. Of issued and finish only the calendar date counts, in their
// own zone; found is a moment, zero if nothing was ever found. finish is the
// campaign's own last day, zero for the mandate's. It is an error before the
// issue, and where the mandate leaves no day to the campaign.
func Milestones(m remediate.Mandate, issued, finish, found time.Time) ([]remediate.Milestone, error) {
	days, err := milestoneDays(m, issued, finish, found)
	if err != nil {
		return nil, err
	}
	out := make([]remediate.Milestone, len(days))
	for i, rule := range m.Milestones {
		out[i] = remediate.Milestone{Name: rule.Name, What: rule.What, Date: days[i]}
	}
	slices.SortStableFunc(out, func(a, b remediate.Milestone) int { return compareDays(a.Date, b.Date) })
	return out, nil
}

// compareDays sorts days that nobody knows behind the others.
func compareDays(a, b time.Time) int {
	switch {
	case a.IsZero() && !b.IsZero():
		return 1
	case b.IsZero() && !a.IsZero():
		return -1
	}
	return a.Compare(b)
}

// milestoneDays are the days of a mandate's milestones, in the mandate's order.
func milestoneDays(m remediate.Mandate, issued, finish, found time.Time) ([]time.Time, error) {
	if issued.IsZero() {
		return nil, errors.New("the mandate has no date of issue")
	}
	zone, err := zoneOf(m)
	if err != nil {
		return nil, err
	}
	day0, own := date(issued), date(finish)
	if finish.IsZero() {
		own = time.Time{}
	} else if err := checkFinish(m, day0, own); err != nil {
		return nil, err
	}
	triggers := map[string]time.Time{"": day0}
	if !found.IsZero() {
		triggers[remediate.FromFound] = date(found.In(zone))
	}
	out := make([]time.Time, len(m.Milestones))
	for i, rule := range m.Milestones {
		from, known := triggers[rule.Due.From]
		switch {
		case rule.Campaign && !own.IsZero():
			out[i] = own
		case !rule.Due.Date.IsZero():
			out[i] = date(rule.Due.Date)
		case !known && rule.Due.From != remediate.FromFound:
			return nil, fmt.Errorf("mandate %s: milestone %s counts from %q, which is no milestone before it", m.Name, rule.Name, rule.Due.From)
		case from.IsZero(): // nothing was found, or what it counts from waits itself
		case rule.Due.BusinessDays > 0:
			out[i] = businessDay(from, rule.Due.BusinessDays, m.Holidays)
		default:
			out[i] = from.AddDate(0, 0, rule.Due.Days)
		}
		triggers[rule.Name] = out[i]
	}
	return out, nil
}

func checkFinish(m remediate.Mandate, day0, own time.Time) error {
	if own.Before(day0) {
		return fmt.Errorf("the finish date %s is before the issue, %s", own.Format(time.DateOnly), day0.Format(time.DateOnly))
	}
	if !slices.ContainsFunc(m.Milestones, func(r remediate.MilestoneRule) bool { return r.Campaign }) {
		return fmt.Errorf("mandate %s sets its last day itself; take the finish date %s out", m.Name, own.Format(time.DateOnly))
	}
	return nil
}

// zoneOf is the zone in which a mandate's days end.
func zoneOf(m remediate.Mandate) (*time.Location, error) {
	zone, err := time.LoadLocation(m.Zone)
	if err != nil {
		return nil, fmt.Errorf("mandate %s: %w", m.Name, err)
	}
	return zone, nil
}

// businessDay is the n-th business day after a day.
func businessDay(day time.Time, n int, holidays []time.Time) time.Time {
	off := map[time.Time]bool{}
	for _, h := range holidays {
		off[date(h)] = true
	}
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday && !off[day] {
			n--
		}
	}
	return day
}

// daysBetween is the number of calendar days from one date to another.
func daysBetween(from, to time.Time) int {
	const day = 24 * time.Hour // UTC has no days of another length
	return int(to.Sub(from) / day)
}

// date is midnight UTC of t's calendar date in t's own zone.
func date(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
