package schedule

import (
	"testing"
	"time"

	"oust/remediate"
)

// TestJoinForLong: an attempt that cannot be settled is tried for ever, and
// after a week a person hears of it.
func TestJoinForLong(t *testing.T) {
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	p := Planner{Rules: RetryRules(nil, remediate.WatchSettings{})}
	for since, person := range map[time.Duration]bool{time.Hour: false, 7 * 24 * time.Hour: false, 8 * 24 * time.Hour: true} {
		n := p.Decide(View{Open: true, OpenSince: now.Add(-since)}, now)
		if n.Work != WorkJoin || !n.At.Equal(now) || n.Person != person {
			t.Errorf("after %v: %+v, want a person: %v", since, n, person)
		}
	}
}
