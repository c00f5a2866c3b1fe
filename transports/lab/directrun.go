package lab

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"oust/transports"
)

// directConn is a connection without a wire.
type directConn struct {
	fleet   *Fleet
	station station
	line    *line
	target  transports.Target
	busy    atomic.Bool
}

var _ transports.Conn = (*directConn)(nil)

// Close implements transports.Conn. What a command has started ends with it,
// unless it was detached.
func (c *directConn) Close() error {
	c.line.end(errClosed)
	c.station.leave(c.line)
	return nil
}

// execution is one command under way.
type execution struct {
	target transports.Target
	cmd    transports.Command
	out    *catch
	line   *line
}

// stdin is the command's input, nil if it is empty.
func (x *execution) stdin() io.Reader {
	if len(x.cmd.Stdin) == 0 {
		return nil
	}
	return bytes.NewReader(x.cmd.Stdin)
}

// ending is how a command has ended; with err, the exit code is not known.
type ending struct {
	exit int
	err  *transports.Error
}

// Run implements transports.Conn.
func (c *directConn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	fail := func(class transports.Class, err error) *transports.Error {
		return &transports.Error{Class: class, Host: c.target.Host, Op: opRun, Err: err}
	}
	if ctx.Err() != nil {
		return transports.Result{}, transports.ContextError(ctx, c.target.Host, opRun, transports.LostContact)
	}
	if !c.busy.CompareAndSwap(false, true) {
		return transports.Result{}, fail(transports.Internal, errors.New("another command runs on this connection"))
	}
	defer c.busy.Store(false)
	timeout := cmd.Timeout
	if timeout <= 0 {
		timeout = commandTime
	}
	x := &execution{target: c.target, cmd: cmd, line: c.line}
	work, cancel := context.WithCancel(c.line.life)
	defer cancel()
	x.out = newCatch(work, cmd.MaxOutput)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	over := c.start(work, x)
	select {
	case end := <-over:
		return c.ended(ctx, x, end)
	case <-timer.C:
		return x.out.seal(-1), fail(transports.Timeout, transports.Worded("no end in "+timeout.String(), context.DeadlineExceeded))
	case <-ctx.Done():
		c.line.end(ctx.Err())
		return x.out.seal(-1), transports.ContextError(ctx, c.target.Host, opRun, transports.LostContact)
	case <-c.line.life.Done():
		return x.out.seal(-1), c.line.failure(ctx, c.target.Host, opRun)
	}
}

// start runs the command beside; the channel gets how it ended.
func (c *directConn) start(work context.Context, x *execution) <-chan ending {
	over := make(chan ending, 1)
	lost := ending{err: &transports.Error{Class: transports.LostContact, Host: c.target.Host, Op: opRun, Err: errCut}}
	started := c.station.spawn(func() {
		end := lost // of a panic
		defer func() { over <- end }()
		if c.station.hasFault(faultSlow) && x.line.wait(work, runPackets*c.fleet.config.Delay) != nil {
			return
		}
		end = c.station.perform(work, x)
	})
	if !started {
		over <- lost
	}
	return over
}

// ended is the result of a command that has ended, as far as the line still
// tells.
func (c *directConn) ended(ctx context.Context, x *execution, end ending) (transports.Result, error) {
	if c.line.deaf.Load() {
		_ = c.line.wait(ctx, answerTime)
		return x.out.seal(-1), c.line.failure(ctx, c.target.Host, opRun)
	}
	if c.line.unknown.Load() {
		c.line.end(errNoExit)
	}
	switch {
	case c.line.life.Err() != nil: // it ended of that
		return x.out.seal(-1), c.line.failure(ctx, c.target.Host, opRun)
	case end.err != nil:
		return x.out.seal(-1), end.err
	}
	return x.out.seal(end.exit), nil
}

// catch keeps the output of a command up to a bound for both streams together,
// and counts the rest. Once sealed it takes nothing more.
type catch struct {
	ctx context.Context // ends with the command

	mu      sync.Mutex
	room    int
	streams [2][]byte
	dropped int64
	sealed  bool
}

// mostFlood is how much more than it keeps a catch takes, in bytes: a command
// that prints without end waits then for its own, so that time goes on where
// it is simulated.
const mostFlood = 8 << 20

func newCatch(ctx context.Context, most int) *catch {
	if most <= 0 {
		most = transports.DefaultMaxOutput
	}
	return &catch{ctx: ctx, room: most}
}

// stream is a writer for stdout (0) or stderr (1).
func (c *catch) stream(index int) io.Writer { return catchStream{c, index} }

type catchStream struct {
	catch *catch
	index int
}

// Write implements io.Writer.
func (s catchStream) Write(b []byte) (int, error) {
	c := s.catch
	c.mu.Lock()
	if c.sealed {
		c.mu.Unlock()
		return 0, io.ErrClosedPipe
	}
	n := min(len(b), c.room)
	c.streams[s.index] = append(c.streams[s.index], b[:n]...)
	c.room -= n
	c.dropped += int64(len(b) - n)
	flood := c.dropped > mostFlood
	c.mu.Unlock()
	if flood {
		<-c.ctx.Done()
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

// seal ends the catch and returns what it has.
func (c *catch) seal(exit int) transports.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealed = true
	return transports.Result{
		Stdout: c.streams[0], Stderr: c.streams[1],
		Truncated: c.dropped > 0, Dropped: c.dropped, Exit: exit,
	}
}
