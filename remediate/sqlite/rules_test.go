package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/ledger"
)

// TestRules: a version with other rules says so before it writes; one that does
// not know them adds nothing and calls nothing altered.
func TestRules(t *testing.T) {
	t.Parallel()
	path, next := filepath.Join(t.TempDir(), FileName), remediate.LedgerRules+1
	write := func(rules int) (records int64) {
		t.Helper()
		s, err := Open(t.Context(), path, Options{Unsigned: true, By: "kim", rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		look := remediate.Look{Host: "web1", Kind: remediate.LookScan, At: time.Unix(1_790_000_000, 0), Raw: []byte("x"), Complete: true}
		if err := s.SaveLook(t.Context(), look); err != nil {
			t.Fatal(err)
		}
		if records, err = s.LedgerSize(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return records
	}
	checked := func(rules int) (found []Misfit, err error) {
		t.Helper()
		s, err := OpenReadOnly(t.Context(), path, Options{rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		return found, s.CheckLedger(t.Context(), func(m Misfit) error { found = append(found, m); return nil }, nil)
	}
	fits := func(rules int) {
		t.Helper()
		if found, err := checked(rules); err != nil || len(found) > 0 {
			t.Errorf("by rules %d: %+v, %v", rules, found, err)
		}
	}
	for i, step := range []struct {
		rules   int
		records int64
	}{
		{remediate.LedgerRules, 2}, {remediate.LedgerRules, 3}, {next, 5}, {next, 6},
	} {
		if got := write(step.rules); got != step.records {
			t.Fatalf("step %d: %d records, want %d", i, got, step.records)
		}
		fits(step.rules)
	}
	// A header that was lost is written again, and nothing else.
	db, err := pool(path, 1)
	if err == nil {
		_, err = db.ExecContext(t.Context(), `PRAGMA user_version = 0`)
	}
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	if found, err := checked(next); err != nil || len(found) != 1 || !strings.Contains(found[0].Why, "the file is of rules 1, and the ledger tells 2") {
		t.Errorf("without its header: %+v, %v", found, err)
	}
	if got := write(next); got != 7 {
		t.Errorf("%d records, want 7", got)
	}
	fits(next)
	fits(next + 1) // which has nothing to add as long as it only reads

	if _, err := Open(t.Context(), path, Options{Unsigned: true}); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "(rules 2, this one knows 1)") {
		t.Errorf("a writer that does not know the rules: %v", err)
	}
	found, err := checked(remediate.LedgerRules)
	newer, is := errors.AsType[*ledger.NewerRulesError](err)
	if !is || newer.From != 3 || newer.Rules != next || len(found) > 0 {
		t.Errorf("a check that does not know the rules: %+v, %v", found, err)
	}
	if !strings.Contains(err.Error(), "the records from number 3 on were written by a newer oust") {
		t.Error(err)
	}
}

// TestRulesOfTheFile: what the file's header says is held against the ledger.
func TestRulesOfTheFile(t *testing.T) {
	t.Parallel()
	s := idle(t)
	if err := s.session.setRules(7); err != nil {
		t.Fatal(err)
	}
	var found []Misfit
	if err := s.CheckLedger(t.Context(), func(m Misfit) error { found = append(found, m); return nil }, nil); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Table != "meta" || found[0].Why != "the file is of rules 7, and the ledger tells 1" {
		t.Errorf("%+v", found)
	}
}

// TestRulesGoUp: a record of rules that were in force already is no record that
// this program writes.
func TestRulesGoUp(t *testing.T) {
	t.Parallel()
	s := idle(t)
	err := s.session.alone("again", func(tx *session) error {
		return tx.log.append(remediate.Record{Kind: remediate.RecordRules, At: time.Unix(1, 0), Body: remediate.RulesChanged{Rules: remediate.LedgerRules}})
	})
	if err != nil {
		t.Fatal(err)
	}
	var found []Misfit
	if err := s.CheckLedger(t.Context(), func(m Misfit) error { found = append(found, m); return nil }, nil); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Record != 1 || !strings.Contains(found[0].Why, "rules 1 were in force already") {
		t.Errorf("%+v", found)
	}
}
