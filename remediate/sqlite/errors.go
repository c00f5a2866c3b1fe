package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Sentinels of this store; remediate.ErrNotFound and remediate.ErrStoreHeld
// are returned as well.
var (
	// ErrAltered: what is recorded is not what was signed, and a writer would
	// sign it.
	ErrAltered = errors.New("it is not as it was signed, and nothing is added to it; 'oust audit' tells what does not fit; put the store back from a copy")
	// ErrNoStore: there is nothing to read yet.
	ErrNoStore = errors.New("no store yet: run oust scan")
	// ErrForeign: the file was not made by oust. It is left as it is.
	ErrForeign = errors.New("the file is not a store of oust; move it away, or give another folder")
	// ErrNewer: the file was made by a newer oust. It is left as it is.
	ErrNewer = errors.New("the store was made by a newer oust; use that version")
	// ErrOlder: a store that is only read is never brought up to date.
	ErrOlder = errors.New("the store was made by an older oust; run oust plan, or any other command that writes, to bring it up to date")
	// ErrNoKey: a writer needs the key of the ledger.
	ErrNoKey = errors.New("the key that signs the ledger is not there; put it back where it was")
	// ErrOtherKey: the ledger is signed by another key.
	ErrOtherKey = errors.New("the key is not that of the ledger")
	// ErrReadOnly: a write to a store from OpenReadOnly.
	ErrReadOnly = errors.New("the store was opened for reading only")
	// ErrClosed: a call after Close.
	ErrClosed = errors.New("the store is closed")
)

// advice says what a person can do about an error of SQLite, by its primary
// result code (https://www.sqlite.org/rescode.html).
var advice = map[int]string{
	lib.SQLITE_BUSY:     "another program keeps the store locked; close it and run the command again",
	lib.SQLITE_CANTOPEN: "the store cannot be opened; check the rights to the file and its folder",
	lib.SQLITE_CORRUPT:  "the store is damaged; keep a copy of it and of its -wal file, then restore a backup or try 'sqlite3 oust.db .recover'",
	lib.SQLITE_FULL:     "the disk is full; make room and run the command again",
	lib.SQLITE_IOERR:    "the disk did not take or give the data; check it, make room, and run the command again",
	lib.SQLITE_NOMEM:    "there is not enough memory",
	lib.SQLITE_PERM:     "the store may not be opened; check the rights to the file and its folder",
	lib.SQLITE_READONLY: "the store cannot be written; check the rights to the file and its folder, and that the file system is not read-only",
	lib.SQLITE_TOOBIG:   "the record is too big",
}

// code is the primary result code of an error of SQLite, 0 for other errors.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// explain wraps an error with the operation and with what to do about it.
func explain(op string, err error) error {
	switch c := code(err); {
	case err == nil:
		return nil
	case c == lib.SQLITE_NOTADB:
		return fmt.Errorf("%s: %w: %w", op, ErrForeign, err)
	case advice[c] != "":
		return fmt.Errorf("%s: %s: %w", op, advice[c], err)
	default:
		return fmt.Errorf("%s: %w", op, err)
	}
}

// breaks reports whether an error of one call may have ended the transaction
// that the call shares with others: SQLite rolls back by itself when the disk
// is full or fails (https://www.sqlite.org/lang_transaction.html, section
// 2.2). Errors that are not SQLite's, and broken constraints, do not.
func breaks(err error) bool {
	c := code(err)
	return c != 0 && c != lib.SQLITE_CONSTRAINT
}
