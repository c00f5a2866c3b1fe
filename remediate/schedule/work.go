package schedule

import (
	"fmt"
	"time"

	"oust/remediate"
)

// Work is what a host needs next.
type Work string

// Kinds of work.
const (
	WorkNone    Work = "none"    // nothing is due any more, as far as is known
	WorkPlan    Work = "plan"    // a person has to plan and apply: it is in no approved plan
	WorkPerson  Work = "person"  // it failed, and a person has to help; looked at again each day
	WorkExempt  Work = "exempt"  // nothing until the exemption ends
	WorkJoin    Work = "join"    // an attempt has to be settled
	WorkLook    Work = "look"    // to be seen, for the first time or after a failed look
	WorkRemove  Work = "remove"  // to be removed from
	WorkRestart Work = "restart" // waits for a reboot
	WorkVerify  Work = "verify"  // to be looked at again
)

// View is what the next work of a host is decided from.
type View struct {
	// State is read only; the zero one is that of a host that was never recorded.
	State *remediate.HostState
	// Open: an attempt has no outcome yet; OpenSince is when its last step was
	// recorded, zero if that is not known.
	Open      bool
	OpenSince time.Time
	// ExemptUntil is the end of the exemption that holds now, or zero.
	ExemptUntil time.Time
	// Planned is the host's place in the newest approved plan, zero if none.
	Planned remediate.Planned
	// Restarts: this host may be restarted when it waits for that.
	Restarts bool
}

// Next is the next work of a host. At is when it is due; it is zero for work
// that waits for a person.
type Next struct {
	Work Work
	At   time.Time
	// Watch: see whether the host answers at all first.
	Watch bool
	// First: a removal that no attempt of its plan has come before, or the
	// settling of that first attempt; waves wait for it.
	First bool
	// Person: it has gone on for so long that a person should look, although
	// the host is still watched.
	Person bool
	Why    string // one clause for a person
}

// Reverify is how long after a removal a host is looked at again, where a
// campaign says nothing.
func Reverify() []time.Duration { return []time.Duration{24 * time.Hour, 7 * 24 * time.Hour} }

// Planner decides the next work of hosts. It is pure: all it knows is here.
type Planner struct {
	Rules    Rules
	Reverify []time.Duration // ascending
}

// pendingLook is how often a host is looked at that waits for a restart which
// is not oust's to do.
const pendingLook = 24 * time.Hour

// PersonLook is how often a host is looked at that waits for a person, so that
// what was mended by hand is noticed; not where a login or an identity was
// refused, which is not repeated.
const PersonLook = 24 * time.Hour

// longThan is after what time a host that does not answer, or whose attempt
// cannot be settled, is named to a person.
const longThan = 7 * 24 * time.Hour

// Decide says what the host needs next.
func (p Planner) Decide(v View, now time.Time) Next {
	st := v.State
	switch {
	case v.Open:
		return p.join(v, now)
	case now.Before(v.ExemptUntil):
		return Next{Work: WorkExempt, At: v.ExemptUntil, Why: "exempt until " + v.ExemptUntil.UTC().Format("2006-01-02 15:04 UTC")}
	case st.Class != "":
		return p.failed(v, now)
	case st.Standing == remediate.StandUnseen || st.Standing == "":
		return Next{Work: WorkLook, At: now, Why: "never looked at"}
	case st.Standing == remediate.StandPresent || st.Standing == remediate.StandReappeared:
		return p.present(v, now)
	}
	return p.clean(st, now)
}

func (p Planner) join(v View, now time.Time) Next {
	n := Next{Work: WorkJoin, At: now, Watch: p.watched(v.State.Class), Why: "an attempt is not settled"}
	n.First = v.Planned.Host != "" && firstTurn(v, now)
	if !v.OpenSince.IsZero() && now.Sub(v.OpenSince) > longThan {
		n.Person, n.Why = true, "an attempt could not be settled since "+v.OpenSince.UTC().Format("2006-01-02")+": look at the host"
	}
	return n
}

func (p Planner) watched(c remediate.Class) bool { return c != "" && p.Rules[c].Watch }

// failed goes by the rule of the class.
func (p Planner) failed(v View, now time.Time) Next {
	st := v.State
	at, person := p.Rules.Due(st.Class, st.Tries, st.FailedAt, now, st.Host)
	if person {
		n := Next{Work: WorkPerson, Person: true, Why: fmt.Sprintf("%s, %s: %s", st.Class, times(st.Tries), st.Class.Advice())}
		if st.Class != remediate.ClassAuth && st.Class != remediate.ClassUntrusted {
			n.At = later(clamped(st.SeenAt, now), clamped(st.FailedAt, now)).Add(PersonLook + jitter(PersonLook/10, st.Host, 2))
		}
		return n
	}
	n := Next{Work: WorkLook, At: at, Watch: p.watched(st.Class), Why: fmt.Sprintf("%s, %s", st.Class, times(st.Tries))}
	if n.Watch && now.Sub(st.FailedAt) > longThan {
		n.Person, n.Why = true, fmt.Sprintf("%s since %s: %s", st.Class, st.FailedAt.UTC().Format("2006-01-02"), st.Class.Advice())
	}
	if st.Standing == remediate.StandPresent || st.Standing == remediate.StandReappeared {
		if pending(st) {
			if n.Work = WorkVerify; v.Restarts {
				n.Work = WorkRestart
			}
			return n
		}
		if v.Planned.Host == "" {
			return Next{Work: WorkPlan, Person: true, Why: "found, and in no approved plan"}
		}
		if o := st.Last; o.Kind == remediate.OutcomeFailed && o.Class != st.Class && !firstTurn(v, now) {
			return n // the last removal's failure counts again once it has been seen
		}
		if n.Work = WorkRemove; firstTurn(v, now) {
			// Waves wait for it: it is tried, whatever was before its plan.
			n.First, n.Watch, n.At = true, false, now
		}
	}
	return n
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// pending reports whether the host waits for a restart.
func pending(st *remediate.HostState) bool { return st.Last.Kind == remediate.OutcomeRebootPending }

// firstTurn reports whether the host has not had its turn since it was planned.
// A plan from the future (the clock was set back) says nothing about when.
func firstTurn(v View, now time.Time) bool {
	switch st := v.State; st.Last.Kind {
	case "", remediate.OutcomeNotStarted, remediate.OutcomeDeferred, remediate.OutcomeExempt:
		return true
	default:
		return st.LastAt.Before(v.Planned.At) && !v.Planned.At.After(now)
	}
}

func (p Planner) present(v View, now time.Time) Next {
	st := v.State
	switch {
	case pending(st) && v.Restarts:
		return Next{Work: WorkRestart, At: now, Why: "waits for a restart"}
	case pending(st):
		at := clamped(st.SeenAt, now).Add(pendingLook + jitter(pendingLook/10, st.Host, 0))
		return Next{Work: WorkVerify, At: at, Why: "waits for a restart that is not oust's to do"}
	case v.Planned.Host == "":
		return Next{Work: WorkPlan, Person: true, Why: "found, and in no approved plan"}
	}
	why := "planned"
	if st.Standing == remediate.StandReappeared {
		why = "it came back"
	}
	return Next{Work: WorkRemove, At: now, First: firstTurn(v, now), Why: why}
}

// clean is for a host on which the last look found nothing.
func (p Planner) clean(st *remediate.HostState, now time.Time) Next {
	n := Next{Work: WorkNone, Why: "clean"}
	if st.Standing != remediate.StandRemoved || st.RemovedAt.IsZero() {
		return n
	}
	seen := clamped(st.SeenAt, now)
	removed := clamped(st.RemovedAt, now)
	if st.Bare != "" {
		n = Next{Work: WorkVerify, At: seen.Add(barePause(seen.Sub(st.BareSince))), Why: "nothing protects it: " + st.Bare}
		n.Person = seen.Sub(st.BareSince) > bareLong
	}
	for _, after := range p.Reverify {
		due := removed.Add(after)
		if seen.Before(due) {
			due = due.Add(jitter(after/50, st.Host, 1))
			switch {
			case n.Work == WorkNone:
				n = Next{Work: WorkVerify, At: due, Why: "looked at again after its removal"}
			case due.Before(n.At):
				n.At = due
			}
			break
		}
	}
	return n
}

// bareLong is how long a host may stand bare before a person is told.
const bareLong = time.Hour

// barePause is the time to the next look at a host that nothing protects: what
// takes over may need some minutes to start.
func barePause(since time.Duration) time.Duration {
	return min(max(since, 10*time.Minute), 24*time.Hour)
}

// clamped is t, or now where t is in the future: the clock was set back.
func clamped(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}
