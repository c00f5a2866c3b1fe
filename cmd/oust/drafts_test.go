package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	"oust/remediate"
)

// TestDraftFile holds that drafts are found again on the same basis, and on no
// other; not from a damaged file; and that those are dropped that nobody asks
// for.
func TestDraftFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	facts := func(i int) string { return remediate.Digest(fmt.Append(nil, "facts", i)) }
	script := remediate.Digest([]byte("script"))
	open := func(basis string) *draftFile { return newDraftFile(dir, basis, hclog.NewNullLogger()) }
	found := func(basis string) int {
		d, n := open(basis), 0
		for i := range 2 * fewDrafts {
			if got, ok := d.Script(facts(i)); ok && got == script {
				n++
			}
		}
		return n
	}
	keep := func(d *draftFile, from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			d.Keep(facts(i), script)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	keep(open("a"), 0, fewDrafts-1)
	if n := found("a"); n != 0 {
		t.Errorf("%d drafts are kept, too few for a file", n)
	}
	keep(open("a"), 0, fewDrafts)
	if n, other := found("a"), found("b"); n != fewDrafts || other != 0 {
		t.Errorf("%d drafts are found again, %d on another basis", n, other)
	}
	d := open("a")
	if _, ok := d.Script(facts(3)); !ok {
		t.Error("a draft is lost")
	}
	keep(d, fewDrafts, 2*fewDrafts)
	if n := found("a"); n != fewDrafts+1 {
		t.Errorf("%d drafts are kept, want the new ones and one that was asked for", n)
	}
	path := filepath.Join(dir, draftsName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, damaged := range [][]byte{whole[:len(whole)-draftSize], append([]byte{whole[0] ^ 1}, whole[1:]...), append(whole[:200:200], whole[201:]...), nil} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if n := found("a"); n != 0 {
			t.Errorf("damage %d: %d drafts are found", i, n)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files, %v", len(files), err)
	}
}
