package sqlite

import (
	"context"
	"fmt"
)

// batchMost bounds how many writes share one transaction.
const batchMost = 512

// call is one write that waits for its answer.
type call struct {
	op   string
	do   func(*session) error
	done chan error // takes one answer without waiting
}

// write runs do in a transaction and returns when it is on disk or undone.
// do runs in another goroutine, also after ctx has ended, so it must own
// what it uses; it may run a second time after the first was undone.
func (s *Store) write(ctx context.Context, op string, do func(*session) error) error {
	c := &call{op: op, do: do, done: make(chan error, 1)}
	if err := s.enqueue(ctx, c); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	select {
	case err := <-c.done:
		return explain(op, err)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
}

func (s *Store) enqueue(ctx context.Context, c *call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.readOnly:
		return ErrReadOnly
	}
	select {
	case s.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeLoop is the goroutine that writes, until the queue is closed.
func (s *Store) writeLoop() {
	defer close(s.drained)
	batch := make([]*call, 0, batchMost)
	for c := range s.queue {
		batch = s.gather(append(batch[:0], c))
		s.commit(batch)
		clear(batch)
	}
}

// gather adds what waits already, and waits for nothing.
func (s *Store) gather(batch []*call) []*call {
	for len(batch) < batchMost {
		select {
		case c, ok := <-s.queue:
			if !ok {
				return batch
			}
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// commit runs the calls in one transaction and answers them all. If the
// transaction itself fails, each call gets one of its own, so that none
// fails for another's sake, such as one whose log does not fit on the disk.
func (s *Store) commit(batch []*call) {
	answers, err := s.session.transact(batch)
	if err != nil && len(batch) > 1 {
		s.logger.Warn("a batch of writes failed; they are repeated one by one", "writes", len(batch), "error", err)
		for i := range batch {
			s.commit(batch[i : i+1])
		}
		return
	}
	for i, c := range batch {
		if err != nil {
			c.done <- err
			continue
		}
		c.done <- answers[i]
	}
}

// transact runs the calls in one transaction, which ends with what they append
// to the ledger. answers holds an error for
// each call that was undone while the others stand; err means that all were.
func (s *session) transact(batch []*call) (answers []error, err error) {
	if err := s.exec(`BEGIN IMMEDIATE`); err != nil {
		return nil, err
	}
	defer s.appender.undo(0)
	answers = make([]error, len(batch))
	for i, c := range batch {
		if answers[i], err = s.try(c); err != nil {
			break
		}
	}
	tree := s.appender.tree
	if err == nil {
		tree, err = s.appender.settle(s)
	}
	if err == nil {
		err = s.exec(`COMMIT`)
	}
	if err != nil {
		_ = s.exec(`ROLLBACK`) // fails if SQLite has rolled back by itself
		return answers, err
	}
	s.appender.tree = tree
	return answers, nil
}

// try runs one call in a savepoint. answer is the call's own error, after
// which the transaction goes on; err ends the transaction.
func (s *session) try(c *call) (answer, err error) {
	if err := s.exec(`SAVEPOINT one`); err != nil {
		return nil, err
	}
	mark := s.appender.mark()
	if answer = c.do(s); breaks(answer) {
		return nil, answer
	}
	if answer != nil {
		s.appender.undo(mark)
		if err := s.exec(`ROLLBACK TO one`); err != nil {
			return nil, err
		}
	}
	return answer, s.exec(`RELEASE one`)
}
