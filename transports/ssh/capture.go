package ssh

import (
	"sync"

	"oust/transports"
)

// capture keeps the output of a command up to a bound for both streams
// together, and counts the rest. Once sealed it takes nothing more.
type capture struct {
	mu      sync.Mutex
	room    int
	streams [2][]byte
	dropped int64
	seen    int64
	sealed  bool
}

// The streams of a command.
const (
	stdout = 0
	stderr = 1
)

func newCapture(most int) *capture {
	if most <= 0 {
		most = transports.DefaultMaxOutput
	}
	return &capture{room: most}
}

func (c *capture) add(stream int, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sealed {
		return
	}
	c.seen += int64(len(p))
	n := min(len(p), c.room)
	c.streams[stream] = append(c.streams[stream], p[:n]...)
	c.room -= n
	c.dropped += int64(len(p) - n)
}

// progress counts all bytes so far, kept or not.
func (c *capture) progress() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

// seal ends the capture and returns what it has.
func (c *capture) seal(exit int) transports.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealed = true
	return transports.Result{
		Stdout: c.streams[stdout], Stderr: c.streams[stderr],
		Truncated: c.dropped > 0, Dropped: c.dropped, Exit: exit,
	}
}
