package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/engine"
	"oust/remediate/storetest"
	"oust/transports/lab"
	"oust/transports/transporttest/sshdlab"
)

// TestLabIsLikeReal: the same products on a real host and on a simulated one
// are found by the same evidence, removed by the same bytes, and the steps of
// these end alike.
func TestLabIsLikeReal(t *testing.T) {
	real := newRig(t, sshdlab.Options{Hosts: 1, RPM: 1, Packages: sshdlab.All})
	simulated := newLabRig(t, lab.Config{Hosts: 40, Seed: 5})
	likes := map[sshdlab.Kind]string{}
	var chosen []remediate.Host
	for _, h := range simulated.hosts {
		kind := map[string]sshdlab.Kind{"debian": sshdlab.Deb, "rhel": sshdlab.RPM}[simulated.info(h.Name).OS]
		if likes[kind] == "" && kind != "" && len(simulated.info(h.Name).Products) == 3 {
			likes[kind] = h.Name
			chosen = append(chosen, h)
		}
	}
	simulated.hosts = chosen
	simulated.scan(t)
	plan, simulatedPlan := real.plan(t), simulated.plan(t)
	if _, err := real.engine.Apply(t.Context(), nil, plan, real.hosts, engine.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	simulated.apply(t, simulatedPlan)
	for i, h := range plan.Hosts {
		at := slices.IndexFunc(simulatedPlan.Hosts, func(p remediate.PlanHost) bool { return p.Name == likes[real.lab.Hosts[i].Kind] })
		if at < 0 {
			t.Fatalf("%s: no simulated host is like it", h.Name)
		}
		like := simulatedPlan.Hosts[at]
		if diff := cmp.Diff(h.Findings, like.Findings, cmp.Transformer("package", withoutArchitecture)); diff != "" {
			t.Errorf("%s: findings (-real +simulated):\n%s", h.Name, diff)
		}
		if h.Script != like.Script {
			t.Errorf("%s: script %s, and %s for a simulated host", h.Name, h.Script, like.Script)
		}
		if diff := cmp.Diff(lastResult(t, real.store, h.Name), lastResult(t, simulated.store, like.Name)); diff != "" {
			t.Errorf("%s: steps (-real +simulated):\n%s", h.Name, diff)
		}
	}
}

// withoutArchitecture: the test packages of the real hosts have none.
func withoutArchitecture(e remediate.Evidence) string {
	f := strings.Fields(e.Value)
	if e.Kind == remediate.EvidencePackage && len(f) == 5 {
		f[3] = "-"
	}
	return e.Kind + " " + strings.Join(f, " ")
}

// lastResult are the step results of a host's last attempt.
func lastResult(t *testing.T, store *storetest.Memory, host string) string {
	t.Helper()
	result := ""
	for at, err := range store.HostAttempts(t.Context(), host) {
		if err != nil {
			t.Fatal(err)
		}
		result = at.Result
	}
	if result == "" {
		t.Errorf("%s: no attempt with results", host)
	}
	return result
}
