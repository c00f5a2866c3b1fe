package winrm

import (
	"testing"
	"time"
)

// TestPauseAfter: a host that answers at once is not asked without end,
// whether it says nothing or a word at a time.
func TestPauseAfter(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		brought int
		took    time.Duration
		want    []time.Duration // one after the other
	}{
		{"nothing, at once", 0, ms, []time.Duration{50 * ms, 100 * ms, 200 * ms, 400 * ms, 800 * ms, time.Second, time.Second}},
		{"nothing, after a while", 0, 20 * time.Second, []time.Duration{0, 0}},
		{"a word, at once", 10, ms, []time.Duration{5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 80 * ms}},
		{"a word, after a while", 10, 100 * ms, []time.Duration{0, 0}},
		{"much", gatherBytes, ms, []time.Duration{0, 0}},
	} {
		pause := time.Duration(0)
		for i, want := range c.want {
			if pause = pauseAfter(pause, c.brought, c.took); pause != want {
				t.Errorf("%s: pause %d is %v, want %v", c.name, i+1, pause, want)
			}
		}
	}
}
