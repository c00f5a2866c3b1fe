package probe

import (
	"testing"
)

// ordered are version texts as rpm orders them.
var ordered = []string{
	"", "a", "b", "0", "1", "1.0", "1.0a", "1.0.1", "1.1", "1.9", "1.10", "2",
	"3.10.0-1160.el7.x86_64", "3.10.0-1160.119.1.el7.x86_64",
	"5.14.0-427.13.1.el9_4.x86_64", "5.14.0-427.42.1.el9_4.x86_64", "10.0",
}

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := compareVersions(a, b), compareInts(i, j); got != want {
				t.Errorf("compareVersions(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"1.01", "1.1"}, {"1_2", "1.2"}, {"1.0-", "1.0"}, {"ä1", "1"}} {
		if got := compareVersions(same[0], same[1]); got != 0 {
			t.Errorf("compareVersions(%q, %q) = %d, want 0", same[0], same[1], got)
		}
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// FuzzCompareVersions: it is an order, whatever a host calls a version.
func FuzzCompareVersions(f *testing.F) {
	for i := range len(ordered) - 2 {
		f.Add(ordered[i], ordered[i+1], ordered[i+2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, ba, bc, ac := compareVersions(a, b), compareVersions(b, a), compareVersions(b, c), compareVersions(a, c)
		if ab != -ba || compareVersions(a, a) != 0 {
			t.Errorf("%q and %q: %d one way, %d the other", a, b, ab, ba)
		}
		if ab <= 0 && bc <= 0 && ac > 0 {
			t.Errorf("%q, %q and %q are in no order", a, b, c)
		}
	})
}
