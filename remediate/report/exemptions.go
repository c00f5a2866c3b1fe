package report

import (
	"strings"
	"time"

	"oust/remediate"
)

// States of exemptions.
const (
	ExemptionHolds     = "holds"
	ExemptionOver      = "over"
	ExemptionTakenBack = "taken-back"
)

func (b *builder) exemptions() []Exemption {
	rule := b.in.Campaign.Terms.Exemptions
	out := make([]Exemption, len(b.in.Exemptions))
	for i, e := range b.in.Exemptions {
		var z *time.Location
		if row, known := b.index[e.Host]; known {
			z = zone(b.rows[row].Zone)
		}
		x := Exemption{Exemption: e, State: ExemptionHolds, Against: strings.Join(rule.Against(e, z), "; ")}
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

// zone is a host's; nil, which is UTC, where the name is unknown.
func zone(name string) *time.Location {
	if name == "" {
		return nil
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return z
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
