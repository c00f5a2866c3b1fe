package timing

import (
	"strings"
	"testing"
	"time"
)

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
			if got := Median(test.in); got != test.want {
				t.Errorf("Median(%v) = %v, want %v", test.in, got, test.want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Run(t.Context(), dir, time.Minute, []string{"OUST_BENCH_TEST=here"}, []string{"sh", "-c", `test "$OUST_BENCH_TEST" = here && test "$(pwd -P)" = "$(cd "$1" && pwd -P)"`, "sh", dir})
	if err != nil || s.Wall <= 0 || s.Memory <= 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Run(t.Context(), dir, time.Minute, nil, []string{"sh", "-c", "echo words; exit 3"}); err == nil || !strings.Contains(err.Error(), "words") {
		t.Errorf("a failure: %v", err)
	}
}
