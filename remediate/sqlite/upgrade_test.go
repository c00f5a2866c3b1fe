package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// firstStore makes a store as the first version of oust left it, with what
// statements write.
func firstStore(t *testing.T, path, statements string) {
	t.Helper()
	schema, err := os.ReadFile(filepath.Join("migrations", "00001_store.sql"))
	must(t, err)
	db, err := sql.Open("sqlite", path)
	must(t, err)
	for _, text := range []string{
		`PRAGMA application_id = 0x6f757374; PRAGMA journal_mode = WAL;
		CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
			is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1);`,
		string(schema),
		`INSERT INTO meta (one, campaign_id, created) VALUES (1, '01jz0000000000000000000000', 1);`,
		statements,
	} {
		_, err := db.Exec(text)
		must(t, err)
	}
	must(t, db.Close())
}

// minute is n minutes after the beginning of the first store's records.
func minute(n int64) time.Time { return time.UnixMicro(1_790_000_000_000_000 + n*60_000_000).UTC() }

const firstRecords = `
CREATE TEMP TABLE clock (zero INTEGER, minute INTEGER);
INSERT INTO clock VALUES (1790000000000000, 60000000);
INSERT INTO runs (id, kind, plan, started, ended, exit, note) VALUES ('r1', 'scan', '', 1790000000000000, 1790000060000000, 2, 'short');
INSERT INTO runs (id, kind, plan, started) VALUES ('r2', 'apply', 'plan1', 1790000120000000);

-- busy: an attempt has failed; then a look did as well.
INSERT INTO hosts (name, standing, platform, seen_at, class, detail, owed_class, owed_detail, last_kind, last_class, last_detail, last_at)
SELECT 'busy', 'present', 'linux', zero, 'unreachable', 'no route', 'busy', 'dpkg', 'failed', 'busy', 'dpkg', zero + 3 * minute FROM clock;
INSERT INTO looks (host, kind, run, at, platform, os, boot_id, complete, class, detail, findings)
SELECT 'busy', 'scan', 'r1', zero, 'linux', '', 'boot1', 1, '', '', '[{"playbook":"a/a"}]' FROM clock UNION ALL
SELECT 'busy', 'scan', 'r1', zero + 5 * minute, '', '', '', 0, 'unreachable', 'no route', NULL FROM clock UNION ALL
SELECT 'busy', 'precheck', 'r1', zero + 4 * minute, 'linux', '', 'boot2', 1, '', '', NULL FROM clock;
INSERT INTO attempts (id, run, host, plan, script, phase, boot_id, started, updated, exit, kind, class, detail, result)
SELECT 'a1', 'r2', 'busy', 'plan1', 's1', 'closed', 'boot1', zero + 2 * minute, zero + 3 * minute, 0, 'failed', 'busy', 'dpkg', '' FROM clock;

-- gone: found, removed, looked at again, back, removed again.
INSERT INTO hosts (name, standing, platform, seen_at, last_kind, last_at)
SELECT 'gone', 'removed', 'linux', zero + 9 * minute, 'removed', zero + 8 * minute FROM clock;
INSERT INTO looks (host, kind, run, at, platform, os, boot_id, complete, class, detail, findings)
SELECT 'gone', 'scan', '', zero, 'linux', '', '', 1, '', '', '[{"playbook":"a/a"}]' FROM clock UNION ALL
SELECT 'gone', 'scan', '', zero + 1 * minute, 'linux', '', '', 1, '', '', NULL FROM clock UNION ALL
SELECT 'gone', 'scan', '', zero + 2 * minute, 'linux', '', '', 1, '', '', '[{"playbook":"a/a"}]' FROM clock UNION ALL
SELECT 'gone', 'precheck', '', zero + 3 * minute, 'linux', '', '', 1, '', '', NULL FROM clock UNION ALL
SELECT 'gone', 'verify', '', zero + 4 * minute, 'linux', '', '', 0, '', '', NULL FROM clock UNION ALL
SELECT 'gone', 'verify', '', zero + 8 * minute, 'linux', '', 'boot7', 1, '', '', NULL FROM clock UNION ALL
SELECT 'gone', 'precheck', '', zero + 8 * minute, 'linux', '', 'boot7', 1, '', '', '[{"playbook":"a/a"}]' FROM clock UNION ALL
SELECT 'gone', 'scan', '', zero + 9 * minute, 'linux', '', 'boot8', 1, '', '', NULL FROM clock;

-- open: a job is at work there.
INSERT INTO hosts (name) VALUES ('open');
INSERT INTO attempts (id, run, host, plan, script, phase, boot_id, started, updated, exit, result)
SELECT 'a2', 'r2', 'open', 'plan1', 's1', 'launched', 'boot1', zero + 2 * minute, zero + 3 * minute, 0, '' FROM clock;

-- weak: an attempt has failed, and nothing has come after it.
INSERT INTO hosts (name, class, detail, owed_class, owed_detail, last_kind, last_class, last_detail, last_at)
SELECT 'weak', 'privilege', 'not root', 'privilege', 'not root', 'stale', '', '', zero + 7 * minute FROM clock;
INSERT INTO attempts (id, run, host, plan, script, phase, boot_id, started, updated, exit, kind, class, detail, result)
SELECT 'a3', 'r2', 'weak', 'plan1', 's1', 'cleaned', '', zero + 2 * minute, zero + 6 * minute, 0, 'failed', 'privilege', 'not root', '' FROM clock UNION ALL
SELECT 'a4', 'r2', 'weak', 'plan1', 's1', 'cleaned', '', zero + 7 * minute, zero + 7 * minute, 0, 'stale', '', '', '' FROM clock;
`

// TestUpgrade opens a store of the first version: what it holds is there, and
// work on it goes on.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	firstStore(t, path, firstRecords)
	if _, err := sqlite.OpenReadOnly(t.Context(), path, sqlite.Options{}); !errors.Is(err, sqlite.ErrOlder) {
		t.Errorf("read of an older store: %v", err)
	}
	for range 2 { // the second finds nothing to bring up to date
		s := open(t, path)
		holdsUpgraded(t, s)
		must(t, s.Close())
		integrity(t, path)
		fits(t, path)
	}
	s := open(t, path)
	goOnUpgraded(t, s)
	must(t, s.Close())
	fits(t, path)
}

func holdsUpgraded(t *testing.T, s *sqlite.Store) {
	t.Helper()
	if id, err := s.CampaignID(t.Context()); err != nil || id != "01jz0000000000000000000000" {
		t.Errorf("campaign id is %q, %v", id, err)
	}
	want := []remediate.HostState{
		{Host: "busy", Class: remediate.ClassUnreachable, Tries: 1, FailedAt: minute(5), BootID: "boot2"},
		{Host: "gone", RemovedAt: minute(8), BootID: "boot8"},
		{Host: "open"},
		{Host: "weak", Class: remediate.ClassPrivilege, Tries: 1, FailedAt: minute(6)},
	}
	var got []remediate.HostState
	for h, err := range s.HostStates(t.Context()) {
		must(t, err)
		got = append(got, remediate.HostState{
			Host: h.Host, Class: h.Class, Tries: h.Tries, FailedAt: h.FailedAt, RemovedAt: h.RemovedAt,
			BootID: h.BootID, Bare: h.Bare, BareSince: h.BareSince, Reboots: h.Reboots,
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	runs, err := s.OpenRuns(t.Context())
	must(t, err)
	if diff := cmp.Diff([]remediate.Run{{ID: "r2", Kind: "apply", Plan: "plan1", Started: minute(2)}}, runs); diff != "" {
		t.Errorf("open runs (-want +got):\n%s", diff)
	}
	all := 0
	for run, err := range s.Runs(t.Context()) {
		must(t, err)
		if all++; run.ID == "r1" && (run.Exit != 2 || run.Note != "short" || run.Ended != minute(1)) {
			t.Errorf("run is %+v", run)
		}
	}
	if all != 2 {
		t.Errorf("%d runs", all)
	}
}

func goOnUpgraded(t *testing.T, s *sqlite.Store) {
	t.Helper()
	list, err := s.OpenAttempts(t.Context())
	must(t, err)
	if len(list) != 2 || list[0].ID != "a1" || list[1].ID != "a2" {
		t.Fatalf("open attempts are %+v", list)
	}
	a := list[1]
	a.Phase, a.Updated = remediate.PhaseEnded, minute(10)
	must(t, s.SaveAttempt(t.Context(), a))
	a.Phase, a.Updated, a.Outcome = remediate.PhaseClosed, minute(11), remediate.Outcome{Kind: remediate.OutcomeRemoved}
	must(t, s.CloseAttempt(t.Context(), a, nil))
	want := []remediate.JournalEntry{{Phase: remediate.PhaseEnded, At: minute(10)}, {Phase: remediate.PhaseClosed, At: minute(11)}}
	holdsJournal(t, s, "open", "a2", want)
	holdsJournal(t, s, "busy", "a1", nil)

	// The host is seen again: the failed attempt comes back, and then a second.
	seen := saved("busy")
	seen.Findings = []remediate.Finding{{Playbook: "a/a"}}
	must(t, s.SaveLook(t.Context(), seen))
	holdsFailure(t, s, "busy", remediate.ClassBusy, 1, minute(3))
	must(t, s.CloseAttempt(t.Context(), remediate.Attempt{
		ID: "a9", Host: "busy", Phase: remediate.PhaseCleaned, Updated: minute(20), Outcome: remediate.Failed(remediate.ClassBusy, "again"),
	}, nil))
	holdsFailure(t, s, "busy", remediate.ClassBusy, 2, minute(20))
	must(t, s.Approve(t.Context(), remediate.Approval{Plan: "plan2", Hosts: []remediate.Planned{{Host: "gone", Wave: 1}}}))
	holdsHosts(t, s, "busy", "gone", "open", "weak")
}

func holdsJournal(t *testing.T, s *sqlite.Store, host, id string, want []remediate.JournalEntry) {
	t.Helper()
	for a, err := range s.HostAttempts(t.Context(), host) {
		must(t, err)
		if a.ID != id {
			continue
		}
		if diff := cmp.Diff(want, a.Journal); diff != "" {
			t.Errorf("journal of %s (-want +got):\n%s", id, diff)
		}
		return
	}
	t.Errorf("attempt %s is not there", id)
}

func holdsFailure(t *testing.T, s *sqlite.Store, host string, class remediate.Class, tries int, at time.Time) {
	t.Helper()
	got, err := s.HostState(t.Context(), host)
	must(t, err)
	if got.Class != class || got.Tries != tries || !got.FailedAt.Equal(at) {
		t.Errorf("failure is %s %d at %v, not %s %d at %v", got.Class, got.Tries, got.FailedAt, class, tries, at)
	}
}
