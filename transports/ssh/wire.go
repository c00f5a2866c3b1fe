package ssh

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"oust/transports"
)

// wire is the byte stream to one peer. It counts what is heard, keeps what
// the peer says before its version line, and can be ended from outside with a
// reason that every later error then gives.
type wire struct {
	net.Conn
	// heard counts the bytes read; keepalives look at it.
	heard atomic.Int64
	// dead is closed by kill, and only by kill.
	dead chan struct{}

	ahead []byte // read and not yet asked for; used by the one reader

	mu     sync.Mutex
	cause  error
	first  []byte // what was read until the version line, at most firstMost
	spoken bool   // the version line was seen
	ended  error  // the first error of Read
	left   bool   // the stream was closed here
}

// firstMost bounds what is kept of the text before the version line. RFC 4253
// section 4.2 bounds the version line itself to 255 bytes.
const firstMost = 512

func newWire(conn net.Conn) *wire { return &wire{Conn: conn, dead: make(chan struct{})} }

// Read reads from the peer. The version line is asked for byte by byte, and
// served from one larger read.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.ahead) == 0 {
		if len(p) > 1 {
			n, err := w.Conn.Read(p)
			w.note(p[:n], err)
			return n, err
		}
		buf := make([]byte, firstMost)
		n, err := w.Conn.Read(buf)
		w.note(buf[:n], err)
		if n == 0 {
			return 0, err
		}
		w.ahead = buf[:n]
	}
	n := copy(p, w.ahead)
	if w.ahead = w.ahead[n:]; len(w.ahead) == 0 {
		w.ahead = nil
	}
	return n, nil
}

// Write writes to the peer. While the peer's version line is missing, the end
// of the stream is left to Read to find: a peer that hangs up may have said
// why before.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.spoken && w.cause == nil {
			return len(p), nil
		}
	}
	return n, err
}

func (w *wire) note(p []byte, err error) {
	w.heard.Add(int64(len(p)))
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.ended == nil {
		if w.ended = err; w.left {
			w.ended = net.ErrClosed
		}
	}
	if w.spoken {
		return
	}
	w.first = append(w.first, p[:min(len(p), firstMost-len(w.first))]...)
	if bytes.HasPrefix(w.first, []byte("SSH-")) || bytes.Contains(w.first, []byte("\nSSH-")) {
		w.spoken, w.first = true, nil
	}
}

// kill ends the stream; the first cause stays. It does not wait for the peer.
func (w *wire) kill(cause error) {
	w.mu.Lock()
	if w.cause != nil {
		w.mu.Unlock()
		return
	}
	w.cause = cause
	close(w.dead)
	w.mu.Unlock()
	w.hangUp()
}

// Close implements net.Conn for the ssh library, which calls it when it is
// done; dead stays open, for what was read before is still to be looked at.
func (w *wire) Close() error {
	w.hangUp()
	return nil
}

// hangUp closes the stream. One through a bastion writes to the bastion to
// close, which may block.
func (w *wire) hangUp() {
	w.mu.Lock()
	w.left = true
	w.mu.Unlock()
	if _, ok := w.Conn.(*net.TCPConn); ok {
		_ = w.Conn.Close()
		return
	}
	go func() { _ = w.Conn.Close() }()
}

// reason is why the stream ended: the cause given to kill, else the error of
// the last read, nil if it has not ended.
func (w *wire) reason() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cause != nil {
		return w.cause
	}
	return w.ended
}

// beforeVersion returns whether the peer's version line is still missing,
// and what came instead of it.
func (w *wire) beforeVersion() (text string, missing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.first), !w.spoken
}

// hungUp reports whether the peer ended the stream.
func (w *wire) hungUp() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Is(w.ended, io.EOF) || transports.IsReset(w.ended)
}
