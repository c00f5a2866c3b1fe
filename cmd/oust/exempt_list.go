package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"oust/remediate"
)

type exemptionMessage struct {
	Type string `json:"type"`
	remediate.Exemption
	Holds bool `json:"holds"`
	// Against says in what it goes against the mandate.
	Against []string `json:"against,omitempty"`
	// Earlier counts the exemptions that the host had before; Days is for how
	// many days it is exempt with those. Both are left out of the first one.
	Earlier int `json:"earlier,omitempty"`
	Days    int `json:"days,omitempty"`
}

// renewed counts what came before.
func (m *exemptionMessage) renewed(before []remediate.Exemption, zone *time.Location) {
	if m.Earlier = len(before); m.Earlier > 0 && m.Ground != remediate.GroundRetired {
		m.Days = remediate.ExemptDays(m.Exemption, before, zone)
	}
}

// renewal says what came before, empty for the first.
func (m *exemptionMessage) renewal() string {
	if m.Days == 0 {
		return ""
	}
	return fmt.Sprintf("; exemption %d of the host, %s in all", m.Earlier+1, plural(m.Days, "day"))
}

// exemptionsOf are those that exempt, or exempted, one host, oldest first.
func (w *workspace) exemptionsOf(ctx context.Context, host string) ([]remediate.Exemption, error) {
	all, err := w.store.Exemptions(ctx)
	if err != nil {
		return nil, err
	}
	var out []remediate.Exemption
	for _, x := range all {
		if x.Host == host && x.Ground != remediate.GroundRetired {
			out = append(out, x)
		}
	}
	return out, nil
}

func (a *app) listExemptions(ctx context.Context) error {
	w, err := a.openCampaign()
	if err != nil {
		return err
	}
	if err := w.openStoreToRead(ctx); err != nil {
		return err
	}
	all, err := w.store.Exemptions(ctx)
	if err != nil {
		return err
	}
	var out []string
	zones, before := zonesOf(w.hosts), map[string][]remediate.Exemption{}
	for _, x := range all {
		zone := zones[x.Host]
		m := exemptionMessage{Type: "exemption", Exemption: x, Holds: x.Holds(a.now()), Against: w.campaign.Terms.Exemptions.Against(x, before[x.Host], zone)}
		m.renewed(before[x.Host], zone)
		if x.Ground != remediate.GroundRetired {
			before[x.Host] = append(before[x.Host], x)
		}
		if a.json {
			if err := a.printJSON(m); err != nil {
				return err
			}
			continue
		}
		out = append(out, exemptionText(m, a.now()))
	}
	if a.json {
		return nil
	}
	if len(all) == 0 {
		out = []string{"no host is exempt"}
	}
	if rule := w.campaign.Terms.Exemptions.Allows(); rule != "" {
		out = append(out, "", fmt.Sprintf("%s allows %s", w.campaign.Terms.Name, rule))
	}
	return lines(a.Out, out)
}

// exemptionText is an exemption on one line.
func exemptionText(m exemptionMessage, now time.Time) string {
	const at = "2006-01-02 15:04 UTC"
	state := "until " + m.Until.UTC().Format(at)
	switch {
	case !m.Ended.IsZero():
		state = "taken back " + m.Ended.UTC().Format(at)
	case m.Retires(now):
		state = "retired " + m.At.UTC().Format(at)
	case !m.Holds:
		state = "over since " + m.Until.UTC().Format(at)
	}
	text := fmt.Sprintf("%s  %s  %s (%s)", printable(m.Host), state, printable(m.Reason), printable(m.Approver))
	if m.Ground != "" && m.Ground != remediate.GroundRetired {
		text += "; ground: " + printable(m.Ground)
	}
	if m.Mitigation != "" {
		text += "; instead: " + printable(m.Mitigation)
	}
	text += m.renewal()
	if len(m.Against) > 0 {
		text += "; AGAINST THE MANDATE: " + strings.Join(m.Against, "; ")
	}
	return text
}
