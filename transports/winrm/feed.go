package winrm

import (
	"context"
	"errors"
	"sync"
	"time"
)

// feeding is a command's input under way.
type feeding struct {
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	err    error
}

// feed hands the command its input, and its end. Up to one chunk goes before
// the first Receive; more goes over a connection of its own, while output is
// taken, for a command may write before it reads on.
func (x *execution) feed(work context.Context) *feeding {
	ctx, cancel := context.WithCancel(work)
	f := &feeding{cancel: cancel, done: make(chan struct{})}
	if len(x.stdin) <= chunkMost {
		l, err := x.conn.connected(ctx)
		if err == nil {
			err = x.send(ctx, l, x.stdin, true, min(time.Until(x.deadline), x.conn.cfg.Operation))
		}
		f.end(err)
		return f
	}
	go func() {
		l, err := x.conn.dialer.reachAgain(ctx, x.conn.peer)
		if err == nil {
			err = x.sendAll(ctx, l)
			l.close()
		}
		f.end(err)
	}()
	return f
}

// sendAll sends the input in chunks. Each waits as long as the command may
// take to read the one before.
func (x *execution) sendAll(ctx context.Context, l *link) error {
	for rest := x.stdin; ; {
		n := min(chunkMost, len(rest))
		last := n == len(rest)
		if err := x.send(ctx, l, rest[:n], last, time.Until(x.deadline)); err != nil || last {
			return err
		}
		rest = rest[n:]
	}
}

// errSpent: the command has ended, and reads no more.
var errSpent = errors.New("the command reads no more")

func (x *execution) send(ctx context.Context, l *link, data []byte, last bool, wait time.Duration) error {
	c := x.conn
	for {
		_, err := l.ask(ctx, c.peer.requests.send(max(wait, leastOperation), x.shell.id, x.id, data, last), c.cfg.Grace)
		switch codeOf(err) {
		case codeBrokenPipe, codePipeClosing:
			return errSpent
		case codeOperationTimeout, codeTimeout:
			// The host has the input, and hands it on when the command reads.
			return nil
		case codeBusy:
			// It has not taken it: what came before is still on its way.
			if rest(ctx, busyPause) {
				continue
			}
		}
		return err
	}
}

// busyPause is how long input waits that a host had no room for.
const busyPause = 200 * time.Millisecond

// end records how the input ended.
func (f *feeding) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !errors.Is(err, errSpent) {
		f.err = err
	}
	close(f.done)
}

// refused says why the input was not taken, or nil as long as it was.
func (f *feeding) refused() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// stop ends the input and waits for that, which does not take long: its
// connection is closed.
func (f *feeding) stop() {
	f.cancel()
	<-f.done
}
