package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"oust/remediate"
)

// textCheck is a check of kept texts under way, beside that of the rows: to
// unpack them takes as long.
type textCheck struct {
	cancel context.CancelFunc
	done   chan struct{} // closed at its end, after which the others stand
	found  misfits
	err    error
}

func startTexts(ctx context.Context, conn *sql.Conn) *textCheck {
	c := &textCheck{done: make(chan struct{})}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() {
		defer close(c.done)
		c.err = checkTexts(ctx, conn, c.found.add)
	}()
	return c
}

// wait tells what was found.
func (c *textCheck) wait(found *misfits) error {
	<-c.done
	c.cancel()
	for _, m := range c.found.kept {
		found.add(m)
	}
	found.more += c.found.more
	return c.err
}

// stop ends it early.
func (c *textCheck) stop() error {
	c.cancel()
	<-c.done
	return nil
}

// checkTexts holds that the texts which hosts printed are those of their
// digests.
func checkTexts(ctx context.Context, conn *sql.Conn, misfit func(Misfit)) error {
	return errors.Join(
		checkPacked(ctx, conn, "raws", `SELECT digest, digest, size, data FROM raws`, remediate.MaxRaw, misfit),
		checkPacked(ctx, conn, "logs", `SELECT l.attempt, l.digest, l.size, l.data FROM logs l
			JOIN attempts a ON a.seq = l.attempt WHERE a.kind <> ''`, remediate.MaxLog, misfit))
}

func checkPacked(ctx context.Context, conn *sql.Conn, table, query string, most int, misfit func(Misfit)) (err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	name := lastRecords(ctx, conn)
	for rows.Next() {
		var key any
		var digest []byte
		var p packed
		if err := rows.Scan(&key, &digest, &p.size, &p.data); err != nil {
			misfit(Misfit{Record: -1, Table: table, Why: err.Error()})
			continue
		}
		text, err := p.unpack(most)
		sum := sha256.Sum256(text)
		if err == nil && string(sum[:]) == string(digest) {
			continue
		}
		misfit(name(Misfit{Record: -1, Table: table, Row: plainValue(key), Why: "the text is not that of its digest"}))
	}
	return rows.Err()
}
