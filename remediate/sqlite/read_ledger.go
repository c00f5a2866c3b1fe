package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"oust/remediate"
	"oust/remediate/ledger"
)

const (
	sizeQuery       = `SELECT ifnull(max(seq) + 1, 0) FROM ledger`
	ledgerQuery     = `SELECT seq, text FROM ledger WHERE seq >= ? ORDER BY seq LIMIT ?`
	hostLedgerQuery = `SELECT seq, text FROM ledger WHERE host = ? AND host <> '' AND seq >= ? ORDER BY seq LIMIT ?`
	lastQuery       = `SELECT seq, text FROM ledger WHERE host = '' AND seq < ? ORDER BY seq DESC LIMIT ?`
	settingsQuery   = `SELECT text FROM ledger WHERE host = '' AND instr(substr(text, 1, 64), CAST(',"kind":"settings",' AS BLOB)) > 0 ORDER BY seq`
	headsQuery      = `SELECT text FROM heads ORDER BY size, day`
	hashesQuery     = `SELECT seq, hashes FROM ledger WHERE seq BETWEEN ? AND ? ORDER BY seq`
	movesQuery      = `SELECT ` + moveColumns + ` FROM moves WHERE (at, seq) > (?, ?) ORDER BY at, seq LIMIT ?`

	latestMovesQuery = `SELECT ` + moveColumns + ` FROM moves WHERE (at, seq) < (?, ?) ORDER BY at DESC, seq DESC LIMIT ?`
	moveColumns      = `concat_ws(char(31), seq, at, before, after, host)`
)

// LedgerSize implements remediate.Store.
func (s *Store) LedgerSize(ctx context.Context) (int64, error) {
	const op = "size of the ledger"
	if err := s.readable(ctx); err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	var size int64
	err := s.reads.QueryRowContext(ctx, sizeQuery).Scan(&size)
	return size, explain(op, err)
}

// Ledger implements remediate.Store.
func (s *Store) Ledger(ctx context.Context, first int64) iter.Seq2[remediate.LedgerEntry, error] {
	return s.entries(ctx, "ledger", first, ledgerQuery)
}

// HostLedger implements remediate.Store.
func (s *Store) HostLedger(ctx context.Context, host string) iter.Seq2[remediate.LedgerEntry, error] {
	return s.entries(ctx, "ledger of "+host, 0, hostLedgerQuery, host)
}

// ApprovalRecords implements remediate.Store.
func (s *Store) ApprovalRecords(ctx context.Context) ([]int64, error) {
	const op = "records of approvals"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	out, err := collect(ctx, s.reads, func(row scanner, n *int64) error { return row.Scan(n) },
		`SELECT record FROM approvals WHERE record IS NOT NULL ORDER BY record`)
	return out, explain(op, err)
}

func (s *Store) entries(ctx context.Context, op string, first int64, query string, args ...any) iter.Seq2[remediate.LedgerEntry, error] {
	return stream(ctx, s, op, func() cursor[remediate.LedgerEntry] {
		next := first
		return func(ctx context.Context, into []remediate.LedgerEntry) ([]remediate.LedgerEntry, bool, error) {
			page, more, err := list(ctx, s.reads, into, scanEntry, query, append(args[:len(args):len(args)], next)...)
			if len(page) > 0 {
				next = page[len(page)-1].Number + 1
			}
			return page, more, err
		}
	})
}

func scanEntry(rows *sql.Rows, e *remediate.LedgerEntry) (int, error) {
	err := rows.Scan(&e.Number, &e.Text)
	return 64 + len(e.Text), err
}

// LastSettings is the newest record of settings, or remediate.ErrNotFound.
func (s *Store) LastSettings(ctx context.Context) (remediate.LedgerEntry, error) {
	const op = "last settings"
	for before := int64(math.MaxInt64); ; {
		if err := s.readable(ctx); err != nil {
			return remediate.LedgerEntry{}, fmt.Errorf("%s: %w", op, err)
		}
		page, more, err := list(ctx, s.reads, nil, scanEntry, lastQuery, before)
		if err != nil {
			return remediate.LedgerEntry{}, explain(op, err)
		}
		for _, e := range page {
			if _, r, err := ledger.Decode(e.Text); err != nil || r.Kind == remediate.RecordSettings {
				return e, explain(op, err)
			}
			before = e.Number
		}
		if !more {
			return remediate.LedgerEntry{}, fmt.Errorf("%s: %w", op, remediate.ErrNotFound)
		}
	}
}

// Settings are all records of settings, in order.
func (s *Store) Settings(ctx context.Context) ([]remediate.Record, error) {
	const op = "settings"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	out, err := collect(ctx, s.reads, func(row scanner, r *remediate.Record) error {
		var text []byte
		err := row.Scan(&text)
		if err == nil {
			_, *r, err = ledger.Decode(text)
		}
		return err
	}, settingsQuery)
	return out, explain(op, err)
}

// LedgerHashes implements remediate.Store. An index that has no hash is
// remediate.ErrNotFound.
func (s *Store) LedgerHashes(ctx context.Context, indexes []int64) ([][32]byte, error) {
	const op = "hashes of the ledger"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	out, err := readHashes(indexes, func(from, to int64, row func(seq int64, hashes []byte) error) (err error) {
		rows, err := s.reads.QueryContext(ctx, hashesQuery, from, to)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var seq int64
			var hashes sql.RawBytes
			if err := rows.Scan(&seq, &hashes); err != nil {
				return err
			}
			if err := row(seq, hashes); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return out, explain(op, err)
}

// hashes reads what the session itself has written.
func (s *session) hashes(indexes []int64) ([][32]byte, error) {
	return readHashes(indexes, func(from, to int64, row func(seq int64, hashes []byte) error) error {
		for seq := from; seq <= to; seq++ {
			var hashes []byte
			found, err := s.get(`SELECT hashes FROM ledger WHERE seq = ?`, []any{seq}, &hashes)
			if err == nil && found {
				err = row(seq, hashes)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// wanted is one stored hash that somebody asks for: the level-th of those that
// stand with a record.
type wanted struct {
	record int64
	level  int
	place  int // in the answer
}

// readHashes reads stored hashes, neighbours together. rows yields the rows of
// some records, in order.
func readHashes(indexes []int64, rows func(from, to int64, row func(seq int64, hashes []byte) error) error) ([][32]byte, error) {
	want := make([]wanted, len(indexes))
	for i, index := range indexes {
		record, level, err := ledger.Place(index)
		if err != nil {
			return nil, err
		}
		want[i] = wanted{record: record, level: level, place: i}
	}
	slices.SortFunc(want, func(a, b wanted) int { return int(min(max(a.record-b.record, -1), 1)) })
	out := make([][32]byte, len(indexes))
	found := 0
	for len(want) > 0 {
		n := 1
		for n < len(want) && want[n].record-want[n-1].record <= 2 {
			n++
		}
		run := want[:n]
		want = want[n:]
		err := rows(run[0].record, run[n-1].record, func(seq int64, hashes []byte) error {
			for ; len(run) > 0 && run[0].record <= seq; run = run[1:] {
				if run[0].record < seq {
					return remediate.ErrNotFound
				}
				from := 32 * run[0].level
				if len(hashes) < from+32 {
					return remediate.ErrNotFound
				}
				copy(out[run[0].place][:], hashes[from:])
				found++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if found != len(indexes) {
		return nil, remediate.ErrNotFound
	}
	return out, nil
}

// Heads implements remediate.Store.
func (s *Store) Heads(ctx context.Context) ([]string, error) {
	const op = "heads of the ledger"
	if err := s.readable(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	heads, err := collect(ctx, s.reads, func(row scanner, text *string) error { return row.Scan(text) }, headsQuery)
	return heads, explain(op, err)
}

// LedgerKey is the public key that signs the heads now, empty for none.
func (s *Store) LedgerKey(ctx context.Context) (string, error) {
	const op = "key of the ledger"
	if err := s.readable(ctx); err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	var key string
	err := s.reads.QueryRowContext(ctx, `SELECT ledger_key FROM meta`).Scan(&key)
	return key, explain(op, err)
}

// OlderKey is the public key that signs the ledger of a store which Open has
// yet to bring up to date (ErrOlder), empty for none.
func OlderKey(ctx context.Context, path string) (key string, err error) {
	const op = "key of the ledger"
	if path, err = check(path); err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	db, err := pool(path, 1, readerOptions...)
	if err != nil {
		return "", explain(op, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var keeps bool
	err = db.QueryRowContext(ctx, `SELECT count(*) > 0 FROM pragma_table_info('meta') WHERE name = 'ledger_key'`).Scan(&keeps)
	if err == nil && keeps {
		err = db.QueryRowContext(ctx, `SELECT ifnull(max(ledger_key), '') FROM meta`).Scan(&key)
	}
	return key, explain(op, err)
}

// Moves implements remediate.EvidenceStore.
func (s *Store) Moves(ctx context.Context) iter.Seq2[remediate.Move, error] {
	return s.moves(ctx, movesQuery, beginning, movesRows)
}

// LatestMoves implements remediate.EvidenceStore.
func (s *Store) LatestMoves(ctx context.Context) iter.Seq2[remediate.Move, error] {
	return s.moves(ctx, latestMovesQuery, end, pageRows)
}

func (s *Store) moves(ctx context.Context, query string, from place, rows int) iter.Seq2[remediate.Move, error] {
	return stream(ctx, s, "moves of standings", func() cursor[remediate.Move] {
		r := moveReader{place: from, words: words{}}
		return func(ctx context.Context, into []remediate.Move) ([]remediate.Move, bool, error) {
			return listOf(ctx, s.reads, rows, into, r.read, query, r.place.at, r.place.seq)
		}
	})
}

// movesRows of a page, where all moves are read.
const movesRows = 4096

// moveReader reads moves of one value a row, see cutRow; the host is the last
// column, so that whatever is in its name stays in it.
type moveReader struct {
	place place // of the last one
	words words
	row   sql.RawBytes
}

func (r *moveReader) read(rows *sql.Rows, m *remediate.Move) (int, error) {
	if err := rows.Scan(&r.row); err != nil {
		return 0, err
	}
	parts := bytes.SplitN(r.row, []byte{separator}, 5)
	if len(parts) != 5 {
		return 0, fmt.Errorf("the store is damaged: a move of %d columns", len(parts))
	}
	var err error
	if r.place.seq, err = parseInt(parts[0]); err != nil {
		return 0, err
	}
	if r.place.at, err = parseInt(parts[1]); err != nil {
		return 0, err
	}
	m.At = fromMicros(r.place.at)
	m.From, m.To = remediate.Standing(r.words.of(parts[2])), remediate.Standing(r.words.of(parts[3]))
	m.Host = string(parts[4])
	return 128 + len(m.Host), nil
}
