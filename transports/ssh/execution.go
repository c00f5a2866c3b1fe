package ssh

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// execution is one command under way. perform talks to the peer and may block
// on it for ever; watch waits for perform and for everything that ends the
// wait, and is what Run returns from.
type execution struct {
	conn  *conn
	line  string
	stdin []byte
	out   *capture
	gate  *gate // nil unless the command must become root first

	started chan struct{}          // closed when the host has taken the command
	exited  chan struct{}          // closed when the exit code has come
	done    chan struct{}          // closed when all is over
	failed  chan *transports.Error // gets why it cannot go on
	stop    chan struct{}          // closed when nobody waits any more

	mu      sync.Mutex
	channel xssh.Channel
	given   bool // given up by watch
	exit    int
	known   bool // exit is set
}

func (c *conn) newExecution(cmd transports.Command) (*execution, error) {
	x := &execution{
		conn: c, line: cmd.Line, stdin: cmd.Stdin, out: newCapture(cmd.MaxOutput),
		started: make(chan struct{}), exited: make(chan struct{}), done: make(chan struct{}),
		failed: make(chan *transports.Error, 4), stop: make(chan struct{}),
	}
	if !cmd.Elevate || c.peer.cred.Become == "" || c.peer.user == "root" {
		return x, nil
	}
	gate, err := newGate(c.peer, x.out)
	if err != nil {
		return nil, err
	}
	x.gate, x.line = gate, gate.line(cmd.Line)
	return x, nil
}

// watch waits for the end of the command, its deadline, the context, or the
// end of the connection.
func (x *execution) watch(ctx context.Context, timeout time.Duration) (transports.Result, error) {
	c := x.conn
	total := time.NewTimer(timeout)
	defer total.Stop()
	stage := time.NewTimer(c.cfg.Open) // until started; after the exit code, for the rest of the output
	defer stage.Stop()
	started, exited, seen := x.started, x.exited, int64(-1)
	var again <-chan struct{}
	if x.gate != nil {
		again = x.gate.again
	}
	for {
		select {
		case <-x.done:
			return x.result()
		case <-started:
			if started = nil; exited != nil {
				stage.Stop()
			}
		case <-exited:
			started, exited, seen = nil, nil, x.out.progress()
			stage.Reset(c.cfg.Linger)
		case <-stage.C:
			if exited != nil {
				c.wire.kill(context.DeadlineExceeded)
				return x.out.seal(-1), c.timeout(opOpen, c.cfg.Open)
			}
			if now := x.out.progress(); now != seen {
				seen = now
				stage.Reset(c.cfg.Linger)
				continue
			}
			x.abandon()
			return x.result()
		case err := <-x.failed:
			return x.seal(), err
		case <-again:
			c.wire.kill(errClosed)
			return x.seal(), x.gate.refused()
		case <-total.C:
			x.abandon()
			if exited == nil { // only output is missing
				return x.result()
			}
			return x.seal(), c.timeout(opRun, timeout)
		case <-ctx.Done():
			c.wire.kill(ctx.Err())
			return x.seal(), transports.ContextError(ctx, c.peer.host, opRun, transports.LostContact)
		case <-c.wire.dead:
			return x.seal(), c.lost(opRun)
		}
	}
}

func (c *conn) timeout(op string, limit time.Duration) *transports.Error {
	return c.fail(transports.Timeout, op, transports.Worded("no end in "+limit.String(), context.DeadlineExceeded))
}

// seal takes the output so far, with no exit code.
func (x *execution) seal() transports.Result {
	if x.gate != nil {
		x.gate.flush()
	}
	return x.out.seal(-1)
}

// result is what a command that has ended left, or why its end is not known.
func (x *execution) result() (transports.Result, error) {
	x.mu.Lock()
	exit, known := x.exit, x.known
	x.mu.Unlock()
	if x.gate != nil {
		x.gate.flush()
	}
	if !known {
		select {
		case err := <-x.failed:
			return x.out.seal(-1), err
		default:
			return x.out.seal(-1), x.conn.lost(opRun)
		}
	}
	if x.gate != nil && !x.gate.passed() {
		return x.out.seal(exit), x.gate.denied(exit)
	}
	return x.out.seal(exit), nil
}

// abandon gives the command up and leaves the connection usable. The host is
// told, without waiting for it.
func (x *execution) abandon() {
	x.mu.Lock()
	x.given = true
	ch := x.channel
	x.mu.Unlock()
	if ch != nil {
		go func() { _ = ch.Close() }() // a write, which may block
	}
}

// perform opens a channel, starts the command and feeds it. It returns when
// the host has closed the channel or the connection is gone.
func (x *execution) perform() {
	defer close(x.done)
	ch, requests, err := x.conn.ssh.OpenChannel("session", nil)
	if err != nil {
		x.failed <- x.conn.openError(err)
		return
	}
	x.mu.Lock()
	x.channel = ch
	given := x.given
	x.mu.Unlock()
	if given { // before the channel was there
		_ = ch.Close()
		xssh.DiscardRequests(requests)
		return
	}
	taken, err := ch.SendRequest("exec", true, xssh.Marshal(struct{ Line string }{x.line}))
	if err != nil || !taken {
		if err == nil {
			x.failed <- x.conn.fail(transports.Unsupported, opRun, errors.New("the host refused to run a command"))
		}
		_ = ch.Close()
		xssh.DiscardRequests(requests)
		return
	}
	close(x.started)
	x.attend(ch, requests)
}

// attend moves the streams until the host closes the channel.
func (x *execution) attend(ch xssh.Channel, requests <-chan *xssh.Request) {
	var readers sync.WaitGroup
	readers.Go(func() { x.read(stdout, ch) })
	readers.Go(func() { x.read(stderr, ch.Stderr()) })
	if x.gate == nil && len(x.stdin) == 0 {
		_ = ch.CloseWrite() // nothing is lost if the host has gone
	} else {
		go x.feed(ch)
	}
	for r := range requests {
		x.hear(r)
	}
	readers.Wait()
}

// hear takes the exit code or the signal (RFC 4254 section 6.10).
func (x *execution) hear(r *xssh.Request) {
	exit, told := 0, false
	switch r.Type {
	case "exit-status":
		if len(r.Payload) >= 4 {
			// Windows' codes are signed.
			exit, told = int(int32(binary.BigEndian.Uint32(r.Payload))), true
		}
	case "exit-signal":
		var signal struct {
			Name          string
			Core          bool
			Message, Lang string
		}
		if xssh.Unmarshal(r.Payload, &signal) == nil {
			exit, told = 128+signalNumbers[signal.Name], true
		}
	}
	_ = r.Reply(false, nil)
	x.mu.Lock()
	defer x.mu.Unlock()
	if told && !x.known {
		x.exit, x.known = exit, true
		close(x.exited)
	}
}

// signalNumbers are those of RFC 4254 section 6.10, with the numbers that
// Linux and macOS share but for USR1 and USR2, which are Linux's.
var signalNumbers = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9,
	"USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
}

// readSize is the size of the reads from a channel; most commands print less.
const readSize = 8 << 10

func (x *execution) read(stream int, r io.Reader) {
	buf := make([]byte, readSize)
	for {
		n, err := r.Read(buf)
		switch {
		case n > 0 && x.gate != nil:
			x.gate.take(stream, buf[:n])
		case n > 0:
			x.out.add(stream, buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// feed writes stdin, through the gate if there is one. What the command does
// not read is dropped when its channel closes.
func (x *execution) feed(ch xssh.Channel) {
	if x.gate != nil && !x.gate.pass(ch, x.done, x.stop) {
		return
	}
	if _, err := ch.Write(x.stdin); err != nil {
		return
	}
	_ = ch.CloseWrite()
}

// openError says why no session could be opened.
func (c *conn) openError(err error) *transports.Error {
	var open *xssh.OpenChannelError
	if !errors.As(err, &open) {
		return c.lost(opOpen)
	}
	e := c.fail(transports.Busy, opOpen, fmt.Errorf("the host has no room for a session: %s", transports.Clean(open.Message)))
	if open.Reason == xssh.Prohibited || open.Reason == xssh.UnknownChannelType {
		e.Class = transports.Unsupported
		e.Err = fmt.Errorf("the host allows no sessions: %s", transports.Clean(open.Message))
	}
	return e
}
