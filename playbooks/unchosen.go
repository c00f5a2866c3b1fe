package playbooks

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"oust/remediate"
)

// Unchosen is a product on a host that no playbook of the library is for.
type Unchosen struct {
	Finding remediate.Finding
	Why     string // one line: what it has to do with a product that goes
}

// A neighbour of a playbook is one that is not chosen and has to go before it,
// or else after it.
type neighbour struct {
	p      *Playbook
	screen screen // of p
	before bool
}

// Unchosen finds, of the products that ship and that the library leaves out, those
// that must go before, or come after, one of the findings that go. An agent that
// is removed alone leaves behind what it managed; one that stays may install
// again what is removed. What a look was not asked about is not seen. Of a
// product for which the library has a playbook of another name, nothing is said.
func (l *Library) Unchosen(f *remediate.Facts, goes []remediate.Finding) (out []Unchosen) {
	said := map[string]bool{}
	here := sync.OnceValue(func() *lists { return listsOf(f) })
	for _, x := range goes {
		if x.Kind != remediate.FindProduct {
			continue
		}
		for _, n := range l.beside[x.Playbook] {
			if said[n.p.Name] || !n.p.On(f.Platform) || !n.screen.passes(here()) {
				continue
			}
			found, ok := n.p.match(f)
			if !ok || found.Kind != remediate.FindProduct || sharesEvidence(found, goes) {
				continue
			}
			said[n.p.Name] = true
			out = append(out, Unchosen{Finding: found, Why: n.why(x.Playbook)})
		}
	}
	slices.SortFunc(out, func(a, b Unchosen) int { return strings.Compare(a.Finding.Playbook, b.Finding.Playbook) })
	return out
}

func (n neighbour) why(chosen string) string {
	if n.before {
		return fmt.Sprintf("the campaign does not choose it, and %s, which goes after it, is removed: what it managed or needed is gone then", chosen)
	}
	return fmt.Sprintf("the campaign does not choose it, and it goes after %s, which is removed: it may install that again, or need it", chosen)
}

func sharesEvidence(x remediate.Finding, others []remediate.Finding) bool {
	return slices.ContainsFunc(others, func(o remediate.Finding) bool {
		return slices.ContainsFunc(o.Evidence, func(e remediate.Evidence) bool { return slices.Contains(x.Evidence, e) })
	})
}

// OrderLeftOut says, of each playbook that removes something, in the order of
// their names, which ones its After names that the library leaves out.
func (l *Library) OrderLeftOut() (out []OrderLeft) {
	for _, p := range l.list {
		if p.ReportOnly() {
			continue
		}
		var names []string
		for _, a := range slices.Sorted(slices.Values(p.After)) {
			if _, chosen := l.Get(a); !chosen {
				names = append(names, a)
			}
		}
		if len(names) > 0 {
			out = append(out, OrderLeft{Playbook: p.Name, After: names})
		}
	}
	return out
}

// OrderLeft is a playbook with what must go before it and is left out.
type OrderLeft struct {
	Playbook string
	After    []string // sorted
}

// neighbours finds, for each playbook of the library, those left out that must go
// before or after it, directly or through others.
func (l *Library) neighbours() map[string][]neighbour {
	all := map[string]*Playbook{}
	for _, p := range slices.Concat(l.list, l.others) {
		all[p.Name] = p
	}
	before := map[string]map[string]bool{}
	for name := range all {
		before[name] = map[string]bool{}
		gather(all, name, before[name])
	}
	out := map[string][]neighbour{}
	for _, p := range l.list {
		for _, q := range l.others {
			switch {
			case !q.Is(KindProduct):
			case before[p.Name][q.Name]:
				out[p.Name] = append(out[p.Name], neighbour{q, q.newScreen(), true})
			case before[q.Name][p.Name]:
				out[p.Name] = append(out[p.Name], neighbour{q, q.newScreen(), false})
			}
		}
	}
	return out
}

// gather adds to names what must go before a playbook.
func gather(all map[string]*Playbook, name string, names map[string]bool) {
	p, ok := all[name]
	if !ok {
		return
	}
	for _, a := range p.After {
		if !names[a] {
			names[a] = true
			gather(all, a, names)
		}
	}
}
