package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// title is the mandate's for this report, or the kind's.
func title(in Input) string {
	for _, r := range in.Campaign.Terms.Reports {
		if r.Report == in.Report && r.Title != "" {
			return r.Title
		}
	}
	switch in.Report {
	case remediate.ReportIdentify:
		return "Identification report"
	case remediate.ReportPlan:
		return "Plan of action"
	}
	return "Status report"
}

// statement is the report in a few sentences. It calls no host clean that was
// not seen.
func (b *builder) statement() []string {
	if len(b.rows) == 0 {
		return []string{"The inventory holds no host, so nothing can be said."}
	}
	out := []string{b.lookedStatement()}
	for _, s := range []string{b.unaskedStatement(), b.unseenStatement()} {
		if s != "" {
			out = append(out, s)
		}
	}
	switch b.in.Report {
	case remediate.ReportPlan:
		out = append(out, b.planStatement())
	case remediate.ReportStatus:
		out = append(out, b.progressStatement())
	}
	for _, s := range []string{b.embeddedStatement(), b.goneStatement()} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// lookedStatement says what was looked at, when, how, and what was found.
func (b *builder) lookedStatement() string {
	t := b.s.Totals
	if t.Seen == 0 && t.Hosts == 1 {
		return "The only host has not been looked at successfully, so it is not known whether anything is there."
	}
	if t.Seen == 0 {
		return fmt.Sprintf("None of the %s has been looked at successfully, so it is not known whether anything is there.", hosts(t.Hosts))
	}
	looked := fmt.Sprintf("%s of %s %s looked at, %s, by %s", thousands(t.Seen), hosts(t.Hosts), verb(t.Seen, "was", "were"), b.between(), b.how())
	present, counts := presentNow(b.rows), ""
	if b.embeddedStatement() != "" {
		counts = " that the mandate counts"
	}
	switch {
	case t.Found == 0:
		return "Nothing was found" + counts + ": " + looked + "."
	case present == 0:
		return fmt.Sprintf("Nothing is left on the hosts that were looked at: %s. Something had been found on %s before.", looked, hosts(t.Found))
	}
	exempt := countRows(b.rows, func(r *HostRow) bool { return r.Exempt && hasNow(r) })
	return fmt.Sprintf("Found on %s: %s. Something is there now on %s%s.", hosts(t.Found), looked, hosts(present), exemptOf(exempt, present))
}

// exemptOf says how many of all the hosts just counted are exempt, for the tables
// count these apart.
func exemptOf(n, all int) string {
	switch {
	case n == 0:
		return ""
	case all == 1:
		return " (exempt)"
	}
	return fmt.Sprintf(" (%s of them exempt)", thousands(n))
}

func presentNow(rows []HostRow) int {
	return countRows(rows, hasNow)
}

func countRows(rows []HostRow, of func(*HostRow) bool) int {
	n := 0
	for i := range rows {
		if of(&rows[i]) {
			n++
		}
	}
	return n
}

// between is when the last successful looks were.
func (b *builder) between() string {
	var first, last time.Time
	for i, m := range b.s.Methods {
		if i == 0 || m.First.Before(first) {
			first = m.First
		}
		if m.Last.After(last) {
			last = m.Last
		}
	}
	if day(first) == day(last) {
		return "on " + day(first)
	}
	return "between " + day(first) + " and " + day(last)
}

// how names the ways in which hosts were looked at.
func (b *builder) how() string {
	var names []string
	seen := map[string]bool{}
	for _, m := range b.s.Methods {
		name := methodName(m)
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return "a look at what is installed (" + strings.Join(names, ", ") + ")"
}

func methodName(m Method) string {
	platform, transport := "platform not recorded", "transport not recorded"
	switch m.Platform {
	case remediate.Linux:
		platform = "Linux"
	case remediate.Windows:
		platform = "Windows"
	case remediate.MacOS:
		platform = "macOS"
	case remediate.PlatformUnknown:
	default:
		platform = string(m.Platform)
	}
	switch m.Transport {
	case remediate.TransportSSH:
		transport = "SSH"
	case remediate.TransportWinRM:
		transport = "WinRM"
	case "":
	default:
		transport = m.Transport
	}
	return platform + " over " + transport
}

// unseenStatement says what was not seen, and why; empty if all was.
func (b *builder) unseenStatement() string {
	t := b.s.Totals
	if t.Never == 0 || t.Seen == 0 && len(b.s.Unseen) == 0 {
		return ""
	}
	parts := make([]string, len(b.s.Unseen))
	for i, u := range b.s.Unseen {
		parts[i] = thousands(u.Hosts) + " because " + u.Why
	}
	exempt := countRows(b.rows, func(r *HostRow) bool { return r.Exempt && r.Standing == remediate.StandUnseen })
	return fmt.Sprintf("%s%s %s never been seen, and %s as unseen, not as clean: %s.",
		hosts(t.Never), exemptOf(exempt, t.Never), verb(t.Never, "has", "have"), verb(t.Never, "counts", "count"), strings.Join(parts, ", "))
}

func (b *builder) planStatement() string {
	present := presentNow(b.rows)
	if b.s.Totals.Seen == 0 {
		return "No host has been looked at yet, so that nothing can be planned."
	}
	if present == 0 {
		return "There is nothing to remove on the hosts that were looked at. Later looks go on, and a host on which something appears is planned then."
	}
	planned, stages, left := 0, 0, 0
	for _, s := range b.s.Timeline {
		if s.What == InNoPlan {
			left += s.Hosts
			continue
		}
		planned, stages = planned+s.Hosts, stages+1
	}
	if len(b.s.Timeline) == 0 {
		return fmt.Sprintf("There is no plan yet for %s.", hosts(present))
	}
	s := fmt.Sprintf("The plan covers %s in %s.", hosts(planned), count(stages, "stage", "stages"))
	if left > 0 {
		s += fmt.Sprintf(" %s with something there %s in no plan yet.", hosts(left), verb(left, "is", "are"))
	}
	return s
}

func (b *builder) progressStatement() string {
	t := b.s.Totals
	removed := countRows(b.rows, func(r *HostRow) bool { return r.Standing == remediate.StandRemoved })
	s := fmt.Sprintf("Removed from %s of %s on which something was found", thousands(removed), hosts(t.Found))
	switch {
	case t.Seen == 0:
		s = "No host has been looked at"
	case t.Found == 0:
		s = "Nothing was found on the hosts that were looked at"
	}
	open := t.Standing[remediate.StandPresent] + t.Standing[remediate.StandReappeared]
	s += fmt.Sprintf("; %s %s open: %s with something there, %s unseen.", hosts(t.Open), verb(t.Open, "is", "are"),
		thousands(open), thousands(t.Standing[remediate.StandUnseen]))
	if t.Exempt > 0 {
		s += fmt.Sprintf(" %s %s exempt.", hosts(t.Exempt), verb(t.Exempt, "is", "are"))
	}
	if n := len(b.s.Reappeared); n > 0 {
		s += fmt.Sprintf(" On %s it came back after it had been removed.", hosts(n))
	}
	if n := countRows(b.rows, func(r *HostRow) bool { return r.Bare != "" }); n > 0 {
		s += fmt.Sprintf(" Nothing protects %s now.", hosts(n))
	}
	return s
}

// embeddedStatement tells of the vendor's code inside other products, which is
// always reported.
func (b *builder) embeddedStatement() string {
	found, counts := 0, false
	for _, p := range b.s.Products {
		if p.Embedded && p.Found > 0 {
			found, counts = found+1, counts || p.Counts
		}
	}
	if found == 0 {
		return ""
	}
	if counts {
		return fmt.Sprintf("Of this, the vendor's code inside %s of other companies counts, as the mandate says.", count(found, "product", "products"))
	}
	return fmt.Sprintf("Beside this, the vendor's code was found inside %s of other companies and is on %s now. The mandate does not count it: it is reported, and changes no host's standing.",
		count(found, "product", "products"), hosts(b.s.Totals.Noted))
}

// retired are the hosts that have left the inventory and of which it is recorded
// where they went, with the reason, by name. What was recorded before a host came
// back and had it again says nothing of where it is now.
func (b *builder) retired() []string {
	var out []string
	for _, e := range b.in.Exemptions {
		_, gone := slices.BinarySearch(b.s.Totals.Gone, e.Host)
		_, open := slices.BinarySearch(b.s.Totals.GoneOpen, e.Host)
		if gone && !open && e.Retires(b.now) {
			out = append(out, fmt.Sprintf("%s (%s; approved by %s)", e.Host, e.Reason, e.Approver))
		}
	}
	slices.Sort(out)
	return out
}

// goneStatement names hosts that the inventory does not have any more: taking a
// host out of it must not make a report better unseen.
func (b *builder) goneStatement() string {
	const most = 10
	gone := b.s.Totals.Gone
	if len(gone) == 0 {
		return ""
	}
	some := func(all []string) string {
		names := strings.Join(all[:min(most, len(all))], ", ")
		if n := len(all) - most; n > 0 {
			names += " and " + thousands(n) + " more"
		}
		return names
	}
	names, found := some(gone), ""
	if n := b.s.Totals.GoneFound; n > 0 {
		found = fmt.Sprintf(" Something had been found on %s.", ofThese(n, len(gone)))
	}
	if retired := b.retired(); len(retired) > 0 {
		found += fmt.Sprintf(" Of %s it is recorded where they went: %s.", thousands(len(retired)), some(retired))
	}
	if open := b.s.Totals.GoneOpen; len(open) > 0 {
		found += fmt.Sprintf(" It was still on %s when %s last seen, and nobody has recorded where %s went: %s.",
			ofThese(len(open), len(gone)), verb(len(gone), "it was", "they were"), verb(len(gone), "it", "they"), some(open))
	}
	return fmt.Sprintf("%s that %s recorded %s not in the inventory any more, and in no number of this report: %s.%s",
		hosts(len(gone)), verb(len(gone), "is", "are"), verb(len(gone), "is", "are"), names, found)
}

// ofThese is n of all hosts that were named.
func ofThese(n, all int) string {
	if all == 1 {
		return "it"
	}
	return thousands(n) + " of them"
}
