package storetest

import (
	"context"
	"iter"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// Open makes an empty store for one test, whose ledger has a key. The suite
// closes it.
type Open func(t *testing.T) remediate.Store

// Run holds a store to the contract of remediate.Store.
func Run(t *testing.T, open Open) {
	for _, group := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"looks", testLooks},
		{"standing", testStanding},
		{"noted", testNoted},
		{"sightings", testSightings},
		{"failures", testFailures},
		{"tries and times", testTries},
		{"plans", testPlans},
		{"runs", testRuns},
		{"attempts", testAttempts},
		{"close", testClose},
		{"journal", testJournal},
		{"approvals", testApprovals},
		{"records of approvals", testApprovalRecords},
		{"holds", testHolds},
		{"exemptions", testExemptions},
		{"reboots", testReboots},
		{"durations", testDurations},
		{"ledger", testLedger},
		{"lists", testLists},
		{"bounds", testBounds},
		{"context", testContext},
		{"after close", testClosed},
		{"concurrency", testConcurrency},
		{"model", testModel},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			group.run(t, open)
		})
	}
}

// Rounds is n, or more where OUST_TEST_ROUNDS says by how much to multiply it:
// tests that leave things to chance find more the longer they look.
func Rounds(n int) int {
	if by, err := strconv.Atoi(os.Getenv("OUST_TEST_ROUNDS")); err == nil && by > 0 {
		return n * by
	}
	return n
}

// epoch is when the suite's stories begin.
var epoch = time.Date(2026, 10, 1, 8, 30, 0, 123456000, time.UTC)

// at is n minutes into the story.
func at(n int) time.Time { return epoch.Add(time.Duration(n) * time.Minute) }

// fixture is a store under test, with calls that fail the test on an error.
type fixture struct {
	*testing.T
	remediate.Store
	ctx context.Context
}

func begin(t *testing.T, open Open) fixture {
	t.Helper()
	s := open(t)
	t.Cleanup(func() {
		holdsLedger(t, s)
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return fixture{t, s, t.Context()}
}

// ok fails the test on an error.
func (f fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// refused fails the test if there was no error.
func (f fixture) refused(what string, err error) {
	f.Helper()
	if err == nil {
		f.Errorf("%s was taken", what)
	}
}

func (f fixture) state(host string) remediate.HostState {
	f.Helper()
	s, err := f.HostState(f.ctx, host)
	f.ok(err)
	return s
}

// holdsState compares the state of a host, alone and in the list of all.
func (f fixture) holdsState(want remediate.HostState) {
	f.Helper()
	if diff := cmp.Diff(want, f.state(want.Host)); diff != "" {
		f.Errorf("state of %s (-want +got):\n%s", want.Host, diff)
	}
	for s, err := range f.HostStates(f.ctx) {
		f.ok(err)
		if s.Host == want.Host {
			if diff := cmp.Diff(want, s); diff != "" {
				f.Errorf("state of %s in the list (-want +got):\n%s", want.Host, diff)
			}
			return
		}
	}
	f.Errorf("%s is not in the list of hosts", want.Host)
}

// attempt returns what is recorded of an attempt, its log included, without
// its journal.
func (f fixture) attempt(host, id string) remediate.Attempt {
	f.Helper()
	a := f.whole(host, id)
	a.Journal = nil
	return a
}

// whole returns all that is recorded of an attempt.
func (f fixture) whole(host, id string) remediate.Attempt {
	f.Helper()
	for a, err := range f.HostAttempts(f.ctx, host) {
		f.ok(err)
		if a.ID == id {
			return a
		}
	}
	f.Fatalf("attempt %s on %s is not recorded", id, host)
	return remediate.Attempt{}
}

// all collects what an iterator yields.
func all[T any](f fixture, seq iter.Seq2[T, error]) []T {
	f.Helper()
	var out []T
	for v, err := range seq {
		f.ok(err)
		out = append(out, v)
	}
	return out
}

// kesl is a finding with that version.
func kesl(version string) remediate.Finding {
	return remediate.Finding{
		Playbook: "kaspersky/kesl", Kind: remediate.FindProduct, Product: "Kaspersky Endpoint Security", Version: version,
		Evidence: []remediate.Evidence{
			{Kind: remediate.EvidencePackage, Value: "dpkg kesl " + version + " amd64 installed"},
			{Kind: remediate.EvidencePath, Value: "/opt/kaspersky/kesl"},
		},
	}
}

// look is a successful, complete look.
func look(host string, kind remediate.LookKind, when time.Time, findings ...remediate.Finding) remediate.Look {
	raw := []byte("host " + host + "\nat " + when.String() + "\nkesl \x00\xff\n")
	return remediate.Look{
		Host: host, Kind: kind, Run: "run1", At: when, Raw: raw, RawDigest: remediate.Digest(raw),
		Transport: "ssh", Address: "10.0.0.1:22", Probe: "sha256:70", Platform: remediate.Linux,
		OS: "Debian GNU/Linux 12 (bookworm)", BootID: "b0071d", Findings: findings, Complete: true,
	}
}

// failedLook is a look that saw nothing.
func failedLook(host string, when time.Time, class remediate.Class, detail string) remediate.Look {
	return remediate.Look{Host: host, Kind: remediate.LookScan, Run: "run1", At: when, Class: class, Detail: detail}
}

// intent is an attempt that is about to be launched.
func intent(id, host string, when time.Time) remediate.Attempt {
	return remediate.Attempt{
		ID: id, Run: "run1", Host: host, Plan: "plan1", Script: "sha256:5c", Phase: remediate.PhaseIntended,
		Address: "10.0.0.1:22", BootID: "b0071d", Started: when, Updated: when, Playbooks: []string{"kaspersky/kesl"},
	}
}

// closed is the attempt with its outcome.
func closed(a remediate.Attempt, when time.Time, o remediate.Outcome) remediate.Attempt {
	a.Phase, a.Updated, a.Outcome = remediate.PhaseClosed, when, o
	return a
}

var removed = remediate.Outcome{Kind: remediate.OutcomeRemoved, Detail: "nothing left"}
