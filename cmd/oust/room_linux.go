package main

import (
	"runtime"
	"syscall"
)

// roomSize is about what the records of 100,000 hosts take.
const roomSize = 320 << 20

// makeRoom has the heap grow into large pages (madvise(2), MADV_HUGEPAGE): on a
// virtual machine half of the time of a short command goes into the faults of
// small ones. The system may decline; what is not used takes no memory.
func makeRoom() {
	room := make([]byte, roomSize)
	_ = syscall.Madvise(room, syscall.MADV_HUGEPAGE)
	runtime.KeepAlive(room)
	runtime.GC() // gives it to the heap: nothing holds it any more
}
