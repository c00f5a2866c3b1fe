package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"oust/remediate"
	"oust/remediate/ledger"
)

// TestCheckNewerRules: records of rules that this program does not know are
// signed all the same, and what they say is not called altered.
func TestCheckNewerRules(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "oust/kas-2026")
	const newer = remediate.LedgerRules + 1
	begin := func() *writer {
		w := newWriter(t, key)
		w.add("", remediate.RecordRun, remediate.RunBegun{Run: "r1", Kind: "scan"})
		w.add("", remediate.RecordRules, remediate.RulesChanged{Rules: newer})
		w.text([]byte(`{"n":3,"kind":"tomorrow","at":"2026-10-03T02:05:09.12Z","by":"ann","body":{"what":"nobody knows yet"}}`))
		w.head()
		return w
	}
	w := begin()
	seen := 0
	report, err := ledger.Check(t.Context(), w.book, ledger.CheckOptions{Record: func(int64, remediate.Record) error { seen++; return nil }})
	rules, is := errors.AsType[*ledger.NewerRulesError](err)
	if !is || rules.From != 2 || rules.Rules != newer || report.Misfits > 0 || report.Records != 4 || seen != 3 {
		t.Errorf("%+v, %v, %d records seen", report, err, seen)
	}
	for _, want := range []string{"hashes and signed heads fit", "from number 2 on", fmt.Sprintf("rules %d, this one knows up to %d", newer, remediate.LedgerRules)} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	// Rules that are not known are no excuse for what does not fit.
	w = begin()
	w.book.entries[1].Text = []byte(strings.Replace(string(w.book.entries[1].Text), "scan", "skan", 1))
	got, err := ledger.Check(t.Context(), w.book, ledger.CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantMisfit(t, got, 1, "do not belong together")

	// Whoever brings them without the key is found out.
	b, _, _ := smallBook(t)
	b.entries[1].Text = []byte(`{"n":1,"kind":"rules","at":"2026-10-03T02:05:07.12Z","by":"ann@ctl","body":{"rules":9}}`)
	if got, err = ledger.Check(t.Context(), b, ledger.CheckOptions{}); err != nil {
		t.Fatal(err)
	}
	wantMisfit(t, got, 1, "do not belong together")
}

// TestCheckRules: rules only go up, and a ledger that begins with unknown ones
// is refused.
func TestCheckRules(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "oust/kas-2026")
	w := newWriter(t, key)
	w.add("", remediate.RecordRules, remediate.RulesChanged{Rules: 1})
	w.head()
	got, err := ledger.Check(t.Context(), w.book, ledger.CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantMisfit(t, got, 1, "it brings rules 1, and rules 1 were in force")

	begun := []byte(`{"n":0,"kind":"begun","at":"2030-01-01T00:00:00Z","by":"ann","body":{"campaign":"x","keys":["of another form"],"rules":99}}`)
	w = &writer{t: t, signer: key, book: &book{id: "c1"}, tree: &ledger.Tree{}}
	w.text(begun)
	b := w.book
	_, err = ledger.Check(t.Context(), b, ledger.CheckOptions{})
	if rules, is := errors.AsType[*ledger.NewerRulesError](err); !is || rules.From != 0 || rules.Rules != 99 {
		t.Errorf("%v", err)
	}
	b, _, _ = smallBook(t)
	b.entries[0].Text = begun
	if got, err = ledger.Check(t.Context(), b, ledger.CheckOptions{}); err != nil {
		t.Fatal(err)
	}
	wantMisfit(t, got, 0, "its text: ")
}

func TestRulesOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{"n":0,"kind":"begun","at":"x","by":"","body":{"rules":3,"new":{}}}`: 3,
		`{"n":7,"kind":"rules","body":{"rules":4}}`:                           4,
		`{"n":7,"kind":"begun","body":{}}`:                                    0,
		`{"n":7,"kind":"look","body":{"rules":4}}`:                            0,
		`{"kind":"rules","body":{"rules":4}}`:                                 0,
		`{"n":7,"kind":"rules","body":{"rules":"4"}}`:                         0,
		`{"n":7,"kind":"rules","body`:                                         0,
	} {
		if got := ledger.RulesOf([]byte(text)); got != want {
			t.Errorf("%s brings rules %d, want %d", text, got, want)
		}
	}
}
