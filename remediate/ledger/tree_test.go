package ledger_test

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"oust/remediate/ledger"
)

// shelf keeps stored hashes as a store does.
type shelf [][32]byte

func (s shelf) read(indexes []int64) ([][32]byte, error) {
	var out [][32]byte
	for _, i := range indexes {
		if i < 0 || i >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		out = append(out, s[i])
	}
	return out, nil
}

func (s shelf) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes, err := s.read(indexes)
		var out []tlog.Hash
		for _, h := range hashes {
			out = append(out, h)
		}
		return out, err
	})
}

// TestTreeIsThatOfTlog: at every size the hashes to keep, and the root, are
// those that golang.org/x/mod/sumdb/tlog computes.
func TestTreeIsThatOfTlog(t *testing.T) {
	t.Parallel()
	tree, err := ledger.NewTree(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var kept, want shelf
	for n := range int64(300) {
		if root, err := tlog.TreeHash(n, want.reader()); err != nil || tree.Root() != root || tree.Size() != n {
			t.Fatalf("%d records: root %x, want %x (%v)", n, tree.Root(), root, err)
		}
		opened, err := ledger.NewTree(n, kept.read)
		if err != nil || opened.Root() != tree.Root() || opened.Size() != n {
			t.Fatalf("%d records: opened again: %v", n, err)
		}
		text := fmt.Appendf(nil, "record %d", n)
		undone := tree.Clone()
		undone.Append([]byte("another"))
		for _, s := range tree.Append(text) {
			if s.Index != int64(len(kept)) {
				t.Fatalf("record %d: index %d, want %d", n, s.Index, len(kept))
			}
			kept = append(kept, s.Hash)
		}
		if undone.Root() == tree.Root() {
			t.Fatalf("record %d: the clone has grown with the tree", n)
		}
		hashes, err := tlog.StoredHashes(n, text, want.reader())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hashes {
			want = append(want, h)
		}
		if again := opened.Append(text); again[len(again)-1].Hash != kept[len(kept)-1] || len(kept) != len(want) || kept[len(kept)-1] != want[len(want)-1] {
			t.Fatalf("record %d: other hashes", n)
		}
	}
}

func TestNewTreeRefuses(t *testing.T) {
	t.Parallel()
	if _, err := ledger.NewTree(-1, nil); err == nil {
		t.Error("a size below 0 was taken")
	}
	broken := errors.New("disk on fire")
	if _, err := ledger.NewTree(3, func([]int64) ([][32]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := ledger.NewTree(3, func([]int64) ([][32]byte, error) { return make([][32]byte, 1), nil }); err == nil {
		t.Error("too few hashes were taken")
	}
}
