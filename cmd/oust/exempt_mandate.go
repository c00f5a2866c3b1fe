package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"oust/remediate"
)

// allowed returns the reason that an exemption is recorded with, or says why
// the mandate does not allow it. One that a person insists on says so itself.
// before are those that its host had.
func allowed(m remediate.Mandate, x remediate.Exemption, before []remediate.Exemption, zone *time.Location, insisted bool) (reason string, err error) {
	against := m.Exemptions.Against(x, before, zone)
	switch {
	case len(against) == 0:
		return x.Reason, nil
	case insisted:
		return fmt.Sprintf("%s [against %s: %s]", x.Reason, m.Name, strings.Join(against, "; ")), nil
	}
	text := fmt.Sprintf("%s allows %s; of this one: %s", m.Name, m.Exemptions.Allows(), strings.Join(against, "; "))
	if near := remediate.Nearest(x.Ground, m.Exemptions.GroundNames()); near != "" && near != x.Ground {
		text += fmt.Sprintf("; did you mean --ground %s?", near)
	}
	for _, g := range m.Exemptions.Grounds {
		text += fmt.Sprintf("\n  --ground %s: %s", g.Name, g.What)
	}
	return "", errors.New(text + "\n  --against-mandate records it all the same, and says so")
}

// zonesOf are the time zones of hosts, by name; those that are not known are
// left out.
func zonesOf(hosts []remediate.Host) map[string]*time.Location {
	out, known := map[string]*time.Location{}, map[string]*time.Location{}
	for _, h := range hosts {
		zone, seen := known[h.Zone]
		if !seen {
			zone, _ = time.LoadLocation(h.Zone) // nil where it is unknown
			known[h.Zone] = zone
		}
		if zone != nil {
			out[h.Name] = zone
		}
	}
	return out
}
