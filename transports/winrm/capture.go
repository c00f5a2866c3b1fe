package winrm

import "oust/transports"

// capture keeps the output of a command up to a bound for both streams
// together, and counts the rest.
type capture struct {
	room    int
	streams [2][]byte
	dropped int64
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
	n := min(len(p), c.room)
	c.streams[stream] = append(c.streams[stream], p[:n]...)
	c.room -= n
	c.dropped += int64(len(p) - n)
}

func (c *capture) result(exit int) transports.Result {
	return transports.Result{
		Stdout: c.streams[stdout], Stderr: c.streams[stderr],
		Truncated: c.dropped > 0, Dropped: c.dropped, Exit: exit,
	}
}
