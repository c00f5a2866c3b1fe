package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"oust/remediate"
	"oust/remediate/ledger"
)

// finds wants a changed ledger to be found, and the record to be named.
func finds(t *testing.T, what string, b *book, record int64) {
	t.Helper()
	r := check(t, b, ledger.CheckOptions{})
	if r.First == nil || r.First.Record != record {
		t.Errorf("%s: first misfit %+v, want record %d", what, r.First, record)
	}
}

var errFound = errors.New("found")

// TestEveryByteOfARecord changes, removes and adds bytes at every place of
// every record.
func TestEveryByteOfARecord(t *testing.T) {
	t.Parallel()
	b, _, _ := smallBook(t)
	for i := range b.entries {
		text := b.entries[i].Text
		try := func(what string, changed []byte) {
			b.entries[i].Text = changed
			var told ledger.Misfit
			_, err := ledger.Check(t.Context(), b, ledger.CheckOptions{Misfit: func(m ledger.Misfit) error {
				told = m
				return errFound
			}})
			if !errors.Is(err, errFound) || told.Record != int64(i) {
				t.Errorf("%s of record %d: %+v %v: %s", what, i, told, err, changed)
			}
		}
		for p := range len(text) + 1 {
			if p < len(text) {
				for _, bit := range []byte{0x01, 0x20} {
					changed := slices.Clone(text)
					changed[p] ^= bit
					try(fmt.Sprintf("byte %d", p), changed)
				}
				try(fmt.Sprintf("byte %d removed", p), slices.Delete(slices.Clone(text), p, p+1))
			}
			for _, c := range []byte(` "`) {
				try(fmt.Sprintf("byte before %d", p), slices.Insert(slices.Clone(text), p, c))
			}
		}
		try("nothing", nil)
		b.entries[i].Text = text
	}
	if r := check(t, b, ledger.CheckOptions{}); r.First != nil {
		t.Errorf("the test has not put everything back: %+v", r.First)
	}
}

// TestEveryByteOfAHash: the record is named with which the hash was stored.
func TestEveryByteOfAHash(t *testing.T) {
	t.Parallel()
	b, _, _ := smallBook(t)
	for i := range b.hashes {
		level, n := tlog.SplitStoredHashIndex(int64(i))
		record := (n+1)<<level - 1
		for p := range b.hashes[i] {
			b.hashes[i][p] ^= 0x10
			finds(t, fmt.Sprintf("hash %d byte %d", i, p), b, record)
			b.hashes[i][p] ^= 0x10
		}
		removed := b.clone()
		removed.hashes = removed.hashes[:i]
		finds(t, fmt.Sprintf("hashes from %d on removed", i), removed, record)
	}
}

// TestEveryByteOfAKeptHead: a head that is no longer well signed covers
// nothing; the newest names what it covered.
func TestEveryByteOfAKeptHead(t *testing.T) {
	t.Parallel()
	b, _, _ := smallBook(t)
	for i, text := range b.heads {
		for p := range len(text) {
			for _, changed := range []string{
				text[:p] + string(text[p]^1) + text[p+1:], text[:p] + string(text[p]^0x20) + text[p+1:], text[:p] + text[p+1:], text[:p] + "A" + text[p:],
			} {
				if changed == text {
					continue
				}
				b.heads[i] = changed
				if r := check(t, b, ledger.CheckOptions{}); r.First == nil || r.Heads != len(b.heads)-1 {
					t.Errorf("%d heads are well, with this one changed: %q", r.Heads, changed)
				} else if last := i == len(b.heads)-1; last != (r.First.Record == 9) {
					t.Errorf("head %d: first misfit %+v", i, r.First)
				}
			}
		}
		b.heads[i] = text
	}
}

// TestEveryByteOfATrustedKey: no key but the very one is trusted.
func TestEveryByteOfATrustedKey(t *testing.T) {
	t.Parallel()
	b, first, second := smallBook(t)
	for _, key := range []string{first.Public(), second.Public()} {
		for p := range len(key) {
			changed := key[:p] + string(key[p]^1) + key[p+1:]
			if r := check(t, b, ledger.CheckOptions{Trusted: []string{changed}}); r.First == nil || r.Trusted != "" {
				t.Errorf("trusted: %s", changed)
			}
		}
	}
}

// TestMovedRecords removes, adds, repeats and swaps records, with numbers that
// are made to fit and with numbers that are not.
func TestMovedRecords(t *testing.T) {
	t.Parallel()
	made, _, _ := smallBook(t)
	renumber := func(b *book) *book {
		for i := range b.entries {
			b.entries[i].Number = int64(i)
		}
		return b
	}
	for i := range len(made.entries) {
		n := int64(i)
		b := made.clone()
		b.entries = slices.Delete(b.entries, i, i+1)
		finds(t, fmt.Sprintf("record %d removed", i), b, n)
		finds(t, fmt.Sprintf("record %d removed, those after it moved up", i), renumber(b), n)

		b = made.clone()
		b.entries = slices.Insert(b.entries, i, b.entries[i])
		finds(t, fmt.Sprintf("record %d twice", i), renumber(b), n+1)
		b.entries[i+1].Number = n
		finds(t, fmt.Sprintf("record %d twice, with its number", i), b, min(n, int64(i)))

		b = made.clone()
		forged, err := ledger.Encode(n, remediate.Record{Kind: remediate.RecordTrust, At: at, By: "ann@ctl", Host: "web-1", Body: remediate.KeyTrusted{}})
		if err != nil {
			t.Fatal(err)
		}
		b.entries = slices.Insert(b.entries, i, remediate.LedgerEntry{Text: forged})
		finds(t, fmt.Sprintf("record added at %d", i), renumber(b), n)
		b = made.clone()
		b.entries[i].Text = forged
		finds(t, fmt.Sprintf("record %d replaced", i), b, n)
		b.hashes[tlog.StoredHashIndex(0, n)] = tlog.RecordHash(forged)
		if r := check(t, b, ledger.CheckOptions{}); r.First == nil || r.First.Record > n|1 {
			t.Errorf("record %d replaced with its hash: %+v", i, r.First)
		}
		for j := range i {
			b = made.clone()
			b.entries[i].Text, b.entries[j].Text = b.entries[j].Text, b.entries[i].Text
			finds(t, fmt.Sprintf("records %d and %d swapped", j, i), b, int64(j))
		}
	}
	b := made.clone()
	forged, err := ledger.Encode(13, remediate.Record{Kind: remediate.RecordTrust, At: at, Body: remediate.KeyTrusted{}})
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{t: t, book: b}
	if w.tree, err = ledger.NewTree(13, b.hashes.read); err != nil {
		t.Fatal(err)
	}
	w.text(forged)
	finds(t, "a record added at the end, with its hashes", b, 13)
}

// TestForgedHistory: all hashes fit, and no key has signed the heads.
func TestForgedHistory(t *testing.T) {
	t.Parallel()
	made, _, _ := smallBook(t)
	for i := 1; i < len(made.entries); i++ {
		w := &writer{t: t, book: &book{id: made.id, heads: made.heads}, tree: &ledger.Tree{}}
		for n, e := range made.entries {
			text := e.Text
			if n == i {
				text = []byte(strings.Replace(string(text), `"by":"ann@ctl"`, `"by":"eve@ctl"`, 1))
			}
			w.text(text)
		}
		r := check(t, w.book, ledger.CheckOptions{})
		if r.First == nil || r.First.Record > int64(i) || r.Heads > len(made.heads)-1 {
			t.Errorf("record %d forged: %+v", i, r.First)
		}
	}
}

// TestMovedHeads: kept heads that are swapped, repeated or gone.
func TestMovedHeads(t *testing.T) {
	t.Parallel()
	made, _, _ := smallBook(t)
	for name, change := range map[string]func(h []string) []string{
		"swapped":  func(h []string) []string { return []string{h[1], h[0], h[2], h[3]} },
		"repeated": func(h []string) []string { return []string{h[0], h[0], h[1], h[2], h[3]} },
		"newest":   func(h []string) []string { return h[:3] },
		"all":      func([]string) []string { return nil },
	} {
		b := made.clone()
		b.heads = change(b.heads)
		if r := check(t, b, ledger.CheckOptions{}); r.First == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
