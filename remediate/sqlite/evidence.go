package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"oust/remediate"
	"oust/remediate/ledger"
)

// recorder takes the records of what a session writes.
type recorder interface {
	// next is the number that the next record gets.
	next() int64
	// append takes a record. Whoever calls it has written the row before.
	append(r remediate.Record) error
}

// appender collects the records of one transaction, and grows the tree when it
// ends. It belongs to the session that writes.
type appender struct {
	signer   *ledger.Signer // nil for none
	by       string
	now      func() time.Time
	campaign string // id of the store

	tree    *ledger.Tree
	pending []pendingRecord
}

type pendingRecord struct {
	host string
	text []byte
}

func (a *appender) next() int64 { return a.tree.Size() + int64(len(a.pending)) }

func (a *appender) append(r remediate.Record) error {
	if r.By == "" {
		r.By = a.by
	}
	return a.carry(r)
}

// carry takes a record of what was written before there was a ledger: nobody
// knows by whom.
func (a *appender) carry(r remediate.Record) error {
	text, err := ledger.Encode(a.next(), r)
	if err != nil {
		return err
	}
	a.pending = append(a.pending, pendingRecord{host: r.Host, text: text})
	return nil
}

// mark and undo go with a savepoint.
func (a *appender) mark() int     { return len(a.pending) }
func (a *appender) undo(mark int) { a.pending = a.pending[:mark] }

// settle writes the records of a transaction and the new head. The tree that
// it returns holds once the transaction is on disk.
func (a *appender) settle(s *session) (*ledger.Tree, error) {
	if len(a.pending) == 0 {
		return a.tree, nil
	}
	tree := a.tree.Clone()
	for _, p := range a.pending {
		number := tree.Size()
		var hashes []byte
		for _, h := range tree.Append(p.text) {
			hashes = append(hashes, h.Hash[:]...)
		}
		err := s.exec(`INSERT INTO ledger (seq, host, hashes, text) VALUES (?, ?, ?, ?)`, number, p.host, hashes, p.text)
		if err != nil {
			return nil, err
		}
	}
	if a.signer == nil {
		return tree, nil
	}
	now := a.now()
	head, err := a.signer.Sign(ledger.Head{Size: tree.Size(), Root: tree.Root(), At: now, CampaignID: a.campaign})
	if err != nil {
		return nil, err
	}
	return tree, s.exec(`INSERT INTO heads (day, size, text) VALUES (?1, ?2, ?3)
		ON CONFLICT DO UPDATE SET size = ?2, text = ?3`, day(now), tree.Size(), head)
}

// day counts days, in UTC, from 1970.
func day(t time.Time) int64 {
	const length = 24 * 60 * 60
	s := t.Unix()
	if s < 0 {
		s -= length - 1
	}
	return s / length
}

// openLedger takes up the ledger where it stands, and begins it if there is
// none.
func (s *Store) openLedger(opts Options) error {
	a := &appender{signer: opts.Signer, by: remediate.ClipText(opts.By), now: s.now}
	var size int64
	var inForce string
	if _, err := s.session.get(`SELECT campaign_id, ledger_key, (SELECT ifnull(max(seq) + 1, 0) FROM ledger) FROM meta`,
		nil, &a.campaign, &inForce, &size); err != nil {
		return err
	}
	if err := checkKey(opts, size > 0, inForce); err != nil {
		return err
	}
	var err error
	if a.tree, err = ledger.NewTree(size, s.session.hashes); err == nil {
		err = s.session.holdsNewest(a, inForce)
	} else if errors.Is(err, remediate.ErrNotFound) {
		err = fmt.Errorf("%w: hashes are missing", ErrAltered)
	}
	if err != nil {
		return fmt.Errorf("take up the ledger: %w", err)
	}
	s.session.log, s.session.appender = a, a
	switch {
	case size == 0:
		return s.session.beginLedger(opts)
	case opts.Rotate != nil && opts.Rotate.Key != inForce:
		return s.session.changeKey(*opts.Rotate, s.now())
	}
	return nil
}

// holdsNewest holds the tree that is about to grow against the newest head, so
// that what somebody has changed without the key is never signed with it.
func (s *session) holdsNewest(a *appender, key string) error {
	if key == "" {
		return nil // nothing is signed
	}
	var text string
	if _, err := s.get(`SELECT text FROM heads ORDER BY size DESC, day DESC LIMIT 1`, nil, &text); err != nil {
		return err
	}
	head, err := ledger.OpenHead(text, key)
	switch {
	case err != nil:
		return fmt.Errorf("%w: the newest %w", ErrAltered, err)
	case head.CampaignID != a.campaign:
		return fmt.Errorf("%w: the newest head is of the campaign %s, and the store of %s", ErrAltered, head.CampaignID, a.campaign)
	case head.Size != a.tree.Size():
		return fmt.Errorf("%w: the newest head is of %d records, and there are %d", ErrAltered, head.Size, a.tree.Size())
	case head.Root != a.tree.Root():
		return fmt.Errorf("%w: the newest head is of other records than the %d that are there", ErrAltered, head.Size)
	}
	return nil
}

// checkKey refuses a writer whose key is not that of the ledger.
func checkKey(opts Options, begun bool, inForce string) error {
	switch {
	case opts.Signer == nil && inForce != "":
		return ErrNoKey
	case opts.Signer != nil && opts.Rotate != nil && opts.Rotate.Key != opts.Signer.Public():
		return fmt.Errorf("%w: the change is to %q, and the key is %q", ErrOtherKey, opts.Rotate.Key, opts.Signer.Public())
	case opts.Signer == nil || !begun || opts.Signer.Public() == inForce:
		return nil
	case opts.Rotate == nil:
		return fmt.Errorf("%w: the ledger is signed by %q, the key is %q", ErrOtherKey, inForce, opts.Signer.Public())
	case opts.Rotate.Before != inForce:
		return fmt.Errorf("%w: the change is from %q, and the ledger is signed by %q", ErrOtherKey, opts.Rotate.Before, inForce)
	}
	return nil
}

// beginLedger writes the first record.
func (s *session) beginLedger(opts Options) error {
	earlier, err := s.countEarlier()
	if err != nil {
		return err
	}
	begun := remediate.LedgerBegun{CampaignID: s.appender.campaign, Earlier: earlier, Rules: opts.rules}
	if opts.Signer != nil {
		begun.Key = opts.Signer.Public()
		begun.Campaign = strings.TrimPrefix(opts.Signer.Origin(), "oust/")
	}
	at := s.appender.now()
	return s.alone("begin the ledger", func(tx *session) error {
		err := tx.exec(`UPDATE meta SET ledger_key = ?, carried = ?`, begun.Key, earlier == 0)
		if err != nil {
			return err
		}
		if err := tx.setRules(opts.rules); err != nil {
			return err
		}
		return tx.log.append(remediate.Record{Kind: remediate.RecordBegun, At: at, Body: begun})
	})
}

// changeKey records that another key signs from here on.
func (s *session) changeKey(change remediate.KeyChanged, at time.Time) error {
	return s.alone("change the key", func(tx *session) error {
		if err := tx.exec(`UPDATE meta SET ledger_key = ?`, change.Key); err != nil {
			return err
		}
		return tx.log.append(remediate.Record{Kind: remediate.RecordKey, At: at, Body: change})
	})
}

// alone runs a write in a transaction of its own, before the store is open to
// others.
func (s *session) alone(op string, do func(*session) error) error {
	answers, err := s.transact([]*call{{op: op, do: do}})
	if err == nil {
		err = answers[0]
	}
	return explain(op, err)
}
