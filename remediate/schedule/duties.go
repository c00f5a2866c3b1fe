package schedule

import (
	"fmt"
	"slices"
	"time"

	"oust/remediate"
)

// DutyState is a repeating duty at one moment.
type DutyState struct {
	Name string `json:"name"`
	What string `json:"what"`
	// Next is the day on which it is due next: empty once it has ended, and
	// where it waits for what has not happened yet.
	Next     string `json:"next,omitempty"`
	DaysLeft int    `json:"days_left"` // to Next
	// Missed are days that passed without a report since the one before.
	Missed []string `json:"missed,omitempty"`
	Done   int      `json:"done"` // days with a report
	Ended  bool     `json:"ended,omitempty"`
}

// DutyStates are the states of a mandate's duties. A report counts for the
// period in which it is handed in: after one day and up to the next. Once what
// ends a duty has come, no further day is due; if it is undone, the days since
// count again.
func DutyStates(m remediate.Mandate, p Progress) ([]DutyState, error) {
	days, err := milestoneDays(m, p.Issued, p.Finish, p.Found)
	if err != nil {
		return nil, err
	}
	zone, err := zoneOf(m)
	if err != nil {
		return nil, err
	}
	var out []DutyState
	for _, d := range m.Duties {
		i := slices.IndexFunc(m.Milestones, func(r remediate.MilestoneRule) bool { return r.Name == d.After })
		if i < 0 || d.EveryDays < 1 {
			return nil, fmt.Errorf("mandate %s: duty %s counts from %q every %d days, which is nothing", m.Name, d.Name, d.After, d.EveryDays)
		}
		out = append(out, p.duty(m, d, days[i], zone))
	}
	return out, nil
}

// duty counts the days of a duty from start, zero if nobody knows it yet.
func (p Progress) duty(m remediate.Mandate, d remediate.Duty, start time.Time, zone *time.Location) DutyState {
	out := DutyState{Name: d.Name, What: d.What}
	today := date(p.Now.In(zone))
	over := p.over(d)
	out.Ended = over.met
	last := today // the day on which it ended
	if !over.at.IsZero() {
		last = date(over.at.In(zone))
	}
	reports := p.reportDays(d.Report, zone)
	for before := start; !start.IsZero(); {
		day := before.AddDate(0, 0, d.EveryDays)
		if d.BusinessDays {
			day = businessDay(before, d.EveryDays, m.Holidays)
		}
		reported, past := anyWithin(reports, before, day), out.Ended && !day.Before(last)
		switch {
		case reported:
			out.Done++
		case past:
		case day.Before(today):
			out.Missed = append(out.Missed, day.Format(time.DateOnly))
		case !out.Ended:
			out.Next, out.DaysLeft = day.Format(time.DateOnly), daysBetween(today, day)
			return out
		}
		if past {
			return out
		}
		before = day
	}
	return out
}

// over says whether a duty has ended.
func (p Progress) over(d remediate.Duty) verdict {
	if d.Until == remediate.MetCompleted {
		return p.completed(d.Report)
	}
	return p.finished()
}

// reportDays are the days on which a report was handed in, in order.
func (p Progress) reportDays(kind remediate.ReportKind, zone *time.Location) []time.Time {
	var out []time.Time
	for _, s := range p.Submissions {
		if s.Report == kind {
			out = append(out, date(s.At.In(zone)))
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// anyWithin reports whether one of the days, which are sorted, comes after one
// day and not after another.
func anyWithin(days []time.Time, after, upTo time.Time) bool {
	i, _ := slices.BinarySearchFunc(days, after.AddDate(0, 0, 1), time.Time.Compare)
	return i < len(days) && !days[i].After(upTo)
}
