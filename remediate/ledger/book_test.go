package ledger_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/ledger"
)

// book is a ledger in memory.
type book struct {
	id      string
	entries []remediate.LedgerEntry
	hashes  shelf
	heads   []string
	// onEnd is called after Ledger has yielded its last record.
	onEnd func()
}

func (b *book) CampaignID(context.Context) (string, error) { return b.id, nil }

func (b *book) Heads(context.Context) ([]string, error) { return slices.Clone(b.heads), nil }

func (b *book) Ledger(_ context.Context, first int64) iter.Seq2[remediate.LedgerEntry, error] {
	return func(yield func(remediate.LedgerEntry, error) bool) {
		for _, e := range b.entries {
			if e.Number >= first && !yield(e, nil) {
				return
			}
		}
		if b.onEnd != nil {
			b.onEnd()
		}
	}
}

func (b *book) LedgerHashes(_ context.Context, indexes []int64) ([][32]byte, error) {
	out, err := b.hashes.read(indexes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", remediate.ErrNotFound, err)
	}
	return out, nil
}

func (b *book) HostLedger(ctx context.Context, host string) iter.Seq2[remediate.LedgerEntry, error] {
	return func(yield func(remediate.LedgerEntry, error) bool) {
		for _, e := range b.entries {
			if _, r, err := ledger.Decode(e.Text); (err != nil || r.Host == host) && !yield(e, err) {
				return
			}
		}
	}
}

var _ ledger.BundleSource = (*book)(nil)

func (b *book) clone() *book {
	c := &book{id: b.id, heads: slices.Clone(b.heads), hashes: slices.Clone(b.hashes)}
	for _, e := range b.entries {
		c.entries = append(c.entries, remediate.LedgerEntry{Number: e.Number, Text: slices.Clone(e.Text)})
	}
	return c
}

// writer grows a book as a store does.
type writer struct {
	t      testing.TB
	book   *book
	tree   *ledger.Tree
	signer *ledger.Signer
}

func newWriter(t testing.TB, signer *ledger.Signer) *writer {
	t.Helper()
	tree, err := ledger.NewTree(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{t: t, book: &book{id: "c1"}, tree: tree, signer: signer}
	w.add("", remediate.RecordBegun, remediate.LedgerBegun{Campaign: "kas-2026", CampaignID: w.book.id, Key: signer.Public()})
	return w
}

func (w *writer) add(host string, kind remediate.RecordKind, body any) {
	w.t.Helper()
	n := w.tree.Size()
	text, err := ledger.Encode(n, remediate.Record{Kind: kind, At: at.Add(time.Duration(n) * time.Second), By: "ann@ctl", Host: host, Body: body})
	if err != nil {
		w.t.Fatal(err)
	}
	w.text(text)
}

func (w *writer) text(text []byte) {
	w.book.entries = append(w.book.entries, remediate.LedgerEntry{Number: w.tree.Size(), Text: text})
	for _, s := range w.tree.Append(text) {
		w.book.hashes = append(w.book.hashes, s.Hash)
	}
}

// head signs and keeps the head of now.
func (w *writer) head() {
	w.t.Helper()
	w.book.heads = append(w.book.heads, sign(w.t, w.signer, ledger.Head{
		Size: w.tree.Size(), Root: w.tree.Root(), At: at.Add(time.Hour), CampaignID: w.book.id,
	}))
}

// changeKey has another key sign from here on.
func (w *writer) changeKey(next *ledger.Signer, consent bool) {
	w.t.Helper()
	change := remediate.KeyChanged{Key: next.Public(), Before: w.signer.Public()}
	if consent {
		var err error
		if change.Consent, err = w.signer.Consent(next.Public()); err != nil {
			w.t.Fatal(err)
		}
	}
	w.add("", remediate.RecordKey, change)
	w.signer = next
}

// smallBook has 13 records of many kinds, a key that was changed, and four
// heads.
func smallBook(t testing.TB) (b *book, first, second *ledger.Signer) {
	t.Helper()
	first, second = newSigner(t, "oust/kas-2026"), newSigner(t, "oust/kas-2026")
	w := newWriter(t, first)
	w.add("", remediate.RecordSettings, remediate.Settings{Campaign: "sha256:aa", Lowered: []string{"winrm.verify: none"}})
	w.add("", remediate.RecordRun, remediate.RunBegun{Run: "r1", Kind: "scan"})
	w.head()
	w.add("web-1", remediate.RecordLook, remediate.LookTaken{Kind: remediate.LookScan, Run: "r1", Complete: true, Findings: []remediate.Finding{{
		Playbook: "kaspersky/kes", Kind: remediate.FindProduct, Product: "KES", Evidence: []remediate.Evidence{{Kind: "package", Value: "x"}},
	}}})
	w.add("web-2", remediate.RecordLook, remediate.LookTaken{Kind: remediate.LookScan, Class: remediate.ClassUnreachable, Detail: "no route"})
	w.add("", remediate.RecordRunEnded, remediate.RunEnded{Run: "r1", Exit: 2})
	w.head()
	w.add("web-2", remediate.RecordExemption, remediate.Exemption{Host: "web-2", Reason: "legal hold", Approver: "CIO", Until: at.Add(24 * time.Hour), At: at})
	w.changeKey(second, true)
	w.add("", remediate.RecordPlan, remediate.PlanSaved{Plan: "p1", Digest: "sha256:bb"})
	w.head()
	w.add("web-1", remediate.RecordAttempt, remediate.AttemptBegun{Attempt: "a1", Run: "r2", Plan: "p1"})
	w.add("web-1", remediate.RecordLook, remediate.LookTaken{Kind: remediate.LookVerify, Complete: true})
	w.add("web-1", remediate.RecordOutcome, remediate.AttemptEnded{Attempt: "a1", Run: "r2", Started: at, Outcome: remediate.OutcomeRemoved, Looked: true})
	w.add("", remediate.RecordSubmission, remediate.Submission{Report: remediate.ReportIdentify, At: at, To: "CISA"})
	w.head()
	return w.book, first, second
}
