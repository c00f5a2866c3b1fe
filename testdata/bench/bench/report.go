package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"oust/testdata/bench/machine"
	"oust/testdata/bench/timing"
)

// report is the whole outcome as Markdown.
func report(from string, s settings, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d real sshd hosts, medians of %d rounds (smallest to largest).\n\n%s\n", s.hosts, s.rounds, from)
	fmt.Fprintf(&b, "| tool | wall | client CPU | CPU a host | memory | nothing to do: wall | CPU |\n|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		wall, cpu := timing.Each(r.work, timing.WallOf), timing.Each(r.work, timing.CPUOf)
		fmt.Fprintf(&b, "| %s | %s | %s | %.1f ms | %.0f MiB | %s | %s |\n",
			r.tool.name, timing.Spread(wall), timing.Spread(cpu), timing.Milliseconds(timing.Median(cpu))/float64(s.hosts), timing.Memory(r.work),
			timing.Spread(timing.Each(r.nothing, timing.WallOf)), timing.Spread(timing.Each(r.nothing, timing.CPUOf)))
	}
	b.WriteString(ratios(results))
	b.WriteString("\n")
	for _, r := range results {
		fmt.Fprintf(&b, "- %s: %s\n", r.tool.name, r.tool.note)
	}
	return b.String()
}

// ratios compares oust, the first result, with each other tool.
func ratios(results []result) string {
	if len(results) < 2 || results[0].tool.name != "oust" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| oust beside | wall | client CPU | nothing to do: wall |\n|---|---|---|---|\n")
	ours := results[0]
	for _, r := range results[1:] {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.2f |\n", r.tool.name,
			timing.Ratio(ours.work, r.work, timing.WallOf), timing.Ratio(ours.work, r.work, timing.CPUOf), timing.Ratio(ours.nothing, r.nothing, timing.WallOf))
	}
	return b.String()
}

// origin says where the numbers come from.
func origin(ctx context.Context, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- machine: %s; the hosts share it with the tool\n", machine.Describe())
	fmt.Fprintf(&b, "- built with %s\n", runtime.Version())
	for _, r := range results {
		if r.tool.version == nil {
			continue
		}
		out, err := exec.CommandContext(ctx, r.tool.version[0], r.tool.version[1:]...).CombinedOutput()
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		fmt.Fprintf(&b, "- %s: %s\n", r.tool.name, first)
	}
	return b.String()
}
