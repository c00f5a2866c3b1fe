package main

import (
	"fmt"
	"io"
	"strings"

	"oust/remediate"
	"oust/remediate/report"
)

// writeReportText writes a report in words, for a terminal.
func writeReportText(w io.Writer, s report.Snapshot) error {
	const width = 100
	out := []string{
		printable(s.Title),
		fmt.Sprintf("%s, campaign %s, as of %s", printable(s.Mandate.Title), printable(s.Campaign), s.At.Format("2006-01-02 15:04 UTC")),
		"",
	}
	for _, p := range s.Statement {
		out = append(out, wrap(printable(p), width)...)
	}
	for _, it := range s.Items {
		title := it.Title
		if it.Ref != "" {
			title = "(" + it.Ref + ") " + title
		}
		switch it.State {
		case report.ItemGap:
			title += "  [GAP]"
		case report.ItemNone:
			title += "  [does not apply]"
		}
		out = append(out, "", printable(title))
		for _, t := range it.Text {
			for i, line := range wrap(printable(t), width-4) {
				indent := "  - "
				if i > 0 {
					indent = "    "
				}
				out = append(out, indent+line)
			}
		}
	}
	out = append(out, "", "milestones")
	for _, m := range s.Milestones {
		out = append(out, fmt.Sprintf("  %-10s  %-9s %-18s %s", m.Date, printable(m.Name), m.Words(), printable(m.What)))
	}
	for _, d := range s.Duties {
		text := fmt.Sprintf("  %-10s  %-9s %-18s %s", d.Next, printable(d.Name), d.Words(), printable(d.What))
		if len(d.Missed) > 0 {
			text += fmt.Sprintf(" (missed %s)", few(d.Missed, 60))
		}
		out = append(out, text)
	}
	out = append(out, "", "hosts: "+hostNumbers(s))
	if s.Ledger.Size > 0 {
		out = append(out, fmt.Sprintf("ledger: %s, root %s", plural(int(s.Ledger.Size), "record"), s.Ledger.Root))
	}
	return lines(w, out)
}

// hostNumbers are the totals on one line.
func hostNumbers(s report.Snapshot) string {
	parts := []string{thousands(s.Totals.Hosts) + " in all"}
	for _, st := range remediate.Standings() {
		parts = append(parts, thousands(s.Totals.Standing[st])+" "+string(st))
	}
	return strings.Join(append(parts, thousands(s.Totals.Exempt)+" exempt"), ", ")
}
