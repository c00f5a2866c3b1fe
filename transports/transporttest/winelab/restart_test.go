package winelab

import (
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/job"
	"oust/transports"
)

// reboot sends the script that oust sends.
func reboot(t *testing.T, conn transports.Conn, spec job.RebootSpec) job.RebootReport {
	t.Helper()
	n := remediate.NewNonce()
	text, err := job.Windows{}.Reboot(spec, n)
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, conn, remediate.CmdLine, string(text))
	r, err := job.ParseReboot(out.Stdout, n)
	if err != nil {
		t.Fatalf("%v: %s%s", err, out.Stdout, out.Stderr)
	}
	return r
}

// TestRestart: another interpreter of cmd than the simulated one reads the
// script alike, and a program gets the message to the letter. (Beyond ASCII wine's
// cmd reads files in its own code page.)
func TestRestart(t *testing.T) {
	t.Parallel()
	h := Start(t, Options{})
	conn := dial(t, h)
	_, facts := look(t, conn)
	spec := job.RebootSpec{BootID: facts.BootID, Delay: 90 * time.Second, Message: `Save "your work" & 100% of it (now) ^ \o/\`}
	if _, asked := h.Shutdown(); asked {
		t.Fatal("a restart is scheduled at the beginning")
	}

	h.LogOn()
	want := job.RebootReport{State: job.RebootScheduled, BootID: facts.BootID, Users: 1, Delay: spec.Delay}
	if got := reboot(t, conn, spec); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, asked := h.Shutdown(); !asked || got != (Shutdown{spec.Delay, spec.Message}) {
		t.Errorf("asked for %+v", got)
	}
	if got := reboot(t, conn, spec); got.State != job.RebootPending {
		t.Errorf("the second: %+v", got)
	}
	h.Reboot()
	conn = dial(t, h)
	got := reboot(t, conn, spec)
	if got.State != job.RebootOver || got.BootID == facts.BootID || got.BootID == "" {
		t.Errorf("after the restart: %+v", got)
	}

	id := remediate.NewID(time.Now())
	n := remediate.NewNonce()
	launch, err := job.Windows{}.Launch(job.Spec{ID: id, Campaign: "c", Controller: "m", Script: []byte("@ping -n 300 127.0.0.1 >nul\r\n")}, n)
	if err != nil {
		t.Fatal(err)
	}
	out := run(t, conn, remediate.CmdLine, string(launch))
	if r, err := job.ParseReport(out.Stdout, n); err != nil || r.State != job.StateRunning {
		t.Fatalf("%+v, %v", r, err)
	}
	spec = job.RebootSpec{BootID: got.BootID, Delay: time.Hour}
	if got := reboot(t, conn, spec); got.State != job.RebootRefused || got.Refusal != job.RefusedBusy || got.Detail != "attempt "+id+" runs" {
		t.Errorf("while a job runs: %+v", got)
	}
	if got, asked := h.Shutdown(); asked {
		t.Errorf("asked for %+v", got)
	}
	h.Reboot()
	conn = dial(t, h)
	_, facts = look(t, conn)
	spec.BootID = facts.BootID
	if got := reboot(t, conn, spec); got != (job.RebootReport{State: job.RebootScheduled, BootID: facts.BootID}) {
		t.Errorf("with nobody there: %+v", got)
	}
	if got, asked := h.Shutdown(); !asked || got != (Shutdown{10 * time.Second, ""}) {
		t.Errorf("asked for %+v", got)
	}
}
