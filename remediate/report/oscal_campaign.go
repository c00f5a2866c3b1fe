package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"oust/remediate"
)

// campaign is the first topic: the mandate as a whole.
func (p *poam) campaign() topic {
	s := p.s
	title := oscalLine(s.Mandate.Title)
	if s.Mandate.Title == "" {
		title = oscalLine(s.Mandate.Name)
	}
	t := topic{
		key:       topicKey{"campaign"},
		title:     title,
		types:     []string{"finding"},
		collected: s.At,
		seen: sentences(p.statement(), fmt.Sprintf("Hosts in the inventory: %d. Seen: %d, never seen: %d. "+
			"Open, which means unseen, present or reappeared, and not exempt: %d.", s.Totals.Hosts, s.Totals.Seen, s.Totals.Never, s.Totals.Open)),
		status:    p.campaignStatus(),
		statement: p.covers(),
		doing:     p.campaignDoing(),
		tasks:     slices.Concat(p.milestones(), p.duties(), p.stages()),
		log:       sortEntries(slices.Concat(p.submissions(), p.waves(), p.hold())),
		remarks:   p.answers(),
	}
	t.props = p.counts()
	for _, topic := range p.s.Methods {
		t.also = append(t.also, methodKey(topic))
	}
	if p.hosts.clear > 0 {
		t.also = append(t.also, topicKey{"clear"})
	}
	if len(p.hosts.removed) > 0 {
		t.also = append(t.also, topicKey{"removed"})
	}
	return t
}

func (p *poam) statement() string {
	var lines []string
	for _, line := range p.s.Statement {
		lines = append(lines, sentence(line))
	}
	return sentences(lines...)
}

// covers says what the mandate is about.
func (p *poam) covers() string {
	m := p.s.Mandate
	return sentences("The mandate names software that must be removed.",
		labelled("It covers:", strings.Join(m.Covers, "; ")), labelled("It does not cover:", strings.Join(m.Excludes, "; ")))
}

// campaignStatus: closed only when no host is open; a host that was not seen
// is.
func (p *poam) campaignStatus() string {
	total := p.s.Totals
	switch {
	case total.Hosts > 0 && total.Open == 0:
		return riskClosed
	case p.begun:
		return riskRemediating
	case total.Found > 0:
		return riskOpen
	}
	return riskInvestigating
}

func (p *poam) campaignDoing() string {
	if p.s.Held != nil {
		return "Removals are held: " + oscalQuote(oscalLine(p.s.Held.Reason))
	}
	return "Each host is looked at, what is found is removed in waves, and a second look in a new session decides whether it is gone."
}

// counts are the totals as properties.
func (p *poam) counts() []oscalProp {
	total := p.s.Totals
	props := []oscalProp{
		ours("hosts", strconv.Itoa(total.Hosts)), ours("seen", strconv.Itoa(total.Seen)), ours("never-seen", strconv.Itoa(total.Never)),
	}
	for _, standing := range remediate.Standings() {
		props = append(props, ours("standing-"+string(standing), strconv.Itoa(total.Standing[standing])))
	}
	return append(props, ours("exempt", strconv.Itoa(total.Exempt)), ours("open", strconv.Itoa(total.Open)),
		ours("failed", strconv.Itoa(total.Failed)), ours("noted", strconv.Itoa(total.Noted)), ours("gone-from-inventory", strconv.Itoa(len(total.Gone))), ours("gone-open", strconv.Itoa(len(total.GoneOpen))))
}

// milestones are the mandate's days.
func (p *poam) milestones() []oscalTask {
	var out []oscalTask
	for _, m := range p.s.Milestones {
		task := oscalTask{
			UUID: p.id("milestone", m.Name), Type: "milestone", Title: oscalLine(m.Name),
			Description: sentences(sentence(m.What), sentence(m.Why)),
			Props:       own("state", m.State, "met-at", oscalWhen(m.MetAt)),
			Timing:      p.onDay(m.Date),
		}
		if m.Late {
			task.Props = append(task.Props, ours("late", "yes"))
		}
		out = append(out, task)
	}
	return out
}

func (p *poam) duties() []oscalTask {
	var out []oscalTask
	for _, d := range p.s.Duties {
		text := []string{sentence(d.What), fmt.Sprintf("Done %d times.", d.Done)}
		if len(d.Missed) > 0 {
			text = append(text, labelled("Days that passed without it:", strings.Join(d.Missed, ", ")))
		}
		if d.Ended {
			text = append(text, "It has ended.")
		}
		out = append(out, oscalTask{
			UUID: p.id("duty", d.Name), Type: "action", Title: oscalLine(d.Name),
			Description: sentences(text...), Timing: p.onDay(d.Next),
		})
	}
	return out
}

// stages are the removal's timeline. Equal names are told apart by their
// place.
func (p *poam) stages() []oscalTask {
	var out []oscalTask
	for i, stage := range p.s.Timeline {
		out = append(out, oscalTask{
			UUID: p.id("stage", strconv.Itoa(i), stage.What), Type: "action", Title: oscalLine(stage.What),
			Description: sentences(numbered(stage.Hosts)+".", sentence(stage.Note)),
			Timing:      within(stage.From, stage.To),
		})
	}
	return out
}

// onDay is the end of a date, nil if it is none.
func (p *poam) onDay(date string) *oscalTiming {
	at := oscalWhen(oscalDay(date, p.s.Mandate.Zone))
	if at == "" {
		return nil
	}
	return &oscalTiming{On: &oscalOn{Date: at}}
}

// within is nil where one of the ends cannot be said, or they are in disorder.
func within(from, to time.Time) *oscalTiming {
	start, end := oscalWhen(from), oscalWhen(to)
	if start == "" || end == "" || to.Before(from) {
		return nil
	}
	return &oscalTiming{Within: &oscalWithin{Start: start, End: end}}
}

func (p *poam) submissions() []oscalEntry {
	var out []oscalEntry
	for i, sub := range p.s.Submissions {
		text := []string{"Handed in to " + oscalQuote(oscalLine(sub.To)) + " by " + oscalQuote(oscalLine(sub.By)) + "."}
		for _, file := range sub.Files {
			text = append(text, sentence(file.Name+" "+file.Digest))
		}
		out = append(out, oscalEntry{
			UUID: p.id("submission", strconv.Itoa(i)), Title: oscalLine("Report: " + string(sub.Report)),
			Description: sentences(text...), Start: p.moment(sub.At), Props: []oscalProp{{Name: "type", Value: "milestone-complete"}},
		})
	}
	return out
}

func (p *poam) waves() []oscalEntry {
	var out []oscalEntry
	for _, w := range p.s.Waves {
		out = append(out, oscalEntry{
			UUID:  p.id("wave", w.Plan, strconv.Itoa(w.Wave)),
			Title: oscalLine(fmt.Sprintf("Wave %d of plan %s", w.Wave, w.Plan)),
			Description: fmt.Sprintf("Approved with %s: %d done, %d failed, %d unreachable, %d waiting, %d other.",
				numbered(w.Hosts), w.Done, w.Failed, w.Unreachable, w.Waiting, w.Other),
			Start: p.moment(w.Approved), Props: []oscalProp{{Name: "type", Value: "status-update"}},
		})
	}
	return out
}

func (p *poam) hold() []oscalEntry {
	held := p.s.Held
	if held == nil {
		return nil
	}
	at := p.moment(held.At)
	return []oscalEntry{{
		UUID: p.id("hold", at), Title: "Removals are held", Description: sentence(held.Reason),
		Start: at, Props: []oscalProp{{Name: "type", Value: "status-update"}},
	}}
}

// moment is a time, or the report's where OSCAL cannot write it.
func (p *poam) moment(t time.Time) string {
	if at := oscalWhen(t); at != "" {
		return at
	}
	return oscalWhen(p.s.At)
}

// answers lists what the mandate asks of the report, and what answers it.
func (p *poam) answers() string {
	var out []string
	for _, item := range p.s.Items {
		text := []string{"-", sentence(item.Ref), sentence(item.Title)}
		switch item.State {
		case ItemGap:
			text = append(text, "Not answered yet.")
		case ItemNone:
			text = append(text, "Does not apply.")
		}
		for _, line := range item.Text {
			text = append(text, sentence(line))
		}
		out = append(out, sentences(text...))
	}
	return strings.Join(out, "\n")
}
