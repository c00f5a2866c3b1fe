package engine_test

import (
	"context"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
	"oust/transports/lab"
)

// interruptedAt applies a plan, and cancels it as soon as a host comes to a
// step.
func (r *bubbleRig) interruptedAt(plan *remediate.Plan, step string) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	r.onEvent = func(ev engine.Event) {
		if s, ok := ev.(engine.HostStep); ok && s.Step == step {
			time.AfterFunc(100*time.Millisecond, cancel)
		}
	}
	if _, err := r.engine().Apply(ctx, nil, plan, r.hosts, engine.ApplyOptions{}); err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onEvent = nil
}

var asksForRestart = lab.Config{
	Hosts: 2, Windows: 2, Seed: 21,
	Faults:        lab.FaultMix{{Fault: "reboot-needed", Share: 1}},
	WindowsFaults: lab.FaultMix{{Fault: "reboot-needed", Share: 1}},
}

// TestRestartedWhileNobodyLooked: a job ended and asked for a restart while
// oust was away, and the host was restarted meanwhile: it is not asked for again.
func TestRestartedWhileNobodyLooked(t *testing.T) {
	inBubble(t, asksForRestart, func(t *testing.T, r *bubbleRig) {
		r.campaign.Reboot = remediate.RebootSettings{Policy: remediate.RebootAlways, Delay: time.Minute}
		plan := r.planned()
		r.interruptedAt(plan, "launch")
		time.Sleep(time.Hour)
		for _, h := range plan.Hosts {
			if err := r.fleet.Reboot(h.Name); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		r.once(engine.ServeOptions{})
		for _, h := range plan.Hosts {
			reboots, err := r.store.Reboots(t.Context(), h.Name)
			if err != nil {
				t.Fatal(err)
			}
			if st := r.state(h.Name); st.Standing != remediate.StandRemoved || st.Last.Kind != remediate.OutcomeRemoved || len(reboots) != 0 {
				t.Errorf("%s: %s, %+v; %d restarts", h.Name, st.Standing, st.Last, len(reboots))
			}
		}
	})
}

// TestPendingIsNotCleanByAbsence: a host that waits for a restart, does not
// answer for a day, and comes back in the same boot, waits still.
func TestPendingIsNotCleanByAbsence(t *testing.T) {
	inBubble(t, asksForRestart, func(t *testing.T, r *bubbleRig) {
		plan := r.planned()
		r.apply(plan, engine.ApplyOptions{})
		r.setAway(true)
		r.serve(2*24*time.Hour, engine.ServeOptions{})
		r.setAway(false)
		r.serve(2*24*time.Hour, engine.ServeOptions{})
		for _, h := range plan.Hosts {
			st, next := r.state(h.Name), r.next(h.Name)
			if st.Standing != remediate.StandPresent || st.Last.Kind != remediate.OutcomeRebootPending || next.Work != schedule.WorkVerify {
				t.Errorf("%s was not restarted: %s, %+v; next %+v", h.Name, st.Standing, st.Last, next)
			}
			if err := r.fleet.Reboot(h.Name); err != nil {
				t.Fatal(err)
			}
		}
		r.serve(30*time.Hour, engine.ServeOptions{})
		for _, h := range plan.Hosts {
			if st := r.state(h.Name); st.Standing != remediate.StandRemoved {
				t.Errorf("%s was restarted: %s, %+v", h.Name, st.Standing, st.Last)
			}
		}
	})
}
