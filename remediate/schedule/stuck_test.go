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
		n := p.Decide(View{State: &remediate.HostState{}, Open: true, OpenSince: now.Add(-since)}, now)
		if n.Work != WorkJoin || !n.At.Equal(now) || n.Person != person {
			t.Errorf("after %v: %+v, want a person: %v", since, n, person)
		}
	}
}

// TestAwayAfterFailure: a host that was away when it was looked at again is
// looked at, and not removed from: what its removal failed of still counts.
func TestAwayAfterFailure(t *testing.T) {
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	p := Planner{Rules: RetryRules(nil, remediate.WatchSettings{})}
	v := View{
		State: &remediate.HostState{
			Host: "a", Standing: remediate.StandPresent, Class: remediate.ClassUnreachable, Tries: 1, FailedAt: now,
			Last: remediate.Failed(remediate.ClassProtected, "no"), LastAt: now.Add(-time.Hour),
		},
		Planned: remediate.Planned{Host: "a", Plan: "p", Wave: 1, At: now.Add(-2 * time.Hour)},
	}
	if n := p.Decide(v, now); n.Work != WorkLook || !n.Watch {
		t.Errorf("away after protected: %+v, want a look behind a knock", n)
	}
	v.State.Last.Class = remediate.ClassUnreachable
	if n := p.Decide(v, now); n.Work != WorkRemove || !n.Watch {
		t.Errorf("away at its removal: %+v, want a removal behind a knock", n)
	}
}
