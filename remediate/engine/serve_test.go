package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/schedule"
	"oust/remediate/storetest"
	"oust/transports"
	"oust/transports/lab"
)

// bubbleRig is an engine over simulated hosts without a wire, in a bubble of
// simulated time: days pass in moments.
type bubbleRig struct {
	t        *testing.T
	fleet    *lab.Fleet
	store    *storetest.Memory
	hosts    []remediate.Host
	campaign remediate.Campaign

	mu     sync.Mutex
	dials  map[string]int
	knocks map[string]int
	away   map[string]bool
	events []engine.Event
	// secret, if set, resolves secrets; all of them are then required.
	secret func(name string) (transports.Secret, error)
	// dialer, if set, is used in place of the rig.
	dialer transports.Dialer
	// onEvent, if set, is told of each event.
	onEvent func(engine.Event)
}

// inBubble runs a test with a rig.
func inBubble(t *testing.T, config lab.Config, test func(t *testing.T, r *bubbleRig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config.Offline = true
		fleet, err := lab.Start(context.WithoutCancel(t.Context()), config)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = fleet.Close() }()
		r := &bubbleRig{
			t: t, fleet: fleet, store: storetest.NewMemory(time.Now), dials: map[string]int{}, knocks: map[string]int{}, away: map[string]bool{},
			campaign: remediate.Campaign{
				Name: "test", Stop: remediate.StopRules{Failed: 1, FailedHosts: -1, Unreachable: 1}, Waves: []remediate.WaveSize{{Share: 1}},
				Timing: remediate.Timing{Poll: 5 * time.Second, BusyWait: time.Second},
			},
		}
		for _, h := range fleet.Hosts() {
			r.hosts = append(r.hosts, remediate.Host{Name: h.Name, Address: h.Address, Port: h.Port, Platform: platformOf(h), Zone: "Europe/Berlin"})
		}
		test(t, r)
	})
}

func platformOf(h lab.HostInfo) remediate.Platform {
	if strings.HasPrefix(h.OS, "windows") || strings.HasPrefix(h.OS, "server") {
		return remediate.Windows
	}
	return remediate.Linux
}

// Dial implements transports.Dialer.
func (r *bubbleRig) Dial(ctx context.Context, t transports.Target) (transports.Conn, error) {
	r.mu.Lock()
	r.dials[t.Host]++
	away := r.away[t.Host]
	r.mu.Unlock()
	if away {
		return nil, &transports.Error{Class: transports.Unreachable, Host: t.Host, Op: "connect", Err: context.DeadlineExceeded}
	}
	return r.fleet.Dialer().Dial(ctx, t)
}

// Knock implements transports.Knocker.
func (r *bubbleRig) Knock(ctx context.Context, t transports.Target) error {
	r.mu.Lock()
	r.knocks[t.Host]++
	away := r.away[t.Host]
	r.mu.Unlock()
	if away {
		return &transports.Error{Class: transports.Unreachable, Host: t.Host, Op: "knock", Err: context.DeadlineExceeded}
	}
	return transports.Knock(ctx, r.fleet.Dialer(), t)
}

func (r *bubbleRig) setAway(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.hosts {
		r.away[h.Name] = away
	}
}

// engine makes an engine over the rig's store, as a new process would.
func (r *bubbleRig) engine() *engine.Engine {
	r.t.Helper()
	load := playbooks.Embedded
	if r.secret != nil { // the playbooks that ship are shared: of these each is its own
		load = func() (*playbooks.Library, error) { return playbooks.LoadDir("../../playbooks/vendors/kaspersky") }
	}
	lib, err := load()
	if err != nil {
		r.t.Fatal(err)
	}
	if r.secret != nil {
		for _, p := range lib.List() {
			for i := range p.Secrets {
				p.Secrets[i].Optional = false
			}
		}
	}
	var dialer transports.Dialer = r
	if r.dialer != nil {
		dialer = r.dialer
	}
	e, err := engine.New(engine.Config{
		Store: r.store, Dialer: dialer, Library: lib, Campaign: r.campaign, By: "ann@controller", Secret: r.secret,
		Target: func(h remediate.Host) (transports.Target, error) {
			return transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Site: h.Site,
				Credential: transports.Credential{Name: "root", User: userOf(h), Password: r.fleet.Password(), KeyFile: "key"}}, nil
		},
		Sink: engine.SinkFunc(func(ev engine.Event) {
			r.mu.Lock()
			r.events = append(r.events, ev)
			on := r.onEvent
			r.mu.Unlock()
			if on != nil {
				on(ev)
			}
		}),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func userOf(h remediate.Host) string {
	if h.Platform == remediate.Windows {
		return "ops"
	}
	return "root"
}

// planned scans and plans.
func (r *bubbleRig) planned() *remediate.Plan {
	r.t.Helper()
	e := r.engine()
	if _, err := e.Scan(r.t.Context(), nil, r.hosts); err != nil {
		r.t.Fatal(err)
	}
	plan, err := e.Plan(r.t.Context(), r.hosts)
	if err != nil {
		r.t.Fatal(err)
	}
	return plan
}

func (r *bubbleRig) apply(plan *remediate.Plan, opt engine.ApplyOptions) engine.Summary {
	r.t.Helper()
	sum, err := r.engine().Apply(r.t.Context(), nil, plan, r.hosts, opt)
	if err != nil {
		r.t.Fatal(err)
	}
	return sum
}

// serve serves for a time, and stops as a person would.
func (r *bubbleRig) serve(for_ time.Duration, opt engine.ServeOptions) engine.Summary {
	r.t.Helper()
	stop := make(chan struct{})
	timer := time.AfterFunc(for_, func() { close(stop) })
	defer timer.Stop()
	sum, err := r.engine().Serve(r.t.Context(), stop, r.hosts, opt)
	if err != nil {
		r.t.Fatal(err)
	}
	return sum
}

// once serves what is due now.
func (r *bubbleRig) once(opt engine.ServeOptions) engine.Summary {
	opt.Once = true
	return r.serve(365*24*time.Hour, opt)
}

func (r *bubbleRig) state(name string) remediate.HostState {
	r.t.Helper()
	st, err := r.store.HostState(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// standings counts the hosts.
func (r *bubbleRig) standings() map[remediate.Standing]int {
	out := map[remediate.Standing]int{}
	for _, h := range r.hosts {
		out[r.state(h.Name).Standing]++
	}
	return out
}

// starts counts the uninstallers that have been started.
func (r *bubbleRig) starts() int {
	n := 0
	for _, counts := range r.fleet.Counts() {
		for _, c := range counts {
			n += c
		}
	}
	return n
}

// next is the work of a host.
func (r *bubbleRig) next(name string) engine.HostOutlook {
	r.t.Helper()
	o, err := r.engine().Outlook(r.t.Context(), []remediate.Host{{Name: name}}, r.hosts)
	if err != nil {
		r.t.Fatal(err)
	}
	return o.Hosts[0]
}

// TestServeTakesWhoComesBack: hosts that are away are knocked at, not logged in
// to, and taken as soon as they answer; the list of failed hosts shrinks by
// itself (ansible/ansible#77534, #64564).
func TestServeTakesWhoComesBack(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 6, Seed: 3}, func(t *testing.T, r *bubbleRig) {
		plan := r.planned()
		r.setAway(true)
		if sum := r.apply(plan, engine.ApplyOptions{}); sum.Failed[remediate.ClassUnreachable] != len(plan.Hosts) {
			t.Fatalf("%+v", sum)
		}
		dials, asked := r.dials[plan.Hosts[0].Name], time.Now()
		time.AfterFunc(20*24*time.Hour, func() { r.setAway(false) })
		r.serve(20*24*time.Hour+time.Hour, engine.ServeOptions{})
		for _, h := range plan.Hosts {
			if k := r.knocks[h.Name]; k < 20*24*4 || k > 20*24*9 {
				t.Errorf("%s was knocked at %d times in %v", h.Name, k, time.Since(asked))
			}
			if st := r.state(h.Name); st.Standing != remediate.StandRemoved || st.Class != "" || st.LastAt.Sub(asked) > 20*24*time.Hour+15*time.Minute {
				t.Errorf("%+v", st)
			}
		}
		if n := r.dials[plan.Hosts[0].Name] - dials; n > 6 {
			t.Errorf("%d logins for one host that was away", n)
		}
	})
}

// TestServeRunsNothingUnapproved: what a person has not said yes to is found,
// named and left alone.
func TestServeRunsNothingUnapproved(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 8, Seed: 4}, func(t *testing.T, r *bubbleRig) {
		r.serve(30*24*time.Hour, engine.ServeOptions{})
		if n := r.starts(); n != 0 {
			t.Fatalf("%d uninstallers ran, and no plan was applied", n)
		}
		found := 0
		for _, h := range r.hosts {
			st, next := r.state(h.Name), r.next(h.Name)
			if st.Standing == remediate.StandPresent {
				found++
				if next.Work != schedule.WorkPlan || !next.Person {
					t.Errorf("%s: %+v", h.Name, next)
				}
			}
		}
		if found == 0 {
			t.Error("nothing was found")
		}
	})
}

// TestServeFindsWhatComesBack: a product that is installed again is found by a
// later look, and removed again with the script that was approved for it.
func TestServeFindsWhatComesBack(t *testing.T) {
	inBubble(t, lab.Config{Windows: 4, Seed: 5, WindowsFaults: lab.FaultMix{{Fault: "reinstalls", Share: 1}}}, func(t *testing.T, r *bubbleRig) {
		// A restart ends what would install it again: those that need none show it.
		r.campaign.Reboot = remediate.RebootSettings{Policy: remediate.RebootAlways, Delay: time.Minute, Budget: 9}
		r.apply(r.planned(), engine.ApplyOptions{})
		if got := r.standings(); got[remediate.StandRemoved] != 4 {
			t.Fatalf("%v", got)
		}
		before := r.starts()
		reappeared := 0
		r.serve(2*24*time.Hour, engine.ServeOptions{})
		for _, ev := range r.events {
			if l, ok := ev.(engine.HostLooked); ok && l.Standing == remediate.StandReappeared {
				reappeared++
			}
		}
		if reappeared == 0 || r.starts() != before+reappeared {
			t.Errorf("%d looks found it again; %d uninstallers, %d before", reappeared, r.starts(), before)
		}
	})
}

// TestWindowsDefer: apply outside windows changes nothing and says until when;
// serve goes on inside them, in the hosts' zone, and not on a blackout day.
// (awx#1229, rundeck#3549: no windows, or none without paying.)
func TestWindowsDefer(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 6, Windows: 2, Seed: 6}, func(t *testing.T, r *bubbleRig) { // the bubble's time begins on Saturday, 2000-01-01 00:00 UTC
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		r.campaign.Windows = []remediate.Window{{Days: []time.Weekday{time.Sunday}, Start: 22 * time.Hour, Length: 3 * time.Hour}}
		r.campaign.Blackouts = []remediate.Blackout{{From: time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC), To: time.Date(2000, 1, 3, 0, 0, 0, 0, time.UTC), Why: "freeze"}}
		r.campaign.Waves = []remediate.WaveSize{{Hosts: 1}, {Share: 1}}
		plan := r.planned()
		opens := time.Date(2000, 1, 9, 22, 0, 0, 0, berlin)
		sum := r.apply(plan, engine.ApplyOptions{})
		if sum.Outcomes[remediate.OutcomeDeferred] != len(plan.Hosts) || !sum.Opens.Equal(opens) || sum.ExitCode() != engine.ExitFailed {
			t.Fatalf("%+v", sum)
		}
		if next := r.next(plan.Hosts[0].Name); next.Work != schedule.WorkRemove || !next.At.Equal(opens) {
			t.Errorf("%+v, want the window at %v", next, opens)
		}
		r.serve(21*24*time.Hour, engine.ServeOptions{})
		if n := r.standings()[remediate.StandPresent]; n > 2 { // the two Windows hosts wait for a restart
			t.Errorf("%v", r.standings())
		}
		for _, h := range r.hosts {
			starts, err := r.fleet.Starts(h.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range starts {
				local := s.At.In(berlin)
				if local.Weekday() != time.Sunday && local.Weekday() != time.Monday || local.Weekday() == time.Sunday && local.Hour() < 22 ||
					local.Weekday() == time.Monday && local.Hour() > 0 || local.Before(opens) {
					t.Errorf("%s was changed at %v", h.Name, local)
				}
			}
		}
	})
}

// TestIgnoreWindows: what a person insists on is done, and recorded.
func TestIgnoreWindows(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 2, Seed: 6}, func(t *testing.T, r *bubbleRig) {
		r.campaign.Windows = []remediate.Window{{Days: []time.Weekday{time.Sunday}, Start: 22 * time.Hour, Length: 3 * time.Hour}}
		plan := r.planned()
		r.apply(plan, engine.ApplyOptions{}) // deferred: the run stays open
		r.apply(plan, engine.ApplyOptions{IgnoreWindows: true})
		if got := r.standings(); got[remediate.StandPresent] != 0 {
			t.Errorf("%v", got)
		}
		for run, err := range r.store.Runs(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if want := map[string]string{"apply": engine.LoweredWindows}[run.Kind]; run.Lowered != want || run.By != "ann@controller" {
				t.Errorf("%+v", run)
			}
		}
	})
}

// TestRestarts: a host that asks for a restart is restarted where the campaign
// allows it, once for each time it asks and within its budget, and is judged by
// what is there when it has come back.
func TestRestarts(t *testing.T) {
	for _, tt := range []struct {
		fault, windows string
		policy         remediate.RebootPolicy
		want           string // outcome of every host
		restarts       int    // by oust
	}{
		{"reboot-needed", "reboot-needed", remediate.RebootNever, "reboot-pending", 0},
		{"reboot-needed", "reboot-needed", remediate.RebootAlways, "removed", 1},
		{"reboot-slow", "reboot-slow", remediate.RebootAlways, "removed", 1},
		{"reboot-twice", "reboot-twice", remediate.RebootInWindow, "removed", 1}, // ansible/ansible#41713
		{"reboot-lost", "reboot-lost", remediate.RebootAlways, "failed lost-contact", 1},
	} {
		t.Run(tt.fault+" "+string(tt.policy), func(t *testing.T) {
			config := lab.Config{Hosts: 3, Windows: 2, Seed: 7, Faults: lab.FaultMix{{Fault: tt.fault, Share: 1}}, WindowsFaults: lab.FaultMix{{Fault: tt.windows, Share: 1}}}
			inBubble(t, config, func(t *testing.T, r *bubbleRig) {
				r.campaign.Reboot = remediate.RebootSettings{Policy: tt.policy, Delay: 5 * time.Minute}
				plan := r.planned()
				r.apply(plan, engine.ApplyOptions{})
				for _, h := range plan.Hosts {
					st := r.state(h.Name)
					got := string(st.Last.Kind)
					if st.Last.Class != "" {
						got += " " + string(st.Last.Class)
					}
					reboots, err := r.store.Reboots(t.Context(), h.Name)
					if err != nil {
						t.Fatal(err)
					}
					if got != tt.want || len(reboots) != tt.restarts {
						t.Errorf("%s: %s: %s; %d restarts; want %s and %d", h.Name, got, st.Last.Detail, len(reboots), tt.want, tt.restarts)
					}
					if tt.want != "removed" && st.Standing != remediate.StandPresent {
						t.Errorf("%s waits for its restart, and is called %s", h.Name, st.Standing)
					}
					if len(reboots) == 1 && reboots[0].Back.IsZero() == (tt.want == "removed") {
						t.Errorf("%s: %+v", h.Name, reboots[0])
					}
				}
			})
		})
	}
}

// TestRestartByAPerson: with reboot: never a person restarts the host, and
// serve sees it by the boot id, within a day.
func TestRestartByAPerson(t *testing.T) {
	config := lab.Config{Hosts: 2, Windows: 2, Seed: 8, Faults: lab.FaultMix{{Fault: "reboot-needed", Share: 1}}, WindowsFaults: lab.FaultMix{{Fault: "reboot-needed", Share: 1}}}
	inBubble(t, config, func(t *testing.T, r *bubbleRig) {
		plan := r.planned()
		r.apply(plan, engine.ApplyOptions{})
		r.serve(3*24*time.Hour, engine.ServeOptions{})
		for _, h := range plan.Hosts {
			if st := r.state(h.Name); st.Standing != remediate.StandPresent || st.Last.Kind != remediate.OutcomeRebootPending {
				t.Fatalf("before the restart: %+v", st)
			}
			if err := r.fleet.Reboot(h.Name); err != nil {
				t.Fatal(err)
			}
		}
		r.serve(30*time.Hour, engine.ServeOptions{})
		for _, h := range plan.Hosts {
			if st := r.state(h.Name); st.Standing != remediate.StandRemoved || st.Last.Kind != remediate.OutcomeRemoved {
				t.Errorf("after it: %+v", st)
			}
		}
	})
}

// TestRetryRulesAtWork: a lying uninstaller is tried three times with growing
// pauses and then waits for a person, who mends the host and has it retried.
func TestRetryRulesAtWork(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 2, Seed: 9, Faults: lab.FaultMix{{Fault: "lies", Share: 1}}}, func(t *testing.T, r *bubbleRig) {
		plan := r.planned()
		r.apply(plan, engine.ApplyOptions{})
		r.serve(10*24*time.Hour, engine.ServeOptions{})
		for _, h := range plan.Hosts {
			var tried []time.Time
			for at, err := range r.store.HostAttempts(t.Context(), h.Name) {
				if err != nil {
					t.Fatal(err)
				}
				if at.Outcome.Class == remediate.ClassStillPresent {
					tried = append(tried, at.Started)
				}
			}
			if len(tried) != 3 || tried[1].Sub(tried[0]) < time.Hour || tried[2].Sub(tried[1]) < 2*time.Hour {
				t.Errorf("%s was tried at %v", h.Name, tried)
			}
			if next := r.next(h.Name); next.Work != schedule.WorkPerson || !next.Person {
				t.Errorf("%+v", next)
			}
			if err := r.fleet.SetFault(h.Name, ""); err != nil {
				t.Fatal(err)
			}
		}
		r.once(engine.ServeOptions{})
		if got := r.standings(); got[remediate.StandPresent] != len(plan.Hosts) {
			t.Fatalf("nothing was due: %v", got)
		}
		r.once(engine.ServeOptions{Forced: true})
		if got := r.standings(); got[remediate.StandPresent] != 0 {
			t.Errorf("%v", got)
		}
	})
}

// TestExemption: an exempt host is left alone, and comes back by itself.
func TestExemption(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 3, Seed: 10}, func(t *testing.T, r *bubbleRig) {
		plan := r.planned()
		name := plan.Hosts[0].Name
		x := remediate.Exemption{Host: name, Reason: "audit", Approver: "CISO", Until: time.Now().Add(5 * 24 * time.Hour), At: time.Now()}
		if err := r.store.SaveExemption(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		if sum := r.apply(plan, engine.ApplyOptions{}); sum.Outcomes[remediate.OutcomeExempt] != 1 {
			t.Fatalf("%+v", sum)
		}
		again, err := r.engine().Plan(t.Context(), r.hosts)
		if err != nil || len(again.Hosts) != 0 || !strings.Contains(fmt.Sprint(again.Left), "exempt") {
			t.Errorf("%v %+v", err, again)
		}
		r.serve(5*24*time.Hour-time.Minute, engine.ServeOptions{})
		if st := r.state(name); st.Standing != remediate.StandPresent {
			t.Fatalf("%+v", st)
		}
		r.serve(time.Hour, engine.ServeOptions{})
		if st := r.state(name); st.Standing != remediate.StandRemoved {
			t.Errorf("%+v", st)
		}
	})
}

// TestHoldStopsServe: a stop rule holds the campaign; looks go on, removals do
// not, until a person has it go on. (ansible/ansible#65881: a number over all
// batches; #76915: not one batch alone.)
func TestHoldStopsServe(t *testing.T) {
	inBubble(t, lab.Config{Hosts: 30, Seed: 11, Faults: lab.FaultMix{{Fault: "uninstaller-fails", Hosts: 12}}}, func(t *testing.T, r *bubbleRig) {
		r.campaign.Windows = []remediate.Window{{Days: []time.Weekday{time.Wednesday}, Start: 10 * time.Hour, Length: 5 * time.Hour}}
		r.campaign.Stop.FailedHosts = 3
		r.campaign.Waves = []remediate.WaveSize{{Hosts: 2}, {Hosts: 8}, {Share: 1}}
		r.campaign.Limits = remediate.Concurrency{Hosts: 2}
		plan := r.planned()
		r.apply(plan, engine.ApplyOptions{})
		sum := r.serve(7*24*time.Hour, engine.ServeOptions{})
		if !strings.Contains(sum.Stopped, "4 hosts of the campaign failed; stop: failed_hosts allows 3") {
			t.Fatalf("%+v", sum)
		}
		ran := r.starts()
		r.serve(14*24*time.Hour, engine.ServeOptions{}) // another process, later
		if n := r.starts(); n != ran {
			t.Errorf("%d uninstallers ran while the campaign was held", n-ran)
		}
		if _, err := r.engine().Apply(t.Context(), nil, plan, r.hosts, engine.ApplyOptions{}); err == nil || !strings.Contains(err.Error(), "the campaign is held") && !strings.Contains(err.Error(), "expired") {
			t.Errorf("apply: %v", err)
		}
		o, err := r.engine().Outlook(t.Context(), r.hosts, r.hosts)
		if err != nil || o.Held == nil || o.Held.Wave == 0 {
			t.Errorf("%v %+v", err, o.Held)
		}
		r.campaign.Stop.FailedHosts = -1
		if err := r.engine().Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.serve(14*24*time.Hour, engine.ServeOptions{})
		if got := r.standings(); got[remediate.StandRemoved] == 0 || r.starts() == ran {
			t.Errorf("it does not go on: %v", got)
		}
	})
}
