package ledger

import (
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// Place says with which record the stored hash with that index came, and which
// of the hashes that Tree.Append returned for it this is, from 0: its level.
func Place(index int64) (record int64, level int, err error) {
	if index < 0 {
		return 0, 0, errors.New("an index of a stored hash is below 0")
	}
	level, n := tlog.SplitStoredHashIndex(index)
	return (n+1)<<level - 1, level, nil
}
