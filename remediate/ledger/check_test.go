package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/ledger"
)

func check(t testing.TB, b *book, o ledger.CheckOptions) ledger.Report {
	t.Helper()
	r, err := ledger.Check(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantMisfit wants the first misfit to be of that record, and to say why.
func wantMisfit(t testing.TB, r ledger.Report, record int64, why string) {
	t.Helper()
	if r.First == nil || r.First.Record != record || !strings.Contains(r.First.Why, why) {
		t.Errorf("first misfit %+v, want record %d and %q", r.First, record, why)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	b, first, second := smallBook(t)
	var numbers []int64
	got := check(t, b, ledger.CheckOptions{
		Known: []ledger.Known{{Name: "monday", Text: b.heads[1]}},
		Record: func(n int64, r remediate.Record) error {
			numbers = append(numbers, n)
			return nil
		},
	})
	want := ledger.Report{
		Records: 13, Hosts: 2, Heads: 4, Known: 1, KnownHead: got.KnownHead, Campaign: "kas-2026",
		Keys:    []ledger.Span{{Key: first.Public()}, {Key: second.Public(), From: 7, Consent: true}},
		Trusted: first.Public(), Declared: true, Head: got.Head, HeadText: b.heads[3],
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if monday, err := ledger.OpenHead(b.heads[1], first.Public()); err != nil || monday != got.KnownHead {
		t.Errorf("the newest head that was kept elsewhere is %+v, want %+v, %v", got.KnownHead, monday, err)
	}
	if got.Head.Size != 13 || len(numbers) != 13 || numbers[12] != 12 {
		t.Errorf("head of %d, records %v", got.Head.Size, numbers)
	}
}

func TestCheckTrust(t *testing.T) {
	t.Parallel()
	b, first, second := smallBook(t)
	stranger := newSigner(t, "oust/kas-2026")
	for _, key := range []*ledger.Signer{first, second} {
		if r := check(t, b, ledger.CheckOptions{Trusted: []string{stranger.Public(), key.Public()}}); r.First != nil || r.Trusted != key.Public() || r.Declared {
			t.Errorf("%+v", r)
		}
	}
	wantMisfit(t, check(t, b, ledger.CheckOptions{Trusted: []string{stranger.Public()}}), 0, "not trusted")

	w := newWriter(t, first)
	w.changeKey(second, false)
	w.head()
	wantMisfit(t, check(t, w.book, ledger.CheckOptions{}), 1, "no trusted key has consented")
	wantMisfit(t, check(t, w.book, ledger.CheckOptions{Trusted: []string{first.Public()}}), 1, "no trusted key has consented")
	if r := check(t, w.book, ledger.CheckOptions{Trusted: []string{second.Public()}}); r.First != nil {
		t.Errorf("%+v", r.First)
	}
}

// TestCheckConsent: a consent must be signed by the key before, and be to the
// key that follows.
func TestCheckConsent(t *testing.T) {
	t.Parallel()
	first, second, third := newSigner(t, "oust/x"), newSigner(t, "oust/x"), newSigner(t, "oust/x")
	consent := func(s, to *ledger.Signer) string {
		text, err := s.Consent(to.Public())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, c := range map[string]struct {
		change remediate.KeyChanged
		why    string
	}{
		"of another": {remediate.KeyChanged{Key: second.Public(), Before: first.Public(), Consent: consent(third, second)}, "consent of the key before"},
		"to another": {remediate.KeyChanged{Key: second.Public(), Before: first.Public(), Consent: consent(first, third)}, "consented to another key"},
		"before":     {remediate.KeyChanged{Key: second.Public(), Before: third.Public(), Consent: consent(third, second)}, "the key before was"},
		"no key":     {remediate.KeyChanged{Key: "x", Before: first.Public()}, "no public key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWriter(t, first)
			w.add("", remediate.RecordKey, c.change)
			w.signer = second
			w.head()
			wantMisfit(t, check(t, w.book, ledger.CheckOptions{}), 1, c.why)
		})
	}
	if _, err := first.Consent("x"); err == nil {
		t.Error("consent to no key")
	}
}

// TestCheckKnown: a ledger that was written anew, by somebody who has the key,
// does not fit a head that was kept elsewhere.
func TestCheckKnown(t *testing.T) {
	t.Parallel()
	s, witness := newSigner(t, "oust/kas-2026"), newSigner(t, "auditor")
	made := func(host string) *book {
		w := newWriter(t, s)
		w.head()
		w.add(host, remediate.RecordTrust, remediate.KeyTrusted{})
		w.add("web-2", remediate.RecordTrust, remediate.KeyTrusted{})
		w.head()
		return w.book
	}
	was, is := made("web-1"), made("web-9")
	both, err := witness.Countersign(is.heads[1])
	if err != nil {
		t.Fatal(err)
	}
	known := func(text string, witnesses ...string) ledger.CheckOptions {
		return ledger.CheckOptions{Known: []ledger.Known{{Name: "k", Text: text, Witnesses: witnesses}}}
	}
	if r := check(t, is, known(both, witness.Public())); r.First != nil || r.Known != 1 {
		t.Errorf("%+v", r)
	}
	wantMisfit(t, check(t, is, known(is.heads[1], witness.Public())), -1, "the witness auditor")
	wantMisfit(t, check(t, is, known(was.heads[1])), 0, "one from 0 to 2")
	two := known(was.heads[1])
	two.Known = append(two.Known, ledger.Known{Name: "early", Text: was.heads[0]})
	wantMisfit(t, check(t, is, two), 1, "one from 1 to 2")
	wantMisfit(t, check(t, is, known("x")), -1, "malformed")
	short := is.clone()
	short.entries, short.hashes, short.heads = short.entries[:1], short.hashes[:1], short.heads[:1]
	wantMisfit(t, check(t, short, known(is.heads[1])), 1, "it is missing: the head k is of 3 records, and there are 1")
	empty := sign(t, s, ledger.Head{CampaignID: "c1"})
	wantMisfit(t, check(t, is, known(empty)), -1, "of no record")
}

// TestCheckGrowing: a ledger may grow while it is read.
func TestCheckGrowing(t *testing.T) {
	t.Parallel()
	w := newWriter(t, newSigner(t, "oust/x"))
	w.head()
	grown := 0
	w.book.onEnd = func() {
		if grown++; grown <= 5 {
			w.add("h", remediate.RecordTrust, remediate.KeyTrusted{})
			w.head()
		}
	}
	if r := check(t, w.book, ledger.CheckOptions{}); r.First != nil || r.Records != 6 || r.Head.Size != 6 {
		t.Errorf("%+v", r)
	}
	w.book.onEnd = func() {
		w.add("h", remediate.RecordTrust, remediate.KeyTrusted{})
		w.head()
	}
	if _, err := ledger.Check(t.Context(), w.book, ledger.CheckOptions{}); err == nil || !strings.Contains(err.Error(), "grows faster") {
		t.Errorf("error %v", err)
	}
}

// TestCheckLarge: batches fit together.
func TestCheckLarge(t *testing.T) {
	t.Parallel()
	w := newWriter(t, newSigner(t, "oust/x"))
	for i := range 2000 {
		w.add(fmt.Sprintf("h%d", i%700), remediate.RecordTrust, remediate.KeyTrusted{})
		if i%300 == 0 {
			w.head()
		}
	}
	w.head()
	if r := check(t, w.book, ledger.CheckOptions{}); r.First != nil || r.Records != 2001 || r.Hosts != 700 || r.Heads != 8 {
		t.Errorf("%+v", r)
	}
	w.book.entries[1500].Text[40] ^= 1
	r := check(t, w.book, ledger.CheckOptions{})
	wantMisfit(t, r, 1500, "its text")
	if r.Misfits != 1 || r.Heads != 8 {
		t.Errorf("%d misfits, %d heads", r.Misfits, r.Heads)
	}
}

func TestCheckEnds(t *testing.T) {
	t.Parallel()
	b, _, _ := smallBook(t)
	enough := errors.New("enough")
	if _, err := ledger.Check(t.Context(), b, ledger.CheckOptions{Record: func(n int64, _ remediate.Record) error {
		if n == 3 {
			return enough
		}
		return nil
	}}); !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
	b.entries = slices.Delete(b.entries, 4, 6)
	var told []ledger.Misfit
	r, err := ledger.Check(t.Context(), b, ledger.CheckOptions{Misfit: func(m ledger.Misfit) error {
		told = append(told, m)
		return enough
	}})
	if !errors.Is(err, enough) || len(told) != 1 || told[0] != *r.First || told[0].Record != 4 {
		t.Errorf("error %v, told %v", err, told)
	}
	if r := check(t, &book{id: "c1"}, ledger.CheckOptions{}); r.First != nil || r.Records != 0 {
		t.Errorf("an empty one: %+v", r)
	}
}

// TestCheckFarNumber: a record that somebody has put far behind the others,
// where hashes have no numbers any more.
func TestCheckFarNumber(t *testing.T) {
	t.Parallel()
	for _, number := range []int64{100, 1 << 40, 1 << 60, 1 << 62, math.MaxInt64} {
		b, _, _ := smallBook(t)
		size := int64(len(b.entries))
		b.entries = append(b.entries, remediate.LedgerEntry{Number: number, Text: b.entries[size-1].Text})
		wantMisfit(t, check(t, b, ledger.CheckOptions{}), size, "it is missing")
	}
}
