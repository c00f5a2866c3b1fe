package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/testdata/bench/timing"
)

func samples(seconds ...float64) []timing.Sample {
	var out []timing.Sample
	for _, s := range seconds {
		d := time.Duration(s * float64(time.Second))
		out = append(out, timing.Sample{Wall: d, CPU: d / 10, Memory: 64 << 20})
	}
	return out
}

func TestReport(t *testing.T) {
	t.Parallel()
	results := []result{
		{tool: tool{name: "oust", note: "ours"}, look: samples(1, 1, 1), remove: samples(2, 1, 9), lookCounts: counts{1, 9}, removeCounts: counts{3, 31}},
		{tool: tool{name: "oust, more", atOnce: 500, note: "ours, too"}, look: samples(0.5), remove: samples(1)},
		{tool: tool{name: "other", note: "theirs"}, look: samples(4, 4, 4), remove: samples(10, 20, 40), lookCounts: counts{1, 8}, removeCounts: counts{5, 46}},
	}
	got := report("- machine\n", settings{hosts: 200, rounds: 3, forks: 40}, results)
	want := strings.TrimLeft(`
- machine

One simulated Windows host, HTTP sealed by NTLM:

| tool | look: connections | requests | removal: connections | requests |
|---|---|---|---|---|
| oust | 1 | 9 | 3 | 31 |
| other | 1 | 8 | 5 | 46 |

200 simulated Windows hosts, NTLM over TLS, 40 at once, medians of 3 rounds (smallest to largest):

| tool | look: wall | client CPU | removal: wall | client CPU | CPU a host |
|---|---|---|---|---|---|
| oust | 1.00 s (1.00 to 1.00) | 0.10 s (0.10 to 0.10) | 2.00 s (1.00 to 9.00) | 0.20 s (0.10 to 0.90) | 1.0 ms |
| oust, more | 0.50 s (0.50 to 0.50) | 0.05 s (0.05 to 0.05) | 1.00 s (1.00 to 1.00) | 0.10 s (0.10 to 0.10) | 0.5 ms |
| other | 4.00 s (4.00 to 4.00) | 0.40 s (0.40 to 0.40) | 20.00 s (10.00 to 40.00) | 2.00 s (1.00 to 4.00) | 10.0 ms |

| ratio | look: wall | client CPU | removal: wall | client CPU |
|---|---|---|---|---|
| oust / other | 0.250 | 0.250 | 0.100 | 0.100 |
| oust, more / other | 0.125 | 0.125 | 0.050 | 0.050 |

- oust: ours
- oust, more: ours, too
- other: theirs
`, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}
