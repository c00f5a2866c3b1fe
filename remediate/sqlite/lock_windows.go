package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockByte lies far behind the text: Windows forbids others to read what is
// locked, and the text is for them.
const lockByte = 1 << 30

// lockFile takes an exclusive LockFileEx lock without waiting.
func lockFile(f *os.File) error {
	at := &windows.Overlapped{Offset: lockByte}
	flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY)
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return err
}

// unlockFile gives the lock up.
func unlockFile(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{Offset: lockByte})
}

// syncDir does nothing: Windows has no such call, NTFS logs its names.
func syncDir(string) error { return nil }
