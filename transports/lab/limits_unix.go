//go:build linux || darwin

package lab

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// spareFiles is how many file descriptors a fleet needs beside its ports: for
// connections, and for the pipes of scripts.
const spareFiles = 200

// checkFileLimit fails if this process may not open enough files. The soft
// limit has been raised to the hard one by Go's package os already.
func checkFileLimit(hosts int) error {
	var limit syscall.Rlimit
	known := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil
	if need := hosts + spareFiles; known && limit.Cur < uint64(need) {
		return fmt.Errorf("lab: %d hosts need %d open files, and this process may have %d: raise the hard limit (ulimit -Hn, or LimitNOFILE of its service) or take fewer hosts",
			hosts, need, limit.Cur)
	}
	return nil
}

// holdPort takes a port without listening on it: the system refuses what
// connects there, and gives the port to nobody else.
func holdPort(addr *net.TCPAddr) (io.Closer, error) {
	var address syscall.Sockaddr = &syscall.SockaddrInet6{Port: addr.Port, Addr: [16]byte(addr.IP.To16())}
	family := syscall.AF_INET6
	if ip := addr.IP.To4(); ip != nil {
		family, address = syscall.AF_INET, &syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(ip)}
	}
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("make a socket: %w", err)
	}
	held := os.NewFile(uintptr(fd), "held port")
	// What was connected there before may still be in TIME_WAIT.
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, address)
	}
	if err == nil { // nobody else may do the same
		err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
	}
	if err != nil {
		_ = held.Close()
		return nil, fmt.Errorf("take port %d: %w", addr.Port, err)
	}
	return held, nil
}
