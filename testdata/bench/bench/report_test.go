package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func samples(seconds ...float64) []sample {
	var out []sample
	for _, s := range seconds {
		d := time.Duration(s * float64(time.Second))
		out = append(out, sample{wall: d, cpu: d / 10, memory: 64 << 20})
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

func TestMedian(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []time.Duration
		want time.Duration
	}{
		{"one", []time.Duration{7}, 7},
		{"odd", []time.Duration{1, 3, 9}, 3},
		{"even", []time.Duration{1, 3, 5, 9}, 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := median(test.in); got != test.want {
				t.Errorf("median(%v) = %v, want %v", test.in, got, test.want)
			}
		})
	}
}
