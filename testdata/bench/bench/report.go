package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"oust/testdata/bench/machine"
)

// report is the whole outcome as Markdown.
func report(from string, s settings, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d real sshd hosts, medians of %d rounds (smallest to largest).\n\n%s\n", s.hosts, s.rounds, from)
	fmt.Fprintf(&b, "| tool | wall | client CPU | CPU a host | memory | nothing to do: wall | CPU |\n|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		wall, cpu := each(r.work, wallOf), each(r.work, cpuOf)
		fmt.Fprintf(&b, "| %s | %s | %s | %.1f ms | %.0f MiB | %s | %s |\n",
			r.tool.name, spread(wall), spread(cpu), ms(median(cpu))/float64(s.hosts), memory(r.work),
			spread(each(r.nothing, wallOf)), spread(each(r.nothing, cpuOf)))
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
			ratio(ours.work, r.work, wallOf), ratio(ours.work, r.work, cpuOf), ratio(ours.nothing, r.nothing, wallOf))
	}
	return b.String()
}

func wallOf(s sample) time.Duration { return s.wall }
func cpuOf(s sample) time.Duration  { return s.cpu }

func each(samples []sample, of func(sample) time.Duration) []time.Duration {
	out := make([]time.Duration, len(samples))
	for i, s := range samples {
		out[i] = of(s)
	}
	slices.Sort(out)
	return out
}

func ratio(ours, theirs []sample, of func(sample) time.Duration) float64 {
	return float64(median(each(ours, of))) / float64(median(each(theirs, of)))
}

// median is that of sorted values; of an even number, the mean of the middle two.
func median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func spread(sorted []time.Duration) string {
	return fmt.Sprintf("%.2f s (%.2f to %.2f)", median(sorted).Seconds(), sorted[0].Seconds(), sorted[len(sorted)-1].Seconds())
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// memory is the median of the largest process, in MiB.
func memory(samples []sample) float64 {
	sizes := make([]int64, len(samples))
	for i, s := range samples {
		sizes[i] = s.memory
	}
	slices.Sort(sizes)
	return float64(sizes[len(sizes)/2]) / (1 << 20)
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
