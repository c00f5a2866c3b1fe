package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"oust/remediate"
	"oust/remediate/ledger"
)

// memoryLedger is the ledger of a Memory: every call that changes something
// appends to it before it returns.
type memoryLedger struct {
	now      func() time.Time
	campaign string
	signer   *ledger.Signer
	tree     *ledger.Tree
	entries  []remediate.LedgerEntry
	hosts    []string // of the entries
	hashes   [][32]byte
	heads    map[string]ledger.Head // by day; they are signed when somebody asks
}

func newMemoryLedger(now func() time.Time, campaign string) *memoryLedger {
	signer, err := ledger.NewSigner("oust/memory")
	if err != nil {
		panic(err) // the source of random numbers is gone
	}
	tree, err := ledger.NewTree(0, nil)
	if err != nil {
		panic(err) // of no record, which cannot be
	}
	l := &memoryLedger{now: now, campaign: campaign, signer: signer, tree: tree, heads: map[string]ledger.Head{}}
	begun := remediate.LedgerBegun{Campaign: "memory", CampaignID: campaign, Key: signer.Public(), Rules: remediate.LedgerRules}
	l.append(remediate.Record{Kind: remediate.RecordBegun, At: now(), Body: begun})
	return l
}

// append records what has been written already, so it may not fail: what a
// store takes always fits into a record.
func (l *memoryLedger) append(r remediate.Record) {
	if r.By == "" {
		r.By = "memory"
	}
	number := l.tree.Size()
	text, err := ledger.Encode(number, r)
	if err != nil {
		panic(err)
	}
	for _, h := range l.tree.Append(text) {
		l.hashes = append(l.hashes, h.Hash)
	}
	l.entries = append(l.entries, remediate.LedgerEntry{Number: number, Text: text})
	l.hosts = append(l.hosts, r.Host)
	now := l.now().UTC()
	l.heads[now.Format(time.DateOnly)] = ledger.Head{Size: l.tree.Size(), Root: l.tree.Root(), At: now, CampaignID: l.campaign}
}

// Note implements remediate.Store.
func (m *Memory) Note(ctx context.Context, r remediate.Record) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if r.Kind != remediate.RecordSettings {
		return fmt.Errorf("note %s: only settings are noted", r.Kind)
	}
	if _, err := ledger.Encode(0, r); err != nil {
		return fmt.Errorf("note: %w", err)
	}
	r.At, r.By = m.stamp(r.At), remediate.ClipText(r.By)
	m.ledger.append(r)
	return nil
}

// SaveSubmission implements remediate.Store.
func (m *Memory) SaveSubmission(ctx context.Context, s remediate.Submission) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	err := checkName("report", string(s.Report))
	if len(s.Files) > remediate.MaxSubmitted {
		err = errors.Join(err, fmt.Errorf("%d files are more than %d", len(s.Files), remediate.MaxSubmitted))
	}
	kept := remediate.Submission{Report: s.Report, At: m.stamp(s.At), By: remediate.ClipText(s.By), To: remediate.ClipText(s.To)}
	for _, f := range s.Files {
		err = errors.Join(err, checkShort(f.Digest))
		kept.Files = append(kept.Files, remediate.FileDigest{Name: remediate.ClipText(f.Name), Digest: f.Digest})
	}
	if err != nil {
		return fmt.Errorf("save submission: %w", err)
	}
	for _, known := range m.submissions {
		if known.Report == kept.Report && known.At.Equal(kept.At) && known.To == kept.To {
			if known.By != kept.By || !slices.Equal(known.Files, kept.Files) {
				return errors.New("save submission: another one of that time, to the same, is recorded")
			}
			return nil
		}
	}
	m.submissions = append(m.submissions, kept)
	m.ledger.append(kept.Record())
	return nil
}

// Submissions implements remediate.Store.
func (m *Memory) Submissions(ctx context.Context) ([]remediate.Submission, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	out := slices.Clone(m.submissions)
	for i := range out {
		out[i].Files = slices.Clone(out[i].Files)
	}
	slices.SortStableFunc(out, func(a, b remediate.Submission) int { return a.At.Compare(b.At) })
	return out, nil
}

// Moves implements remediate.Store.
func (m *Memory) Moves(ctx context.Context) iter.Seq2[remediate.Move, error] {
	return yieldAll(func() ([]remediate.Move, error) { return m.sortedMoves(ctx) })
}

// LatestMoves implements remediate.Store.
func (m *Memory) LatestMoves(ctx context.Context) iter.Seq2[remediate.Move, error] {
	return yieldAll(func() ([]remediate.Move, error) {
		out, err := m.sortedMoves(ctx)
		slices.Reverse(out)
		return out, err
	})
}

func (m *Memory) sortedMoves(ctx context.Context) ([]remediate.Move, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	out := slices.Clone(m.moves)
	slices.SortStableFunc(out, func(a, b remediate.Move) int { return a.At.Compare(b.At) })
	return out, nil
}

// LedgerSize implements remediate.Store.
func (m *Memory) LedgerSize(ctx context.Context) (int64, error) {
	if err := m.enter(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	return int64(len(m.ledger.entries)), nil
}

// Ledger implements remediate.Store.
func (m *Memory) Ledger(ctx context.Context, first int64) iter.Seq2[remediate.LedgerEntry, error] {
	return m.listLedger(ctx, func(i int) bool { return int64(i) >= first })
}

// HostLedger implements remediate.Store.
func (m *Memory) HostLedger(ctx context.Context, host string) iter.Seq2[remediate.LedgerEntry, error] {
	return m.listLedger(ctx, func(i int) bool { return host != "" && m.ledger.hosts[i] == host })
}

// ApprovalRecords implements remediate.Store.
func (m *Memory) ApprovalRecords(ctx context.Context) ([]int64, error) {
	var out []int64
	for e, err := range m.listLedger(ctx, func(int) bool { return true }) {
		if err != nil {
			return nil, err
		}
		if _, r, err := ledger.Decode(e.Text); err != nil {
			return nil, err
		} else if r.Kind == remediate.RecordApproval {
			out = append(out, e.Number)
		}
	}
	return out, nil
}

func (m *Memory) listLedger(ctx context.Context, want func(i int) bool) iter.Seq2[remediate.LedgerEntry, error] {
	return yieldAll(func() ([]remediate.LedgerEntry, error) {
		if err := m.enter(ctx); err != nil {
			return nil, err
		}
		defer m.mu.Unlock()
		var out []remediate.LedgerEntry
		for i, e := range m.ledger.entries {
			if want(i) {
				out = append(out, remediate.LedgerEntry{Number: e.Number, Text: slices.Clone(e.Text)})
			}
		}
		return out, nil
	})
}

// LedgerHashes implements remediate.Store.
func (m *Memory) LedgerHashes(ctx context.Context, indexes []int64) ([][32]byte, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	out := make([][32]byte, 0, len(indexes))
	for _, i := range indexes {
		if i < 0 || i >= int64(len(m.ledger.hashes)) {
			return nil, fmt.Errorf("hash %d of the ledger: %w", i, remediate.ErrNotFound)
		}
		out = append(out, m.ledger.hashes[i])
	}
	return out, nil
}

// Heads implements remediate.Store.
func (m *Memory) Heads(ctx context.Context) ([]string, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var out []string
	for _, head := range slices.SortedFunc(maps.Values(m.ledger.heads), func(a, b ledger.Head) int { return cmp.Compare(a.Size, b.Size) }) {
		text, err := m.ledger.signer.Sign(head)
		if err != nil {
			return nil, fmt.Errorf("heads: %w", err)
		}
		out = append(out, text)
	}
	return out, nil
}
