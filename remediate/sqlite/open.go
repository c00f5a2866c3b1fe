package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"oust/remediate"
	"oust/remediate/ledger"
)

// FileName is the name of the store in its campaign folder.
const FileName = "oust.db"

const (
	// busyTimeout is how long a statement waits for a lock that another
	// connection holds for a moment, such as one that closes.
	busyTimeout = 10 * time.Second
	// readers bounds the connections that read.
	readers = 4
)

// Options say how a store is opened. Those of a reader may be left zero.
type Options struct {
	// Logger gets what went wrong where no caller can be told; nil for none.
	Logger hclog.Logger
	// Now is the clock; nil for time.Now.
	Now func() time.Time

	// Signer signs the heads of the ledger; a writer needs one.
	Signer *ledger.Signer
	// Unsigned lets a writer do without a key where the ledger has none either:
	// its heads are then neither signed nor kept.
	Unsigned bool
	// Rotate says that Signer's key takes the place of the ledger's; nil if it
	// does not. It is recorded, unless the ledger has the new key already.
	Rotate *remediate.KeyChanged
	// By is who writes, and from where, for the records; see remediate.Record.
	By string

	rules int // known to the program; tests alone set another than remediate.LedgerRules
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.rules == 0 {
		o.rules = remediate.LedgerRules
	}
	return o
}

// Open opens the store at path for reading and writing and makes it if there
// is none; its folder must be there. It returns remediate.ErrStoreHeld if a
// process has it open already, and ErrForeign or ErrNewer, with the file left
// as it is, if it cannot be understood; ErrNoKey and ErrOtherKey say that the
// ledger cannot go on with the options' key, ErrAltered that it must not.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if opts.Signer == nil && !opts.Unsigned {
		return nil, fmt.Errorf("open store %s: %w", path, ErrNoKey)
	}
	path, err := check(path)
	if err != nil && !errors.Is(err, errAbsent) {
		return nil, fmt.Errorf("open store: %w", err)
	}
	lock, err := acquire(path, opts.Now())
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	s := newStore(path, opts)
	s.lock = lock
	if err := s.openWriter(ctx, opts); err != nil {
		return nil, errors.Join(explain("open store "+path, err), s.release())
	}
	go s.writeLoop()
	return s, nil
}

// OpenReadOnly opens the store at path for reading, also while another
// process writes it. It returns ErrNoStore if there is none. Writing methods
// return ErrReadOnly.
func OpenReadOnly(ctx context.Context, path string, opts Options) (*Store, error) {
	path, err := check(path)
	if errors.Is(err, errAbsent) {
		return nil, fmt.Errorf("open store %s: %w", path, ErrNoStore)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := newStore(path, opts.withDefaults())
	s.readOnly = true
	if err := s.openReader(ctx); err != nil {
		return nil, errors.Join(explain("open store "+path, err), s.release())
	}
	return s, nil
}

// errAbsent: the folder is there, the file is not.
var errAbsent = errors.New("no such file")

// check makes the path absolute and looks at what stands there. It does not
// open the file: closing it again would drop SQLite's locks on it if this
// process has it open elsewhere (fcntl(2), "record locks").
func check(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path, err
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(abs)); err != nil {
			return abs, fmt.Errorf("the folder of the store: %w", err)
		}
		return abs, errAbsent
	case err != nil:
		return abs, err
	case info.IsDir():
		return abs, fmt.Errorf("%s is a folder, not a file; the store cannot be made there", abs)
	case !info.Mode().IsRegular():
		return abs, fmt.Errorf("%s is not a regular file; the store cannot be made there", abs)
	}
	return abs, nil
}

// openWriter makes or opens the file behind the lock.
func (s *Store) openWriter(ctx context.Context, opts Options) error {
	if err := create(s.path); err != nil {
		return err
	}
	if err := inspect(ctx, s.path, opts.rules, readerOptions...); err != nil {
		return err
	}
	var err error
	if s.writes, err = pool(s.path, 1, writerOptions...); err != nil {
		return err
	}
	if err := migrate(ctx, s.writes, s.now()); err != nil {
		return err
	}
	conn, err := s.writes.Conn(ctx)
	if err != nil {
		return err
	}
	s.session = newSession(conn)
	if err := s.openLedger(opts); err != nil {
		return err
	}
	if err := s.session.carryEarlier(ctx); err != nil {
		return fmt.Errorf("bring what is recorded into the ledger: %w", err)
	}
	if err := s.session.takeRules(opts.rules, s.now()); err != nil {
		return err
	}
	return s.openReads(ctx, readerOptions...)
}

var (
	writerOptions = []string{
		"mode=rw", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)",
		"_pragma=fullfsync(1)", "_pragma=checkpoint_fullfsync(1)", "_pragma=journal_size_limit(67108864)",
		"_pragma=cache_size(-16384)", "_pragma=temp_store(MEMORY)",
	}
	readerOptions = []string{
		"mode=ro", "_pragma=query_only(1)", "_pragma=cache_size(-2048)", "_pragma=temp_store(MEMORY)",
	}
)

// openReader opens the file for reading only. Where even the lock files of
// WAL mode cannot be written, nobody else can write either: the file is then
// read as it stands, if it stands alone.
func (s *Store) openReader(ctx context.Context) error {
	options := readerOptions
	err := inspect(ctx, s.path, 0, options...)
	if c := code(err); (c == lib.SQLITE_CANTOPEN || c == lib.SQLITE_READONLY) && standsAlone(s.path) {
		options = append([]string{"immutable=1"}, options...)
		err = inspect(ctx, s.path, 0, options...)
	}
	if err != nil {
		return err
	}
	return s.openReads(ctx, options...)
}

// openReads opens the readers and gives them their first work.
func (s *Store) openReads(ctx context.Context, options ...string) error {
	var err error
	if s.reads, err = pool(s.path, readers, options...); err != nil {
		return err
	}
	var carried bool
	err = s.reads.QueryRowContext(ctx, `SELECT campaign_id, carried FROM meta`).Scan(&s.campaign, &carried)
	switch {
	case errors.Is(err, sql.ErrNoRows): // its making was cut short
		return ErrNoStore
	case err == nil && !carried:
		return ErrOlder
	}
	return err
}

// standsAlone reports whether no write-ahead log belongs to the file.
func standsAlone(path string) bool {
	info, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

// create makes an empty file that only its owner may read, unless there is
// one, and makes its name last. SQLite gives its other files the same mode.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// pool opens a pool of at most n connections to the file. Nothing touches
// the file before the first statement.
func pool(path string, n int, options ...string) (*sql.DB, error) {
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // a drive letter: https://www.sqlite.org/uri.html
	}
	options = append([]string{fmt.Sprintf("_pragma=busy_timeout(%d)", busyTimeout.Milliseconds()),
		"_pragma=trusted_schema(0)", "_dqs=0", "_error_rc=1"}, options...)
	u := url.URL{Scheme: "file", Path: name, RawQuery: strings.Join(options, "&")}
	connector, err := sqlite.NewConnector(u.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}
