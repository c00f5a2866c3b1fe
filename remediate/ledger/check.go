package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"oust/remediate"
)

// Source is what is checked: a part of remediate.Store.
type Source interface {
	CampaignID(ctx context.Context) (string, error)
	Ledger(ctx context.Context, first int64) iter.Seq2[remediate.LedgerEntry, error]
	LedgerHashes(ctx context.Context, indexes []int64) ([][32]byte, error)
	Heads(ctx context.Context) ([]string, error)
}

// CheckOptions say what a ledger is held against.
type CheckOptions struct {
	// Trusted are public keys. The newest head must be signed by one of them,
	// or by a key to which one of them has consented. None: the key that the
	// first record names is taken at its word.
	Trusted []string
	// Known are heads that were kept elsewhere.
	Known []Known
	// Misfit is told everything that does not fit, in the order in which it is
	// found; an error from it ends the check. Nil means that Report suffices.
	Misfit func(Misfit) error
	// Record is given each record that is well, in order; an error from it ends
	// the check. Nil means that nobody asks.
	Record func(number int64, r remediate.Record) error
}

// Known is a signed head that was kept elsewhere.
type Known struct {
	Name string // for people, such as the name of its file
	Text string
	// Witnesses are public keys that must have signed it, beside the ledger's.
	Witnesses []string
}

// Misfit is something that is not as it was written.
type Misfit struct {
	// Record is the number of the first record that it means, -1 if it means
	// none.
	Record int64  `json:"record"`
	Why    string `json:"why"`
}

// Span is a time in which one key signed heads.
type Span struct {
	Key string `json:"key"`
	// From is the number of the record that brought it.
	From int64 `json:"from"`
	// Consent: the key before has signed that this one follows it.
	Consent bool `json:"consent,omitempty"`
}

// Report is what a check has found.
type Report struct {
	Records int64
	Hosts   int // that records name
	Heads   int // kept with the records, those that are well
	Known   int // kept elsewhere, those that are well
	// KnownHead is the newest of Known.
	KnownHead Head
	Earlier   int64
	Campaign  string // its name, as the first record has it
	Keys      []Span
	// Trusted is the key that vouches for the newest head, Declared that it was
	// taken from the first record, for want of another.
	Trusted  string
	Declared bool
	// Head is the newest head, HeadText its text; only if it is well.
	Head     Head
	HeadText string
	// Misfits counts what does not fit; First is that with the lowest record.
	Misfits int64
	First   *Misfit
}

// Check reads a whole ledger and holds every record, every stored hash and
// every signed head against each other. Its memory grows with the hosts and
// with the heads, not with the records. A ledger that grows meanwhile is read
// to its end. The error says that the check could not be made; what it found is
// in the report. It is a NewerRulesError where records were written by rules that
// this program does not know, and their hashes and heads fit: of those, it can
// read no more.
func Check(ctx context.Context, source Source, options CheckOptions) (Report, error) {
	c := &checker{ctx: ctx, source: source, options: options, hosts: map[string]struct{}{}}
	if err := c.run(); err != nil {
		return c.report, err
	}
	c.report.Hosts = len(c.hosts)
	if c.newer != nil && c.report.Misfits == 0 && c.failed == nil {
		return c.report, fmt.Errorf("hashes and signed heads fit, but %w", c.newer)
	}
	return c.report, c.failed
}

// checker is one check.
type checker struct {
	ctx     context.Context
	source  Source
	options CheckOptions
	report  Report
	failed  error // of options.Misfit or options.Record

	id    string // of the campaign, as the store has it
	hosts map[string]struct{}
	next  int64            // the number of the record that is due
	rules int              // in force
	newer *NewerRulesError // nil as long as they are known
	// tree is made of the stored hashes, each of which is held against those
	// below it; nil once they are lost.
	tree   *Tree
	claims []claim         // those that are not judged yet, by size
	told   map[string]bool // the texts of kept heads that are, or were, among claims
	// good is the size of the largest head that is well, known that of those
	// which were kept elsewhere.
	good, known int64
}

// maxRounds bounds how often a ledger may have grown while it was read.
const maxRounds = 100

func (c *checker) run() (err error) {
	if c.id, err = c.source.CampaignID(c.ctx); err != nil {
		return err
	}
	c.tree = &Tree{}
	if err := c.readClaims(); err != nil {
		return err
	}
	for range maxRounds {
		from := c.next
		if err := c.readRecords(); err != nil {
			return err
		}
		newest, err := c.newest()
		if err != nil {
			return err
		}
		if newest.head.Size <= c.next || c.next == from {
			c.close(newest)
			return nil
		}
	}
	return errors.New("the ledger grows faster than it is read; check it while nothing runs")
}

// misfit notes something that does not fit.
func (c *checker) misfit(record int64, format string, args ...any) {
	m := Misfit{Record: record, Why: fmt.Sprintf(format, args...)}
	c.report.Misfits++
	if first := c.report.First; first == nil || record >= 0 && (first.Record < 0 || record < first.Record) {
		c.report.First = &m
	}
	if c.options.Misfit != nil && c.failed == nil {
		c.failed = c.options.Misfit(m)
	}
}
