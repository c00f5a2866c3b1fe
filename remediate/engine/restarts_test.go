package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
	"oust/transports"
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

// pending applies a plan, after which all its hosts wait for a restart, and
// lets oust restart them from then on.
func (r *bubbleRig) pending() *remediate.Plan {
	r.t.Helper()
	plan := r.planned()
	if sum := r.apply(plan, engine.ApplyOptions{}); sum.Outcomes[remediate.OutcomeRebootPending] != len(plan.Hosts) {
		r.t.Fatalf("%+v", sum)
	}
	r.campaign.Reboot = remediate.RebootSettings{Policy: remediate.RebootAlways, Delay: time.Minute}
	return plan
}

func (r *bubbleRig) wantRestarts(plan *remediate.Plan, when string, want int) {
	r.t.Helper()
	for _, h := range plan.Hosts {
		reboots, err := r.store.Reboots(r.t.Context(), h.Name)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(reboots) != want {
			r.t.Errorf("%s: %s was restarted %d times, want %d", when, h.Name, len(reboots), want)
		}
	}
}

// TestNoRestartUnderAHold: hosts that do not come back may be why a campaign is
// held; no other is restarted before a person has looked.
func TestNoRestartUnderAHold(t *testing.T) {
	inBubble(t, asksForRestart, func(t *testing.T, r *bubbleRig) {
		plan := r.pending()
		if err := r.store.SaveHold(t.Context(), remediate.Hold{At: time.Now(), Reason: "too many failures"}); err != nil {
			t.Fatal(err)
		}
		r.serve(3*24*time.Hour, engine.ServeOptions{})
		r.wantRestarts(plan, "held", 0)
		byHand := plan.Hosts[0].Name
		if err := r.fleet.Reboot(byHand); err != nil {
			t.Fatal(err)
		}
		r.serve(2*24*time.Hour, engine.ServeOptions{})
		if st := r.state(byHand); st.Standing != remediate.StandRemoved {
			t.Errorf("%s was restarted by a person: %s", byHand, st.Standing)
		}
		if err := r.engine().Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		plan.Hosts = plan.Hosts[1:]
		r.serve(time.Hour, engine.ServeOptions{})
		r.wantRestarts(plan, "released", 1)
	})
}

// TestNoRestartOnABlackoutDay: also where restarts need no window.
func TestNoRestartOnABlackoutDay(t *testing.T) {
	inBubble(t, asksForRestart, func(t *testing.T, r *bubbleRig) {
		plan := r.pending()
		today := time.Now().UTC()
		r.campaign.Blackouts = []remediate.Blackout{{From: today, To: today.AddDate(0, 0, 2), Why: "freeze"}}
		r.serve(2*24*time.Hour, engine.ServeOptions{})
		r.wantRestarts(plan, "on a blackout day", 0)
		r.serve(2*24*time.Hour, engine.ServeOptions{})
		r.wantRestarts(plan, "after it", 1)
	})
}

// TestNoRestartOfAnExemptHost: a host that was exempted while its job ran is
// not restarted when the run is taken up again.
func TestNoRestartOfAnExemptHost(t *testing.T) {
	inBubble(t, asksForRestart, func(t *testing.T, r *bubbleRig) {
		r.campaign.Reboot = remediate.RebootSettings{Policy: remediate.RebootAlways, Delay: time.Minute}
		plan := r.planned()
		r.interruptedAt(plan, "launch")
		for _, h := range plan.Hosts {
			x := remediate.Exemption{Host: h.Name, Reason: "audit", Approver: "CISO", Until: time.Now().Add(24 * time.Hour), At: time.Now()}
			if err := r.store.SaveExemption(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
		r.apply(plan, engine.ApplyOptions{})
		r.wantRestarts(plan, "exempt", 0)
		r.serve(2*24*time.Hour, engine.ServeOptions{})
		r.wantRestarts(plan, "not exempt any more", 1)
	})
}

// TestWavesWaitForInterruptedJobs: after an interruption the jobs of a wave are
// settled before the next wave begins, but not for ever.
func TestWavesWaitForInterruptedJobs(t *testing.T) {
	for _, lost := range []bool{false, true} {
		inBubbleNamed(t, fmt.Sprint("lost ", lost), lab.Config{Hosts: 6, Seed: 22, Faults: lab.FaultMix{{Fault: "hangs", Share: 1}}}, func(t *testing.T, r *bubbleRig) {
			r.campaign.Waves = []remediate.WaveSize{{Hosts: 1}, {Share: 1}}
			r.campaign.Timing.Poll = 30 * time.Second // jobs hang for an hour
			plan := r.planned()
			r.interruptedAt(plan, "launch")
			first := plan.Hosts[0].Name
			r.mu.Lock()
			r.away[first] = lost
			r.mu.Unlock()
			r.serve(20*time.Minute, engine.ServeOptions{})
			if began := r.starts() > 1; began != lost {
				t.Errorf("the second wave has begun: %v, while the job of the first one runs", began)
			}
			if r.serve(time.Hour, engine.ServeOptions{}); r.starts() == 1 {
				t.Error("the second wave never began")
			}
		})
	}
}

func inBubbleNamed(t *testing.T, name string, config lab.Config, test func(t *testing.T, r *bubbleRig)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { inBubble(t, config, test) })
}

// noRestarts refuses the restart of hosts, as a person does who takes each one
// back.
type noRestarts struct {
	*bubbleRig
	asked atomic.Int64
}

func (d *noRestarts) Dial(ctx context.Context, t transports.Target) (transports.Conn, error) {
	conn, err := d.bubbleRig.Dial(ctx, t)
	return &noRestartConn{conn, d}, err
}

type noRestartConn struct {
	transports.Conn
	d *noRestarts
}

func (c *noRestartConn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	if bytes.Contains(cmd.Stdin, []byte("for name in shutdown reboot")) {
		c.d.asked.Add(1)
		return transports.Result{}, &transports.Error{Class: transports.LostContact, Op: "run", Err: context.DeadlineExceeded}
	}
	return c.Conn.Run(ctx, cmd)
}

// TestRestartsThatComeToNothing: a host that does not restart is asked less and
// less often.
func TestRestartsThatComeToNothing(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 1, Seed: 23, Faults: lab.FaultMix{{Fault: "reboot-needed", Share: 1}}}, func(t *testing.T, r *bubbleRig) {
		plan := r.pending()
		d := &noRestarts{bubbleRig: r}
		r.dialer = d
		r.campaign.Reboot.Wait = time.Minute
		r.serve(3*24*time.Hour, engine.ServeOptions{})
		if n := d.asked.Load(); n < 10 || n > 25 {
			t.Errorf("asked %d times in 3 days", n)
		}
		r.dialer = nil
		r.serve(5*time.Hour, engine.ServeOptions{})
		r.wantRestarts(plan, "at last", 1)
		if st := r.state(plan.Hosts[0].Name); st.Standing != remediate.StandRemoved {
			t.Errorf("%+v", st)
		}
	})
}
