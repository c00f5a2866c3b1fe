package sqlite

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"oust/remediate"
)

// lockSuffix follows the name of the store in the name of its lock file.
const lockSuffix = ".lock"

// maxHolder bounds what is read of a lock file, in bytes.
const maxHolder = 512

// errHeld: the operating system says that another process has the lock.
var errHeld = errors.New("held")

// fileLock is a lock on a file beside the store. The operating system frees
// it when its owner ends, however it ends; the text in the file says to a
// person whose it is and decides nothing.
type fileLock struct{ file *os.File }

// acquire takes the lock beside the store at path, or returns
// remediate.ErrStoreHeld with who has it. It does not wait. The file stays
// when the lock is released: to remove it would let two processes hold locks
// on two files of the same name.
func acquire(path string, now time.Time) (*fileLock, error) {
	f, err := os.OpenFile(path+lockSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the store: %w", err)
	}
	switch err := lockFile(f); {
	case errors.Is(err, errHeld):
		err := fmt.Errorf("%w: %s", remediate.ErrStoreHeld, holder(f))
		return nil, errors.Join(err, f.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock the store: %w", err), f.Close())
	}
	l := &fileLock{file: f}
	if err := l.sign(now); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the store: %w", err), f.Close())
	}
	return l, nil
}

// sign writes who holds the lock into it.
func (l *fileLock) sign(now time.Time) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text := fmt.Sprintf("pid %d on %s since %s\n", os.Getpid(), host, now.UTC().Format(time.RFC3339))
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err = l.file.WriteAt([]byte(text), 0)
	return err
}

// release gives the lock back, also where a child that is just being started
// has a copy of the open file still.
func (l *fileLock) release() error {
	return errors.Join(l.file.Truncate(0), unlockFile(l.file), l.file.Close())
}

// holder is what the owner wrote into the lock file.
func holder(f *os.File) string {
	buf := make([]byte, maxHolder)
	n, _ := f.ReadAt(buf, 0) // io.EOF with a short text
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(buf[:n]), "?")), " ")
	if text == "" {
		return "its owner has not signed yet"
	}
	return text
}
