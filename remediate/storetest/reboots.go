package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func reboot(host, bootID string, n int) remediate.Reboot {
	return remediate.Reboot{Host: host, BootID: bootID, Attempt: "a1", At: at(n)}
}

func testReboots(t *testing.T, open Open) {
	t.Run("begin and end", testRebootEnds(open))
	t.Run("the same boot counts once", func(t *testing.T) {
		f := begin(t, open)
		first := reboot("web1", "boot1", 1)
		f.ok(f.BeginReboot(f.ctx, first, 1))
		f.ok(f.BeginReboot(f.ctx, first, 1))
		again := reboot("web1", "boot1", 2)
		again.Attempt = "a2"
		f.ok(f.BeginReboot(f.ctx, again, 0))
		f.holdsReboots("web1", first)
		f.ok(f.BeginReboot(f.ctx, reboot("web2", "boot1", 3), 1)) // another host's boot of that name
		f.holdsReboots("web2", reboot("web2", "boot1", 3))
	})
	t.Run("keep to the budget", testBudget(open))
	t.Run("get the clock's time where they have none", func(t *testing.T) {
		f := begin(t, open)
		f.ok(f.BeginReboot(f.ctx, remediate.Reboot{Host: "web1", BootID: "boot1"}, 1))
		f.ok(f.EndReboot(f.ctx, "web1", "boot1", time.Time{}))
		got, err := f.Reboots(f.ctx, "web1")
		f.ok(err)
		if len(got) != 1 || got[0].At.IsZero() || got[0].Back.IsZero() {
			t.Errorf("reboots are %+v", got)
		}
	})
	t.Run("are refused if they make no sense", func(t *testing.T) {
		f := begin(t, open)
		long := strings.Repeat("n", remediate.MaxName+1)
		for name, spoil := range map[string]func(*remediate.Reboot){
			"no host":        func(r *remediate.Reboot) { r.Host = "" },
			"a long host":    func(r *remediate.Reboot) { r.Host = long },
			"no boot id":     func(r *remediate.Reboot) { r.BootID = "" },
			"a long boot id": func(r *remediate.Reboot) { r.BootID = long },
			"a long attempt": func(r *remediate.Reboot) { r.Attempt = long },
		} {
			r := reboot("web1", "boot1", 1)
			spoil(&r)
			f.refused("a reboot with "+name, f.BeginReboot(f.ctx, r, 9))
		}
		if got := all(f, f.HostStates(f.ctx)); len(got) > 0 {
			t.Errorf("refused reboots left hosts: %v", got)
		}
	})
}

func testRebootEnds(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		f.holdsNoReboots("web1")
		second, first := reboot("web1", "boot2", 5), reboot("web1", "boot1", 1)
		f.ok(f.EndReboot(f.ctx, "web1", "boot1", at(0))) // not begun yet
		f.ok(f.BeginReboot(f.ctx, second, 9))
		f.ok(f.BeginReboot(f.ctx, first, 9))
		f.holdsReboots("web1", first, second)
		f.ok(f.EndReboot(f.ctx, "web1", "boot9", at(2)))
		f.ok(f.EndReboot(f.ctx, "web9", "boot1", at(2)))
		f.ok(f.EndReboot(f.ctx, "web1", "boot1", at(3)))
		first.Back = at(3)
		f.holdsReboots("web1", first, second)
		f.ok(f.EndReboot(f.ctx, "web1", "boot1", at(4)))
		f.holdsReboots("web1", first, second)
		f.holdsState(remediate.HostState{Host: "web1", Standing: remediate.StandUnseen, Reboots: 2})
		if got := all(f, f.HostStates(f.ctx)); len(got) != 1 {
			t.Errorf("hosts are %v", got)
		}
	}
}

func testBudget(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		refused := func(r remediate.Reboot, budget int) {
			t.Helper()
			if err := f.BeginReboot(f.ctx, r, budget); !errors.Is(err, remediate.ErrBudget) {
				t.Errorf("a reboot over its budget: %v, not ErrBudget", err)
			}
		}
		refused(reboot("web1", "boot1", 1), 0)
		f.holdsNoReboots("web1")
		first, second := reboot("web1", "boot1", 1), reboot("web1", "boot2", 2)
		f.ok(f.BeginReboot(f.ctx, first, 2))
		f.ok(f.BeginReboot(f.ctx, second, 2))
		refused(reboot("web1", "boot3", 3), 2)
		refused(reboot("web1", "boot3", 3), 1)
		f.ok(f.EndReboot(f.ctx, "web1", "boot1", at(4)))
		first.Back = at(4)
		refused(reboot("web1", "boot3", 3), 2) // one that is over counts as well
		f.holdsReboots("web1", first, second)
		third := reboot("web1", "boot3", 5)
		f.ok(f.BeginReboot(f.ctx, third, 3))
		f.holdsReboots("web1", first, second, third)

		var begun atomic.Int32
		together(func(i int) {
			switch err := f.BeginReboot(f.ctx, reboot("web2", fmt.Sprint("boot", i), i), 5); {
			case err == nil:
				begun.Add(1)
			case !errors.Is(err, remediate.ErrBudget):
				t.Errorf("begin reboot: %v", err)
			}
		})
		if n := begun.Load(); n != 5 || f.state("web2").Reboots != 5 {
			t.Errorf("%d reboots were begun of a budget of 5, and %d are counted", n, f.state("web2").Reboots)
		}
	}
}

// holdsReboots compares the restarts of a host, and their count in its state.
func (f fixture) holdsReboots(host string, want ...remediate.Reboot) {
	f.Helper()
	got, err := f.Reboots(f.ctx, host)
	f.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("reboots of %s (-want +got):\n%s", host, diff)
	}
	if n := f.state(host).Reboots; n != len(want) {
		f.Errorf("the state of %s counts %d reboots, not %d", host, n, len(want))
	}
}

// holdsNoReboots holds that nothing is recorded of a host.
func (f fixture) holdsNoReboots(host string) {
	f.Helper()
	f.holdsReboots(host)
	if got := all(f, f.HostStates(f.ctx)); len(got) > 0 {
		f.Errorf("hosts are %v", got)
	}
}
