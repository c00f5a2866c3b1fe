package remediate

import (
	"fmt"
	"strings"
	"time"
)

// Against says in what an exemption goes against the rule, one thing an entry;
// none if it keeps to it. Its term is counted in calendar days of zone, the
// host's; nil is UTC.
func (r ExemptionRule) Against(e Exemption, zone *time.Location) []string {
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
	if n := term(e, zone); r.MaxDays > 0 && n > r.MaxDays {
		out = append(out, fmt.Sprintf("its term is %d days", n))
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
		parts = append(parts, fmt.Sprintf("for at most %d days", r.MaxDays))
	}
	if r.Mitigations {
		parts = append(parts, "with what is done instead")
	}
	if len(parts) == 0 {
		return ""
	}
	return "exemptions " + strings.Join(parts, ", ")
}

// term is the number of days from the one on which an exemption was recorded
// to its last one.
func term(e Exemption, zone *time.Location) int {
	if zone == nil {
		zone = time.UTC
	}
	const day = 24 * time.Hour
	date := func(t time.Time) time.Time {
		y, m, d := t.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(date(e.Until.Add(-1)).Sub(date(e.At)) / day)
}
