package report

import "oust/remediate"

// maxRows bounds the hosts that the page lists. A fleet of up to as many is
// listed whole. Of a larger one the page lists hosts that are not clean, and
// clean ones on which something is to be seen to.
const maxRows = 5000

// hostOrder is the order in which hosts are listed: those that need most first.
var hostOrder = []remediate.Standing{
	remediate.StandReappeared, remediate.StandPresent, remediate.StandUnseen,
	exempt, remediate.StandRemoved, remediate.StandClear,
}

// hostGroup is the hosts of one standing, or the exempt ones.
type hostGroup struct {
	Standing remediate.Standing
	standingText
	Hosts int // of the inventory
	Rows  []*HostRow
}

// Left counts those that the page does not list.
func (g hostGroup) Left() int { return g.Hosts - len(g.Rows) }

func groupByStanding(hosts []HostRow, t Totals) []hostGroup {
	whole := len(hosts) <= maxRows
	by := map[remediate.Standing][]*HostRow{}
	for i := range hosts {
		h := &hosts[i]
		s := h.Standing
		if h.Exempt {
			s = exempt
		}
		if whole || !clean(s) || h.Class != "" || h.Bare != "" || h.Person {
			by[s] = append(by[s], h)
		}
	}
	var groups []hostGroup
	room := maxRows
	for _, s := range hostOrder {
		n := standHosts(t, s)
		if n == 0 {
			continue
		}
		rows := by[s][:min(len(by[s]), room)]
		room -= len(rows)
		groups = append(groups, hostGroup{Standing: s, standingText: standingTexts[s], Hosts: n, Rows: rows})
	}
	return groups
}

func clean(s remediate.Standing) bool {
	return s == remediate.StandClear || s == remediate.StandRemoved
}
