package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// methods counts the hosts that were seen by how.
func (b *builder) methods() []Method {
	type key struct {
		transport string
		platform  remediate.Platform
		probe     string
	}
	at := map[key]*Method{}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Standing == remediate.StandUnseen {
			continue
		}
		k := key{r.Transport, r.Platform, r.Probe}
		m := at[k]
		if m == nil {
			m = &Method{Transport: k.transport, Platform: k.platform, Probe: k.probe, First: r.SeenAt, Last: r.SeenAt}
			at[k] = m
		}
		m.Hosts++
		if r.SeenAt.Before(m.First) {
			m.First = r.SeenAt
		}
		if r.SeenAt.After(m.Last) {
			m.Last = r.SeenAt
		}
	}
	out := make([]Method, 0, len(at))
	for _, m := range at {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(x, y Method) int {
		return cmp.Or(-cmp.Compare(x.Hosts, y.Hosts), cmp.Compare(x.Platform, y.Platform),
			cmp.Compare(x.Transport, y.Transport), cmp.Compare(x.Probe, y.Probe))
	})
	return out
}

// Why a host is unseen although no failure stands.
const (
	whyNeverTried = "nobody has looked yet"
	whyIncomplete = "the look was not complete"
)

// unseen counts the hosts that were never seen, the classes in their order.
func (b *builder) unseen() []Unseen {
	type key struct {
		class remediate.Class
		why   string
	}
	at := map[key]*tally{}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Standing != remediate.StandUnseen {
			continue
		}
		k := key{r.Class, whyNeverTried}
		switch {
		case r.Class != "":
			k.why = r.Class.Meaning()
		case !r.SeenAt.IsZero():
			k.why = whyIncomplete
		}
		if at[k] == nil {
			at[k] = &tally{}
		}
		at[k].add(r)
	}
	out := make([]Unseen, 0, len(at))
	for k, t := range at {
		out = append(out, Unseen{Class: k.class, Why: k.why, Hosts: t.hosts, Doing: t.doing(k.class)})
	}
	slices.SortFunc(out, func(x, y Unseen) int {
		return cmp.Or(cmp.Compare(classRank(x.Class), classRank(y.Class)), cmp.Compare(x.Why, y.Why))
	})
	return out
}

// failures counts the hosts that stand failed and are not exempt, the classes
// in their order.
func (b *builder) failures() []Failure {
	at := map[remediate.Class]*tally{}
	for i := range b.rows {
		r := &b.rows[i]
		if r.Class == "" || r.Exempt {
			continue
		}
		if at[r.Class] == nil {
			at[r.Class] = &tally{}
		}
		at[r.Class].add(r)
	}
	out := make([]Failure, 0, len(at))
	for c, t := range at {
		out = append(out, Failure{
			Class: c, What: c.Meaning(), Hosts: t.hosts, Retried: t.hosts - t.person, Next: t.next, Person: t.person, Advice: c.Advice(),
		})
	}
	slices.SortFunc(out, func(x, y Failure) int {
		return cmp.Compare(classRank(x.Class), classRank(y.Class))
	})
	return out
}

// classRank is the place of a class in its order; what has none comes last.
func classRank(c remediate.Class) int {
	order := remediate.Classes()
	if i := slices.Index(order, c); i >= 0 {
		return i
	}
	return len(order)
}

// tally counts hosts by what comes next for them.
type tally struct {
	hosts, person, exempt int
	next                  time.Time // the first of those that need no person
}

func (t *tally) add(r *HostRow) {
	t.hosts++
	switch {
	case r.Exempt:
		t.exempt++
	case r.Person:
		t.person++
	case !r.NextAt.IsZero() && (t.next.IsZero() || r.NextAt.Before(t.next)):
		t.next = r.NextAt
	}
}

// unseenAdvice is what to do about a host that was never seen: nothing can run
// there yet.
func unseenAdvice(c remediate.Class) string {
	if c == remediate.ClassTimeout {
		return "find out why the host takes so long to answer"
	}
	return c.Advice()
}

// doing says what is being done about hosts that were never seen.
func (t *tally) doing(c remediate.Class) string {
	var parts []string
	if n := t.hosts - t.person - t.exempt; n > 0 {
		s := hosts(n) + " " + verb(n, "is", "are") + " looked at by the next scan, or by 'oust serve'"
		if !t.next.IsZero() {
			s += ", the first from " + moment(t.next)
		}
		parts = append(parts, s)
	}
	if t.person > 0 {
		s := hosts(t.person) + " " + verb(t.person, "waits", "wait") + " for a person"
		if c != "" {
			s += ": " + unseenAdvice(c)
		}
		parts = append(parts, s)
	}
	if t.exempt > 0 {
		parts = append(parts, hosts(t.exempt)+" "+verb(t.exempt, "is", "are")+" exempt")
	}
	return strings.Join(parts, "; ")
}

// hosts is "1 host" or "2,000 hosts".
func hosts(n int) string { return count(n, "host", "hosts") }

func count(n int, one, many string) string {
	return fmt.Sprintf("%s %s", thousands(n), verb(n, one, many))
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// thousands is 12,345.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// moment is a time for people, in UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span is a span of time for people.
func span(from, to time.Time) string {
	if to.IsZero() || moment(from) == moment(to) {
		return moment(from)
	}
	return moment(from) + " to " + moment(to)
}

// day is a date for people, in UTC.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
