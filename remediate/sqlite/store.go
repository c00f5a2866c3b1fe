package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/remediate"
)

var _ remediate.Store = (*Store)(nil)

// Store is a campaign's records in a SQLite file. Make one with Open or
// OpenReadOnly, and Close it.
type Store struct {
	path     string
	logger   hclog.Logger
	now      func() time.Time
	packer   *packer
	readOnly bool
	rules    int  // see remediate.LedgerRules
	pinned   bool // all is read in one transaction, see OpenSnapshot
	// temporary is the folder that goes with Close, empty for none.
	temporary string
	lock      *fileLock
	campaign  string

	reads   *sql.DB
	writes  *sql.DB
	session *session // of the one connection that writes

	// mu is held for reading while a call is put into queue, and for writing
	// to close it.
	mu     sync.RWMutex
	closed bool
	queue  chan *call
	// drained is closed when writeLoop has answered everything.
	drained chan struct{}
	// closing is closed by the call of Close that closes, after which
	// closeErr stands.
	closing  sync.Once
	closeErr error
}

func newStore(path string, opts Options) *Store {
	return &Store{
		path:    path,
		logger:  opts.Logger,
		now:     opts.Now,
		packer:  newPacker(),
		rules:   opts.rules,
		queue:   make(chan *call, batchMost),
		drained: make(chan struct{}),
	}
}

// CampaignID implements remediate.Store.
func (s *Store) CampaignID(ctx context.Context) (string, error) {
	if err := s.readable(ctx); err != nil {
		return "", fmt.Errorf("campaign id: %w", err)
	}
	return s.campaign, nil
}

// Close answers every write that was begun, writes the log back into the
// file, and lets others have the store. Later calls return ErrClosed; a
// second Close returns what the first did.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		close(s.queue)
		s.mu.Unlock()
		if s.session != nil {
			<-s.drained
		}
		s.closeErr = explain("close store", s.release())
	})
	return s.closeErr
}

// release closes what is open. The connection that writes goes last: with it
// SQLite writes the log back and removes it.
func (s *Store) release() error {
	var errs []error
	if s.reads != nil {
		errs = append(errs, s.reads.Close())
	}
	if s.session != nil {
		errs = append(errs, s.session.close())
	}
	if s.writes != nil {
		errs = append(errs, s.writes.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	if s.temporary != "" {
		errs = append(errs, os.RemoveAll(s.temporary))
	}
	return errors.Join(errs...)
}

// readable reports why nothing can be read.
func (s *Store) readable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrClosed
	}
	return nil
}

// micros is how a time is kept; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the inverse of micros, in UTC.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// stamp is micros with the clock's time for the zero time.
func (s *Store) stamp(t time.Time) int64 {
	if t.IsZero() {
		t = s.now()
	}
	return micros(t)
}
