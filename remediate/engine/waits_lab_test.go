package engine_test

import (
	"testing"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports/lab"
)

// TestWaitsForItsRestart: a plan that is applied again to hosts that wait for
// their restart leaves them waiting, whatever is left there until then, and
// starts nothing; after the restart a look finds them clean.
func TestWaitsForItsRestart(t *testing.T) {
	config := lab.Config{Windows: 6, Seed: 5, WindowsFaults: lab.FaultMix{{Fault: "reboot-needed", Hosts: 2}}}
	inBubble(t, config, func(t *testing.T, r *bubbleRig) {
		plan := r.planned()
		waiting := r.apply(plan, engine.ApplyOptions{}).Outcomes[remediate.OutcomeRebootPending]
		if waiting == 0 {
			t.Fatal("no host waits for a restart")
		}
		started := r.starts()
		for range 2 {
			if sum := r.apply(plan, engine.ApplyOptions{}); sum.Outcomes[remediate.OutcomeRebootPending] != waiting {
				t.Errorf("applied again: %v", sum.Outcomes)
			}
		}
		if r.starts() != started || r.standings()[remediate.StandRemoved] != len(plan.Hosts)-waiting {
			t.Errorf("%d uninstallers were started, %d before; %v", r.starts(), started, r.standings())
		}
		for _, h := range r.hosts {
			if err := r.fleet.Reboot(h.Name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.engine().Verify(t.Context(), nil, r.hosts); err != nil {
			t.Fatal(err)
		}
		if r.standings()[remediate.StandRemoved] != len(plan.Hosts) {
			t.Errorf("after the restart: %v", r.standings())
		}
	})
}
