package sqlite_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
)

func newKey(t *testing.T) *ledger.Signer {
	t.Helper()
	s, err := ledger.NewSigner("oust/test")
	must(t, err)
	return s
}

// TestKey: a writer needs the key of the ledger, or says which one follows it.
func TestKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	first, second := newKey(t), newKey(t)
	change := remediate.KeyChanged{Key: second.Public(), Before: first.Public()}
	opened := func(o sqlite.Options, want error) {
		t.Helper()
		s, err := sqlite.Open(t.Context(), path, o)
		if !errors.Is(err, want) {
			t.Fatalf("open: %v, want %v", err, want)
		}
		if err != nil {
			return
		}
		must(t, s.SaveLook(t.Context(), saved("web1")))
		key, err := s.LedgerKey(t.Context())
		if err != nil || key != o.Signer.Public() {
			t.Errorf("the key in force is %s, %v", key, err)
		}
		must(t, s.Close())
	}
	opened(sqlite.Options{}, sqlite.ErrNoKey)
	opened(sqlite.Options{Signer: first}, nil)
	opened(sqlite.Options{Signer: first}, nil)
	opened(sqlite.Options{}, sqlite.ErrNoKey)
	opened(sqlite.Options{Unsigned: true}, sqlite.ErrNoKey)
	opened(sqlite.Options{Signer: second}, sqlite.ErrOtherKey)
	odd := change
	odd.Before = second.Public()
	opened(sqlite.Options{Signer: second, Rotate: &odd}, sqlite.ErrOtherKey)
	opened(sqlite.Options{Signer: first, Rotate: &change}, sqlite.ErrOtherKey)
	opened(sqlite.Options{Signer: second, Rotate: &change}, nil)
	opened(sqlite.Options{Signer: second, Rotate: &change}, nil) // it is already
	opened(sqlite.Options{Signer: first}, sqlite.ErrOtherKey)

	s := openReadOnly(t, path)
	defer s.Close()
	report, err := ledger.Check(t.Context(), s, ledger.CheckOptions{Trusted: []string{second.Public()}})
	if err != nil || report.First != nil || len(report.Keys) != 2 || report.Records != 6 {
		t.Errorf("check: %+v, %v", report, err)
	}
	must(t, s.CheckLedger(t.Context(), func(m sqlite.Misfit) error {
		t.Errorf("misfit: %+v", m)
		return nil
	}, nil))
}

// TestAlteredIsNotSigned: what somebody has changed without the key is not
// signed by the next writer, whatever the hashes say.
func TestAlteredIsNotSigned(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"":               `SELECT 1`,
		"hashes":         `UPDATE ledger SET hashes = randomblob(length(hashes)) WHERE seq = 1`,
		"no hashes":      `UPDATE ledger SET hashes = x'' WHERE seq = 2`,
		"last removed":   `DELETE FROM ledger WHERE seq = 2`,
		"one more":       `INSERT INTO ledger SELECT 3, host, zeroblob(96), text FROM ledger WHERE seq = 2`,
		"all removed":    `DELETE FROM ledger`,
		"no head":        `DELETE FROM heads`,
		"head":           `UPDATE heads SET text = replace(text, 'time 2', 'time 1')`,
		"head's size":    `UPDATE heads SET text = replace(text, char(10) || '3' || char(10), char(10) || '2' || char(10))`,
		"other campaign": `UPDATE meta SET campaign_id = 'x'`,
	} {
		path := filepath.Join(t.TempDir(), sqlite.FileName)
		o := sqlite.Options{Signer: newKey(t)}
		s, err := sqlite.Open(t.Context(), path, o)
		must(t, err)
		must(t, s.SaveLook(t.Context(), saved("web1")))
		must(t, s.SaveLook(t.Context(), saved("web2")))
		must(t, s.Close())
		alter(t, path, change)
		next := newKey(t)
		rotate := remediate.KeyChanged{Key: next.Public(), Before: o.Signer.Public()}
		for _, o := range []sqlite.Options{o, {Signer: next, Rotate: &rotate}} {
			s, err := sqlite.Open(t.Context(), path, o)
			if errors.Is(err, sqlite.ErrAltered) != (name != "") {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil {
				must(t, s.Close())
			}
		}
	}
}

// TestOlderKey: whose ledger it is can be told before a store is brought up to
// date.
func TestOlderKey(t *testing.T) {
	t.Parallel()
	holds := func(path, want string) {
		t.Helper()
		if _, err := sqlite.OpenReadOnly(t.Context(), path, sqlite.Options{}); !errors.Is(err, sqlite.ErrOlder) {
			t.Fatalf("open: %v", err)
		}
		if key, err := sqlite.OlderKey(t.Context(), path); err != nil || key != want {
			t.Errorf("the key is %q, %v, want %q", key, err, want)
		}
	}
	older := filepath.Join(t.TempDir(), sqlite.FileName)
	secondStore(t, older, storyFile(t))
	holds(older, "")

	cut := filepath.Join(t.TempDir(), sqlite.FileName)
	signer := newKey(t)
	s, err := sqlite.Open(t.Context(), cut, sqlite.Options{Signer: signer})
	must(t, err)
	must(t, s.Close())
	alter(t, cut, `UPDATE meta SET carried = 0`)
	holds(cut, signer.Public())

	if _, err := sqlite.OlderKey(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName)); err == nil {
		t.Error("the key of no store")
	}
}

// TestHeadsOfDays: the last head of each day stays, and the newest is one of
// them.
func TestHeadsOfDays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), sqlite.FileName)
	now := time.Date(2026, 10, 1, 23, 0, 0, 0, time.UTC)
	o := sqlite.Options{Signer: newKey(t), Now: func() time.Time { return now }}
	s, err := sqlite.Open(t.Context(), path, o)
	must(t, err)
	defer s.Close()
	for range 4 {
		must(t, s.SaveLook(t.Context(), saved("web1")))
		must(t, s.SaveLook(t.Context(), saved("web2")))
		now = now.Add(20 * time.Hour)
	}
	heads, err := s.Heads(t.Context())
	must(t, err)
	var got []string
	for _, text := range heads {
		head, err := ledger.OpenHead(text, o.Signer.Public())
		must(t, err)
		got = append(got, head.At.Format("02 15h ")+strings.Repeat("|", int(head.Size)))
	}
	if want := "01 23h |||, 02 19h |||||, 03 15h |||||||, 04 11h |||||||||"; strings.Join(got, ", ") != want {
		t.Errorf("heads are %q", got)
	}
}
