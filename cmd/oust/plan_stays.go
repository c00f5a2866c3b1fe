package main

import (
	"cmp"
	"fmt"
	"slices"

	"oust/remediate"
)

// stayGroup is what is found on hosts and left alone there for one reason.
type stayGroup struct {
	Playbook  string                `json:"playbook"`
	Kind      remediate.FindingKind `json:"kind"`
	Why       string                `json:"why"`
	Manual    string                `json:"manual,omitempty"`
	NotChosen bool                  `json:"not_chosen,omitempty"`
	Hosts     []string              `json:"hosts"`
}

// stayGroups gathers what a plan leaves alone. Of hosts that it leaves out as a
// whole they are those things alone that are not the reason for that.
func stayGroups(p *remediate.Plan) []stayGroup {
	at := map[stayKey]int{}
	var out []stayGroup
	add := func(host string, s remediate.PlanStay) {
		k := stayKey{s.Playbook, s.Kind, s.Why}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, stayGroup{Playbook: s.Playbook, Kind: s.Kind, Why: s.Why, Manual: s.Manual, NotChosen: s.NotChosen})
		}
		out[i].Hosts = append(out[i].Hosts, host)
	}
	for _, h := range p.Hosts {
		for _, s := range h.Stays {
			add(h.Name, s)
		}
	}
	for _, l := range p.Left {
		for _, s := range l.Stays {
			if s.Kind == remediate.FindEmbedded {
				add(l.Name, s)
			}
		}
	}
	return out
}

type stayKey struct {
	playbook string
	kind     remediate.FindingKind
	why      string
}

// stayLines say what was found and will not be touched, and what the campaign
// does not choose although it has to do with what goes.
func stayLines(groups []stayGroup, width int) []string {
	var stay, unchosen []stayGroup
	for _, g := range groups {
		if g.NotChosen {
			unchosen = append(unchosen, g)
		} else {
			stay = append(stay, g)
		}
	}
	return append(staySection("Found, and will not be touched:", stay, width),
		staySection("Warning: found, and left out of playbooks in campaign.yaml:", unchosen, width)...)
}

// staySection lists groups, those of the most hosts first. What a person has to
// do is said once for a playbook.
func staySection(title string, groups []stayGroup, width int) []string {
	const most = 10
	if len(groups) == 0 {
		return nil
	}
	slices.SortStableFunc(groups, func(a, b stayGroup) int {
		return cmp.Or(-cmp.Compare(len(a.Hosts), len(b.Hosts)), cmp.Compare(a.Playbook, b.Playbook), cmp.Compare(a.Why, b.Why))
	})
	out := []string{"", title}
	said := map[string]bool{}
	for i, g := range groups {
		if i == most {
			return append(out, fmt.Sprintf("    and %s more; --json lists all", thousands(len(groups)-i)))
		}
		out = append(out, fmt.Sprintf("    %s on %s: %s", stayName(g.Playbook, g.Kind), plural(len(g.Hosts), "host"), printable(g.Why)))
		if g.Manual != "" && !said[g.Playbook] {
			out = append(out, "        a person: "+printable(g.Manual))
			said[g.Playbook] = true
		}
		out = append(out, "        "+few(g.Hosts, width-8))
	}
	return out
}

// stayName is a playbook's name, and the kind of what it finds unless that is
// the product.
func stayName(playbook string, kind remediate.FindingKind) string {
	if kind == remediate.FindProduct {
		return printable(playbook)
	}
	return printable(playbook) + " (" + string(kind) + ")"
}

// hostStayLines are stayLines of one host, with the proof of what the host's
// findings do not hold.
func hostStayLines(stays []remediate.PlanStay, shown []remediate.Finding) []string {
	var out []string
	for _, s := range stays {
		if !slices.ContainsFunc(shown, func(f remediate.Finding) bool { return f.Playbook == s.Playbook && f.Kind == s.Kind }) {
			out = append(out, evidenceLines(s.Finding)...)
		}
		word := "not touched"
		if s.NotChosen {
			word = "warning, not touched"
		}
		line := fmt.Sprintf("# %s: %s: %s", word, stayName(s.Playbook, s.Kind), printable(s.Why))
		if s.Manual != "" {
			line += "; " + printable(s.Manual)
		}
		out = append(out, line)
	}
	return out
}

func evidenceLines(f remediate.Finding) []string {
	var out []string
	for _, ev := range f.Evidence {
		out = append(out, fmt.Sprintf("# found %s: %s %s", f.Playbook, ev.Kind, printable(ev.Value)))
	}
	return out
}
