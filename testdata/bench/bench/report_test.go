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
		{tool: tool{name: "oust", note: "ours"}, work: samples(2, 1, 9), nothing: samples(1, 1, 1)},
		{tool: tool{name: "other", note: "theirs"}, work: samples(4, 4, 4), nothing: samples(2, 1, 4)},
	}
	got := report("- machine\n", settings{hosts: 40, rounds: 3}, results)
	want := strings.TrimLeft(`
40 real sshd hosts, medians of 3 rounds (smallest to largest).

- machine

| tool | wall | client CPU | CPU a host | memory | nothing to do: wall | CPU |
|---|---|---|---|---|---|---|
| oust | 2.00 s (1.00 to 9.00) | 0.20 s (0.10 to 0.90) | 5.0 ms | 64 MiB | 1.00 s (1.00 to 1.00) | 0.10 s (0.10 to 0.10) |
| other | 4.00 s (4.00 to 4.00) | 0.40 s (0.40 to 0.40) | 10.0 ms | 64 MiB | 2.00 s (1.00 to 4.00) | 0.20 s (0.10 to 0.40) |

| oust beside | wall | client CPU | nothing to do: wall |
|---|---|---|---|
| other | 0.50 | 0.50 | 0.50 |

- oust: ours
- other: theirs
`, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}
