package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/storetest"
	"oust/transports"
	"oust/transports/lab"
	"oust/transports/ssh"
)

// labRig is an engine over a simulated fleet, with a store in memory.
type labRig struct {
	fleet  *lab.Fleet
	store  *storetest.Memory
	hosts  []remediate.Host
	dialer transports.Dialer
	target func(remediate.Host) (transports.Target, error)
	engine *engine.Engine

	ended  map[string]remediate.Outcome // of the last apply, by host
	looked map[string]engine.HostLooked // of the last scan or verify, by host
	joined []engine.HostJoined
	// onEvent is told of each event, after the rig.
	onEvent func(engine.Event)
	// late is by how much the engine's time has gone on faster.
	late atomic.Int64
}

// labSpeed is how much faster than real time the simulated hosts live.
const labSpeed = 50

func newLabRig(t *testing.T, config lab.Config) *labRig {
	t.Helper()
	config.Speed = labSpeed
	config.Delay = 10 * time.Millisecond
	fleet, err := lab.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fleet.Close() })
	dir := t.TempDir()
	key, known := filepath.Join(dir, "key"), filepath.Join(dir, "known_hosts")
	if err := fleet.WriteKey(key); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(known, []byte(fleet.KnownHosts()), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &labRig{fleet: fleet, store: storetest.NewMemory(time.Now)}
	patient := newDialer(t, ssh.Config{KnownHosts: []string{known}, ConfigFile: ssh.ConfigNone})
	brief := newDialer(t, ssh.Config{KnownHosts: []string{known}, ConfigFile: ssh.ConfigNone, KeyExchange: 100 * time.Millisecond})
	r.dialer = transports.DialerFunc(func(ctx context.Context, target transports.Target) (transports.Conn, error) {
		if r.info(target.Host).Fault == "silent" {
			return brief.Dial(ctx, target) // the others may take their time
		}
		return patient.Dial(ctx, target)
	})
	r.target = func(h remediate.Host) (transports.Target, error) {
		return transports.Target{Host: h.Name, Address: h.DialAddress(), Port: h.Port,
			Credential: transports.Credential{User: "root", KeyFile: key}}, nil
	}
	for _, h := range fleet.Hosts() {
		r.hosts = append(r.hosts, remediate.Host{Name: h.Name, Address: h.Address, Port: h.Port})
	}
	r.newEngine(t)
	return r
}

func newDialer(t *testing.T, config ssh.Config) *ssh.Dialer {
	t.Helper()
	d, err := ssh.NewDialer(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func (r *labRig) info(name string) lab.HostInfo {
	for _, h := range r.fleet.Hosts() {
		if h.Name == name {
			return h
		}
	}
	return lab.HostInfo{}
}

// newEngine makes an engine over the same store, as a new process would.
func (r *labRig) newEngine(t *testing.T) { r.newEngineOver(t, r.store) }

func (r *labRig) newEngineOver(t *testing.T, store remediate.Store) {
	t.Helper()
	lib, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	r.engine, err = engine.New(engine.Config{
		Store: store, Dialer: r.dialer, Library: lib, Target: r.target, Sink: engine.SinkFunc(r.event),
		Monotonic: func() time.Time { return time.Now().Add(time.Duration(r.late.Load())) },
		Campaign: remediate.Campaign{
			Name: "test", Stop: remediate.StopRules{Failed: 1, FailedHosts: -1, Unreachable: 1},
			Waves:  []remediate.WaveSize{{Share: 1}},
			Timing: remediate.Timing{Poll: 50 * time.Millisecond, BusyWait: time.Second, LaunchWait: 2 * time.Second},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.ended, r.looked, r.joined, r.onEvent = map[string]remediate.Outcome{}, map[string]engine.HostLooked{}, nil, nil
}

func (r *labRig) event(e engine.Event) {
	switch e := e.(type) {
	case engine.HostEnded:
		r.ended[e.Host] = e.Outcome
	case engine.HostLooked:
		r.looked[e.Host] = e
	case engine.HostJoined:
		r.joined = append(r.joined, e)
	}
	if r.onEvent != nil {
		r.onEvent(e)
	}
}

func (r *labRig) scan(t *testing.T) engine.Summary {
	t.Helper()
	sum, err := r.engine.Scan(t.Context(), nil, r.hosts)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func (r *labRig) plan(t *testing.T) *remediate.Plan {
	t.Helper()
	plan, err := r.engine.Plan(t.Context(), r.hosts)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (r *labRig) apply(t *testing.T, plan *remediate.Plan) engine.Summary {
	t.Helper()
	sum, err := r.engine.Apply(t.Context(), nil, plan, r.hosts, engine.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// gone checks that nothing of the products is left on a host, that each
// uninstaller ran once, under an attempt of the store, and that its folder
// was removed.
func (r *labRig) gone(t *testing.T, h lab.HostInfo) {
	t.Helper()
	state, err := r.fleet.State(h.Name)
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Installed)+len(state.Files) > 0 {
		t.Errorf("%s: still there: %v %v", h.Name, state.Installed, state.Files)
	}
	r.ranOnce(t, h)
	target, err := r.target(remediate.Host{Name: h.Name, Address: h.Address, Port: h.Port})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := r.dialer.Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	res, err := conn.Run(t.Context(), transports.Command{Line: "/bin/sh -c 'ls /var/lib/oust'"})
	if err != nil || res.Exit == 0 {
		t.Errorf("%s: /var/lib/oust is still there: %s, %v", h.Name, res.Stdout, err)
	}
}

// ranOnce checks that each product's uninstaller ran once, all under one
// attempt that the store knows.
func (r *labRig) ranOnce(t *testing.T, h lab.HostInfo) {
	t.Helper()
	starts, err := r.fleet.Starts(h.Name)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for at, err := range r.store.HostAttempts(t.Context(), h.Name) {
		if err != nil {
			t.Fatal(err)
		}
		known[at.ID] = true
	}
	var ran []string
	for _, s := range starts {
		ran = append(ran, s.Product)
		if !known[s.Attempt] || s.Attempt != starts[0].Attempt {
			t.Errorf("%s: the uninstaller of %s ran under attempt %q; the store knows %v", h.Name, s.Product, s.Attempt, known)
		}
	}
	slices.Sort(ran)
	want := slices.Sorted(slices.Values(h.Products))
	if !slices.Equal(ran, want) {
		t.Errorf("%s: uninstallers started: %v, want each once: %v", h.Name, ran, want)
	}
}

// failures are the outcomes that are no success.
func (r *labRig) failures() map[string]remediate.Outcome {
	out := map[string]remediate.Outcome{}
	for name, o := range r.ended {
		if !o.OK() {
			out[name] = o
		}
	}
	return out
}
