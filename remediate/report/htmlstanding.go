package report

import "oust/remediate"

// standingText is a standing in a reader's words.
type standingText struct {
	Name    string
	Meaning string
}

// exempt stands beside the standings: an exempt host counts there alone.
const exempt remediate.Standing = "exempt"

var standingTexts = map[remediate.Standing]standingText{
	remediate.StandClear:      {"Clear", "looked at; nothing was ever found"},
	remediate.StandRemoved:    {"Removed", "found earlier; the last look found nothing"},
	remediate.StandPresent:    {"Present", "the last look found a product, or what it left"},
	remediate.StandReappeared: {"Reappeared", "removed, and found again by a later look"},
	remediate.StandUnseen:     {"Unseen", "no look has succeeded: nothing is known, and it is not counted as clean"},
	exempt:                    {"Exempt", "left out of the removal by a recorded exemption, whatever was found"},
}

// standOrder is the order of the bar and of its table: clean ones first, those
// that the mandate waits for last.
var standOrder = []remediate.Standing{
	remediate.StandClear, remediate.StandRemoved, exempt,
	remediate.StandUnseen, remediate.StandPresent, remediate.StandReappeared,
}

// standRow is a line of the table of standings.
type standRow struct {
	Standing remediate.Standing
	standingText
	Hosts int
}

func standRows(t Totals) []standRow {
	rows := make([]standRow, 0, len(standOrder))
	for _, s := range standOrder {
		rows = append(rows, standRow{Standing: s, standingText: standingTexts[s], Hosts: standHosts(t, s)})
	}
	return rows
}

func standHosts(t Totals, s remediate.Standing) int {
	if s == exempt {
		return t.Exempt
	}
	return t.Standing[s]
}

// barPart is a piece of the standing bar, in units of its viewBox.
type barPart struct {
	standRow
	X, W int
}

const (
	barWidth = 1000
	// barLeast keeps a single host among many in sight.
	barLeast = 6
	barGap   = 3
)

// standingBar cuts the bar's width by hosts. Parts too thin to be seen are
// widened, at the cost of the others.
func standingBar(t Totals) []barPart {
	var parts []barPart
	for _, row := range standRows(t) {
		if row.Hosts > 0 {
			parts = append(parts, barPart{standRow: row})
		}
	}
	all := 0
	for _, p := range parts {
		all += p.Hosts
	}
	width := barWidth - barGap*(len(parts)-1)
	isThin := func(p barPart) bool { return p.Hosts*width < barLeast*all }
	thin, rest := 0, all // rest is of hosts in parts that are not thin
	for _, p := range parts {
		if isThin(p) {
			thin++
			rest -= p.Hosts
		}
	}
	x := 0
	for i := range parts {
		p := &parts[i]
		p.X, p.W = x, barLeast
		if !isThin(*p) {
			p.W = max(barLeast, p.Hosts*(width-thin*barLeast)/rest)
		}
		x += p.W + barGap
	}
	return parts
}
