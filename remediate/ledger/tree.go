package ledger

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Stored is a hash that has to be kept, under the index that
// tlog.StoredHashIndex gives it.
type Stored struct {
	Index int64
	Hash  [32]byte
}

// Tree is a Merkle tree (RFC 6962) that grows. It holds its right edge alone,
// so that it stays small, and growing it reads nothing.
type Tree struct {
	size int64
	// edge are the roots of the full subtrees that make up the tree, the largest
	// first.
	edge []tlog.Hash
}

// NewTree makes the tree of the first size records from their stored hashes,
// of which it reads one for each bit that size has set, in one call.
func NewTree(size int64, read func(indexes []int64) ([][32]byte, error)) (*Tree, error) {
	if size < 0 {
		return nil, fmt.Errorf("a tree of %d records", size)
	}
	t := &Tree{size: size}
	if size == 0 {
		return t, nil
	}
	indexes := edgeIndexes(size)
	hashes, err := read(indexes)
	if err != nil {
		return nil, fmt.Errorf("read the edge of the tree: %w", err)
	}
	if len(hashes) != len(indexes) {
		return nil, fmt.Errorf("read the edge of the tree: %d hashes, want %d", len(hashes), len(indexes))
	}
	for _, h := range hashes {
		t.edge = append(t.edge, h)
	}
	return t, nil
}

// edgeIndexes are those of the full subtrees that make up a tree, the largest
// first.
func edgeIndexes(size int64) (indexes []int64) {
	var done int64
	for level := 62; level >= 0; level-- {
		if size&(1<<level) != 0 {
			indexes = append(indexes, tlog.StoredHashIndex(level, done>>level))
			done += 1 << level
		}
	}
	return indexes
}

// Append adds a record and returns the hashes to keep: that of the record, and
// those of the subtrees that it completes. Their indexes follow each other.
func (t *Tree) Append(text []byte) []Stored {
	h := tlog.RecordHash(text)
	full := bits.TrailingZeros64(uint64(t.size + 1))
	index := tlog.StoredHashIndex(0, t.size)
	out := make([]Stored, 0, full+1)
	out = append(out, Stored{index, h})
	for level := 1; level <= full; level++ {
		last := len(t.edge) - 1
		h = tlog.NodeHash(t.edge[last], h)
		t.edge = t.edge[:last]
		out = append(out, Stored{index + int64(level), h})
	}
	t.edge = append(t.edge, h)
	t.size++
	return out
}

// Size is the number of records.
func (t *Tree) Size() int64 { return t.size }

// Root is the tree's hash.
func (t *Tree) Root() [32]byte {
	if t.size == 0 {
		return emptyRoot
	}
	last := len(t.edge) - 1
	h := t.edge[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return h
}

// emptyRoot is that of a tree without records, see RFC 6962, 2.1.
var emptyRoot, _ = tlog.TreeHash(0, nil)

// Clone makes a tree that grows on its own.
func (t *Tree) Clone() *Tree {
	return &Tree{size: t.size, edge: append([]tlog.Hash(nil), t.edge...)}
}
