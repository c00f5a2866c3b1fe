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
	fmt.Fprintf(&b, "%s\nOne simulated Windows host, HTTP sealed by NTLM:\n\n", from)
	b.WriteString("| tool | look: connections | requests | removal: connections | requests |\n|---|---|---|---|---|\n")
	for _, r := range results {
		if r.lookCounts == (counts{}) {
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", r.tool.name,
			r.lookCounts.connections, r.lookCounts.requests, r.removeCounts.connections, r.removeCounts.requests)
	}
	if s.rounds > 0 {
		b.WriteString(times(s, results))
	}
	b.WriteString("\n")
	for _, r := range results {
		fmt.Fprintf(&b, "- %s: %s\n", r.tool.name, r.tool.note)
	}
	return b.String()
}

// times are the tables of many hosts. Memory is not among them: the system
// counts for a program what the process held that started it, here the hosts.
func times(s settings, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d simulated Windows hosts, NTLM over TLS, %d at once, medians of %d rounds (smallest to largest):\n\n", s.hosts, s.forks, s.rounds)
	b.WriteString("| tool | look: wall | client CPU | removal: wall | client CPU | CPU a host |\n|---|---|---|---|---|---|\n")
	for _, r := range results {
		cpu := timing.Each(r.remove, timing.CPUOf)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %.1f ms |\n", r.tool.name,
			timing.Spread(timing.Each(r.look, timing.WallOf)), timing.Spread(timing.Each(r.look, timing.CPUOf)),
			timing.Spread(timing.Each(r.remove, timing.WallOf)), timing.Spread(cpu),
			timing.Milliseconds(timing.Median(cpu))/float64(s.hosts))
	}
	b.WriteString(ratios(results))
	return b.String()
}

// ratios compare each way to run oust with each other tool.
func ratios(results []result) string {
	isOurs := func(r result) bool { return strings.HasPrefix(r.tool.name, "oust") }
	var b strings.Builder
	for _, ours := range results {
		for _, r := range results {
			if isOurs(ours) && !isOurs(r) {
				fmt.Fprintf(&b, "| %s / %s | %.3f | %.3f | %.3f | %.3f |\n", ours.tool.name, r.tool.name,
					timing.Ratio(ours.look, r.look, timing.WallOf), timing.Ratio(ours.look, r.look, timing.CPUOf),
					timing.Ratio(ours.remove, r.remove, timing.WallOf), timing.Ratio(ours.remove, r.remove, timing.CPUOf))
			}
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n| ratio | look: wall | client CPU | removal: wall | client CPU |\n|---|---|---|---|---|\n" + b.String()
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
