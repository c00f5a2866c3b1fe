package ssh

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// network is an imaginary network: hosts by address, streams in memory. With
// it a test runs in a synctest bubble, where time costs nothing.
type network struct {
	mu    sync.Mutex
	hosts map[string]func(net.Conn)
	dials map[string]int
	conns []net.Conn
}

func newNetwork() *network {
	return &network{hosts: make(map[string]func(net.Conn)), dials: make(map[string]int)}
}

// at puts a host on an address; nil is one that never answers.
func (n *network) at(address string, serve func(net.Conn)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[address] = serve
}

// DialContext connects to a host of the network.
func (n *network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	serve, ok := n.hosts[address]
	n.dials[address]++
	n.mu.Unlock()
	switch {
	case !ok:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case serve == nil:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, far := newStream()
	n.mu.Lock()
	n.conns = append(n.conns, far)
	n.mu.Unlock()
	go serve(far)
	return near, nil
}

func (n *network) dialed(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[address]
}

// cut ends every connection there is.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close()
	}
	n.conns = nil
}

// streamRoom is what one direction of a stream holds, as TCP's buffers do.
const streamRoom = 256 << 10

// newStream returns the two ends of a stream.
func newStream() (near, far net.Conn) {
	a, b := newHalf(), newHalf()
	return &stream{in: a, out: b}, &stream{in: b, out: a}
}

type stream struct{ in, out *half }

func (s *stream) Read(p []byte) (int, error)  { return s.in.read(p) }
func (s *stream) Write(p []byte) (int, error) { return s.out.write(p) }
func (s *stream) Close() error {
	s.in.close()
	s.out.close()
	return nil
}
func (*stream) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }
func (*stream) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 22} }
func (*stream) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (*stream) SetReadDeadline(time.Time) error  { return errors.ErrUnsupported }
func (*stream) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }

// half is one direction.
type half struct {
	mu     sync.Mutex
	cond   *sync.Cond
	buf    []byte
	closed bool
}

func newHalf() *half {
	h := &half{}
	h.cond = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.buf) == 0 && !h.closed {
		h.cond.Wait()
	}
	if len(h.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, h.buf)
	h.buf = h.buf[n:]
	h.cond.Broadcast()
	return n, nil
}

func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(p) > 0 {
		for len(h.buf) >= streamRoom && !h.closed {
			h.cond.Wait()
		}
		if h.closed {
			return n, syscall.EPIPE
		}
		m := min(len(p), streamRoom-len(h.buf))
		h.buf = append(h.buf, p[:m]...)
		p, n = p[m:], n+m
		h.cond.Broadcast()
	}
	return n, nil
}

func (h *half) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.cond.Broadcast()
}

func TestStreamEndsLikeTCP(t *testing.T) {
	near, far := newStream()
	if _, err := near.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	near.Close()
	got, err := io.ReadAll(far)
	if string(got) != "last words" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write after close: %v", err)
	}
}
