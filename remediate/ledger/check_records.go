package ledger

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"

	"oust/remediate"
)

// Records are read in batches of about so many, and about so many bytes.
const (
	batchRecords = 512
	batchBytes   = 4 << 20
)

// mostRecords is more than any ledger has: beyond it the indexes of hashes are
// no numbers of 64 bits any more.
const mostRecords = 1 << 60

// readRecords checks the records from the one that is due to the last.
func (c *checker) readRecords() error {
	var batch []remediate.LedgerEntry
	size := 0
	for entry, err := range c.source.Ledger(c.ctx, c.next) {
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		due := c.next + int64(len(batch))
		if entry.Number != due || len(batch) == batchRecords || size > batchBytes {
			if err := c.batch(batch); err != nil {
				return err
			}
			batch, size = batch[:0], 0
		}
		if entry.Number != due && !c.jump(due, entry.Number) {
			continue
		}
		batch, size = append(batch, entry), size+len(entry.Text)
	}
	return c.batch(batch)
}

// jump goes to a record that is not the one that is due, and reports whether
// it is worth a look.
func (c *checker) jump(due, number int64) bool {
	if number < due {
		c.misfit(number, "there are two records with this number")
		return false
	}
	if number >= mostRecords {
		c.misfit(due, "it is missing, and the next one stands as %d, which no ledger has come to", number)
		return false
	}
	if number == due+1 {
		c.misfit(due, "it is missing")
	} else {
		c.misfit(due, "it is missing, and those after it up to %d", number-1)
	}
	c.next = number
	c.tree, _ = NewTree(number, c.hashes) // no error that matters: the hashes are lost then
	return true
}

// hashes reads stored hashes.
func (c *checker) hashes(indexes []int64) ([][32]byte, error) {
	hashes, err := c.source.LedgerHashes(c.ctx, indexes)
	if err == nil && len(hashes) != len(indexes) {
		err = fmt.Errorf("the store gave %d hashes for %d", len(hashes), len(indexes))
	}
	return hashes, err
}

// batch checks records whose numbers follow each other, from the one that is
// due on.
func (c *checker) batch(entries []remediate.LedgerEntry) error {
	if len(entries) == 0 {
		return nil
	}
	first := tlog.StoredHashIndex(0, c.next)
	indexes := make([]int64, tlog.StoredHashCount(c.next+int64(len(entries)))-first)
	for i := range indexes {
		indexes[i] = first + int64(i)
	}
	hashes, err := c.storedHashes(indexes)
	if err != nil {
		return fmt.Errorf("read the ledger's hashes: %w", err)
	}
	for _, read := range readAll(entries) {
		levels := bits.TrailingZeros64(uint64(c.next+1)) + 1
		c.record(read, hashes[:levels])
		hashes = hashes[levels:]
		if c.failed != nil {
			return c.failed
		}
	}
	return nil
}

// storedHashes reads stored hashes, nil for each that is not there.
func (c *checker) storedHashes(indexes []int64) ([]*tlog.Hash, error) {
	out := make([]*tlog.Hash, len(indexes))
	all, err := c.hashes(indexes)
	if err == nil {
		for i, h := range all {
			out[i] = (*tlog.Hash)(&h)
		}
		return out, nil
	}
	for i := range indexes {
		if !errors.Is(err, remediate.ErrNotFound) {
			return nil, err
		}
		var one [][32]byte
		if one, err = c.hashes(indexes[i : i+1]); err == nil {
			out[i] = (*tlog.Hash)(&one[0])
			err = remediate.ErrNotFound
		}
	}
	return out, nil
}

// reading is what a text says.
type reading struct {
	leaf   tlog.Hash
	number int64
	record remediate.Record
	rules  int // that it brings, 0 for none
	err    error
}

// readAll reads texts, which takes most of the time of a check, on every
// processor that there is.
func readAll(entries []remediate.LedgerEntry) []reading {
	out := make([]reading, len(entries))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(entries)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(entries)); i = next.Add(1) - 1 {
				r := &out[i]
				r.leaf = tlog.RecordHash(entries[i].Text)
				r.number, r.record, r.err = Decode(entries[i].Text)
				r.rules = RulesOf(entries[i].Text)
			}
		})
	}
	wg.Wait()
	return out
}

// record checks the record that is due.
func (c *checker) record(read reading, stored []*tlog.Hash) {
	misfits := c.report.Misfits
	if c.newer == nil && read.rules > remediate.LedgerRules {
		c.newer = &NewerRulesError{From: c.next, Rules: read.rules}
	}
	switch {
	case read.err != nil && c.newer != nil && c.next == 0 && stored[0] != nil && *stored[0] == read.leaf:
		c.failed = c.newer // without its key nothing else can be checked
	case read.err != nil && c.newer != nil && c.next == 0: // somebody wants to be taken for a newer oust
		c.misfit(c.next, "its text: %v", read.err)
	case read.err != nil && c.newer != nil: // what it says is not known here; its hash is
	case read.err != nil:
		c.misfit(c.next, "its text: %v", read.err)
	case read.number != c.next:
		c.misfit(c.next, "its text is that of record %d", read.number)
	default:
		c.meaning(read.record)
	}
	c.grow(read.leaf, stored)
	c.next++
	c.report.Records++
	if c.report.Misfits == misfits && read.err == nil && c.options.Record != nil && c.failed == nil {
		c.failed = c.options.Record(read.number, read.record)
	}
	c.judgeClaims()
}

// grow holds a record's stored hashes against its text and against each other.
func (c *checker) grow(leaf tlog.Hash, stored []*tlog.Hash) {
	h := c.held(0, leaf, stored[0])
	if c.tree == nil {
		return
	}
	for level := 1; level < len(stored); level++ {
		last := len(c.tree.edge) - 1
		h = c.held(level, tlog.NodeHash(c.tree.edge[last], h), stored[level])
		c.tree.edge = c.tree.edge[:last]
	}
	c.tree.edge = append(c.tree.edge, h)
	c.tree.size++
}

// held gives the hash to go on with: that which is stored, so that each misfit
// is told where it is.
func (c *checker) held(level int, want tlog.Hash, stored *tlog.Hash) tlog.Hash {
	switch {
	case stored == nil:
		c.misfit(c.next, "its stored hash of level %d is missing", level)
		return want
	case *stored != want && level == 0:
		c.misfit(c.next, "its text and its stored hash do not belong together")
	case *stored != want:
		c.misfit(c.next, "its stored hash of level %d is not that of those below it", level)
	}
	return *stored
}

// meaning checks what a record says of the ledger itself.
func (c *checker) meaning(r remediate.Record) {
	if r.Host != "" {
		c.hosts[r.Host] = struct{}{}
	}
	if (r.Kind == remediate.RecordBegun) != (c.next == 0) {
		c.misfit(c.next, "its kind is %q; the first record, and no other, is %q", r.Kind, remediate.RecordBegun)
		return
	}
	switch b := r.Body.(type) {
	case remediate.LedgerBegun:
		c.report.Campaign, c.report.Earlier, c.rules = b.Campaign, b.Earlier, max(b.Rules, 1)
		if b.CampaignID != c.id {
			c.misfit(c.next, "it is of the campaign %s, and the store of %s", b.CampaignID, c.id)
		}
		c.newKey(Span{Key: b.Key, From: c.next})
	case remediate.RulesChanged:
		if b.Rules <= c.rules {
			c.misfit(c.next, "it brings rules %d, and rules %d were in force", b.Rules, c.rules)
		}
		c.rules = max(b.Rules, c.rules)
	case remediate.KeyChanged:
		if before := c.key(); b.Before != before {
			c.misfit(c.next, "it says that the key before was %s, which was %s", shown(b.Before), before)
		}
		if b.Consent != "" {
			if err := checkConsent(b.Consent, b.Before, b.Key); err != nil {
				c.misfit(c.next, "%v", err)
				b.Consent = ""
			}
		}
		c.newKey(Span{Key: b.Key, From: c.next, Consent: b.Consent != ""})
	}
}

func (c *checker) newKey(s Span) {
	if _, err := CheckPublic(s.Key); err != nil {
		c.misfit(c.next, "%v", err)
	}
	c.report.Keys = append(c.report.Keys, s)
}

// key is the one in force, "" before there is one.
func (c *checker) key() string {
	if n := len(c.report.Keys); n > 0 {
		return c.report.Keys[n-1].Key
	}
	return ""
}
