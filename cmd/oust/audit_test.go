package main

import (
	"archive/zip"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to change a store behind oust's back

	"oust/transports/lab"
)

// campaignWithOutcomes is a folder in which hosts were scanned, planned and
// cleaned.
func campaignWithOutcomes(t *testing.T) string {
	t.Helper()
	_, dir := newLab(t, lab.Config{Hosts: 3, Seed: 3, Speed: 100})
	plan := filepath.Join(dir, "plan.json")
	must(t, 0, dir, "scan")
	must(t, 0, dir, "plan", "-o", plan)
	must(t, 0, dir, "apply", plan)
	must(t, 0, dir, "exempt", "lab-0001", "--reason", "r", "--approver", "a, CIO", "--until", "2099-12-31")
	return dir
}

// TestAuditBundle: the check that goes with a bundle agrees, without oust, and
// with a plan that was changed it does not.
func TestAuditBundle(t *testing.T) {
	t.Parallel()
	dir := campaignWithOutcomes(t)
	bundle := filepath.Join(t.TempDir(), "evidence.zip")
	must(t, 0, dir, "audit", "--bundle", bundle, "--raw")
	if info, err := os.Stat(bundle); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: mode %v", err, info.Mode())
	}
	z, err := zip.OpenReader(bundle)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	into := t.TempDir()
	if err := os.CopyFS(into, z); err != nil {
		t.Fatal(err)
	}
	plans, err := filepath.Glob(filepath.Join(into, "plans", "*.json"))
	if err != nil || len(plans) != 1 {
		t.Fatalf("plans: %v %v", plans, err)
	}
	for _, name := range []string{"README.md", "ledger.md", "verify/main.go", "reports/identify.html", "reports/plan.csv", "reports/status.oscal.json", "records.jsonl"} {
		if info, err := os.Stat(filepath.Join(into, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if raw, err := os.ReadDir(filepath.Join(into, "raw")); err != nil || len(raw) < 3 {
		t.Errorf("raw: %d files, %v", len(raw), err)
	}
	public, err := os.ReadFile(filepath.Join(dir, publicName))
	if err != nil {
		t.Fatal(err)
	}
	verify := func() (string, error) {
		c := exec.CommandContext(t.Context(), "go", "run", "verify/main.go", "-key", strings.TrimSpace(string(public)), ".")
		c.Dir = into
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GO111MODULE=off")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := verify(); err != nil || !strings.Contains(out, "ok: ") {
		t.Errorf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(plans[0])
	if err == nil {
		err = os.WriteFile(plans[0], append(text, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := verify(); err == nil || !strings.Contains(out, "no record names") {
		t.Errorf("a changed plan: %v\n%s", err, out)
	}
	secretFree(t, dir, into)
}

// secretFree looks for the secrets of a campaign folder in a bundle.
func secretFree(t *testing.T, dir, bundle string) {
	t.Helper()
	var secrets []string
	for _, name := range []string{keyName, "lab_key"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "-----") {
				secrets = append(secrets, line[len(line)-20:])
			}
		}
	}
	err := filepath.WalkDir(bundle, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if i := slices.IndexFunc(secrets, func(s string) bool { return strings.Contains(string(text), s) }); i >= 0 {
			t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAuditNamesTheRecord: what somebody changes in the file of the store is
// found, and the record is named.
func TestAuditNamesTheRecord(t *testing.T) {
	t.Parallel()
	dir := campaignWithOutcomes(t)
	was, err := os.ReadFile(filepath.Join(dir, storeName))
	if err != nil {
		t.Fatal(err)
	}
	var whole auditMessage
	if err := json.Unmarshal([]byte(must(t, 0, dir, "--json", "audit").Out), &whole); err != nil || whole.Misfits != 0 || whole.Hosts != 3 {
		t.Fatalf("%v: %+v", err, whole)
	}
	last := whole.Records - 1
	for name, c := range map[string]struct {
		change string
		record int64
	}{
		"text":            {`UPDATE ledger SET text = replace(text, '"kind":"scan"', '"kind":"verify"') WHERE seq = 3`, 3},
		"last removed":    {fmt.Sprintf(`DELETE FROM ledger WHERE seq = %d`, last), last},
		"tail removed":    {`DELETE FROM ledger WHERE seq >= 10`, 10},
		"removed":         {`DELETE FROM ledger WHERE seq = 4`, 4},
		"hash":            {`UPDATE ledger SET hashes = zeroblob(length(hashes)) WHERE seq = 5`, 5},
		"short hash":      {`UPDATE ledger SET hashes = x'00' WHERE seq = 5`, 5},
		"host of a row":   {fmt.Sprintf(`UPDATE exemptions SET reason = 'another' WHERE record = %d`, last), last},
		"head":            {`UPDATE heads SET text = replace(text, 'campaign ', 'campaign x')`, 0},
		"an added record": {fmt.Sprintf(`INSERT INTO ledger (seq, host, hashes, text) SELECT seq + 1, host, hashes, text FROM ledger WHERE seq = %d`, last), last + 1},
	} {
		copied := t.TempDir()
		if err := os.WriteFile(filepath.Join(copied, storeName), was, 0o600); err != nil {
			t.Fatal(err)
		}
		alter(t, filepath.Join(copied, storeName), c.change)
		lines := strings.Split(strings.TrimSpace(must(t, 2, copied, "--json", "audit").Out), "\n")
		var got auditMessage
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil || got.First == nil || got.First.Record != c.record {
			t.Errorf("%s: %v, first misfit %+v, want record %d", name, err, got.First, c.record)
		}
		if text := must(t, 2, copied, "audit").Out; !strings.Contains(text, fmt.Sprintf("NOT AS IT WAS WRITTEN: record %d: ", c.record)) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// alter runs a statement on the file of a store.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestReadHead: a head that came by mail is still one.
func TestReadHead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "head.txt")
	for _, text := range []string{"a\nb\n\n— c d\n", "a\r\nb\r\n\r\n— c d\r\n", "a\nb\n\n— c d", "a\nb\n\n— c d\n\n\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readHead(path); err != nil || got != "a\nb\n\n— c d\n" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
