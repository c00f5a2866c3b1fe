package winrm

import (
	"context"
	"errors"
	"time"

	"oust/transports"
)

const (
	// lateMost is how much later than its time a command may be found to be
	// over: the host answers no Receive sooner than leastOperation.
	lateMost = time.Second
	// A Receive that brings nothing and took less than emptyQuick is not
	// repeated at once, but after a pause that doubles from pauseLeast to
	// pauseMost.
	emptyQuick = 100 * time.Millisecond
	pauseLeast = 50 * time.Millisecond
	pauseMost  = time.Second
	// A host answers a Receive as soon as there is any output. A script whose
	// commands say a word each would cost a request for each of them: after
	// an answer of less than gatherBytes output is left to gather, for a time
	// that doubles from gatherLeast to gatherMost.
	gatherBytes = 16 << 10
	gatherLeast = 5 * time.Millisecond
	gatherMost  = 80 * time.Millisecond
	// settleMost is how long a command may take to end whose input the host
	// would not take.
	settleMost = time.Second
)

// execution is one command under way.
type execution struct {
	conn     *conn
	line     string
	stdin    []byte
	out      *capture
	timeout  time.Duration
	deadline time.Time

	shell *shell
	id    string
	exit  int
	pause time.Duration
}

func (c *conn) newExecution(cmd transports.Command) *execution {
	x := &execution{conn: c, line: cmd.Line, stdin: cmd.Stdin, out: newCapture(cmd.MaxOutput), timeout: cmd.Timeout}
	if x.timeout <= 0 {
		x.timeout = c.cfg.Command
	}
	return x
}

// run runs the command. work is ctx, and ends with the connection too.
func (x *execution) run(ctx, work context.Context) (transports.Result, error) {
	c := x.conn
	err := x.perform(work)
	if err == nil {
		return x.out.result(x.exit), nil
	}
	var failure *transports.Error
	switch {
	case ctx.Err() != nil:
		failure = transports.ContextError(ctx, c.peer.host, opRun, transports.LostContact)
	case c.life.Err() != nil:
		failure = askError(c.peer, opRun, context.Cause(c.life))
	case errors.Is(err, errOverTime):
		x.giveUp()
		failure = c.fail(transports.Timeout, transports.Worded("no end in "+x.timeout.String(), context.DeadlineExceeded))
		return x.out.result(-1), failure
	default:
		failure = askError(c.peer, opRun, err)
	}
	// A host that had no room has started nothing, and may have room later.
	if failure.Class != transports.Busy || x.id != "" {
		c.end(failure.Err)
	}
	return x.out.result(-1), failure
}

// perform starts the command, feeds it, and takes its output up to its end.
func (x *execution) perform(work context.Context) error {
	c := x.conn
	if _, err := c.opened(work); err != nil {
		return err
	}
	x.deadline = time.Now().Add(x.timeout)
	work, cancel := context.WithDeadlineCause(work, x.deadline.Add(lateMost), errOverTime)
	defer cancel()
	var err error
	if x.shell, x.id, err = c.start(work, x.line); err != nil {
		return err
	}
	feed := x.feed(work)
	defer feed.stop()
	if err := x.receive(work, feed); err != nil {
		return err
	}
	feed.stop()
	x.over()
	return nil
}

// receive takes output until the command has ended.
func (x *execution) receive(work context.Context, feed *feeding) error {
	for {
		if refused := feed.refused(); refused != nil {
			return x.settle(work, refused)
		}
		left := time.Until(x.deadline)
		if left <= 0 {
			return errOverTime
		}
		done, err := x.fetch(work, min(left, x.conn.cfg.Operation))
		if done || err != nil {
			return err
		}
		if x.pause > 0 && !rest(work, x.pause) {
			return context.Cause(work)
		}
	}
}

// fetch asks once for output, for which the host may wait.
func (x *execution) fetch(work context.Context, wait time.Duration) (done bool, err error) {
	c, start := x.conn, time.Now()
	r, err := c.ask(work, c.peer.requests.receive(max(wait, leastOperation), x.shell.id, x.id))
	var out output
	if err == nil {
		out, err = r.output(x.id)
	} else if codeOf(err) == codeOperationTimeout {
		err = nil
	}
	if err != nil {
		return false, err
	}
	for _, p := range out.pieces {
		x.out.add(p.stream, p.data)
	}
	x.exit = out.exit
	x.pause = pauseAfter(x.pause, out.bytes, time.Since(start))
	return out.done, nil
}

// pauseAfter is how long to wait before the next Receive, after a pause and
// then an answer that took a time and brought a number of bytes.
func pauseAfter(pause time.Duration, brought int, took time.Duration) time.Duration {
	switch {
	case took >= emptyQuick || brought >= gatherBytes:
		return 0
	case brought > 0:
		return min(max(2*pause, gatherLeast), gatherMost)
	}
	return min(max(2*pause, pauseLeast), pauseMost)
}

// settle waits a little for the end of a command whose input was refused, for
// it may have ended without reading it. It returns why it was, otherwise.
func (x *execution) settle(work context.Context, refused error) error {
	for limit := time.Now().Add(settleMost); time.Now().Before(limit); {
		done, err := x.fetch(work, time.Until(limit))
		if done || err != nil {
			return err
		}
		if x.pause > 0 && !rest(work, x.pause) {
			return context.Cause(work)
		}
	}
	x.over()
	return refused
}

// giveUp ends a command that took too long, and its shell with all that still
// runs in it. The next command gets a new one.
func (x *execution) giveUp() {
	c := x.conn
	ctx, cancel := c.brief()
	defer cancel()
	if x.id != "" {
		x.signal(ctx)
	}
	c.mu.Lock()
	s := c.shell
	c.mu.Unlock()
	if s != nil {
		c.forget(s)
		c.remove(ctx, s)
	}
}

// over is signal in its own time.
func (x *execution) over() {
	ctx, cancel := x.conn.brief()
	defer cancel()
	x.signal(ctx)
}

// signal tells the host that the command is over (MS-WSMV 3.1.4.12).
func (x *execution) signal(ctx context.Context) {
	c := x.conn
	_, err := c.ask(ctx, c.peer.requests.terminate(c.dialer.leastWait(), x.shell.id, x.id))
	if err != nil {
		c.cfg.Logger.Debug("a command could not be ended", keyHost, c.peer.host, keyError, askError(c.peer, opRun, err))
	}
}

// rest waits, and reports whether ctx still holds.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
