package ledger_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"oust/remediate/ledger"
)

func newSigner(t testing.TB, origin string) *ledger.Signer {
	t.Helper()
	s, err := ledger.NewSigner(origin)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, s *ledger.Signer, h ledger.Head) string {
	t.Helper()
	text, err := s.Sign(h)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var head = ledger.Head{Size: 42, Root: [32]byte{1, 2, 3}, At: at, CampaignID: "c1"}

func TestHead(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "oust/kas-2026")
	text := sign(t, s, head)
	const want = "oust/kas-2026\n42\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-10-03T02:05:06.12Z\ncampaign c1\n\n— oust/kas-2026 "
	if !strings.HasPrefix(text, want) {
		t.Errorf("%q\nwant it to begin with\n%q", text, want)
	}
	got, err := ledger.OpenHead(text, s.Public())
	if err != nil {
		t.Fatal(err)
	}
	expected := head
	expected.Origin, expected.At = "oust/kas-2026", at.UTC().Truncate(time.Microsecond)
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Error(diff)
	}
	v, err := note.NewVerifier(s.Public())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open([]byte(text), note.VerifierList(v)); err != nil || len(n.Sigs) != 1 {
		t.Errorf("sumdb/note reads it otherwise: %v", err)
	}
}

// TestEveryByteOfAHeadCounts: whatever byte of a signed head changes, goes or
// is added, the head is not taken as it was.
func TestEveryByteOfAHeadCounts(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "oust/kas-2026")
	text := sign(t, s, head)
	try := func(changed []byte) {
		if _, err := ledger.OpenHead(string(changed), s.Public()); err == nil {
			t.Errorf("taken: %q\nmade of %q", changed, text)
		}
	}
	for i := range len(text) {
		for bit := range 8 {
			changed := []byte(text)
			changed[i] ^= 1 << bit
			try(changed)
		}
		try(append([]byte(text[:i]), text[i+1:]...))
		for _, b := range []byte("\n A=\x00") {
			if added := append(append([]byte(text[:i]), b), text[i:]...); !bytes.Equal(added, []byte(text)) {
				try(added)
			}
		}
	}
	for _, end := range []string{"x", "\n", " "} {
		try([]byte(text + end))
	}
}

func TestOpenHeadRefuses(t *testing.T) {
	t.Parallel()
	s, other := newSigner(t, "oust/kas-2026"), newSigner(t, "oust/kas-2026")
	good := sign(t, s, head)
	if _, err := ledger.OpenHead(good, other.Public()); err == nil || !strings.Contains(err.Error(), "none of the trusted keys") {
		t.Errorf("another key: %v", err)
	}
	if _, err := ledger.OpenHead(good); err == nil {
		t.Error("taken without a key")
	}
	if _, err := ledger.OpenHead(good, "nonsense"); err == nil || !strings.Contains(err.Error(), "no public key") {
		t.Errorf("no key: %v", err)
	}
	if _, err := ledger.OpenHead(good+strings.Repeat("— x\n", ledger.MaxHead), s.Public()); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a long one: %v", err)
	}
	v := raw(t, "oust/kas-2026")
	for name, text := range map[string]string{
		"no extension":  "oust/kas-2026\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"one more line": "oust/kas-2026\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-10-03T02:05:06Z\ncampaign c1\nmore\n",
		"size":          "oust/kas-2026\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-10-03T02:05:06Z\ncampaign c1\n",
		"root":          "oust/kas-2026\n1\nAAAA\ntime 2026-10-03T02:05:06Z\ncampaign c1\n",
		"spare bits":    "oust/kas-2026\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\ntime 2026-10-03T02:05:06Z\ncampaign c1\n",
		"zone":          "oust/kas-2026\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-10-03T02:05:06+02:00\ncampaign c1\n",
		"campaign":      "oust/kas-2026\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-10-03T02:05:06Z\ncampaign \n",
	} {
		signed, err := note.Sign(&note.Note{Text: text}, v.signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.OpenHead(string(signed), v.public); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// rawKey signs any text.
type rawKey struct {
	signer note.Signer
	public string
}

func raw(t testing.TB, name string) rawKey {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return rawKey{s, public}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "oust/x")
	for name, h := range map[string]ledger.Head{
		"origin":   {Origin: "oust/y", CampaignID: "c"},
		"size":     {Size: -1, CampaignID: "c"},
		"campaign": {CampaignID: "c 1"},
		"year":     {CampaignID: "c", At: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := s.Sign(h); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", "\xff", strings.Repeat("x", 600)} {
		if _, err := ledger.NewSigner(name); err == nil {
			t.Errorf("a key with the name %q", name)
		}
	}
}

func TestCountersign(t *testing.T) {
	t.Parallel()
	s, witness, stranger := newSigner(t, "oust/x"), newSigner(t, "auditor.example"), newSigner(t, "stranger")
	signed := sign(t, s, head)
	both, err := witness.Countersign(signed)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(both, signed) {
		t.Errorf("the first signature has changed:\n%s\n%s", signed, both)
	}
	for _, key := range []string{s.Public(), witness.Public()} {
		if _, err := ledger.OpenHead(both, key); err != nil {
			t.Error(err)
		}
	}
	if _, err := ledger.OpenHead(both, stranger.Public()); err == nil || !strings.Contains(err.Error(), "oust/x+") || !strings.Contains(err.Error(), "auditor.example+") {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := ledger.OpenHead(both, stranger.Public(), witness.Public(), witness.Public()); err != nil {
		t.Error(err)
	}
	if again, err := witness.Countersign(both); err != nil || again != both {
		t.Errorf("signed twice: %v\n%s", err, again)
	}
	for _, bad := range []string{"", "x", "x\n\n— a b\n", strings.Repeat("x", ledger.MaxHead+1)} {
		if _, err := witness.Countersign(bad); err == nil {
			t.Errorf("%.20q was signed", bad)
		}
	}
}

// TestNoSecretIsPrinted: a key that is printed, in any way, shows its public half.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "oust/x")
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(form, s); !strings.Contains(text, s.Public()) || strings.Contains(text, "PRIVATE") {
			t.Errorf("%s: %s", form, text)
		}
	}
	secret := "PRIVATE+KEY+x+00000000+AAAA"
	if _, err := ledger.CheckPublic(secret); err == nil || strings.Contains(err.Error(), "AAAA") {
		t.Errorf("a secret key given as a public one: %v", err)
	}
}

func FuzzOpenHead(f *testing.F) {
	s := newSigner(f, "oust/x")
	f.Add(sign(f, s, head))
	f.Add("oust/x\n1\nAAAA\n\n— oust/x AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ledger.OpenHead(text, s.Public())
		if err != nil {
			return
		}
		again, err := s.Sign(h)
		if body, _, _ := strings.Cut(again, "\n\n"); err != nil || !strings.HasPrefix(text, body) {
			t.Errorf("%v\n%q\n%q", err, text, again)
		}
	})
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"kas-2026": "oust/kas-2026", "Frühjahr 2026+x/y": "oust/Frühjahr-2026-x-y", "": "oust/", "\xff\n": "oust/--",
		strings.Repeat("ü", 150): "oust/" + strings.Repeat("ü", 100),
	} {
		got := ledger.Origin(name)
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
		if _, err := ledger.NewSigner(got); err != nil {
			t.Error(err)
		}
	}
}
