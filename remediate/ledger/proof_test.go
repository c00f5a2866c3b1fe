package ledger_test

import (
	"encoding/json"
	"testing"

	"oust/remediate/ledger"
)

// rootOf is the root of the first size records of a book.
func rootOf(t *testing.T, b *book, size int64) [32]byte {
	t.Helper()
	tree, err := ledger.NewTree(size, b.hashes.read)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Root()
}

func TestProofs(t *testing.T) {
	t.Parallel()
	b, _, _ := smallBook(t)
	for size := int64(1); size <= 13; size++ {
		root := rootOf(t, b, size)
		for n := range size {
			p, err := ledger.ProveRecord(size, n, b.hashes.read)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(b.entries[n].Text, root); err != nil {
				t.Error(err)
			}
			if err := p.Check(b.entries[(n+1)%13].Text, root); err == nil {
				t.Errorf("record %d of %d: proves another text", n, size)
			}
			if err := p.Check(b.entries[n].Text, [32]byte{1}); err == nil {
				t.Errorf("record %d of %d: proves another root", n, size)
			}
			g, err := ledger.ProveGrowth(size, n+1, b.hashes.read)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Check(rootOf(t, b, n+1), root); err != nil {
				t.Error(err)
			}
			if err := g.Check([32]byte{1}, root); err == nil {
				t.Errorf("growth from %d to %d: proves another root", n+1, size)
			}
		}
	}
}

func TestProofsRefuse(t *testing.T) {
	t.Parallel()
	b, _, _ := smallBook(t)
	if _, err := ledger.ProveRecord(5, 5, b.hashes.read); err == nil {
		t.Error("a record that is not there")
	}
	if _, err := ledger.ProveRecord(50, 5, b.hashes.read); err == nil {
		t.Error("hashes that are not there")
	}
	if _, err := ledger.ProveGrowth(5, 6, b.hashes.read); err == nil {
		t.Error("growth backwards")
	}
	p, err := ledger.ProveRecord(13, 4, b.hashes.read)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again ledger.RecordProof
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	root := rootOf(t, b, 13)
	if err := again.Check(b.entries[4].Text, root); err != nil {
		t.Error(err)
	}
	for i := range again.Path {
		was := again.Path[i]
		for _, bad := range []string{"", "AAAA", "B" + was[1:], was + "A"} {
			if again.Path[i] = bad; bad != was && again.Check(b.entries[4].Text, root) == nil {
				t.Errorf("%q in place of %q", bad, was)
			}
		}
		again.Path[i] = was
	}
}
