package report

import (
	"fmt"
	"strings"
	"time"
)

// productsItem lists the products found, or says that none was.
func (b *builder) productsItem() (ItemState, []string) {
	var out []string
	for _, p := range b.s.Products {
		if p.Found == 0 {
			continue
		}
		s := p.Title + " (" + p.Playbook + ")"
		if len(p.Versions) > 0 {
			s += ", versions present: " + versionsText(p.Versions)
		}
		if p.Embedded {
			s += ", inside another company's product"
			if !p.Counts {
				s += ", which the mandate does not count"
			}
		}
		out = append(out, s)
	}
	switch {
	case len(out) > 0:
		if s := b.unaskedStatement(); s != "" {
			out = append(out, s)
		}
		return ItemAnswered, out
	case b.s.Totals.Seen == 0:
		return ItemGap, []string{"No host has been looked at yet: run 'oust scan'."}
	}
	out = b.s.Statement[:1:1]
	if s := b.unaskedStatement(); s != "" {
		out = append(out, s)
	}
	if b.s.Totals.GoneFound > 0 {
		out = append(out, b.goneStatement())
	}
	return ItemAnswered, append(out, "Searched for: "+strings.Join(b.searched(), ", ")+".")
}

func versionsText(vs []Version) string {
	const most = 12
	parts := make([]string, 0, most+1)
	for i, v := range vs {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %s more", thousands(len(vs)-most)))
			break
		}
		name := v.Version
		if name == "" {
			name = "not told"
		}
		parts = append(parts, fmt.Sprintf("%s on %s", name, hosts(v.Hosts)))
	}
	return strings.Join(parts, ", ")
}

// searched names what hosts were searched for.
func (b *builder) searched() []string {
	out := make([]string, len(b.in.Playbooks))
	for i, p := range b.in.Playbooks {
		out[i] = p.Title
	}
	return out
}

func (b *builder) endpointsItem() (ItemState, []string) {
	t := b.s.Totals
	if t.Seen == 0 {
		return ItemGap, []string{"No host has been looked at yet: run 'oust scan'."}
	}
	var out []string
	for _, p := range b.s.Products {
		if p.Found > 0 {
			s := fmt.Sprintf("%s: found on %s, present on %s now", p.Title, hosts(p.Found), thousands(p.Present))
			if p.Residue > 0 {
				s += ", only its remains on " + thousands(p.Residue)
			}
			if !p.Counts {
				s += "; the mandate does not count it"
			}
			out = append(out, s)
		}
	}
	all := fmt.Sprintf("Any product: found on %s of the %s that %s looked at; %s not looked at.",
		thousands(t.Found), hosts(t.Seen), verb(t.Seen, "was", "were"), count(t.Never, "was", "were"))
	if t.Never == 0 {
		all = fmt.Sprintf("Any product: found on %s of the %s of the inventory, each of which was looked at.", thousands(t.Found), hosts(t.Hosts))
	}
	return ItemAnswered, append(out, all)
}

func (b *builder) methodsItem() (ItemState, []string) {
	if len(b.s.Methods) == 0 {
		return ItemGap, []string{"No host has been looked at yet: run 'oust scan'."}
	}
	out := []string{
		"Each host of the inventory is logged in to, and one script of a fixed text asks for its installed packages and programs, services and files; " +
			"nothing is installed or changed. What the host prints is kept, and compared with the playbooks named below.",
	}
	for _, m := range b.s.Methods {
		s := fmt.Sprintf("%s: %s, last looked at %s", methodName(m), hosts(m.Hosts), span(m.First, m.Last))
		if m.Probe != "" {
			s += ", by the script " + m.Probe
		}
		out = append(out, s)
	}
	for _, p := range b.s.Products {
		if p.Digest != "" {
			s := fmt.Sprintf("Searched for %s by playbook %s, %s", p.Title, p.Playbook, p.Digest)
			if p.Unasked > 0 {
				s += fmt.Sprintf("; not yet on %s of %s, last looked at before it was added or changed", thousands(p.Unasked), hosts(b.s.Totals.Seen))
			}
			out = append(out, s)
		}
	}
	return ItemAnswered, out
}

func (b *builder) unseenItem() (ItemState, []string) {
	t := b.s.Totals
	if t.Hosts > 0 && t.Never == 0 {
		return ItemAnswered, []string{fmt.Sprintf("None: all %s of the inventory were looked at.", hosts(t.Hosts))}
	}
	out := []string{fmt.Sprintf("%s of %s %s never been seen. Nothing is known of them; none of them counts as clean.", thousands(t.Never), hosts(t.Hosts), verb(t.Never, "has", "have"))}
	for _, u := range b.s.Unseen {
		out = append(out, fmt.Sprintf("%s: %s; %s", hosts(u.Hosts), u.Why, u.Doing))
	}
	return ItemAnswered, out
}

func (b *builder) timelineItem() (ItemState, []string) {
	if len(b.s.Timeline) == 0 {
		if b.nothingAnywhere() {
			return ItemNone, []string{"Nothing was found on any host of the inventory, and each was looked at."}
		}
		return ItemGap, []string{"There is no plan yet: make one with 'oust plan'; the stages are its waves, in the windows of campaign.yaml."}
	}
	state := ItemAnswered
	out := make([]string, 0, len(b.s.Timeline)+1)
	for _, s := range b.s.Timeline {
		line := fmt.Sprintf("%s, %s: ", s.What, hosts(s.Hosts))
		if s.From.IsZero() {
			line += "no time can be given"
			state = ItemGap
		} else {
			line += span(s.From, s.To)
		}
		if s.Note != "" {
			line += "; " + s.Note
		}
		out = append(out, line)
	}
	for _, m := range b.s.Milestones {
		out = append(out, fmt.Sprintf("Milestone %s: %s", m.Title(), m.What))
	}
	return state, out
}

func (b *builder) progressItem() (ItemState, []string) {
	out := []string{b.progressStatement()}
	for _, m := range b.s.Milestones {
		out = append(out, fmt.Sprintf("%s: %s%s%s", m.Title(), m.Words(), b.since(m), because(m.Why)))
	}
	for _, d := range b.s.Duties {
		line := fmt.Sprintf("%s: %s, done %s", d.Title(), d.Words(), count(d.Done, "time", "times"))
		if len(d.Missed) > 0 {
			line += fmt.Sprintf("; %s missed, the last on %s", count(len(d.Missed), "day", "days"), d.Missed[len(d.Missed)-1])
		}
		out = append(out, line)
	}
	for _, w := range b.s.Waves {
		out = append(out, fmt.Sprintf("Wave %d of the plan approved %s: %s, %s done, %s failed, %s unreachable, %s other, %s to go",
			w.Wave, day(w.Approved), hosts(w.Hosts), thousands(w.Done), thousands(w.Failed), thousands(w.Unreachable), thousands(w.Other), thousands(w.Waiting)))
	}
	if h := b.s.Held; h != nil {
		out = append(out, fmt.Sprintf("Removals are held since %s: %s", moment(h.At), h.Reason))
	}
	return ItemAnswered, out
}

// since is the day on which a milestone was met.
func (b *builder) since(m MilestoneState) string {
	if on := m.MetOn(b.in.Campaign.Terms.Zone); on != "" {
		return " on " + on
	}
	return ""
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

func (b *builder) failuresItem() (ItemState, []string) {
	if len(b.s.Failures) == 0 {
		return ItemAnswered, []string{"No host stands failed."}
	}
	out := make([]string, len(b.s.Failures))
	for i, f := range b.s.Failures {
		var doing []string
		if f.Retried > 0 {
			s := thousands(f.Retried) + " tried again without a person"
			if !f.Next.IsZero() {
				s += ", the first from " + moment(f.Next)
			}
			doing = append(doing, s)
		}
		if f.Person > 0 {
			doing = append(doing, fmt.Sprintf("%s %s for a person: %s", thousands(f.Person), verb(f.Person, "waits", "wait"), f.Advice))
		}
		out[i] = fmt.Sprintf("%s, %s: %s; %s", f.Class, hosts(f.Hosts), f.What, strings.Join(doing, "; "))
	}
	return ItemAnswered, out
}

func (b *builder) exemptionsItem() (ItemState, []string) {
	var out []string
	for _, e := range b.s.Exemptions {
		if e.State != ExemptionHolds {
			continue
		}
		s := fmt.Sprintf("%s until %s: %s (approved by %s)", e.Host, moment(e.Until), e.Reason, e.Approver)
		if e.Mitigation != "" {
			s += "; instead: " + e.Mitigation
		}
		if r := e.Renewal(); r != "" {
			s += "; " + r
		}
		if e.Against != "" {
			s += "; AGAINST THE MANDATE: " + e.Against
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return ItemAnswered, []string{"No host is exempt."}
	}
	return ItemAnswered, out
}

func (b *builder) reappearedItem() (ItemState, []string) {
	if len(b.s.Reappeared) == 0 {
		return ItemAnswered, []string{"None: nothing has come back on a host from which it had been removed, as far as later looks tell."}
	}
	return ItemAnswered, b.s.Reappeared
}

func (b *builder) hostsItem() (ItemState, []string) {
	return ItemAnswered, []string{fmt.Sprintf("One row for each of the %s of the inventory stands in the table of hosts, and in the CSV file.", hosts(len(b.rows)))}
}

func (b *builder) embeddedItem() (ItemState, []string) {
	counts := "The mandate does not count the vendor's code inside other companies' products."
	if b.in.Campaign.Terms.Embedded {
		counts = "The mandate counts the vendor's code inside other companies' products."
	}
	out := []string{counts}
	searched := false
	for _, p := range b.s.Products {
		if searched = searched || p.Embedded; p.Embedded && p.Found > 0 {
			out = append(out, fmt.Sprintf("%s: found on %s, present on %s now", p.Title, hosts(p.Found), thousands(p.Present)))
		}
	}
	switch {
	case !searched:
		out = append(out, "No playbook in force searches for it, so nothing can be said about it.")
		if b.in.Campaign.Terms.Embedded {
			return ItemGap, append(out, "Add playbooks that do to playbooks in campaign.yaml.")
		}
	case len(out) == 1:
		out = append(out, "None was found on the hosts that were looked at.")
	}
	return ItemAnswered, out
}

func (b *builder) attestItem() (ItemState, []string) {
	rule, signed := b.in.Campaign.Terms.Attestation, b.in.Campaign.Form.Attest
	var out []string
	if rule != nil {
		out = []string{rule.Statement}
	}
	if signed == nil || signed.Name == "" {
		gap := "Nobody has signed it yet: fill in report.attestation in campaign.yaml"
		if rule != nil && rule.By != "" {
			gap += " with the name, title and date of the " + rule.By
		}
		return ItemGap, append(out, gap+".")
	}
	return ItemAnswered, append(out, fmt.Sprintf("%s, %s, %s", signed.Name, signed.Title, signed.Date.Format(time.DateOnly)))
}
