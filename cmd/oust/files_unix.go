//go:build unix

package main

import "syscall"

// openFiles is how many files this process may have open, 0 if unknown. The
// Go runtime has raised the soft limit to the hard one before main.
func openFiles() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return l.Cur
}
