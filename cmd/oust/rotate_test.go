package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oust/remediate/campaign"
	"oust/transports/lab"
)

// TestRotateInterrupted: a rotation that ended in the middle is finished by the
// next one, which makes no third key.
func TestRotateInterrupted(t *testing.T) {
	t.Parallel()
	_, dir := newLab(t, lab.Config{Hosts: 1, Seed: 1})
	must(t, 0, dir, "scan")
	key := filepath.Join(dir, keyName)
	read := func(path string) []byte {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	put := func(path string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	first := read(key)
	must(t, 0, dir, "audit", "--rotate")
	second := read(key)
	if string(second) == string(first) || string(read(key+".1")) != string(first) {
		t.Fatal("the key was not changed, or the one before is not beside it")
	}
	records := strings.Count(must(t, 0, dir, "audit").Out, "key   ")
	if records != 2 {
		t.Fatalf("%d keys", records)
	}
	for name, state := range map[string]func(){
		"recorded, and nothing renamed":   func() { put(key+".new", second); put(key, first) },
		"recorded, and the old one aside": func() { move(key, key+".new") },
	} {
		state()
		must(t, 1, dir, "scan") // the key is not in its place
		must(t, 0, dir, "audit", "--rotate")
		if string(read(key)) != string(second) {
			t.Errorf("%s: another key is in its place", name)
		}
		if got := strings.Count(must(t, 0, dir, "audit").Out, "key   "); got != records {
			t.Errorf("%s: %d keys, want %d", name, got, records)
		}
		must(t, 0, dir, "scan")
	}
	must(t, 0, dir, "audit", "--new-key", key+".new", "--name", "oust/lab") // made, and not recorded yet
	third := read(key + ".new")
	must(t, 0, dir, "scan")
	must(t, 0, dir, "audit", "--rotate")
	if string(read(key)) != string(third) {
		t.Error("the key that was made is not the one that is used")
	}
	if _, err := os.Lstat(key + ".new"); err == nil {
		t.Error("a key is left over")
	}
}

// TestRotateWrongPassphrase: a rotation that cannot open the key before makes
// none, so that the next one is not held up by a key that nobody can open.
func TestRotateWrongPassphrase(t *testing.T) {
	t.Parallel()
	_, dir := newLab(t, lab.Config{Hosts: 1, Seed: 1})
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, campaign.FileName))
	if err != nil {
		t.Fatal(err)
	}
	put(campaign.FileName, string(text)+"\nledger: {passphrase: file:word}\n")
	put("word", "one")
	must(t, 0, dir, "scan")
	put("word", "two")
	if r := must(t, 1, dir, "audit", "--rotate"); !strings.Contains(r.Err, "opens it") {
		t.Errorf("%s", r.Err)
	}
	put("word", "one")
	if r := must(t, 0, dir, "audit", "--rotate"); !strings.Contains(r.Out, "has signed its consent") {
		t.Errorf("%s", r.Out)
	}
	must(t, 0, dir, "scan")
}
