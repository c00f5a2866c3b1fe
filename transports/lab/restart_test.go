package lab

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"oust/remediate"
	"oust/remediate/job"
	"oust/transports/lab/windows"
)

type rebooter interface {
	Reboot(job.RebootSpec, remediate.Nonce) ([]byte, error)
}

const rebootMessage = `Save "your" work; it's $over & 5% now, 再起動`

// reboot asks a host for a restart.
func (c *campaigner) reboot(ctx context.Context, h HostInfo, boot string, delay time.Duration) (job.RebootReport, error) {
	var script rebooter = job.Layout{}
	if c.windows(h) {
		script = job.Windows{}
	}
	n := remediate.NewNonce()
	text, err := script.Reboot(job.RebootSpec{BootID: boot, Delay: delay, Message: rebootMessage}, n)
	if err != nil {
		return job.RebootReport{}, err
	}
	out, err := c.script(ctx, h, text, time.Minute)
	if err != nil {
		return job.RebootReport{}, err
	}
	return job.ParseReboot(out, n)
}

// awaitBoot waits for another boot, at most for a time, and says how long it
// took.
func (c *campaigner) awaitBoot(ctx context.Context, h HostInfo, boot string, most time.Duration) (*remediate.Facts, time.Duration) {
	for start := time.Now(); time.Since(start) < most; time.Sleep(5 * time.Second) {
		if facts, err := c.look(ctx, h); err == nil && facts.BootID != boot {
			return facts, time.Since(start)
		}
	}
	return nil, 0
}

// named is a host with a fault. On Windows it has the product of whose drivers
// something waits for the restart.
func named(t testing.TB, f *Fleet, fault string) HostInfo {
	t.Helper()
	for _, h := range f.Hosts() {
		if h.Fault == fault && h.Outcome == outcomeRebootPending && (f.winByName[h.Name] == nil || slices.Contains(h.Products, windows.KES.Name)) {
			return h
		}
	}
	t.Fatalf("no host has the fault %q", fault)
	return HostInfo{}
}

// TestRestarts removes what is on hosts, and restarts those that wait for it.
func TestRestarts(t *testing.T) {
	mix := func(names ...string) (m FaultMix) {
		for _, n := range names {
			m = append(m, FaultShare{Fault: n, Hosts: 3})
		}
		return m
	}
	for name, config := range map[string]Config{
		"Linux":   {Hosts: 24, Faults: mix(rebootFaults...)},
		"Windows": {Windows: 24, WindowsFaults: mix(rebootFaults...)},
	} {
		for _, fault := range rebootFaults {
			t.Run(name+"/"+fault, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					config.Speed, config.Offline, config.Seed = 1, true, 7
					f := newFleet(t, config)
					restartOne(t, newCampaigner(t, f), named(t, f, fault))
					_ = f.Close()
				})
			})
		}
	}
}

func restartOne(t *testing.T, c *campaigner, h HostInfo) {
	ctx := t.Context()
	if _, left, err := c.remove(ctx, h); err != nil || left > 0 && !c.windows(h) {
		t.Fatalf("the removal: %d left, %v", left, err)
	}
	facts, err := c.look(ctx, h)
	if err != nil || len(facts.RebootPending) == 0 {
		t.Fatalf("nothing waits for a restart: %v", err)
	}
	boot, watched := facts.BootID, h.Fault == faultLoggedOn
	want := job.RebootReport{State: job.RebootScheduled, BootID: boot}
	if watched {
		want.Users, want.Delay = 1, 10*time.Minute
	}
	if got, err := c.reboot(ctx, h, boot, 9*time.Minute+59500*time.Millisecond); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got, err := c.reboot(ctx, h, boot, time.Hour); err != nil || got.State != job.RebootPending {
		t.Errorf("the second: %+v, %v", got, err)
	}
	facts, took := c.awaitBoot(ctx, h, boot, 3*time.Hour)
	if h.Fault == faultRebootLost {
		if facts != nil || h.Restarted != outcomeFailed {
			t.Errorf("it came back after %v; %+v", took, h)
		}
		if err := c.fleet.SetFault(h.Name, ""); err != nil {
			t.Fatal(err)
		}
		facts, _ = c.awaitBoot(ctx, h, boot, time.Minute)
	}
	if facts == nil {
		t.Fatal("it did not come back")
	}
	if len(facts.RebootPending) != 0 || len(c.library.Match(facts)) != 0 {
		t.Errorf("after the restart: %q waits, found %v", facts.RebootPending, c.library.Match(facts))
	}
	if watched && (took < 10*time.Minute || took > 12*time.Minute) || h.Fault == faultRebootSlow && took < slowBootTime {
		t.Errorf("it took %v", took)
	}
	if got, err := c.reboot(ctx, h, boot, 0); err != nil || got.State != job.RebootOver || got.BootID != facts.BootID {
		t.Errorf("asked once more: %+v, %v", got, err)
	}
	restarts := 1
	if h.Fault == faultRebootTwice {
		restarts = 2
		if again, _ := c.awaitBoot(ctx, h, facts.BootID, time.Hour); again == nil {
			t.Error("it did not restart twice")
		}
	}
	time.Sleep(24 * time.Hour)
	state, err := c.fleet.State(h.Name)
	if err != nil || state.Restarts != restarts {
		t.Errorf("%d restarts, %v", state.Restarts, err)
	}
	if watched && (len(state.Warnings) != 1 || state.Warnings[0] != rebootMessage) {
		t.Errorf("people were told %q", state.Warnings)
	}
}

// TestRestartCutsNothing: neither a package manager nor a job.
func TestRestartCutsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Config{Hosts: 10, Speed: 1, Offline: true, Seed: 3, Faults: FaultMix{{Fault: faultLock, Hosts: 1}, {Fault: faultHangs, Hosts: 1}}})
		c, ctx := newCampaigner(t, f), t.Context()
		for _, h := range f.Hosts() {
			host := f.byName[h.Name]
			switch h.Fault {
			case faultLock:
				got, err := c.reboot(ctx, h, host.bootIdentity(), 0)
				if err != nil || got.Refusal != job.RefusedBusy || !strings.HasPrefix(got.Detail, "a package manager is at work: ") {
					t.Errorf("under a lock: %+v, %v", got, err)
				}
			case faultHangs:
				n := remediate.NewNonce()
				text, err := job.Launch(job.Spec{ID: remediate.NewID(time.Now()), Campaign: "first", Controller: "m", Script: []byte("sleep 3600\n")}, n)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = c.script(ctx, h, text, time.Minute)
				got, err := c.reboot(ctx, h, host.bootIdentity(), 0)
				if err != nil || got.Refusal != job.RefusedBusy || !strings.HasSuffix(got.Detail, " of campaign first runs") {
					t.Errorf("while a job runs: %+v, %v", got, err)
				}
			default:
				// All kinds are among them, such as the one that has only reboot.
				before := host.bootIdentity()
				got, err := c.reboot(ctx, h, before, time.Hour)
				if err != nil || got.State != job.RebootScheduled || got.Delay != 0 {
					t.Errorf("%s: %+v, %v", h.OS, got, err)
				}
				if facts, _ := c.awaitBoot(ctx, h, before, 5*time.Minute); facts == nil {
					t.Errorf("%s: no restart", h.OS)
				}
			}
		}
		_ = f.Close()
	})
}

// TestShutdownTakenBack: a person may take a restart back, and another one can
// be asked for.
func TestShutdownTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, h := oneHostWith(t, Config{Speed: 1, Offline: true, LoggedOn: 1}, lot{kind: kindNamed(t, "debian")})
		c, ctx, info := newCampaigner(t, f), t.Context(), f.Hosts()[0]
		boot := h.bootIdentity()
		for range 2 {
			if got, err := c.reboot(ctx, info, boot, time.Hour); err != nil || got.State != job.RebootScheduled || got.Users != 1 {
				t.Errorf("%+v, %v", got, err)
			}
			if a := run(t, h, "shutdown -c"); a.Exit != 0 {
				t.Errorf("%+v", a)
			}
			time.Sleep(2 * time.Hour)
		}
		for line, want := range map[string]answer{
			"shutdown -h now": {Err: "shutdown: the simulated shutdown does not know -h\n", Exit: 1},
			"shutdown -r x":   {Err: "shutdown: Failed to parse time specification: x\n", Exit: 1},
		} {
			if a := run(t, h, line); a != want {
				t.Errorf("%s: %+v", line, a)
			}
		}
		if a := runAs(t, h, "guest", "/usr/sbin/shutdown -r; /usr/sbin/reboot"); a.Exit != 1 {
			t.Errorf("%+v", a)
		}
		if h.bootIdentity() != boot {
			t.Error("it has restarted")
		}
		if a := run(t, h, "who"); !strings.HasPrefix(a.Out, "mia ") {
			t.Errorf("who: %+v", a)
		}
		// It may be killed by what it has begun, before its end is known.
		if a := run(t, h, "systemctl reboot"); a.Exit != 0 && a.Exit != 128+int(syscall.SIGKILL) {
			t.Errorf("%+v", a)
		}
		time.Sleep(time.Minute)
		if a := run(t, h, "who"); h.bootIdentity() == boot || a.Out != "" {
			t.Errorf("after the restart: %+v", a)
		}
		_ = f.Close()
	})
}
