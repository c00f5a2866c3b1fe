package job

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/transports"
	"oust/transports/transporttest/sshdlab"
)

// reboot asks the host for a restart, over a connection of its own.
func (r *remote) reboot(spec RebootSpec) RebootReport {
	r.t.Helper()
	nonce := remediate.NewNonce()
	script, err := Reboot(spec, nonce)
	if err != nil {
		r.t.Fatal(err)
	}
	conn := r.dial()
	defer conn.Close()
	res, err := r.send(r.t.Context(), conn, script, time.Minute)
	if err != nil {
		r.t.Fatal(err)
	}
	report, err := ParseReboot(res.Stdout, nonce)
	if err != nil {
		r.t.Fatalf("%v; stderr: %s", err, res.Stderr)
	}
	return report
}

// awaitBoot waits until the host is in another boot, as a controller does that
// only sees whether it answers.
func (r *remote) awaitBoot(boot string) string {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		conn, err := r.dialer.Dial(r.t.Context(), r.target)
		if err != nil {
			continue
		}
		res, err := conn.Run(r.t.Context(), transports.Command{Line: "cat /proc/sys/kernel/random/boot_id", Timeout: 10 * time.Second})
		_ = conn.Close()
		if now := strings.TrimSpace(string(res.Stdout)); err == nil && now != "" && now != boot {
			return now
		}
	}
	r.t.Fatal("the host has not restarted")
	return ""
}

// idle asks for the boot of a host that has no job.
func (r *remote) idle() string {
	r.t.Helper()
	return r.join(spec("").ID).BootID
}

func (r *remote) asked(want ...sshdlab.Shutdown) {
	r.t.Helper()
	if got := r.Shutdowns(r.i); !slices.Equal(got, want) {
		r.t.Errorf("the host was asked for %+v, want %+v", got, want)
	}
}

// realRestart: what must not be cut is not cut; then the host answers first, and
// restarts after that.
func realRestart(t *testing.T, r *remote) {
	boot := r.idle()
	spec := RebootSpec{BootID: boot, Delay: time.Hour, Message: bootOne.Message}
	release := r.HoldPackageLock(r.i)
	got := r.reboot(spec)
	if got.State != RebootRefused || got.Refusal != RefusedBusy || !strings.HasPrefix(got.Detail, "a package manager is at work: /var/lib/dpkg/lock") {
		t.Errorf("under dpkg's lock: %+v", got)
	}
	release()
	s := r.gated()
	b := r.begin(t.Context(), s, 2*time.Second)
	r.awaitUp()
	if got := r.reboot(spec); got.State != RebootRefused || got.Refusal != RefusedBusy || got.Detail != "attempt "+s.ID+" of campaign test runs" {
		t.Errorf("while a job runs: %+v", got)
	}
	r.accepted(b, transports.Timeout)
	r.finishGated(s)
	r.asked()

	if got := r.reboot(spec); got != (RebootReport{State: RebootScheduled, BootID: boot}) {
		t.Errorf("%+v", got)
	}
	if got := r.reboot(spec); got.State != RebootPending {
		t.Errorf("the second: %+v", got)
	}
	after := r.awaitBoot(boot)
	if got := r.reboot(spec); got != (RebootReport{State: RebootOver, BootID: after}) {
		t.Errorf("the third: %+v", got)
	}
	r.asked(sshdlab.Shutdown{Message: spec.Message})
	if left, _ := filepath.Glob(filepath.Join(r.Hosts[r.i].Root, "run/oust*")); len(left) > 0 {
		t.Errorf("left on the host: %q", left)
	}
}

// realRestartWarned: a person is given time, and a job that is started meanwhile
// dies with the boot and is found dead.
func realRestartWarned(t *testing.T, r *remote) {
	r.SetMinute(r.i, 2)
	r.LogOn(r.i)
	boot := r.idle()
	spec := RebootSpec{BootID: boot, Delay: 61 * time.Second, Message: bootOne.Message}
	if got := r.reboot(spec); got != (RebootReport{State: RebootScheduled, BootID: boot, Users: 1, Delay: 2 * time.Minute}) {
		t.Errorf("%+v", got)
	}
	if got := r.reboot(spec); got.State != RebootPending {
		t.Errorf("the second: %+v", got)
	}
	s := r.gated()
	b := r.begin(t.Context(), s, time.Minute)
	r.awaitUp()
	r.accepted(b, transports.LostContact)
	r.awaitBoot(boot)
	r.open()
	if got := r.join(s.ID); got.State != StateDied || got.BeganIn != boot {
		t.Errorf("the job: %+v", got)
	}
	r.clean(s.ID)
	r.asked(sshdlab.Shutdown{Minutes: 2, Message: spec.Message})
	// Nobody is logged on any more.
	if got := r.reboot(RebootSpec{BootID: r.idle(), Delay: time.Hour}); got.State != RebootScheduled || got.Users != 0 || got.Delay != 0 {
		t.Errorf("after the restart: %+v", got)
	}
}
