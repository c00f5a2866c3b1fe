package engine_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/transports"
	"oust/transports/lab"
)

// TestClockStepped sets the controller's clock while jobs run, by hours and
// days, forth and back: nothing runs twice, no job is given up early, and no
// host waits longer than its pause.
func TestClockStepped(t *testing.T) {
	for _, c := range []struct {
		step time.Duration
		at   string // the step of a host at which it is set
		nth  int64
	}{
		{48 * time.Hour, "join", 1}, // all jobs that take long run, and none was asked again
		{-48 * time.Hour, "launch", 5},
		{time.Hour, "launch", 5},
		{-time.Hour, "join", 1},
	} {
		t.Run(fmt.Sprint(c.step), func(t *testing.T) {
			config := lab.Config{Hosts: 12, Windows: 6, Seed: 9, Faults: lab.FaultMix{{Fault: "uninstaller-fails", Hosts: 2}}}
			inBubble(t, config, func(t *testing.T, r *bubbleRig) { clockStepped(t, r, c.step, c.at, c.nth) })
		})
	}
}

func clockStepped(t *testing.T, r *bubbleRig, step time.Duration, at string, nth int64) {
	plan := r.planned()
	var off atomic.Int64
	var steps atomic.Int64
	lib, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Config{
		Store: r.store, Dialer: r, Library: lib, Campaign: r.campaign, By: "ann@controller",
		Target: func(h remediate.Host) (transports.Target, error) {
			return transports.Target{Host: h.Name, Address: h.Address, Port: h.Port,
				Credential: transports.Credential{Name: "root", User: userOf(h), Password: r.fleet.Password(), KeyFile: "key"}}, nil
		},
		// Both readings that a time has jump: no wait may go by this clock.
		Now: func() time.Time { return time.Now().Add(time.Duration(off.Load())) },
		Sink: engine.SinkFunc(func(ev engine.Event) {
			if s, ok := ev.(engine.HostStep); ok && s.Step == at && steps.Add(1) == nth {
				off.Store(int64(step)) // while jobs run
			}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Apply(t.Context(), nil, plan, r.hosts, engine.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if steps.Load() < nth {
		t.Fatal("the clock was never set")
	}
	clockTruth(t, r, 1)

	// The pause after a failure is an hour at least: in one day of real time a
	// host that failed has its second turn, whatever the clock says meanwhile.
	stop := make(chan struct{})
	back := time.AfterFunc(30*time.Minute, func() { off.Store(0) })
	defer back.Stop()
	end := time.AfterFunc(24*time.Hour, func() { close(stop) })
	defer end.Stop()
	if _, err := e.Serve(t.Context(), stop, r.hosts, engine.ServeOptions{}); err != nil {
		t.Fatal(err)
	}
	clockTruth(t, r, 2)
	t.Logf("%d uninstallers started, the clock set by %v and back", r.starts(), step)
}

// clockTruth asks the hosts themselves.
func clockTruth(t *testing.T, r *bubbleRig, turns int) {
	t.Helper()
	for _, h := range r.fleet.Hosts() {
		starts, err := r.fleet.Starts(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		attempts, seen := map[string]bool{}, map[string]bool{}
		for _, s := range starts {
			if seen[s.Attempt+s.Product] {
				t.Errorf("%s: %s ran twice in attempt %s", h.Name, s.Product, s.Attempt)
			}
			seen[s.Attempt+s.Product], attempts[s.Attempt] = true, true
		}
		st := r.state(h.Name)
		if st.Class == remediate.ClassTimeout || st.Class == remediate.ClassLostContact {
			t.Errorf("%s was given up early: %s %s", h.Name, st.Class, st.Detail)
		}
		switch {
		case h.Fault == "uninstaller-fails":
			if len(attempts) < turns {
				t.Errorf("%s had %d turns, want %d at least", h.Name, len(attempts), turns)
			}
		case len(h.Products) > 0 && len(attempts) != 1:
			t.Errorf("%s (%s): %d attempts started an uninstaller", h.Name, h.Outcome, len(attempts))
		}
	}
}
