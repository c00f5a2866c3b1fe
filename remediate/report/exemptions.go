package report

import (
	"fmt"
	"strings"
	"time"

	"oust/remediate"
)

// States of exemptions.
const (
	ExemptionHolds     = "holds"
	ExemptionOver      = "over"
	ExemptionTakenBack = "taken-back"
	ExemptionRetired   = "retired" // it says that the host has left the inventory for good
)

func (b *builder) exemptions() []Exemption {
	rule := b.in.Campaign.Terms.Exemptions
	out, before := make([]Exemption, len(b.in.Exemptions)), map[string][]remediate.Exemption{}
	for i, e := range b.in.Exemptions {
		var z *time.Location
		if row, known := b.index[e.Host]; known {
			z = zone(b.rows[row].Zone)
		}
		x := Exemption{Exemption: e, State: ExemptionHolds, Against: strings.Join(rule.Against(e, before[e.Host], z), "; ")}
		if e.Ground != remediate.GroundRetired {
			if x.Earlier = len(before[e.Host]); x.Earlier > 0 {
				x.Days = remediate.ExemptDays(e, before[e.Host], z)
			}
			before[e.Host] = append(before[e.Host], e)
		}
		switch {
		case !e.Ended.IsZero() && !e.Ended.After(b.now):
			x.State = ExemptionTakenBack
		case !b.now.Before(e.Until):
			x.State = ExemptionOver
		case e.Ground == remediate.GroundRetired:
			x.State = ExemptionRetired
		}
		out[i] = x
	}
	return out
}

// Renewal says what came before an exemption, empty for the first of its host.
func (e Exemption) Renewal() string {
	if e.Days == 0 {
		return ""
	}
	return fmt.Sprintf("exemption %d of the host, %s in all", e.Earlier+1, count(e.Days, "day", "days"))
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
