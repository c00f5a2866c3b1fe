// Package sqlite keeps a campaign's records in one SQLite file, written by
// one process at a time and read by any number.
//
// # What is on disk when a call returns
//
// The file is in WAL mode with synchronous=FULL: every commit ends with an
// fsync of the log, so that an acknowledged write outlives a kill -9, a
// kernel panic and a power cut. synchronous=NORMAL would outlive only the
// first (https://www.sqlite.org/pragma.html#pragma_synchronous). On macOS,
// fullfsync=1 makes that fsync reach the platter (fcntl(2), F_FULLFSYNC).
//
// An fsync costs from 20 µs to 10 ms, so the writes of concurrent callers
// share one: a single goroutine takes what waits, at most batchMost calls,
// runs each in a savepoint of its own, and commits once. It never waits for
// more to come; a lone write costs one commit.
//
// # What is evidence
//
// Whatever a call writes, it appends to the ledger in the same savepoint: the
// rows have the numbers of their records, which are encoded when they are made
// and written with their hashes at the end of the transaction, after which one
// signature covers them all. CheckLedger repeats the whole ledger by the same
// code on an empty store, and compares every row. What older versions wrote is
// brought into the ledger when a store is first opened for writing; the state
// of each host is carried as it was.
//
// # Who may open it
//
// Open takes a lock on a file beside the store that the operating system
// frees with the process; see acquire. OpenReadOnly takes none, and neither
// blocks the writer nor is blocked by it.
//
// # What the records cost
//
// Bounds are those of package remediate (MaxRaw, MaxLog and so on). Raw texts
// and logs are compressed; equal raw texts are kept once. Iterators read a
// page at a time and hold no lock and no transaction while the caller works,
// so that a slow caller does not keep the log from being reset; what they
// yield is the state of each page's moment, not of one moment for all.
package sqlite
