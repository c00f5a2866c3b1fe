package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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
