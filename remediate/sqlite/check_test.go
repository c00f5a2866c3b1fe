package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oust/remediate"
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
	"oust/remediate/storetest"
)

// misfits are what does not fit in the store at path: of its ledger, and of
// the store against it.
func misfits(t testing.TB, path string) (out []sqlite.Misfit) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	s, err := sqlite.OpenReadOnly(ctx, path, sqlite.Options{})
	if err != nil {
		return []sqlite.Misfit{{Record: -1, Why: err.Error()}}
	}
	defer s.Close()
	collect := func(m sqlite.Misfit) error { out = append(out, m); return nil }
	if err := s.CheckLedger(ctx, collect, nil); err != nil {
		out = append(out, sqlite.Misfit{Record: -1, Why: err.Error()})
	}
	report, err := ledger.Check(ctx, s, ledger.CheckOptions{Trusted: []string{signed.Signer.Public()}})
	switch {
	case err != nil:
		out = append(out, sqlite.Misfit{Record: -1, Table: "ledger", Why: err.Error()})
	case report.First != nil:
		out = append(out, sqlite.Misfit{Record: report.First.Record, Table: "ledger", Why: report.First.Why})
	}
	return out
}

// fits fails the test if anything does not fit.
func fits(t testing.TB, path string) {
	t.Helper()
	for _, m := range misfits(t, path) {
		t.Errorf("record %d, %s %s: %s", m.Record, m.Table, m.Row, m.Why)
	}
}

// story writes a record of every kind that a store makes.
func story(t *testing.T, s *sqlite.Store) {
	t.Helper()
	ctx := t.Context()
	kesl := []remediate.Finding{{
		Playbook: "kaspersky/kesl", Kind: remediate.FindProduct, Product: "KESL <&>", Version: "12",
		Evidence: []remediate.Evidence{{Kind: remediate.EvidencePath, Value: "/opt/kaspersky\xff"}},
	}}
	look := func(host string, kind remediate.LookKind, n int64, found []remediate.Finding) *remediate.Look {
		return &remediate.Look{
			Host: host, Kind: kind, Run: "run1", At: minute(n), Raw: []byte(host + " printed at " + minute(n).String()),
			Transport: "ssh", Address: "10.0.0.1:22", Probe: remediate.Digest(nil), Platform: remediate.Linux, OS: "Debian",
			BootID: "boot1", Findings: found, Complete: true, Bare: "no guard",
		}
	}
	attempt := func(id, host string, n int64) remediate.Attempt {
		return remediate.Attempt{
			ID: id, Run: "run2", Host: host, Plan: "plan1", Script: "sha256:5c", Address: "10.0.0.1:22", BootID: "boot1",
			Playbooks: []string{"kaspersky/kesl"}, Started: minute(n), Updated: minute(n),
		}
	}
	must(t, s.Note(ctx, remediate.Record{Kind: remediate.RecordSettings, Body: remediate.Settings{Campaign: "sha256:00"}}))
	must(t, s.BeginRun(ctx, remediate.Run{ID: "run1", Kind: "scan", Started: minute(1), By: "kim"}))
	must(t, s.TrustHostKey(ctx, "web1", "10.0.0.1:22", "SHA256:abc", minute(1)))
	for i, host := range []string{"web1", "web2", "web3", "web4"} {
		must(t, s.SaveLook(ctx, *look(host, remediate.LookScan, int64(2+i), kesl)))
	}
	must(t, s.SaveLook(ctx, remediate.Look{Host: "web5", Kind: remediate.LookScan, Run: "run1", At: minute(6), Class: remediate.ClassTimeout, Detail: "silent"}))
	must(t, s.EndRun(ctx, remediate.Run{ID: "run1", Ended: minute(7), Exit: 2, Note: "one is silent"}))
	must(t, s.SavePlan(ctx, "plan1", remediate.Digest([]byte("plan")), minute(8)))
	must(t, s.Approve(ctx, remediate.Approval{Plan: "plan0", At: minute(8), By: "kim"}))
	must(t, s.Approve(ctx, remediate.Approval{Plan: "plan1", At: minute(9), By: "kim", Scripts: []string{"s2", "s1"}, Hosts: []remediate.Planned{
		{Host: "web3", Wave: 2}, {Host: "web1", Wave: 1}, {Host: "web2", Wave: 2}, {Host: "web6", Wave: 2},
	}}))
	must(t, s.BeginRun(ctx, remediate.Run{ID: "run2", Kind: "apply", Plan: "plan1", Started: minute(10), By: "kim"}))
	must(t, s.LowerRun(ctx, "run2", "ignore-windows"))
	must(t, s.BeginRun(ctx, remediate.Run{ID: "run3", Kind: "verify", Started: minute(10), By: "kim"}))

	// web1: a job that ends, a restart, an outcome with a look, and cleaning.
	a := attempt("a1", "web1", 11)
	must(t, s.BeginAttempt(ctx, a))
	a.Phase, a.Updated = remediate.PhaseLaunched, minute(12)
	must(t, s.SaveAttempt(ctx, a))
	must(t, s.BeginReboot(ctx, remediate.Reboot{Host: "web1", BootID: "boot1", Attempt: "a1", At: minute(13)}, 2))
	must(t, s.EndReboot(ctx, "web1", "boot1", minute(14)))
	a.Phase, a.Updated, a.Result, a.Log = remediate.PhaseEnded, minute(15), "1 ok\n", []byte(strings.Repeat("removing\n", 100))
	must(t, s.SaveAttempt(ctx, a))
	a.Phase, a.Updated, a.Log, a.Outcome = remediate.PhaseClosed, minute(16), nil, remediate.Outcome{Kind: remediate.OutcomeRemoved, Detail: "gone"}
	must(t, s.CloseAttempt(ctx, a, look("web1", remediate.LookVerify, 16, nil)))
	a.Phase, a.Updated = remediate.PhaseCleaned, minute(17)
	must(t, s.SaveAttempt(ctx, a))
	// web2: an attempt and its look fail, which is one failure; then it is seen.
	b := attempt("a2", "web2", 11)
	must(t, s.BeginAttempt(ctx, b))
	b.Phase, b.Updated, b.Exit, b.Outcome = remediate.PhaseCleaned, minute(12), 3, remediate.Failed(remediate.ClassUninstaller, "exit 3 \xff")
	must(t, s.CloseAttempt(ctx, b, &remediate.Look{Host: "web2", Kind: remediate.LookVerify, At: minute(12), Class: remediate.ClassTimeout, Detail: "slow"}))
	must(t, s.SaveLook(ctx, *look("web2", remediate.LookPrecheck, 13, kesl)))
	// web3: no attempt was begun. web4: it is still open.
	c := attempt("a3", "web3", 11)
	c.Phase, c.Outcome = remediate.PhaseCleaned, remediate.Outcome{Kind: remediate.OutcomeStale, Detail: "other version"}
	must(t, s.CloseAttempt(ctx, c, look("web3", remediate.LookPrecheck, 11, kesl)))
	must(t, s.BeginAttempt(ctx, attempt("a4", "web4", 12)))

	must(t, s.SaveHold(ctx, remediate.Hold{At: minute(18), Reason: "20 hosts failed", Run: "run2", Plan: "plan1", Wave: 1}))
	must(t, s.ReleaseHold(ctx, minute(19), "kim"))
	must(t, s.SaveHold(ctx, remediate.Hold{At: minute(20), Reason: "again"}))
	e := remediate.Exemption{
		Host: "web5", Reason: "lab", Approver: "lee", Ground: "research", Mitigation: "no network", Until: minute(900), At: minute(20), By: "kim",
	}
	must(t, s.SaveExemption(ctx, e))
	e.At, e.Until = minute(21), minute(901)
	must(t, s.SaveExemption(ctx, e))
	must(t, s.EndExemption(ctx, "web5", minute(22)))
	must(t, s.BeginReboot(ctx, remediate.Reboot{Host: "web2", BootID: "boot1", At: minute(23)}, 2))
	must(t, s.SaveSubmission(ctx, remediate.Submission{
		Report: remediate.ReportPlan, At: minute(24), By: "kim", To: "CISA", Files: []remediate.FileDigest{{Name: "plan.html", Digest: "sha256:11"}},
	}))
	must(t, s.SaveSubmission(ctx, remediate.Submission{Report: remediate.ReportStatus, At: minute(25), To: "CISA"}))
}

// storyFile is a closed store with the story in it.
func storyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	s := open(t, path)
	story(t, s)
	must(t, s.Close())
	return path
}

func TestCheckLedger(t *testing.T) {
	t.Parallel()
	path := storyFile(t)
	fits(t, path)
	s := open(t, path)
	defer s.Close()
	fits(t, path) // beside the writer
	var kinds []string
	for e, err := range s.Ledger(t.Context(), 0) {
		must(t, err)
		_, r, err := ledger.Decode(e.Text)
		must(t, err)
		kinds = append(kinds, string(r.Kind))
		if r.By != "kim@desk" {
			t.Errorf("record %d is by %q", e.Number, r.By)
		}
	}
	for _, kind := range ledger.Kinds() {
		if kind != remediate.RecordKey && kind != remediate.RecordRules && kind != remediate.RecordState && !slices.Contains(kinds, string(kind)) {
			t.Errorf("the story has no record %s", kind)
		}
	}
	last, err := s.LastSettings(t.Context())
	if err != nil || last.Number != 1 {
		t.Errorf("last settings are record %d, %v", last.Number, err)
	}
	all, err := s.Settings(t.Context())
	if err != nil || len(all) != 1 || all[0].Kind != remediate.RecordSettings {
		t.Errorf("settings are %+v, %v", all, err)
	}
}

// silent are the columns that are no evidence, see CheckLedger.
var silent = []string{
	"meta.created", "goose_db_version.*", "sqlite_sequence.*", "durations.*",
	"raws.size", "logs.size", // a text is the same, however it is packed; a size that is wrong is found
}

// oneIn is how many columns are passed over for one that is changed, under the
// race detector.
const oneIn = 8

// TestEveryColumn changes every column of every row, one at a time; under the
// race detector a few of them, since 'make test' runs it without, too.
func TestEveryColumn(t *testing.T) {
	t.Parallel()
	story := storyFile(t)
	whole, err := os.ReadFile(story)
	must(t, err)
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	changes, least, turn := 0, 200, 0
	if raceDetector {
		least = 200 / oneIn
	}
	for _, table := range strings.Fields(scalar(t, story, `SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table'`)) {
		var columns []string
		for _, column := range strings.Fields(scalar(t, story, `SELECT group_concat(name, ' ') FROM pragma_table_info('`+table+`')`)) {
			if !slices.Contains(silent, table+".*") && !slices.Contains(silent, table+"."+column) {
				columns = append(columns, column)
			}
		}
		names := strings.Fields(scalar(t, story, `SELECT group_concat(name, ' ') FROM pragma_table_info('`+table+`') WHERE pk > 0`))
		rows := count(t, story, table)
		for row := range rows {
			if storetest.Rounds(1) == 1 && table != "attempts" && row > 0 && row < rows-1 {
				continue
			}
			where := rowCondition(t, story, table, names, row)
			for _, column := range columns {
				if turn++; raceDetector && turn%oneIn != 0 || openAttempt(t, story, table, column, where) {
					continue
				}
				must(t, os.WriteFile(path, whole, 0o600))
				statement := fmt.Sprintf(`UPDATE %[1]s SET %[2]s = CASE typeof(%[2]s) WHEN 'integer' THEN %[2]s + 1 WHEN 'text' THEN %[2]s || 'x'
					WHEN 'blob' THEN x'ff' || substr(%[2]s, 1) || x'' ELSE 1 END WHERE %[3]s`, table, column, where)
				if !alter(t, path, statement) {
					continue // a constraint holds it
				}
				changes++
				if len(misfits(t, path)) == 0 {
					t.Errorf("nothing is found after %s", statement)
				}
			}
		}
	}
	t.Logf("%d changes", changes)
	if changes < least {
		t.Errorf("only %d changes were made", changes)
	}
	must(t, os.WriteFile(path, whole, 0o600))
	if !alter(t, path, `UPDATE meta SET created = 1; UPDATE durations SET took = 1; UPDATE attempts SET exit = 9, phase = 'ended' WHERE kind = ''`) {
		t.Fatal("the silent columns cannot be changed")
	}
	fits(t, path)
}

// rowCondition names the n-th row of a table by its key.
func rowCondition(t *testing.T, path, table string, keys []string, n int) string {
	t.Helper()
	if len(keys) == 0 {
		return fmt.Sprintf(`rowid = (SELECT rowid FROM %s ORDER BY rowid LIMIT 1 OFFSET %d)`, table, n)
	}
	parts := make([]string, len(keys))
	for i, key := range keys {
		value := scalar(t, path, fmt.Sprintf(`SELECT quote(%s) FROM %s ORDER BY %s LIMIT 1 OFFSET %d`, key, table, strings.Join(keys, ", "), n))
		parts[i] = key + " = " + value
	}
	return strings.Join(parts, " AND ")
}

// openAttempt reports whether a column tells how an attempt stands that has no
// outcome yet.
func openAttempt(t *testing.T, path, table, column, where string) bool {
	t.Helper()
	if table != "attempts" || !slices.Contains([]string{"phase", "boot_id", "updated", "exit", "result", "journal"}, column) {
		return false
	}
	return scalar(t, path, `SELECT kind FROM attempts WHERE `+where) == ""
}

// TestRows takes each row away, and adds one to each table; under the race
// detector a few of them.
func TestRows(t *testing.T) {
	t.Parallel()
	story := storyFile(t)
	whole, err := os.ReadFile(story)
	must(t, err)
	path, turn := filepath.Join(t.TempDir(), sqlite.FileName), 0
	found := func(what string) {
		t.Helper()
		if len(misfits(t, path)) == 0 {
			t.Errorf("nothing is found after %s", what)
		}
	}
	for _, table := range strings.Fields(scalar(t, story, `SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table'`)) {
		if slices.Contains(silent, table+".*") {
			continue
		}
		names := strings.Fields(scalar(t, story, `SELECT group_concat(name, ' ') FROM pragma_table_info('`+table+`') WHERE pk > 0`))
		for row := range count(t, story, table) {
			if turn++; raceDetector && turn%oneIn != 0 {
				continue
			}
			must(t, os.WriteFile(path, whole, 0o600))
			statement := `DELETE FROM ` + table + ` WHERE ` + rowCondition(t, story, table, names, row)
			if !alter(t, path, statement) {
				t.Fatal(statement)
			}
			found(statement)
		}
	}
	for _, statement := range []string{
		`INSERT INTO hosts (name, standing) VALUES ('web9', 'clear')`,
		`INSERT INTO plans (id, digest, at) VALUES ('plan9', '', 1)`,
		`INSERT INTO approvals (plan, at, person) VALUES ('plan9', 1, '')`,
		`INSERT INTO approved_scripts (script, plan) VALUES ('s9', 'plan1')`,
		`INSERT INTO planned (host, plan, wave) VALUES ('web5', 'plan1', 1)`,
		`INSERT INTO looks SELECT 99, host, kind, run, at, digest, platform, os, boot_id, complete, class, detail, findings, bare, transport, address, probe, record FROM looks WHERE seq = 1`,
		`INSERT INTO raws (digest, size, data) VALUES (x'2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881', 1, 'x')`,
		`INSERT INTO runs (id, kind, plan, started) VALUES ('run9', 'scan', '', 1)`,
		`INSERT INTO attempts (id, run, host, plan, script, phase, boot_id, started, updated, exit, result) VALUES ('a9', '', 'web1', '', '', 'intended', '', 1, 1, 0, '')`,
		`INSERT INTO logs (attempt, size, data) VALUES (99, 1, 'x')`,
		`INSERT INTO trust (host, address, fingerprint, at) VALUES ('web2', '', '', 1)`,
		`INSERT INTO holds (at, reason, run, plan, wave) VALUES (1, '', '', '', 1)`,
		`INSERT INTO exemptions (host, reason, approver, until, at, person) VALUES ('web1', '', '', 9, 1, '')`,
		`INSERT INTO reboots (host, boot_id, attempt, at) VALUES ('web4', 'b', '', 1)`,
		`INSERT INTO submissions (report, at, person, receiver, files) VALUES ('plan', 1, '', '', 'null')`,
		`INSERT INTO moves (host, at, before, after) VALUES ('web1', 1, 'unseen', 'clear')`,
		`INSERT INTO heads SELECT day + 1, size, text FROM heads`,
		`INSERT INTO ledger SELECT seq + 1, host, hashes, text FROM ledger ORDER BY seq DESC LIMIT 1`,
		`UPDATE attempts SET phase = 'cleaned' WHERE kind = ''`,
		`UPDATE attempts SET phase = 'launched' WHERE kind <> ''`,
		`CREATE TRIGGER quiet AFTER INSERT ON looks BEGIN DELETE FROM looks; END`,
		`CREATE TRIGGER later AFTER INSERT ON goose_db_version BEGIN DELETE FROM looks; END`,
		`DROP INDEX looks_by_host`,
		`UPDATE looks SET seq = 100 - seq`,
	} {
		must(t, os.WriteFile(path, whole, 0o600))
		if !alter(t, path, statement) {
			t.Fatal(statement)
		}
		found(statement)
	}
}

// TestMisfitsNameRecords: the first misfit names the record that the changed
// row was made of.
func TestMisfitsNameRecords(t *testing.T) {
	t.Parallel()
	story := storyFile(t)
	for statement, record := range map[string]string{
		`UPDATE looks SET detail = 'x' WHERE seq = 3`:                                                   `SELECT record FROM looks WHERE seq = 3`,
		`DELETE FROM looks WHERE seq = 3`:                                                               `SELECT record FROM looks WHERE seq = 3`,
		`UPDATE runs SET exit = 0 WHERE id = 'run1'`:                                                    `SELECT ended_record FROM runs WHERE id = 'run1'`,
		`UPDATE attempts SET kind = 'removed' WHERE id = 'a2'`:                                          `SELECT outcome_record FROM attempts WHERE id = 'a2'`,
		`UPDATE attempts SET address = '' WHERE id = 'a2'`:                                              `SELECT record FROM attempts WHERE id = 'a2'`,
		`UPDATE hosts SET standing = 'clear' WHERE name = 'web3'`:                                       `SELECT outcome_record FROM attempts WHERE id = 'a3'`,
		`UPDATE planned SET wave = 1 WHERE host = 'web3'`:                                               `SELECT record FROM approvals WHERE plan = 'plan1'`,
		`UPDATE raws SET data = zeroblob(size) WHERE digest = (SELECT digest FROM looks WHERE seq = 2)`: `SELECT record FROM looks WHERE seq = 2`,
		`UPDATE logs SET data = zeroblob(size)`:                                                         `SELECT outcome_record FROM attempts WHERE id = 'a1'`,
	} {
		want := scalar(t, story, record)
		path := filepath.Join(t.TempDir(), sqlite.FileName)
		whole, err := os.ReadFile(story)
		must(t, err)
		must(t, os.WriteFile(path, whole, 0o600))
		alter(t, path, statement)
		found := misfits(t, path)
		if len(found) == 0 || fmt.Sprint(found[0].Record) != want {
			t.Errorf("%s: misfits %+v, want the first to name record %s", statement, found, want)
		}
	}
}

// scalar is the one value of a query, as text.
func scalar(t *testing.T, path, query string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	must(t, err)
	defer db.Close()
	var out sql.NullString
	if err := db.QueryRow(query).Scan(&out); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out.String
}

func count(t *testing.T, path, table string) int {
	t.Helper()
	var n int
	_, err := fmt.Sscan(scalar(t, path, `SELECT count(*) FROM `+table), &n)
	must(t, err)
	return n
}

// alter runs a statement on a closed store; false if a constraint holds it.
func alter(t *testing.T, path, statement string) bool {
	t.Helper()
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + suffix) // of an earlier reader
	}
	db, err := sql.Open("sqlite", "file:"+path)
	must(t, err)
	_, err = db.Exec(statement)
	must(t, db.Close())
	return err == nil
}
