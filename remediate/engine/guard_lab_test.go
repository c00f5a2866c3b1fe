package engine_test

import (
	"testing"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports/lab"
)

// TestUnreachableHostsStopARun: hosts that have gone since the plan count in
// the limit for unreachable hosts, and none of the next wave is touched.
func TestUnreachableHostsStopARun(t *testing.T) {
	t.Parallel()
	r := newLabRig(t, lab.Config{Hosts: 12, Seed: 9})
	r.engine.Campaign.Waves = []remediate.WaveSize{{Hosts: 6}, {Share: 1}}
	r.engine.Campaign.Stop = remediate.StopRules{Failed: 0, FailedHosts: 0, Unreachable: 0.3}
	r.scan(t)
	plan := r.plan(t)
	for _, h := range plan.Hosts[:2] {
		if err := r.fleet.SetFault(h.Name, "refused"); err != nil {
			t.Fatal(err)
		}
	}
	sum := r.apply(t, plan)
	if sum.ExitCode() != engine.ExitStopped || sum.Failed[remediate.ClassUnreachable] != 2 ||
		sum.Outcomes[remediate.OutcomeNotStarted] != 6 || sum.Outcomes[remediate.OutcomeRemoved] != 4 {
		t.Errorf("%+v", sum)
	}
	for _, h := range plan.Hosts[6:] {
		if starts, err := r.fleet.Starts(h.Name); err != nil || len(starts) > 0 {
			t.Errorf("%s of the second wave was touched: %v, %v", h.Name, starts, err)
		}
		// Every host has an outcome, also one whose turn did not come.
		n := 0
		for at, err := range r.store.HostAttempts(t.Context(), h.Name) {
			if err != nil || at.Outcome.Kind != remediate.OutcomeNotStarted {
				t.Errorf("%s: %+v, %v", h.Name, at, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%s has %d attempts", h.Name, n)
		}
	}
}
