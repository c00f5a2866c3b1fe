package lab

import (
	"fmt"
	"strings"
	"sync"
)

// lockTable holds the record locks (fcntl) that processes of a host hold,
// by inode, as /proc/locks shows them.
type lockTable struct {
	mu   sync.Mutex
	held map[uint64]heldLock
}

type heldLock struct {
	path string
	pid  int
}

// take locks a file for a process. It returns the holder's pid if another
// process has it.
func (l *lockTable) take(ino uint64, path string, pid int) (holder int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, held := l.held[ino]; held && h.pid != pid {
		return h.pid, false
	}
	if l.held == nil {
		l.held = make(map[uint64]heldLock)
	}
	l.held[ino] = heldLock{path, pid}
	return pid, true
}

// release gives back all locks of a process.
func (l *lockTable) release(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ino, h := range l.held {
		if h.pid == pid {
			delete(l.held, ino)
		}
	}
}

func (l *lockTable) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = nil
}

// The device of the root file system, as major and minor numbers: /dev/vda1.
const (
	rootMajor = 0xfe
	rootMinor = 0x01
)

// text is the table in the form of /proc/locks (proc_locks(5)).
func (l *lockTable) text() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	n := 0
	for ino, h := range l.held {
		n++
		fmt.Fprintf(&b, "%d: POSIX  ADVISORY  WRITE %d %02x:%02x:%d 0 EOF\n", n, h.pid, rootMajor, rootMinor, ino)
	}
	return []byte(b.String())
}

// takeLock locks the file at a path for a process, making it if need be.
func (p *process) takeLock(path string) (holder int, ok bool) {
	v := p.view()
	info, err := v.stat(path, true)
	if err != nil {
		if v.writeFile(path, nil, 0o640) != nil {
			return 0, true
		}
		if info, err = v.stat(path, true); err != nil {
			return 0, true
		}
	}
	return p.host.locks.take(info.ino, path, p.pid)
}
