package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// TestOddTextsFit: whatever hosts say, and in whatever order clocks put it, the
// store and its ledger say the same.
func TestOddTextsFit(t *testing.T) {
	t.Parallel()
	for _, odd := range []string{"\xff", "\x00", "a\x00b", "\u2028\u2029\ufffd", "\\u2028 \\\\u2029", "<&>\x7f\u0085", "\xed\xa0\x80", "\U0010ffff\ufeff", "\n\r\t\x1f"} {
		id := strings.ToValidUTF8(odd, "x") // where a store asks for a name
		path := filepath.Join(t.TempDir(), sqlite.FileName)
		s := open(t, path)
		ctx := t.Context()
		look := func(n int64, found bool) remediate.Look {
			l := remediate.Look{
				Host: "web" + id, Kind: remediate.LookScan, Run: id, At: minute(n), Raw: []byte(odd), Transport: id, Address: id,
				Platform: remediate.Linux, OS: odd, BootID: odd, Complete: true, Bare: odd,
			}
			if found {
				l.Findings = []remediate.Finding{{Playbook: id, Kind: remediate.FindProduct, Product: odd, Version: odd,
					Evidence: []remediate.Evidence{{Kind: remediate.EvidencePath, Value: odd}}}}
			}
			return l
		}
		for i, n := range []int64{50, 10, 60, 5, 60, -30_000_000} { // a clock that is set back
			must(t, s.SaveLook(ctx, look(n, i%2 == 0)))
		}
		must(t, s.SaveLook(ctx, remediate.Look{Host: "web" + id, Kind: remediate.LookScan, At: minute(3), Class: remediate.ClassTimeout, Detail: odd}))
		must(t, s.TrustHostKey(ctx, "web"+id, id, id, minute(1)))
		must(t, s.BeginRun(ctx, remediate.Run{ID: "run", Kind: id, Plan: id, Started: minute(9), By: odd, Lowered: odd}))
		must(t, s.SavePlan(ctx, id, remediate.Digest(nil), minute(4)))
		must(t, s.Approve(ctx, remediate.Approval{Plan: id, At: minute(2), By: odd, Scripts: []string{id}, Hosts: []remediate.Planned{{Host: "web" + id, Wave: 1}}}))
		a := remediate.Attempt{ID: "a", Run: "run", Host: "web" + id, Plan: id, Script: id, Address: id, Playbooks: []string{"p"}, Started: minute(8), Updated: minute(8)}
		must(t, s.BeginAttempt(ctx, a))
		must(t, s.BeginReboot(ctx, remediate.Reboot{Host: "web" + id, BootID: id, Attempt: "a", At: minute(7)}, 2))
		must(t, s.EndReboot(ctx, "web"+id, id, minute(6)))
		a.BootID, a.Phase, a.Updated, a.Result, a.Log = odd, remediate.PhaseClosed, minute(1), odd, []byte(odd)
		a.Outcome = remediate.Failed(remediate.ClassUninstaller, odd)
		must(t, s.CloseAttempt(ctx, a, nil))
		must(t, s.EndRun(ctx, remediate.Run{ID: "run", Ended: minute(2), Note: odd}))
		must(t, s.SaveHold(ctx, remediate.Hold{At: minute(2), Reason: odd, Run: id, Plan: id}))
		must(t, s.ReleaseHold(ctx, minute(1), odd))
		must(t, s.SaveExemption(ctx, remediate.Exemption{Host: "web" + id, Reason: odd, Approver: odd, Ground: id, Mitigation: odd, Until: minute(9), At: minute(5), By: odd}))
		must(t, s.EndExemption(ctx, "web"+id, minute(1)))
		must(t, s.SaveSubmission(ctx, remediate.Submission{Report: remediate.ReportPlan, At: minute(1), By: odd, To: odd, Files: []remediate.FileDigest{{Name: odd, Digest: id}}}))
		must(t, s.Close())
		for _, m := range misfits(t, path) {
			t.Errorf("%q: record %d, %s %s: %s", odd, m.Record, m.Table, m.Row, m.Why)
		}
	}
}
