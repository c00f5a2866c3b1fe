package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"oust/remediate"
	"oust/remediate/schedule"
)

// Outlook is what a campaign needs next. Reading it changes nothing, and needs
// no dialer and no secret.
type Outlook struct {
	// Held is the hold that is in force, nil if none.
	Held  *remediate.Hold
	Hosts []HostOutlook // in the order of the hosts that were asked for
	Waves []WaveOutlook // by approval, then number; all hosts of the campaign
}

// HostOutlook is what one host needs next.
type HostOutlook struct {
	Host string        `json:"host"`
	Work schedule.Work `json:"work"`
	// At is when, zero where it waits for a person, a wave or a hold.
	At time.Time `json:"at,omitzero"`
	// Person: a person should look at it.
	Person bool   `json:"person,omitempty"`
	Why    string `json:"why,omitempty"`
	// State is what it was decided from.
	State *remediate.HostState `json:"-"`
}

// WaveOutlook is how far a wave of an approved plan has come. Each of its
// hosts counts once.
type WaveOutlook struct {
	Plan     string    `json:"plan"`
	Wave     int       `json:"wave"`
	Approved time.Time `json:"approved"`
	Hosts    int       `json:"hosts"`
	// Done hosts are clean; Failed and Unreachable ones stand so; Waiting ones
	// have not had their turn; Other is the rest, such as one that waits for a
	// restart, or is exempt.
	Done        int `json:"done"`
	Failed      int `json:"failed"`
	Unreachable int `json:"unreachable"`
	Waiting     int `json:"waiting"`
	Other       int `json:"other"`
	// Current: the next waves wait for this one.
	Current bool `json:"current,omitempty"`
}

// Outlook says what each of the hosts needs next. all are the hosts of the
// inventory, for the waves.
func (e *Engine) Outlook(ctx context.Context, hosts, all []remediate.Host) (Outlook, error) {
	r, err := e.Records(ctx, false)
	if err != nil {
		return Outlook{}, err
	}
	return e.OutlookOf(ctx, r, hosts, all)
}

// OutlookOf is Outlook for records that were read before.
func (e *Engine) OutlookOf(ctx context.Context, r *Records, hosts, all []remediate.Host) (Outlook, error) {
	s := e.servingOf(r, all, ServeOptions{}, true)
	s.byName.rewind()
	asked := make([]*served, len(hosts))
	for i := range hosts {
		if asked[i] = s.byName.find(hosts[i].Name); asked[i] == nil {
			return Outlook{}, fmt.Errorf("host %s is not in the inventory", hosts[i].Name)
		}
	}
	if err := s.leaveWaves(ctx); err != nil {
		return Outlook{}, err
	}
	out := Outlook{Held: s.brake.held, Waves: s.waveOutlooks(), Hosts: make([]HostOutlook, len(asked))}
	together(asked, func(from int, part []*served) {
		for i, x := range part {
			out.Hosts[from+i] = s.outlook(x)
		}
	})
	return out, nil
}

// leaveWaves finds the hosts that no wave waits for, as Serve does when they
// are due: those that no window reaches, and those that have been tried and for
// which there is no script now, or none that was approved.
func (s *serving) leaveWaves(ctx context.Context) error {
	together(s.hosts, func(_ int, part []*served) {
		for _, x := range part {
			if x.next.Work == schedule.WorkRemove && x.next.First {
				o := s.opening(x, s.clock)
				x.opening = &o
			}
		}
	})
	var tried []remediate.Host
	states := map[string]*remediate.HostState{}
	for _, x := range s.hosts {
		switch {
		case x.next.Work != schedule.WorkRemove:
		case !x.next.First:
			if script, ok := s.e.Drafts.Script(x.view.State.RawDigest); ok {
				s.leaveUnapproved(x, script)
				continue
			}
			tried = append(tried, *x.host)
			states[x.host.Name] = x.view.State
		case x.opening.Never:
			s.waitsFor(x, schedule.WaveID{})
		}
	}
	if len(tried) == 0 {
		return nil
	}
	p, err := s.e.draft(ctx, tried, func(_ context.Context, host string) (remediate.HostState, error) { return *states[host], nil })
	if err != nil {
		return err
	}
	for i := range p.plan.Hosts {
		s.e.Drafts.Keep(p.plan.Hosts[i].Facts, p.plan.Hosts[i].Script)
	}
	s.leaveOut(p)
	return nil
}

// besides is why work waits, after why a person should look.
func besides(n schedule.Next, why string) string {
	if n.Person && n.Why != "" {
		return n.Why + "; " + why
	}
	return why
}

// opening is when a product may be removed from a host: never, where that cannot
// be said.
func (s *serving) opening(x *served, at time.Time) schedule.Opening {
	o, err := s.gate.At(*x.host, at, s.gate.Need(PlaybookNames(x.view.State.Findings)))
	if err != nil {
		return schedule.Opening{Never: true, Why: err.Error()}
	}
	return o
}

func (s *serving) outlook(x *served) HostOutlook {
	n := x.next
	out := HostOutlook{Host: x.host.Name, Work: n.Work, At: n.At, Person: n.Person, Why: n.Why, State: x.view.State}
	if n.At.Before(s.clock) && !n.At.IsZero() {
		out.At = s.clock
	}
	switch n.Work {
	case schedule.WorkRemove:
		wave, waits := s.earlierWave(x)
		o := x.opening
		if o == nil || !out.At.Equal(s.clock) {
			at := s.opening(x, out.At)
			o = &at
		}
		switch {
		case o.Never:
			out.At, out.Person, out.Why = time.Time{}, true, o.Why
		case s.brake.held != nil:
			out.At, out.Why = time.Time{}, besides(n, "the campaign is held")
		case waits:
			out.At, out.Why = time.Time{}, besides(n, fmt.Sprintf("wave %d comes first", wave))
		case !o.Open:
			out.At, out.Why = o.Next, besides(n, o.Why)
		}
	case schedule.WorkRestart:
		ok, next, why := s.gate.mayRestart(*x.host, PlaybookNames(x.view.State.Findings), out.At)
		switch {
		case s.brake.held != nil:
			out.At, out.Why = time.Time{}, "the campaign is held"
		case !ok:
			out.At, out.Why, out.Person = next, why, next.IsZero()
		}
	}
	return out
}

func (s *serving) waveOutlooks() []WaveOutlook {
	waves := map[schedule.WaveID]*WaveOutlook{}
	for _, x := range s.hosts {
		p := x.view.Planned
		if p.Host == "" {
			continue
		}
		id := schedule.WaveID{Plan: p.Plan, Number: p.Wave}
		w := waves[id]
		if w == nil {
			w = &WaveOutlook{Plan: p.Plan, Wave: p.Wave, Approved: p.At}
			waves[id] = w
		}
		w.Hosts++
		switch st := x.view.State; {
		case x.first == id:
			w.Waiting++
		case st.Class == remediate.ClassUnreachable:
			w.Unreachable++
		case st.Class != "":
			w.Failed++
		case st.Standing == remediate.StandRemoved || st.Standing == remediate.StandClear:
			w.Done++
		default:
			w.Other++
		}
	}
	out := make([]WaveOutlook, 0, len(waves))
	for _, w := range waves {
		out = append(out, *w)
	}
	slices.SortFunc(out, func(a, b WaveOutlook) int {
		return cmp.Or(a.Approved.Compare(b.Approved), cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Wave, b.Wave))
	})
	for i := range out {
		before := i > 0 && out[i-1].Plan == out[i].Plan && (out[i-1].Waiting > 0 || out[i-1].Current)
		out[i].Current = out[i].Waiting > 0 && !before
	}
	return out
}
