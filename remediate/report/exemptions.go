package report

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// States of exemptions.
const (
	ExemptionHolds     = "holds"
	ExemptionOver      = "over"
	ExemptionTakenBack = "taken-back"
)

func (b *builder) exemptions() []Exemption {
	out := make([]Exemption, len(b.in.Exemptions))
	for i, e := range b.in.Exemptions {
		x := Exemption{Exemption: e, State: ExemptionHolds, Against: against(e, b.in.Campaign.Terms.Exemptions)}
		switch {
		case !e.Ended.IsZero() && !e.Ended.After(b.now):
			x.State = ExemptionTakenBack
		case !b.now.Before(e.Until):
			x.State = ExemptionOver
		}
		out[i] = x
	}
	return out
}

// against says how an exemption goes against the mandate's rule, empty if it
// does not.
func against(e remediate.Exemption, rule remediate.ExemptionRule) string {
	if rule.None {
		return "the mandate knows no exemptions"
	}
	var out []string
	if names := groundNames(rule); len(names) > 0 && !slices.Contains(names, e.Ground) {
		out = append(out, "its ground is none of "+strings.Join(names, ", "))
	}
	if rule.MaxDays > 0 && e.Until.After(e.At.AddDate(0, 0, rule.MaxDays+1)) { // until the end of the last day, in any zone
		out = append(out, fmt.Sprintf("it is longer than %d days", rule.MaxDays))
	}
	if rule.Mitigations && e.Mitigation == "" {
		out = append(out, "it does not say what is done instead")
	}
	return strings.Join(out, "; ")
}

func groundNames(rule remediate.ExemptionRule) []string {
	out := make([]string, len(rule.Grounds))
	for i, g := range rule.Grounds {
		out[i] = g.Name
	}
	return out
}

// reappeared names the hosts on which something came back, exempt ones
// included.
func (b *builder) reappeared() []string {
	out := []string{}
	for i := range b.rows {
		if b.rows[i].Standing == remediate.StandReappeared {
			out = append(out, b.rows[i].Name)
		}
	}
	return out
}
