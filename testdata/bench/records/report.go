package main

import (
	"fmt"
	"strings"

	"oust/testdata/bench/timing"
)

// table is what was measured, as Markdown.
func table(s settings, rows []measured, size int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of %d rounds (smallest to largest).\n\n", s.rounds)
	b.WriteString("| command | wall | CPU | memory |\n|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %.0f ms | %.0f MiB |\n", r.name, milliseconds(r.samples),
			timing.Milliseconds(timing.Median(timing.Each(r.samples, timing.CPUOf))), timing.Memory(r.samples))
	}
	var floors []measured
	b.WriteString("\n| wall, as a multiple of |")
	for _, r := range rows {
		if r.floor {
			floors = append(floors, r)
			b.WriteString(" " + r.name + " |")
		}
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(floors)) + "\n")
	for _, r := range rows {
		if r.floor {
			continue
		}
		b.WriteString("| " + r.name + " |")
		for _, f := range floors {
			fmt.Fprintf(&b, " %.1f |", timing.Ratio(r.samples, f.samples, timing.WallOf))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\nThe store takes %.0f bytes a host.\n", float64(size)/float64(s.hosts))
	return b.String()
}

// milliseconds is the median wall time, with the smallest and the largest.
func milliseconds(samples []timing.Sample) string {
	all := timing.Each(samples, timing.WallOf)
	return fmt.Sprintf("%.0f ms (%.0f to %.0f)", timing.Milliseconds(timing.Median(all)), timing.Milliseconds(all[0]), timing.Milliseconds(all[len(all)-1]))
}
