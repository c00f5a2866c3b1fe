package storetest

import (
	"context"
	"errors"
	"testing"

	"oust/remediate"
)

func testContext(t *testing.T, open Open) {
	f := begin(t, open)
	fill(f, 3)
	over, cancel := context.WithCancel(f.ctx)
	cancel()
	gone := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v", what, err)
		}
	}
	gone("save look", f.SaveLook(over, look("late", remediate.LookScan, at(1))))
	gone("begin attempt", f.BeginAttempt(over, intent("late", "late", at(1))))
	gone("close attempt", f.CloseAttempt(over, closed(intent("late", "late", at(1)), at(1), removed), nil))
	gone("begin run", f.BeginRun(over, remediate.Run{ID: "late"}))
	gone("save plan", f.SavePlan(over, "late", "x", at(1)))
	gone("trust", f.TrustHostKey(over, "late", "", "", at(1)))
	gone("approve", f.Approve(over, approval("late", at(1), "late")))
	gone("save hold", f.SaveHold(over, remediate.Hold{Reason: "late"}))
	gone("release hold", f.ReleaseHold(over, at(1), ""))
	gone("save exemption", f.SaveExemption(over, exemption("late", 1, 9)))
	gone("end exemption", f.EndExemption(over, "late", at(1)))
	gone("begin reboot", f.BeginReboot(over, reboot("late", "boot1", 1), 1))
	gone("end reboot", f.EndReboot(over, "late", "boot1", at(1)))
	gone("note", f.Note(over, remediate.Record{Kind: remediate.RecordSettings, Body: remediate.Settings{}}))
	gone("save submission", f.SaveSubmission(over, remediate.Submission{Report: remediate.ReportPlan}))
	_, err := f.LedgerSize(over)
	gone("size of the ledger", err)
	_, err = f.LedgerHashes(over, []int64{0})
	gone("hashes of the ledger", err)
	_, err = f.Heads(over)
	gone("heads", err)
	_, err = f.Submissions(over)
	gone("submissions", err)
	gone("ledger", last(f.Ledger(over, 0)))
	gone("ledger of a host", last(f.HostLedger(over, "host0001")))
	gone("moves", last(f.Moves(over)))
	_, err = f.HostState(over, "late")
	gone("host state", err)
	_, err = f.OpenAttempts(over)
	gone("open attempts", err)
	_, err = f.OpenRuns(over)
	gone("open runs", err)
	_, err = f.ApprovedScripts(over)
	gone("approved scripts", err)
	_, err = f.Holds(over)
	gone("holds", err)
	_, err = f.Exemptions(over)
	gone("exemptions", err)
	_, err = f.Reboots(over, "late")
	gone("reboots", err)
	_, err = f.Durations(over, 1)
	gone("durations", err)
	gone("runs", last(f.Runs(over)))
	gone("planned hosts", last(f.PlannedHosts(over)))
	gone("states", last(f.HostStates(over)))
	gone("looks", last(f.HostLooks(over, "host0001")))
	gone("run attempts", last(f.RunAttempts(over, "run1")))
	if n := len(all(f, f.HostStates(f.ctx))); n != 3 {
		t.Errorf("%d hosts, not 3: a call with an ended context wrote", n)
	}
	f.holdsScripts()
	if holds, err := f.Holds(f.ctx); err != nil || len(holds) > 0 {
		t.Errorf("holds are %v, %v: a call with an ended context wrote", holds, err)
	}
}

func testClosed(t *testing.T, open Open) {
	ctx := t.Context()
	s := open(t)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	refused("a write after close", s.SaveLook(ctx, look("late", remediate.LookScan, at(1))))
	refused("a note after close", s.Note(ctx, remediate.Record{Kind: remediate.RecordSettings, Body: remediate.Settings{}}))
	refused("a submission after close", s.SaveSubmission(ctx, remediate.Submission{Report: remediate.ReportPlan}))
	_, err := s.LedgerSize(ctx)
	refused("the ledger's size after close", err)
	_, err = s.Heads(ctx)
	refused("heads after close", err)
	refused("the ledger after close", last(s.Ledger(ctx, 0)))
	refused("moves after close", last(s.Moves(ctx)))
	_, err = s.HostState(ctx, "late")
	refused("a read after close", err)
	refused("an approval after close", s.Approve(ctx, approval("late", at(1), "late")))
	refused("a hold after close", s.SaveHold(ctx, remediate.Hold{}))
	refused("a release after close", s.ReleaseHold(ctx, at(1), ""))
	refused("an exemption after close", s.SaveExemption(ctx, exemption("late", 1, 9)))
	refused("its end after close", s.EndExemption(ctx, "late", at(1)))
	refused("a reboot after close", s.BeginReboot(ctx, reboot("late", "boot1", 1), 1))
	refused("its end after close", s.EndReboot(ctx, "late", "boot1", at(1)))
	_, err = s.ApprovedScripts(ctx)
	refused("scripts after close", err)
	_, err = s.Holds(ctx)
	refused("holds after close", err)
	_, err = s.Exemptions(ctx)
	refused("exemptions after close", err)
	_, err = s.Reboots(ctx, "late")
	refused("reboots after close", err)
	_, err = s.Durations(ctx, 1)
	refused("durations after close", err)
	_, err = s.OpenRuns(ctx)
	refused("open runs after close", err)
	refused("runs after close", last(s.Runs(ctx)))
	refused("planned hosts after close", last(s.PlannedHosts(ctx)))
	refused("a list after close", last(s.HostStates(ctx)))
}
