package ledger

import (
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// ReadHashes reads stored hashes by their indexes.
type ReadHashes func(indexes []int64) ([][32]byte, error)

// readHashes gives them as tlog has them.
func (r ReadHashes) readHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes, err := r(indexes)
	if err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = h
	}
	return out, nil
}

func (r ReadHashes) reader() tlog.HashReader { return tlog.HashReaderFunc(r.readHashes) }

// RecordProof shows that a tree of Size records has one of them: the audit path
// of RFC 6962, 2.1.1. Hashes are base64.
type RecordProof struct {
	Record int64    `json:"record"`
	Size   int64    `json:"size"`
	Leaf   string   `json:"leaf"` // the record's own hash
	Path   []string `json:"path"` // from the leaf to the root
}

// GrowthProof shows that a tree of Size records begins with one of Before
// records: the consistency proof of RFC 6962, 2.1.2. Hashes are base64.
type GrowthProof struct {
	Before int64    `json:"before"`
	Size   int64    `json:"size"`
	Path   []string `json:"path"`
}

// ProveRecord proves a record from stored hashes.
func ProveRecord(size, record int64, read ReadHashes) (RecordProof, error) {
	path, err := tlog.ProveRecord(size, record, read.reader())
	if err != nil {
		return RecordProof{}, fmt.Errorf("prove record %d: %w", record, err)
	}
	leaf, err := read([]int64{tlog.StoredHashIndex(0, record)})
	if err != nil {
		return RecordProof{}, fmt.Errorf("prove record %d: %w", record, err)
	}
	if len(leaf) != 1 {
		return RecordProof{}, fmt.Errorf("prove record %d: %d hashes, want 1", record, len(leaf))
	}
	return RecordProof{Record: record, Size: size, Leaf: tlog.Hash(leaf[0]).String(), Path: written(path)}, nil
}

// Check reports whether the proof shows that the tree with that root has the
// record with that text.
func (p RecordProof) Check(text []byte, root [32]byte) error {
	path, err := readPath(p.Path)
	if err != nil {
		return fmt.Errorf("proof of record %d: %w", p.Record, err)
	}
	leaf := tlog.RecordHash(text)
	if leaf.String() != p.Leaf {
		return fmt.Errorf("proof of record %d: it is of another text", p.Record)
	}
	if err := tlog.CheckRecord(path, p.Size, root, p.Record, leaf); err != nil {
		return fmt.Errorf("proof of record %d: %w", p.Record, err)
	}
	return nil
}

// ProveGrowth proves from stored hashes that the tree of size records begins
// with the one of before, which has at least one record.
func ProveGrowth(size, before int64, read ReadHashes) (GrowthProof, error) {
	path, err := tlog.ProveTree(size, before, read.reader())
	if err != nil {
		return GrowthProof{}, fmt.Errorf("prove the growth from %d to %d records: %w", before, size, err)
	}
	return GrowthProof{Before: before, Size: size, Path: written(path)}, nil
}

// Check reports whether the proof shows that the tree with the root begins with
// the tree that had the root before.
func (p GrowthProof) Check(before, root [32]byte) error {
	path, err := readPath(p.Path)
	if err == nil {
		err = tlog.CheckTree(path, p.Size, root, p.Before, before)
	}
	if err != nil {
		return fmt.Errorf("proof of the growth from %d to %d records: %w", p.Before, p.Size, err)
	}
	return nil
}

func written(path []tlog.Hash) []string {
	out := make([]string, len(path))
	for i, h := range path {
		out[i] = h.String()
	}
	return out
}

func readPath(path []string) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(path))
	for i, s := range path {
		raw, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || len(raw) != len(out[i]) {
			return nil, errors.New("a hash of its path is malformed")
		}
		out[i] = tlog.Hash(raw)
	}
	return out, nil
}
