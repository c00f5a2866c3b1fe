package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/ledger"
)

// holdsLedger checks the whole ledger of a store.
func holdsLedger(t testing.TB, s remediate.Store) {
	t.Helper()
	report, err := ledger.Check(context.WithoutCancel(t.Context()), s, ledger.CheckOptions{})
	switch {
	case err != nil:
		t.Errorf("check the ledger: %v", err)
	case report.First != nil:
		t.Errorf("the ledger: record %d: %s", report.First.Record, report.First.Why)
	}
}

// records are those of the ledger, decoded, from a number on.
func (f fixture) records(first int64) []remediate.Record {
	f.Helper()
	var out []remediate.Record
	for e, err := range f.Ledger(f.ctx, first) {
		f.ok(err)
		number, r, err := ledger.Decode(e.Text)
		f.ok(err)
		if number != e.Number || number != first+int64(len(out)) {
			f.Errorf("record %d stands as %d", number, e.Number)
		}
		out = append(out, r)
	}
	return out
}

func (f fixture) size() int64 {
	f.Helper()
	n, err := f.LedgerSize(f.ctx)
	f.ok(err)
	return n
}

// tells makes a call and compares the kinds of the records that come of it.
func (f fixture) tells(what string, call func() error, kinds ...remediate.RecordKind) {
	f.Helper()
	before := f.size()
	if err := call(); err != nil && len(kinds) > 0 {
		f.Errorf("%s: %v", what, err)
	}
	var got []remediate.RecordKind
	for _, r := range f.records(before) {
		got = append(got, r.Kind)
		if r.At.IsZero() || r.By == "" {
			f.Errorf("%s: a record %s at %v by %q", what, r.Kind, r.At, r.By)
		}
	}
	if !slices.Equal(got, kinds) {
		f.Errorf("%s: records are %v, want %v", what, got, kinds)
	}
}

// testLedger tells which records each call makes, and that its repeat, and a
// call that is refused, make none.
func testLedger(t *testing.T, open Open) {
	t.Run("records of every call", testRecords(open))
	t.Run("begins with itself", func(t *testing.T) {
		f := begin(t, open)
		id, err := f.CampaignID(f.ctx)
		f.ok(err)
		all := f.records(0)
		if len(all) != 1 || all[0].Kind != remediate.RecordBegun {
			t.Fatalf("records of a new store: %+v", all)
		}
		begun, _ := all[0].Body.(remediate.LedgerBegun)
		if begun.CampaignID != id || begun.Key == "" || begun.Earlier != 0 {
			t.Errorf("it begins with %+v", begun)
		}
	})
	t.Run("heads", testHeads(open))
	t.Run("reads", testLedgerReads(open))
	t.Run("an approval of many", testManyApproved(open))
	t.Run("submissions", testSubmissions(open))
}

func testRecords(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		twice := func(what string, call func() error, kinds ...remediate.RecordKind) {
			t.Helper()
			f.tells(what, call, kinds...)
			f.tells(what+" again", call)
		}
		run := remediate.Run{ID: "run1", Kind: "apply", Plan: "plan1", Started: at(1), Ended: at(9), Exit: 2}
		twice("begin run", func() error { return f.BeginRun(f.ctx, run) }, remediate.RecordRun)
		twice("lower run", func() error { return f.LowerRun(f.ctx, "run1", "ignore-windows") }, remediate.RecordRunLowered)
		twice("end run", func() error { return f.EndRun(f.ctx, run) }, remediate.RecordRunEnded)
		twice("trust", func() error { return f.TrustHostKey(f.ctx, "web1", "web1:22", "SHA256:x", at(1)) }, remediate.RecordTrust)
		f.tells("look", func() error { return f.SaveLook(f.ctx, look("web1", remediate.LookScan, at(1))) }, remediate.RecordLook)
		twice("plan", func() error { return f.SavePlan(f.ctx, "plan1", "sha256:11", at(2)) }, remediate.RecordPlan)
		yes := approval("plan1", at(3), "web1", "web2")
		yes.Scripts = []string{"s1", "s1", "s2"}
		twice("approve", func() error { return f.Approve(f.ctx, yes) },
			remediate.RecordApproval, remediate.RecordApprovedCode, remediate.RecordApprovedHosts)
		a := intent("a1", "web1", at(4))
		twice("begin attempt", func() error { return f.BeginAttempt(f.ctx, a) }, remediate.RecordAttempt)
		a.Phase = remediate.PhaseLaunched
		twice("save attempt", func() error { return f.SaveAttempt(f.ctx, a) })
		verify, outcome := look("web1", remediate.LookVerify, at(5)), closed(a, at(6), removed)
		twice("close attempt", func() error { return f.CloseAttempt(f.ctx, outcome, &verify) }, remediate.RecordLook, remediate.RecordOutcome)
		outcome.Phase = remediate.PhaseCleaned
		twice("clean attempt", func() error { return f.SaveAttempt(f.ctx, outcome) })
		none := closed(intent("a2", "web2", at(5)), at(5), removed)
		twice("an outcome alone", func() error { return f.CloseAttempt(f.ctx, none, nil) }, remediate.RecordOutcome)
		twice("hold", func() error { return f.SaveHold(f.ctx, remediate.Hold{At: at(6), Reason: "why"}) }, remediate.RecordHold)
		twice("release", func() error { return f.ReleaseHold(f.ctx, at(7), "kim") }, remediate.RecordRelease)
		f.tells("exempt", func() error { return f.SaveExemption(f.ctx, exemption("web1", 1, 9)) }, remediate.RecordExemption)
		f.tells("exempt anew", func() error { return f.SaveExemption(f.ctx, exemption("web1", 2, 9)) }, remediate.RecordExemption)
		twice("end exemption", func() error { return f.EndExemption(f.ctx, "web1", at(3)) }, remediate.RecordExemptionEnded)
		twice("reboot", func() error { return f.BeginReboot(f.ctx, reboot("web1", "boot1", 1), 1) }, remediate.RecordReboot)
		f.tells("a reboot too many", func() error { return f.BeginReboot(f.ctx, reboot("web1", "boot2", 1), 1) })
		twice("back", func() error { return f.EndReboot(f.ctx, "web1", "boot1", at(2)) }, remediate.RecordRebootBack)
		f.tells("settings", func() error {
			return f.Note(f.ctx, remediate.Record{Kind: remediate.RecordSettings, Body: remediate.Settings{Campaign: "sha256:11"}})
		}, remediate.RecordSettings)
		f.refused("a record that another call makes", f.Note(f.ctx, none.EndedRecord("", false)))
		f.refused("settings without a body", f.Note(f.ctx, remediate.Record{Kind: remediate.RecordSettings}))
		f.tells("a look that is refused", func() error { return f.SaveLook(f.ctx, remediate.Look{Host: "web1"}) })
		f.holdsOutcome(none)
	}
}

// holdsOutcome finds the record of an outcome, whole.
func (f fixture) holdsOutcome(a remediate.Attempt) {
	f.Helper()
	a.Journal = []remediate.JournalEntry{{Phase: a.Phase, At: a.Updated}}
	want := a.EndedRecord("", false)
	for _, r := range f.records(0) {
		body, is := r.Body.(remediate.AttemptEnded)
		if !is || body.Attempt != a.ID {
			continue
		}
		if r.By = ""; cmp.Diff(want, r) != "" {
			f.Errorf("record (-want +got):\n%s", cmp.Diff(want, r))
		}
		return
	}
	f.Errorf("no record of the outcome of %s", a.ID)
}

func testHeads(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		begun, _ := f.records(0)[0].Body.(remediate.LedgerBegun)
		id, err := f.CampaignID(f.ctx)
		f.ok(err)
		for i := range 5 {
			f.ok(f.SaveLook(f.ctx, look(fmt.Sprint("web", i), remediate.LookScan, at(i))))
			heads, err := f.Heads(f.ctx)
			f.ok(err)
			if n := len(heads); n < 1 || n > 2 { // the test may run over midnight
				t.Fatalf("%d heads", n)
			}
			head, err := ledger.OpenHead(heads[len(heads)-1], begun.Key)
			f.ok(err)
			if head.Size != f.size() || head.CampaignID != id || head.At.IsZero() {
				t.Errorf("head is %+v of %d records", head, f.size())
			}
		}
	}
}

func testLedgerReads(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		const hosts = 40
		for i := range hosts {
			f.ok(f.SaveLook(f.ctx, look(fmt.Sprintf("web%02d", i%8), remediate.LookScan, at(i))))
		}
		if n := len(f.records(f.size())); n > 0 {
			t.Errorf("%d records after the last", n)
		}
		var mine []int64
		for e, err := range f.HostLedger(f.ctx, "web03") {
			f.ok(err)
			mine = append(mine, e.Number)
			if !strings.Contains(string(e.Text), `"host":"web03"`) {
				t.Errorf("record of another host: %s", e.Text)
			}
		}
		if want := []int64{4, 12, 20, 28, 36}; !slices.Equal(mine, want) {
			t.Errorf("records of the host are %v, not %v", mine, want)
		}
		for _, host := range []string{"", "nobody"} {
			if n := len(all(f, f.HostLedger(f.ctx, host))); n > 0 {
				t.Errorf("%d records of the host %q", n, host)
			}
		}
		f.holdsHashes()
	}
}

// holdsHashes reads stored hashes in any order, and those that are not there.
func (f fixture) holdsHashes() {
	f.Helper()
	tree, err := ledger.NewTree(0, nil)
	f.ok(err)
	want := map[int64][32]byte{}
	var indexes []int64
	for e, err := range f.Ledger(f.ctx, 0) {
		f.ok(err)
		for _, h := range tree.Append(e.Text) {
			want[h.Index], indexes = h.Hash, append(indexes, h.Index)
		}
	}
	for _, ask := range [][]int64{nil, indexes, {indexes[7], indexes[0], indexes[7], indexes[len(indexes)-1]}, indexes[10:20]} {
		got, err := f.LedgerHashes(f.ctx, ask)
		f.ok(err)
		for i, index := range ask {
			if got[i] != want[index] {
				f.Errorf("hash %d is %x", index, got[i])
			}
		}
	}
	for _, bad := range [][]int64{{int64(len(indexes))}, {0, int64(len(indexes) + 5)}, {-1}} {
		if _, err := f.LedgerHashes(f.ctx, bad); err == nil || bad[0] >= 0 && !errors.Is(err, remediate.ErrNotFound) {
			f.Errorf("hashes %v: %v", bad, err)
		}
	}
}

func testManyApproved(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		a := remediate.Approval{Plan: "plan1", At: at(1), By: "kim"}
		for i := range 2*remediate.MaxApproved + 1 {
			a.Scripts = append(a.Scripts, fmt.Sprintf("s%06d", i))
			a.Hosts = append(a.Hosts, remediate.Planned{Host: fmt.Sprintf("web%06d", i), Wave: 1 + i/1500})
		}
		f.ok(f.Approve(f.ctx, a))
		var scripts, hosts []string
		var given remediate.ApprovalGiven
		for _, r := range f.records(1) {
			switch b := r.Body.(type) {
			case remediate.ApprovalGiven:
				given = b
			case remediate.ApprovedCode:
				scripts = append(scripts, b.Scripts...)
			case remediate.ApprovedHosts:
				hosts = append(hosts, b.Hosts...)
			}
		}
		if given.Scripts != len(scripts) || given.Hosts != len(hosts) || given.By != "kim" || !slices.Equal(scripts, a.Scripts) {
			t.Errorf("%+v, and %d scripts, %d hosts", given, len(scripts), len(hosts))
		}
		if slices.Sort(hosts); len(hosts) != len(a.Hosts) || hosts[2000] != a.Hosts[2000].Host {
			t.Errorf("%d hosts", len(hosts))
		}
	}
}

func testSubmissions(open Open) func(*testing.T) {
	return func(t *testing.T) {
		f := begin(t, open)
		files := []remediate.FileDigest{{Name: "plan.html", Digest: "sha256:11"}, {Name: "plan.csv", Digest: "sha256:22"}}
		later := remediate.Submission{Report: remediate.ReportPlan, At: at(5), By: "kim", To: "CISA", Files: files}
		first := remediate.Submission{Report: remediate.ReportIdentify, At: at(2), To: "CISA"}
		for _, s := range []remediate.Submission{later, first, later} {
			f.ok(f.SaveSubmission(f.ctx, s))
		}
		got, err := f.Submissions(f.ctx)
		f.ok(err)
		if diff := cmp.Diff([]remediate.Submission{first, later}, got); diff != "" {
			t.Errorf("submissions (-want +got):\n%s", diff)
		}
		if n := f.size(); n != 3 {
			t.Errorf("%d records, want the first and two", n)
		}
		other := later
		other.Files = files[:1]
		f.refused("other files at the same time", f.SaveSubmission(f.ctx, other))
		other.At, other.Report = at(6), ""
		f.refused("a submission of no report", f.SaveSubmission(f.ctx, other))
		other.Report, other.Files = remediate.ReportPlan, make([]remediate.FileDigest, remediate.MaxSubmitted+1)
		f.refused("too many files", f.SaveSubmission(f.ctx, other))
		f.ok(f.SaveSubmission(f.ctx, remediate.Submission{Report: remediate.ReportStatus, To: "CISA"}))
		if got, err = f.Submissions(f.ctx); err != nil || len(got) != 3 || got[2].At.IsZero() {
			t.Errorf("submissions are %+v, %v", got, err)
		}
	}
}
