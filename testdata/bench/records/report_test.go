package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/testdata/bench/timing"
)

func samples(milliseconds ...int) []timing.Sample {
	var out []timing.Sample
	for _, ms := range milliseconds {
		d := time.Duration(ms) * time.Millisecond
		out = append(out, timing.Sample{Wall: d, CPU: 2 * d, Memory: 64 << 20})
	}
	return out
}

func TestTable(t *testing.T) {
	t.Parallel()
	rows := []measured{
		{work{name: "lines", floor: true}, samples(10, 30, 20)},
		{work{name: "rows", floor: true}, samples(100, 100, 100)},
		{work{name: "oust status"}, samples(200, 300, 250)},
	}
	want := strings.TrimLeft(`
Medians of 3 rounds (smallest to largest).

| command | wall | CPU | memory |
|---|---|---|---|
| lines | 20 ms (10 to 30) | 40 ms | 64 MiB |
| rows | 100 ms (100 to 100) | 200 ms | 64 MiB |
| oust status | 250 ms (200 to 300) | 500 ms | 64 MiB |

| wall, as a multiple of | lines | rows |
|---|---|---|
| oust status | 12.5 | 2.5 |

The store takes 6000 bytes a host.
`, "\n")
	if diff := cmp.Diff(want, table(settings{hosts: 1000, rounds: 3}, rows, 6_000_000)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
