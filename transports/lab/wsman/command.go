package wsman

import (
	"context"
	"io"
	"sync"
)

// Bounds of what a command holds in memory.
const (
	mostOutput = 64 << 10 // of each stream that nobody has fetched, in bytes
	mostInput  = 64 << 10 // that the command has not read, in bytes; one Send more may come
)

// command is a command of a shell: its streams and its end.
type command struct {
	id             string
	cancel         context.CancelCauseFunc
	stdin          input
	stdout, stderr stream

	mu sync.Mutex
	// changed is closed, and made anew, whenever something here changes.
	changed chan struct{}
	data    [2][]byte // what nobody has fetched of stdout and stderr
	in      []byte
	inEnd   bool
	// ended: the process has ended, with exit. lost: how is not known.
	ended, lost bool
	exit        int
	// gone: nobody will fetch any more; why says what happened.
	gone bool
	why  error
	// fetched: the client knows of the end.
	fetched bool
}

func newCommand() *command {
	c := &command{id: newID(), changed: make(chan struct{})}
	c.stdin.command = c
	c.stdout = stream{command: c, index: 0}
	c.stderr = stream{command: c, index: 1}
	return c
}

// notify wakes all that wait for a change. The caller holds c.mu.
func (c *command) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// exited records the end of the process.
func (c *command) exited(exit int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.exit, c.lost, c.in = true, exit, err != nil, nil
	c.notify()
}

// abandon ends the command and forgets its streams.
func (c *command) abandon(why error) {
	c.mu.Lock()
	if !c.gone {
		c.gone, c.why, c.in = true, why, nil
		c.data = [2][]byte{}
		c.notify()
	}
	c.mu.Unlock()
	c.cancel(why)
}

// stream is where the command writes one of its outputs.
type stream struct {
	command *command
	index   int
}

// Write waits until there is room, as a pipe's end does.
func (s *stream) Write(data []byte) (int, error) {
	c := s.command
	c.mu.Lock()
	defer c.mu.Unlock()
	for written := 0; ; {
		if c.gone || c.ended {
			return written, io.ErrClosedPipe
		}
		if room := mostOutput - len(c.data[s.index]); room > 0 && written < len(data) {
			n := min(room, len(data)-written)
			c.data[s.index] = append(c.data[s.index], data[written:written+n]...)
			written += n
			c.notify()
		}
		if written == len(data) {
			return written, nil
		}
		c.await()
	}
}

// await waits for a change. The caller holds c.mu, and holds it again then.
func (c *command) await() {
	changed := c.changed
	c.mu.Unlock()
	<-changed
	c.mu.Lock()
}

// input is what the command reads.
type input struct{ command *command }

// Read waits for what the client sends.
func (i *input) Read(data []byte) (int, error) {
	c := i.command
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case len(c.in) > 0:
			n := copy(data, c.in)
			if c.in = c.in[n:]; len(c.in) == 0 {
				c.in = nil
			}
			c.notify()
			return n, nil
		case c.inEnd || c.gone || c.ended:
			return 0, io.EOF
		case len(data) == 0:
			return 0, nil
		}
		c.await()
	}
}

var (
	_ io.Writer = (*stream)(nil)
	_ io.Reader = (*input)(nil)
)
