package lab

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// winPort is a Windows machine's side of the network: one port for HTTP and
// HTTPS, which the first byte of a connection tells apart.
type winPort struct {
	mu       sync.Mutex
	addr     *net.TCPAddr // set by the first listen, and not changed
	listener net.Listener
	held     io.Closer // keeps a closed port from being given to others
	offline  bool      // there is no listener, and yet the machine can be reached
	conns    map[io.Closer]struct{}
	gone     int // counts what keeps the machine off the network
}

// listen opens the port: the one that the machine had before, or one that the
// system chooses.
func (p *winPort) listen(w *winHost) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		return nil
	}
	port := 0
	if p.addr != nil {
		port = p.addr.Port
	}
	p.release()
	var config net.ListenConfig
	l, err := config.Listen(w.fleet.ctx, "tcp", net.JoinHostPort(w.fleet.config.Listen, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		_ = l.Close()
		return errors.New("listen: not a TCP address")
	}
	p.addr, p.listener = addr, l
	w.fleet.spawnWindows(w, func() { p.accept(w, l) })
	return nil
}

// where is the port's address.
func (p *winPort) where() *net.TCPAddr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

func (p *winPort) accept(w *winHost, l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			w.fleet.config.Logger.Warn("a connection cannot be taken", "host", w.name, "error", err)
			select {
			case <-time.After(acceptPause):
				continue
			case <-w.fleet.ctx.Done():
				return
			}
		}
		if !p.admit(c) || !w.fleet.spawnWindows(w, func() { defer p.leave(c); w.serve(c) }) {
			cut(c)
		}
	}
}

// admit enters a connection, unless the machine is away.
func (p *winPort) admit(c io.Closer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone > 0 || p.listener == nil && !p.offline {
		return false
	}
	if p.conns == nil {
		p.conns = make(map[io.Closer]struct{})
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *winPort) leave(c io.Closer) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// away takes the machine off the network, until it is called with false as
// often. What is connected is cut off.
func (p *winPort) away(off bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !off {
		p.gone--
		return
	}
	p.gone++
	p.cutAll()
}

// cutAll ends all connections; the caller holds p.mu.
func (p *winPort) cutAll() {
	for c := range p.conns {
		cut(c)
	}
	p.conns = nil
}

// refuse closes the port and keeps it, so that nobody else is given it.
func (p *winPort) refuse(w *winHost) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return
	}
	_ = p.listener.Close()
	p.listener = nil
	p.cutAll()
	held, err := holdPort(p.addr)
	if err != nil {
		w.fleet.config.Logger.Warn("a closed port cannot be held", "host", w.name, "error", err)
		return
	}
	p.held = held
}

// close closes the port, and gives it back to the system.
func (p *winPort) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.offline = false
	p.cutAll()
	p.release()
}

// release gives a port that is held back; the caller holds p.mu.
func (p *winPort) release() {
	if p.held != nil {
		_ = p.held.Close()
		p.held = nil
	}
}

// silence takes what a client sends until it goes.
func silence(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// firstByteGrace bounds how long a client may say nothing at first.
const firstByteGrace = 2 * time.Minute

// tlsHandshake is the first byte of a TLS connection (RFC 8446, 5.1).
const tlsHandshake = 0x16

// sniff reads the first byte of a connection, and returns the connection with
// the byte in its place.
func sniff(c net.Conn) (whole net.Conn, secure bool, err error) {
	_ = c.SetReadDeadline(time.Now().Add(firstByteGrace))
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return nil, false, fmt.Errorf("read the first byte: %w", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	return &putBack{Conn: c, first: b[:]}, b[0] == tlsHandshake, nil
}

// putBack is a connection whose first bytes were read before.
type putBack struct {
	net.Conn
	first []byte
}

func (c *putBack) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
