package engine_test

import (
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/storetest"
	"oust/transports"
	"oust/transports/ssh"
	"oust/transports/transporttest/sshdlab"
)

// rig is an engine over real sshd hosts, with a store in memory.
type rig struct {
	lab    *sshdlab.Lab
	store  *storetest.Memory
	hosts  []remediate.Host
	events []engine.Event
	engine *engine.Engine
}

func newRig(t *testing.T, opt sshdlab.Options) *rig {
	t.Helper()
	r := &rig{lab: sshdlab.Start(t, opt), store: storetest.NewMemory(time.Now)}
	dialer, err := ssh.NewDialer(ssh.Config{KnownHosts: []string{r.lab.KnownHosts}, ConfigFile: ssh.ConfigNone})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialer.Close() })
	lib, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range r.lab.Hosts {
		r.hosts = append(r.hosts, remediate.Host{Name: h.Name, Address: h.Addr, Port: h.Port})
	}
	r.engine, err = engine.New(engine.Config{
		Store: r.store, Dialer: dialer, Library: lib,
		Target: func(h remediate.Host) (transports.Target, error) {
			return transports.Target{Host: h.Name, Address: h.DialAddress(), Port: h.Port,
				Credential: transports.Credential{User: sshdlab.Root, KeyFile: r.lab.KeyFile}}, nil
		},
		Campaign: remediate.Campaign{
			Name: "test", Stop: remediate.StopRules{Failed: 1, FailedHosts: -1, Unreachable: 1},
			Timing: remediate.Timing{Poll: 200 * time.Millisecond, BusyWait: time.Second, Connect: 5 * time.Second},
		},
		Sink: engine.SinkFunc(func(e engine.Event) { r.events = append(r.events, e) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) plan(t *testing.T) *remediate.Plan {
	t.Helper()
	sum, err := r.engine.Scan(t.Context(), nil, r.hosts)
	if err != nil {
		t.Fatal(err)
	}
	if sum.ExitCode() != engine.ExitOK {
		t.Fatalf("scan: %+v\n%+v", sum, r.events)
	}
	plan, err := r.engine.Plan(t.Context(), r.hosts)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestRealHostsRemoved(t *testing.T) {
	r := newRig(t, sshdlab.Options{Hosts: 3, RPM: 1, Packages: sshdlab.All})
	plan := r.plan(t)
	if len(plan.Hosts) != 4 {
		t.Fatalf("the plan has %d hosts: %+v", len(plan.Hosts), plan.Left)
	}
	sum, err := r.engine.Apply(t.Context(), nil, plan, r.hosts, engine.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Outcomes[remediate.OutcomeRemoved] != 4 {
		t.Errorf("apply: %+v\n%+v", sum, r.events)
	}
	for i, h := range r.lab.Hosts {
		for _, p := range []string{"kesl", "kesl-gui", "klnagent64"} {
			if r.lab.Installed(i, p) {
				t.Errorf("%s: %s is still installed", h.Name, p)
			}
		}
		if out, exit := r.lab.Exec(i, "test", "-e", "/var/lib/oust"); exit != 1 {
			t.Errorf("%s: /var/lib/oust is still there: %s", h.Name, out)
		}
	}
	again, err := r.engine.Apply(t.Context(), nil, plan, r.hosts, engine.ApplyOptions{})
	if err != nil || again.Outcomes[remediate.OutcomeNothingToDo] != 4 {
		t.Errorf("second apply: %+v, %v", again, err)
	}
	verify, err := r.engine.Verify(t.Context(), nil, r.hosts)
	if err != nil || verify.Standings[remediate.StandRemoved] != 4 || verify.ExitCode() != engine.ExitOK {
		t.Errorf("verify: %+v, %v", verify, err)
	}
}
