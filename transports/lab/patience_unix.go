//go:build linux || darwin

package lab

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// canRead reports whether a read of the file would not wait: there is
// something, or the end, or an error.
func canRead(f *os.File) bool {
	ready := true
	raw, err := f.SyscallConn()
	if err != nil {
		return true
	}
	_ = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		ready = n > 0 || err != nil && !errors.Is(err, syscall.EINTR)
	})
	return ready
}

// writeNow writes what there is room for.
func writeNow(f *os.File, b []byte) (n int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	e := raw.Write(func(fd uintptr) bool {
		n, err = syscall.Write(int(fd), b)
		return true
	})
	switch {
	case e != nil:
		err = e
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		err = nil
	}
	return max(n, 0), err
}
