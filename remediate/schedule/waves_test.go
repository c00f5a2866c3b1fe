package schedule

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

func TestWaves(t *testing.T) {
	n := func(hosts int) remediate.WaveSize { return remediate.WaveSize{Hosts: hosts} }
	share := func(s float64) remediate.WaveSize { return remediate.WaveSize{Share: s} }
	def := DefaultWaves()
	tests := []struct {
		name  string
		total int
		sizes []remediate.WaveSize
		want  []int
	}{
		{"a thousand", 1000, def, []int{1, 5, 50, 250, 694}},
		{"forty", 40, def, []int{1, 5, 2, 10, 22}},
		{"a hundred thousand", 100_000, def, []int{1, 5, 5000, 25_000, 69_994}},
		{"one host", 1, def, []int{1}},
		{"the second wave is cut", 4, def, []int{1, 3}},
		{"exactly two waves", 6, def, []int{1, 5}},
		{"a share of few is one host", 8, def, []int{1, 5, 1, 1}},
		{"nobody", 0, def, nil},
		{"fewer than nobody", -3, def, nil},
		{"the last wave takes what is left", 100, []remediate.WaveSize{n(1), n(5)}, []int{1, 99}},
		{"one wave", 100, []remediate.WaveSize{share(1)}, []int{100}},
		{"shares beyond all", 10, []remediate.WaveSize{share(0.7), share(0.7), share(0.7)}, []int{7, 3}},
		{"a share above all", 10, []remediate.WaveSize{share(7)}, []int{10}},
		{"a number above all", 10, []remediate.WaveSize{n(70), n(1)}, []int{10}},
		{"no binary rounding up", 20, []remediate.WaveSize{share(0.05), share(0.1), share(1)}, []int{1, 2, 17}},
		{"no binary rounding up of thirds", 300, []remediate.WaveSize{share(0.07), share(0.29), share(1)}, []int{21, 87, 192}},
		{"rounding up", 21, []remediate.WaveSize{share(0.05), share(1)}, []int{2, 19}},
		{"sizes that ask for nobody", 9, []remediate.WaveSize{n(0), n(2), n(-1), share(-1), share(1)}, []int{2, 7}},
		{"no sizes", 1000, nil, []int{1, 5, 50, 250, 694}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, Waves(tt.total, tt.sizes)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWavesAlwaysTakeEveryHostOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(-2, 2_000_000).Draw(t, "total")
		sizes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) remediate.WaveSize {
			if rapid.Bool().Draw(t, "by share") {
				return remediate.WaveSize{Share: rapid.Float64Range(-0.5, 1.5).Draw(t, "share")}
			}
			return remediate.WaveSize{Hosts: rapid.IntRange(-2, 3000).Draw(t, "hosts")}
		}), 0, 12).Draw(t, "sizes")
		got := Waves(total, sizes)
		if sum(got) != max(total, 0) {
			t.Fatalf("the sum of %v is not %d", got, total)
		}
		for i, n := range got {
			if n < 1 {
				t.Fatalf("wave %d of %v is empty", i+1, got)
			}
		}
		asked := asking(sizes)
		if len(asked) == 0 {
			return
		}
		if len(got) > len(asked) {
			t.Fatalf("%d waves of %d sizes", len(got), len(asked))
		}
		for i := range len(got) - 1 {
			if got[i] != hostsOf(asked[i], total) {
				t.Fatalf("wave %d has %d hosts, asked for %v", i+1, got[i], asked[i])
			}
		}
	})
}

func TestAShareNeverAsksForLessThanItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		total := rapid.IntRange(1, 1_000_000).Draw(t, "total")
		n := hostsOf(remediate.WaveSize{Share: float64(percent) / 100}, total)
		if exact := (percent*total + 99) / 100; n != exact {
			t.Fatalf("%d%% of %d is %d, not %d", percent, total, exact, n)
		}
	})
}
