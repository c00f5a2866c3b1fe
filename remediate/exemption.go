package remediate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// GroundRetired is the ground of a host that has left the inventory for good: its
// exemption says where it went and who approved that, and exempts nothing.
// No mandate names it.
const GroundRetired = "(retired)"

// Against says in what an exemption goes against the rule, one thing an entry;
// none if it keeps to it. The longest term is one for all exemptions of a host,
// of which before are those recorded earlier, without retirements; see
// ExemptDays.
func (r ExemptionRule) Against(e Exemption, before []Exemption, zone *time.Location) []string {
	if e.Ground == GroundRetired {
		return nil
	}
	if r.None {
		return []string{"there are no exemptions"}
	}
	var out []string
	switch {
	case len(r.Grounds) == 0 || r.hasGround(e.Ground):
	case e.Ground == "":
		out = append(out, "it names no ground")
	default:
		out = append(out, fmt.Sprintf("%q is no ground", e.Ground))
	}
	if n := ExemptDays(e, before, zone); r.MaxDays > 0 && n > r.MaxDays {
		out = append(out, termText(n, len(before)))
	}
	if r.Mitigations && strings.TrimSpace(e.Mitigation) == "" {
		out = append(out, "it does not say what is done instead")
	}
	return out
}

func (r ExemptionRule) hasGround(name string) bool {
	for _, g := range r.Grounds {
		if g.Name == name {
			return true
		}
	}
	return false
}

// GroundNames are the names of the grounds, in order.
func (r ExemptionRule) GroundNames() []string {
	out := make([]string, len(r.Grounds))
	for i, g := range r.Grounds {
		out[i] = g.Name
	}
	return out
}

// Allows says what the rule allows, in one line; empty if it bounds nothing.
func (r ExemptionRule) Allows() string {
	if r.None {
		return "no exemptions"
	}
	var parts []string
	if len(r.Grounds) > 0 {
		parts = append(parts, "only on the grounds "+strings.Join(r.GroundNames(), ", "))
	}
	if r.MaxDays > 0 {
		parts = append(parts, fmt.Sprintf("for at most %d days a host, renewals included", r.MaxDays))
	}
	if r.Mitigations {
		parts = append(parts, "with what is done instead")
	}
	if len(parts) == 0 {
		return ""
	}
	return "exemptions " + strings.Join(parts, ", ")
}

func termText(days, before int) string {
	if before == 0 {
		return fmt.Sprintf("its term is %d days", days)
	}
	return fmt.Sprintf("with the %d before it, the host is exempt for %d days", before, days)
}

// ExemptDays is for how many days a host is exempt by an exemption and by those
// that were recorded earlier for it, until they ended or this one took their
// place: calendar days of zone, the host's, each of them once; nil is UTC. The
// day on which the first was recorded is day 0. Days between exemptions do not
// count, and do not begin the count anew: what a host is exempt for is what it
// may keep.
func ExemptDays(e Exemption, before []Exemption, zone *time.Location) int {
	if zone == nil {
		zone = time.UTC
	}
	of := slices.Clone(before)
	slices.SortStableFunc(of, func(a, b Exemption) int { return a.At.Compare(b.At) })
	days, last := -1, -1<<31 // the last day that is counted
	for i, x := range append(of, e) {
		to := x.Until
		if !x.Ended.IsZero() && x.Ended.Before(to) {
			to = x.Ended
		}
		if i < len(of) && e.At.Before(to) {
			to = e.At
		}
		first, end := dayOf(x.At, zone), max(dayOf(to.Add(-1), zone), dayOf(x.At, zone))
		if first = max(first, last+1); end >= first {
			days, last = days+end-first+1, end
		}
	}
	return max(days, 0)
}

// dayOf counts calendar days of zone.
func dayOf(t time.Time, zone *time.Location) int {
	const day = 24 * 60 * 60
	y, m, d := t.In(zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / day)
}
