package windows

import (
	"context"
	"strings"
	"testing"
	"time"

	"oust/remediate"
)

// handClock stands still until a test moves it.
type handClock struct {
	*quickClock
	// asked gets what each sleeper wants to wait; it goes on when it can send to
	// wake.
	asked chan time.Duration
	wake  chan struct{}
}

func (c *handClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case c.asked <- d:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case c.wake <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// guardedBy makes a machine of a release, and returns what Bare says of it.
func guardedBy(t *testing.T, release int, clock Clock, products ...*Product) (*machine, func() string) {
	t.Helper()
	im, err := NewImage(Releases()[release], products...)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, func(c *Config) {
		c.Image = im
		if clock != nil {
			c.Clock = clock
		}
	})
	l := library(t)
	return m, func() string {
		t.Helper()
		f := m.facts("ops", l.Questions(remediate.Windows))
		if len(f.Incomplete) > 0 {
			t.Errorf("incomplete: %q", f.Incomplete)
		}
		return l.Bare(f, []string{"kaspersky/kes-windows"})
	}
}

const stopped = "nothing of what should protect it is there: Microsoft Defender running (DisableAntiSpyware=1)"

// TestDefenderOfClient: on Windows 10 Defender comes back some minutes after
// the product is gone, and goes when the product comes back.
func TestDefenderOfClient(t *testing.T) {
	clock := &handClock{newClock(), make(chan time.Duration), make(chan struct{})}
	m, bare := guardedBy(t, 1, clock, KES, NetworkAgent)
	if got := bare(); got != "" {
		t.Errorf("with the product: %q", got)
	}
	m.remove(KES, "")
	if d := <-clock.asked; d != defenderAfter {
		t.Errorf("Defender waits %v", d)
	}
	if got := bare(); got != stopped {
		t.Errorf("before Defender is back: %q", got)
	}
	<-clock.wake
	m.work.Wait()
	if got := bare(); got != "" {
		t.Errorf("when Defender is back: %q", got)
	}
	if r := m.as("ops", "sc query windefend"); !strings.Contains(r.out, "4  RUNNING") {
		t.Errorf("sc says %q", r.out)
	}
	m.install(KES)
	if m.serviceRuns(defenderService) {
		t.Error("Defender runs beside the product")
	}
}

// TestDefenderAfterRestart: a restart does not lose the return of Defender.
func TestDefenderAfterRestart(t *testing.T) {
	clock := &handClock{newClock(), make(chan time.Duration), make(chan struct{})}
	m, bare := guardedBy(t, 2, clock, KES)
	m.remove(KES, "")
	<-clock.asked
	done := make(chan struct{})
	go func() { defer close(done); m.Reboot() }()
	if d := <-clock.asked; d != bootTime {
		t.Fatalf("the restart takes %v", d)
	}
	<-clock.wake
	<-done
	if got := bare(); got != stopped {
		t.Errorf("right after the restart: %q", got)
	}
	if d := <-clock.asked; d != defenderAfter {
		t.Errorf("Defender waits %v", d)
	}
	<-clock.wake
	m.work.Wait()
	if got := bare(); got != "" {
		t.Errorf("when Defender is back: %q", got)
	}
}

// TestDefenderOfServer: a server stays bare until somebody switches Defender
// on.
func TestDefenderOfServer(t *testing.T) {
	m, bare := guardedBy(t, 0, nil, KES)
	m.remove(KES, "")
	m.work.Wait()
	if got := bare(); got != stopped {
		t.Errorf("after the product: %q", got)
	}
	if r := m.as("ops", "sc start WinDefend"); r.exit != codeDisabled {
		t.Errorf("sc start: %+v", r)
	}
	m.as("ops", "sc config WinDefend start= auto")
	m.as("ops", `reg delete "HKLM\SOFTWARE\Microsoft\Windows Defender" /v DisableAntiSpyware /f`)
	if got := bare(); got != "nothing of what should protect it is there: Microsoft Defender running (its service does not run)" {
		t.Errorf("without the value: %q", got)
	}
	m.as("ops", "sc start WinDefend")
	if got := bare(); got != "" {
		t.Errorf("with Defender: %q", got)
	}
	for key, value := range map[string]string{
		`HKLM\SOFTWARE\Policies\Microsoft\Windows Advanced Threat Protection`:    "ForceDefenderPassiveMode",
		`HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Real-Time Protection`: "DisableRealtimeMonitoring",
		`HKLM\SOFTWARE\Microsoft\Windows Defender\Real-Time Protection`:          "DisableRealtimeMonitoring",
		`HKLM\SOFTWARE\Microsoft\Windows Defender`:                               "PassiveMode",
	} {
		m.Registry.Set(key, value, regDword, "0x1")
		if got := bare(); !strings.Contains(got, "("+value+"=1") {
			t.Errorf("with %s: %q", value, got)
		}
		m.Registry.Set(key, value, regDword, "0x0")
	}
	m.Registry.Remove(servicesKey + `\` + defenderService)
	_ = m.haltService(defenderService)
	if got := bare(); !strings.HasSuffix(got, "Microsoft Defender running (it is not installed)") {
		t.Errorf("without the feature: %q", got)
	}
}

// TestDefenderBesideOthers: what is no virus scanner leaves Defender alone.
func TestDefenderBesideOthers(t *testing.T) {
	for i, r := range Releases() {
		m, bare := guardedBy(t, i, nil, NetworkAgent, ToolBar)
		if got := bare(); got != "" || !m.serviceRuns(defenderService) {
			t.Errorf("%s: %q", r.ID, got)
		}
	}
}
