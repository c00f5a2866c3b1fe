package storetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// approval is a yes to a plan for those hosts, in waves of two.
func approval(plan string, when time.Time, hosts ...string) remediate.Approval {
	a := remediate.Approval{Plan: plan, At: when, By: "kim@desk", Scripts: []string{"sha256:" + plan, "sha256:common"}}
	for i, host := range hosts {
		a.Hosts = append(a.Hosts, remediate.Planned{Host: host, Wave: 1 + i/2})
	}
	return a
}

func testApprovals(t *testing.T, open Open) {
	t.Run("name hosts and scripts", func(t *testing.T) {
		f := begin(t, open)
		f.holdsScripts()
		f.holdsPlanned()
		f.ok(f.Approve(f.ctx, approval("plan1", at(1), "web2", "web1", "web10")))
		f.holdsScripts("sha256:common", "sha256:plan1")
		f.holdsPlanned("web1 plan1 1 at 1", "web10 plan1 2 at 1", "web2 plan1 1 at 1")
		f.holdsState(remediate.HostState{Host: "web10", Standing: remediate.StandUnseen})
	})
	t.Run("the same plan again changes nothing", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.Approve(f.ctx, approval("plan1", at(1), "web1")))
		f.ok(f.Approve(f.ctx, approval("plan1", at(1), "web1")))
		other := approval("plan1", at(2), "web2", "web1", "web3")
		other.Scripts = append(other.Scripts, "sha256:other")
		f.ok(f.Approve(f.ctx, other))
		f.holdsScripts("sha256:common", "sha256:plan1")
		f.holdsPlanned("web1 plan1 1 at 1")
	})
	t.Run("a later one takes over its hosts", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.Approve(f.ctx, approval("plan1", at(1), "web1", "web2", "web3")))
		f.ok(f.Approve(f.ctx, approval("plan2", at(5), "a", "b", "web3", "web4")))
		// The clock was set back: what is recorded later is later.
		f.ok(f.Approve(f.ctx, approval("plan3", at(0), "web2")))
		f.ok(f.Approve(f.ctx, approval("plan1", at(9), "web1", "web2", "web3")))
		f.holdsScripts("sha256:common", "sha256:plan1", "sha256:plan2", "sha256:plan3")
		f.holdsPlanned("a plan2 1 at 5", "b plan2 1 at 5", "web1 plan1 1 at 1", "web2 plan3 1 at 0",
			"web3 plan2 2 at 5", "web4 plan2 2 at 5")
	})
	t.Run("say themselves which plan, and when", func(t *testing.T) {
		f := begin(t, open)
		a := approval("plan1", at(1), "web1")
		a.Hosts[0].Plan, a.Hosts[0].At = "plan9", at(9)
		f.ok(f.Approve(f.ctx, a))
		f.holdsPlanned("web1 plan1 1 at 1")
		f.ok(f.Approve(f.ctx, approval("plan2", time.Time{}, "web1")))
		for p, err := range f.PlannedHosts(f.ctx) {
			f.ok(err)
			if p.At.IsZero() {
				t.Error("an approval without a time got none")
			}
		}
	})
	t.Run("are not the caller's memory", func(t *testing.T) {
		f := begin(t, open)
		a := approval("plan1", at(1), "web1")
		f.ok(f.Approve(f.ctx, a))
		a.Hosts[0].Host, a.Scripts[0] = "altered", "altered"
		scripts, err := f.ApprovedScripts(f.ctx)
		f.ok(err)
		scripts["sha256:mine"] = true
		f.holdsScripts("sha256:common", "sha256:plan1")
		f.holdsPlanned("web1 plan1 1 at 1")
	})
	t.Run("may name nobody", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.Approve(f.ctx, remediate.Approval{Plan: "plan1", At: at(1)}))
		f.holdsScripts()
		f.holdsPlanned()
	})
	t.Run("are whole or nothing", testBadApprovals(open))
	t.Run("may be large", testLargeApproval(open))
}

func (f fixture) holdsScripts(want ...string) {
	f.Helper()
	got, err := f.ApprovedScripts(f.ctx)
	f.ok(err)
	if list := slices.Sorted(maps.Keys(got)); got == nil || !slices.Equal(list, want) {
		f.Errorf("approved scripts are %v, not %v", list, want)
	}
	for script, approved := range got {
		if !approved {
			f.Errorf("%s is listed as not approved", script)
		}
	}
}

// holdsPlanned compares the planned hosts, each as "HOST PLAN WAVE at MINUTE".
func (f fixture) holdsPlanned(want ...string) {
	f.Helper()
	var got []string
	for _, p := range all(f, f.PlannedHosts(f.ctx)) {
		got = append(got, fmt.Sprintf("%s %s %d at %v", p.Host, p.Plan, p.Wave, p.At.Sub(epoch).Minutes()))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("planned hosts (-want +got):\n%s", diff)
	}
}

func testBadApprovals(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		long := string(make([]byte, remediate.MaxName+1))
		for name, spoil := range map[string]func(*remediate.Approval){
			"no plan":         func(a *remediate.Approval) { a.Plan = "" },
			"a long plan":     func(a *remediate.Approval) { a.Plan = long },
			"no host":         func(a *remediate.Approval) { a.Hosts[1].Host = "" },
			"a long host":     func(a *remediate.Approval) { a.Hosts[1].Host = long },
			"a host twice":    func(a *remediate.Approval) { a.Hosts[1].Host = "web1" },
			"no wave":         func(a *remediate.Approval) { a.Hosts[1].Wave = 0 },
			"an empty script": func(a *remediate.Approval) { a.Scripts[1] = "" },
			"a long script":   func(a *remediate.Approval) { a.Scripts[1] = long },
		} {
			a := approval("plan1", at(1), "web1", "web2")
			spoil(&a)
			f.refused("an approval with "+name, f.Approve(f.ctx, a))
		}
		f.holdsScripts()
		f.holdsPlanned()
		if got := all(f, f.HostStates(f.ctx)); len(got) > 0 {
			t.Errorf("refused approvals left hosts: %v", got)
		}
	}
}

func testLargeApproval(open Open) func(*testing.T) {
	return func(t *testing.T) {
		const n = 1100 // more than a store reads at once, twice
		f := begin(t, open)
		hosts := make([]string, n)
		for i := range hosts {
			hosts[i] = fmt.Sprintf("host%04d", i)
		}
		f.ok(f.Approve(f.ctx, approval("plan1", at(1), hosts...)))
		got := all(f, f.PlannedHosts(f.ctx))
		if len(got) != n || got[n-1] != (remediate.Planned{Host: hosts[n-1], Plan: "plan1", Wave: n / 2, At: at(1)}) {
			t.Errorf("%d hosts are planned, not %d", len(got), n)
		}
		leaveEarly(f, "planned hosts", f.PlannedHosts(f.ctx))
	}
}
