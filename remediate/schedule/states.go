package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// Progress is what a campaign has done of its mandate, at Now.
type Progress struct {
	// Issued and Finish are the campaign's own dates; see Milestones.
	Issued, Finish time.Time
	// Found is when something was first found on any host, zero if never; Begun
	// when the first removal was begun.
	Found, Begun time.Time
	// Hosts counts the hosts of the inventory, Open those of them that are
	// unseen, present or reappeared, and not exempt; Exempt those that are
	// exempt and would be open otherwise.
	Hosts, Open, Exempt int
	// Left names hosts that had it when they were last seen and have left the
	// inventory, without an exemption and without a word where they went.
	Left []string
	// Finished is since when no host has been open (see FinishedAt), nor among
	// Left; zero if one is, or if nobody can say.
	Finished    time.Time
	Submissions []remediate.Submission // oldest first
	Now         time.Time
}

// The states of milestones.
const (
	StateMet  = "met"
	StateDue  = "due"
	StateLate = "late"
	// StateWaiting: it counts from what has not happened yet.
	StateWaiting = "waiting"
)

// MilestoneState is a milestone at one moment.
type MilestoneState struct {
	Name string `json:"name"`
	What string `json:"what"`
	Date string `json:"date"` // its last day; empty where it waits
	// State is met, due, late or waiting; a milestone met after its day is met
	// and Late. One of MetFinished is not met any more when a host opens again.
	State string `json:"state"`
	Late  bool   `json:"late,omitempty"`
	// MetAt is when, zero if it is not met, or nobody can say when.
	MetAt    time.Time `json:"met_at,omitzero"`
	DaysLeft int       `json:"days_left"` // 0 on its day, negative after it
	Why      string    `json:"why"`       // what has met it, or what is missing
}

// MilestoneStates are the states of a mandate's milestones, in the order of
// Milestones.
func MilestoneStates(m remediate.Mandate, p Progress) ([]MilestoneState, error) {
	days, err := milestoneDays(m, p.Issued, p.Finish, p.Found)
	if err != nil {
		return nil, err
	}
	zone, err := zoneOf(m)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(days))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareDays(days[a], days[b]) })
	var out []MilestoneState
	taken := map[remediate.ReportKind]int{} // submissions that earlier milestones have used
	for _, i := range order {
		rule := m.Milestones[i]
		one := MilestoneState{Name: rule.Name, What: rule.What, State: StateWaiting}
		if days[i].IsZero() {
			one.Why = "nothing was found yet; it counts from the first finding"
			out = append(out, one)
			continue
		}
		met := p.met(rule, taken)
		one.MetAt, one.Why = met.at, met.why
		one.judge(days[i], met.met, p.Now, zone)
		out = append(out, one)
	}
	return out, nil
}

// judge sets what follows from the day.
func (s *MilestoneState) judge(day time.Time, met bool, now time.Time, zone *time.Location) {
	s.Date, s.DaysLeft = day.Format(time.DateOnly), daysBetween(date(now.In(zone)), day)
	switch {
	case met:
		s.State = StateMet
		s.Late = !s.MetAt.IsZero() && date(s.MetAt.In(zone)).After(day)
	case s.DaysLeft < 0:
		s.State, s.Late = StateLate, true
	default:
		s.State = StateDue
	}
}

// verdict says whether something is met, since when, and why.
type verdict struct {
	met bool
	at  time.Time
	why string
}

// met judges one milestone. A submission meets one milestone of MetReported;
// the next one of the same kind needs another.
func (p Progress) met(rule remediate.MilestoneRule, taken map[remediate.ReportKind]int) verdict {
	switch rule.Met {
	case remediate.MetReported:
		return p.reported(rule, taken)
	case remediate.MetBegun:
		return p.begun()
	case remediate.MetCompleted:
		return p.completed(rule.Report)
	}
	return p.finished()
}

func (p Progress) reported(rule remediate.MilestoneRule, taken map[remediate.ReportKind]int) verdict {
	n := 0
	for _, s := range p.Submissions {
		if s.Report != rule.Report {
			continue
		}
		if n++; n <= taken[rule.Report] || rule.Due.From == remediate.FromFound && s.At.Before(p.Found) {
			continue
		}
		taken[rule.Report] = n
		return verdict{true, s.At, fmt.Sprintf("the %s report was handed in to %s", s.Report, s.To)}
	}
	return verdict{why: fmt.Sprintf("the %s report has not been handed in", rule.Report)}
}

func (p Progress) begun() verdict {
	switch {
	case !p.Begun.IsZero():
		return verdict{true, p.Begun, "removal has begun"}
	case p.done() && p.Found.IsZero():
		return verdict{true, p.Finished, "nothing was found, so there is nothing to remove" + p.exempted("not counting")}
	case p.done():
		return verdict{true, p.Finished, "no host is left" + p.exempted("but for")}
	}
	return verdict{why: "no removal has begun"}
}

func (p Progress) done() bool { return p.Hosts > 0 && p.Open == 0 && len(p.Left) == 0 }

func (p Progress) finished() verdict {
	switch {
	case p.Hosts == 0:
		return verdict{why: "the inventory has no host"}
	case p.Open > 0:
		return verdict{why: fmt.Sprintf("%d of %d hosts are unseen, present or reappeared%s%s", p.Open, p.Hosts, p.exempted("not counting"), p.left("; "))}
	case len(p.Left) > 0:
		return verdict{why: p.left("no host of the inventory is unseen, present or reappeared" + p.exempted("but for") + "; ")}
	}
	return verdict{true, p.Finished, "no host is unseen, present or reappeared" + p.exempted("but for")}
}

// ButExempt stands in what has met a milestone where hosts were passed over that
// would be open if they were not exempt.
const ButExempt = " exempt"

// exempted tells of hosts that would be open if they were not exempt.
func (p Progress) exempted(word string) string {
	switch p.Exempt {
	case 0:
		return ""
	case 1:
		return ", " + word + " 1 that is" + ButExempt
	}
	return fmt.Sprintf(", %s %d that are%s", word, p.Exempt, ButExempt)
}

// left tells, after before, of hosts that cannot be looked at any more; empty
// without any.
func (p Progress) left(before string) string {
	const most = 3
	n := len(p.Left)
	if n == 0 {
		return ""
	}
	names := strings.Join(p.Left[:min(n, most)], ", ")
	if n > most {
		names += fmt.Sprintf(" and %d more", n-most)
	}
	word := "hosts have left the inventory that had it when they were"
	if n == 1 {
		word = "host has left the inventory that had it when it was"
	}
	return fmt.Sprintf("%s%d %s last seen, and nobody has said where to: %s", before, n, word, names)
}

func (p Progress) completed(kind remediate.ReportKind) verdict {
	v := p.finished()
	if !v.met {
		return v
	}
	for _, s := range p.Submissions {
		if s.Report == kind && !p.Finished.IsZero() && !s.At.Before(p.Finished) {
			return verdict{true, s.At, fmt.Sprintf("it is finished, and the %s report was handed in to %s", kind, s.To)}
		}
	}
	return verdict{why: fmt.Sprintf("it is finished; the %s report has not been handed in since", kind)}
}
