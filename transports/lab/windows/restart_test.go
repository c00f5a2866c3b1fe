package windows

import (
	"context"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/job"
)

const warning = `Save "your work" & 100% of it (now) ^ \o/ 再起動 \`

// reboot sends the script that oust sends.
func (m *machine) reboot(user string, spec job.RebootSpec) job.RebootReport {
	m.t.Helper()
	n := remediate.NewNonce()
	text, err := job.Windows{}.Reboot(spec, n)
	if err != nil {
		m.t.Fatal(err)
	}
	out := m.script(user, text)
	r, err := job.ParseReboot([]byte(out), n)
	if err != nil {
		m.t.Fatalf("%v in\n%s", err, out)
	}
	return r
}

// held is a clock whose sleepers of a minute and more wait for a word.
type held struct {
	*quickClock
	release chan struct{}
}

func newHeld() held { return held{newClock(), make(chan struct{})} }

func (c held) Sleep(ctx context.Context, d time.Duration) error {
	if d < time.Minute {
		return c.quickClock.Sleep(ctx, d)
	}
	select {
	case <-c.release:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitRestarts waits until the machine has been restarted so often, and is
// there again.
func (m *machine) awaitRestarts(n int) {
	m.t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		m.mu.Lock()
		there := m.Host.restarts >= n && m.boot.Err() == nil
		m.mu.Unlock()
		if there {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			m.t.Fatalf("%d restarts, want %d", m.Restarts(), n)
		}
	}
}

func TestRebootOfAnEmptyMachine(t *testing.T) {
	clock := newHeld()
	m := newMachine(t, func(c *Config) { c.Clock = clock; c.Fault = FaultReboot }, KES)
	if got := m.reboot("guest", job.RebootSpec{BootID: m.BootID()}); got.State != job.RebootRefused || got.Refusal != job.RefusedPrivilege || got.Detail == "" {
		t.Errorf("a guest: %+v", got)
	}
	if r := m.as("ops", "msiexec /x "+KES.Code+" /qn /norestart"); r.exit != msiRebootRequired {
		t.Fatalf("%+v", r)
	}
	boot := m.BootID()
	if len(m.facts("ops", library(t).Questions(remediate.Windows)).RebootPending) == 0 {
		t.Error("nothing waits for a restart")
	}
	if got := m.reboot("ops", job.RebootSpec{BootID: boot, Delay: time.Hour, Message: warning}); got != (job.RebootReport{State: job.RebootScheduled, BootID: boot}) {
		t.Errorf("%+v", got)
	}
	m.awaitRestarts(1)
	if got := m.reboot("ops", job.RebootSpec{BootID: boot}); got != (job.RebootReport{State: job.RebootOver, BootID: m.BootID()}) {
		t.Errorf("the second: %+v", got)
	}
	f := m.facts("ops", library(t).Questions(remediate.Windows))
	if found := library(t).Match(f); len(found) != 0 || len(f.RebootPending) != 0 || f.BootID == boot {
		t.Errorf("after the restart: %v, pending %q, boot %s", found, f.RebootPending, f.BootID)
	}
	if m.Restarts() != 1 {
		t.Errorf("%d restarts", m.Restarts())
	}
}

func TestRebootWithSomebodyThere(t *testing.T) {
	clock := newHeld()
	m := newMachine(t, func(c *Config) { c.Clock = clock; c.Fault = FaultLoggedOn })
	spec := job.RebootSpec{BootID: m.BootID(), Delay: 90500 * time.Millisecond, Message: warning}
	want := job.RebootReport{State: job.RebootScheduled, BootID: m.BootID(), Users: 1, Delay: 91 * time.Second}
	if got := m.reboot("ops", spec); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if told := m.Warnings(); len(told) != 1 || told[0] != warning {
		t.Errorf("people were told %q", told)
	}
	if got := m.reboot("ops", spec); got.State != job.RebootPending || got.Users != 1 {
		t.Errorf("the second: %+v", got)
	}
	m.lines("ops", []step{{"shutdown /a", 0, ""}, {"shutdown /a", codeNotScheduled, "...1116"}})
	if got := m.reboot("ops", spec); got.State != job.RebootScheduled {
		t.Errorf("after it was taken back: %+v", got)
	}
	close(clock.release)
	m.awaitRestarts(1)
	if m.LoggedOn() {
		t.Error("somebody is still logged on")
	}
	// The administrator's own desktop counts.
	m.Registry.Set(`HKU\`+accounts[0].sid+`\Volatile Environment\1`, "SESSIONNAME", regSZ, "Console")
	spec.BootID = m.BootID()
	if got := m.reboot("ops", spec); got.State != job.RebootScheduled || got.Users != 1 || got.Delay != 91*time.Second {
		t.Errorf("with the administrator logged on: %+v", got)
	}
}

// TestRebootCutsNothing: neither a job nor Windows Installer.
func TestRebootCutsNothing(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Fault = FaultHangs }, KES)
	id, n := remediate.NewID(time.Unix(1_800_000_000, 0)), remediate.NewNonce()
	launch, err := job.Windows{}.Launch(job.Spec{ID: id, Campaign: "c", Controller: "m", Script: []byte("@ping -n 3600 127.0.0.1 >nul\r\n")}, n)
	if err != nil {
		t.Fatal(err)
	}
	m.clock.mu.Lock()
	m.clock.speed = 100
	m.clock.mu.Unlock()
	if r, err := job.ParseReport([]byte(m.script("ops", launch)), n); err != nil || r.State != job.StateRunning {
		t.Fatalf("%+v, %v", r, err)
	}
	spec := job.RebootSpec{BootID: m.BootID()}
	if got := m.reboot("ops", spec); got.State != job.RebootRefused || got.Refusal != job.RefusedBusy || got.Detail != "attempt "+id+" runs" {
		t.Errorf("while a job runs: %+v", got)
	}
	m.Reboot()
	// The claim is still there, and its job is dead. A key that a crash has left
	// says nothing.
	m.Registry.Set(inProgressKey, "", regSZ, "")
	spec.BootID = m.BootID()
	if got := m.reboot("ops", spec); got.State != job.RebootScheduled {
		t.Errorf("after the job's death: %+v", got)
	}
	m.awaitRestarts(2)
	session, err := m.Session("ops")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		session.Lookup("msiexec")(ctx, callOf("/x "+KES.Code+" /qn"))
	}()
	for !strings.Contains(strings.Join(m.Processes(), " "), "msiexec.exe") {
		<-time.After(time.Millisecond)
	}
	spec.BootID = m.BootID()
	if got := m.reboot("ops", spec); got.State != job.RebootRefused || got.Refusal != job.RefusedBusy || got.Detail != "Windows Installer is at work" {
		t.Errorf("while an installation runs: %+v", got)
	}
	cancel()
	<-over
}

func TestRestartFaults(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Fault = FaultRebootSlow })
	before := m.clock.Now()
	m.Reboot()
	if took := m.clock.Now().Sub(before); took < slowestBoot {
		t.Errorf("it took %v", took)
	}
	if err := m.SetFault(FaultRebootTwice); err != nil {
		t.Fatal(err)
	}
	m.Reboot()
	first := m.BootID()
	m.awaitRestarts(3)
	if m.BootID() == first {
		t.Error("it has not restarted again")
	}

	away := 0
	m = newMachine(t, func(c *Config) {
		c.Fault = FaultRebootLost
		c.Cut = func(off bool) { away += map[bool]int{true: 1, false: -1}[off] }
	})
	m.Reboot()
	m.Reboot()
	if away != 1 || m.Restarts() != 1 {
		t.Errorf("off the network %d times after %d restarts", away, m.Restarts())
	}
	if err := m.SetFault(""); err != nil {
		t.Fatal(err)
	}
	if away != 0 || m.as("ops", "exit 3").exit != 3 {
		t.Error("it is not back")
	}
}
