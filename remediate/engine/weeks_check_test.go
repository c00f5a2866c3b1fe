package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
)

// states are what the store says of all hosts.
func (w *weeks) states() map[string]remediate.HostState {
	out := map[string]remediate.HostState{}
	for st, err := range w.store.HostStates(w.t.Context()) {
		w.must(err)
		if _, twice := out[st.Host]; twice || !slices.Contains(remediate.Standings(), st.Standing) {
			w.t.Errorf("%s stands twice, or nowhere: %+v", st.Host, st)
		}
		out[st.Host] = st
	}
	return out
}

// check is what the person does each morning: every host has one standing and
// one kind of work, and once a week a line is printed.
func (w *weeks) check() {
	o, states := w.outlook(), w.states()
	seen := map[string]bool{}
	for _, h := range o.Hosts {
		if h.Work == "" || seen[h.Host] {
			w.t.Errorf("day %d: %s has the work %q, twice: %v", w.day(), h.Host, h.Work, seen[h.Host])
		}
		seen[h.Host] = true
	}
	if len(seen) != len(w.hosts) {
		w.t.Errorf("day %d: %d of %d hosts have work", w.day(), len(seen), len(w.hosts))
	}
	if w.day()%7 != 0 {
		return
	}
	counts, failing := map[string]int{}, map[string]int{}
	for _, h := range o.Hosts {
		counts[w.burn(h, o.Held != nil, states[h.Host])]++
		if c := states[h.Host].Class; c != "" {
			failing[string(c)]++
		}
	}
	held := ""
	if o.Held != nil {
		held = "  HELD"
	}
	w.t.Logf("day %2d: done %4d, to go %4d, person %4d, exempt %2d | %s%s", w.day(), counts["done"], counts["to go"], counts["person"], counts["exempt"], byName(failing), held)
}

// burn is the place of a host in the burn-down.
func (w *weeks) burn(h engine.HostOutlook, held bool, st remediate.HostState) string {
	switch work := h.Work; {
	case work == schedule.WorkExempt:
		return "exempt"
	case st.Standing == remediate.StandRemoved || st.Standing == remediate.StandClear:
		return "done" // also one that does not answer, or that nothing protects
	case h.Person || held && work == schedule.WorkRemove && h.At.IsZero() || work == schedule.WorkPlan || work == schedule.WorkPerson:
		return "person"
	}
	return "to go"
}

func byName(counts map[string]int) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(out, ", ")
}

// settled checks how it ends: by the store's word, and by the hosts' own.
func (w *weeks) settled() {
	o, states := w.outlook(), w.states()
	counts, open := map[string]int{}, 0
	for _, h := range o.Hosts {
		st := states[h.Host]
		place := w.burn(h, o.Held != nil, st)
		counts[place]++
		truth, err := w.fleet.State(h.Host)
		w.must(err)
		if place == "done" && len(truth.Installed) > 0 {
			w.t.Errorf("%s (%s) is said to be %s, and has %v", h.Host, w.fault[h.Host], st.Standing, truth.Installed)
		}
		if place == "to go" {
			if open++; !w.comesAndGoes(h.Host, st) {
				w.t.Errorf("%s (%s, %v, %s) is neither done, exempt nor a person's: %+v, %s %s %d %+v at %s, planned %+v", h.Host, w.fault[h.Host], w.byName[h.Host].Tags, w.byName[h.Host].Zone, h, st.Standing, st.Class, st.Tries, st.Last, st.LastAt, w.planned[h.Host])
			}
		}
		w.checkTruth(h.Host)
	}
	runs := 0
	for _, err := range w.store.Runs(w.t.Context()) {
		w.must(err)
		runs++
	}
	if worked := w.count.looks + w.count.attempts + w.count.outcomes[remediate.OutcomeFailed]; runs > worked {
		w.t.Errorf("%d runs are recorded for %d looks and attempts: knocks are none", runs, worked)
	}
	if open > len(o.Hosts)/20 {
		w.t.Errorf("%d hosts are not settled", open)
	}
	w.t.Logf("end: done %d, person %d, exempt %d, come and go %d of %d", counts["done"], counts["person"], counts["exempt"], open, len(o.Hosts))
}

// comesAndGoes reports whether a host is a laptop that waits for a person, or
// for its next try, and is away since a few days: it is looked at as soon as it
// answers, and named to a person after a week.
func (w *weeks) comesAndGoes(host string, st remediate.HostState) bool {
	return w.byName[host].HasTag(tagLaptop) && st.Class == remediate.ClassUnreachable && time.Since(st.FailedAt) < 7*24*time.Hour &&
		(st.Last.Kind == remediate.OutcomeFailed || st.Standing == remediate.StandUnseen)
}

// checkTruth compares a host's own account with the store's.
func (w *weeks) checkTruth(host string) {
	starts, err := w.fleet.Starts(host)
	w.must(err)
	seen := map[string]bool{}
	for _, s := range starts {
		key := s.Attempt + " " + s.Product
		if seen[key] {
			w.t.Errorf("%s: the uninstaller of %s ran twice in attempt %s", host, s.Product, s.Attempt)
		}
		seen[key] = true
		if w.known[s.Attempt] != host {
			w.t.Errorf("%s: the uninstaller of %s ran for attempt %q, which nobody intended", host, s.Product, s.Attempt)
		}
		if h := w.byName[host]; !w.open(h, s.At) && !w.open(h, s.At.Add(-10*time.Minute)) {
			w.t.Errorf("%s: the uninstaller of %s started at %s, outside its windows", host, s.Product, s.At.In(w.zone(h)))
		}
	}
	restarts, err := w.store.Reboots(w.t.Context(), host)
	w.must(err)
	truth, err := w.fleet.State(host)
	w.must(err)
	most := len(restarts) + w.pressed[host]
	if w.fault[host] == "reboot-twice" {
		most *= 2
	}
	if len(restarts) > w.campaign.Reboot.Budget || truth.Restarts > most {
		w.t.Errorf("%s was restarted %d times, and the store knows of %d", host, truth.Restarts, len(restarts))
	}
}
