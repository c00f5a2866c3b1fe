package kdclab

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Counter is a proxy before a KDC that counts what is asked, by kind.
type Counter struct {
	// Address is where it listens, as host:port.
	Address string

	mu       sync.Mutex
	as, tgs  int
	upstream string
}

// The first byte of AS-REQ and TGS-REQ (RFC 4120 section 5.10).
const (
	tagAS  = 0x6a
	tagTGS = 0x6c
)

func newCounter(t testing.TB, upstream string) *Counter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Counter{Address: l.Addr().String(), upstream: upstream}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); running.Wait() })
	return c
}

// Counts are how many questions of each kind have come.
func (c *Counter) Counts() (as, tgs int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.as, c.tgs
}

// serve passes one connection on, message by message.
func (c *Counter) serve(conn net.Conn) {
	defer conn.Close()
	up, err := net.Dial("tcp", c.upstream)
	if err != nil {
		return
	}
	defer up.Close()
	deadline := time.Now().Add(30 * time.Second)
	_, _ = conn.SetDeadline(deadline), up.SetDeadline(deadline)
	for {
		message, err := pass(conn, up)
		if err != nil {
			return
		}
		c.mu.Lock()
		switch message[0] {
		case tagAS:
			c.as++
		case tagTGS:
			c.tgs++
		}
		c.mu.Unlock()
		if _, err := pass(up, conn); err != nil {
			return
		}
	}
}

// pass hands one message on, and returns it.
func pass(from io.Reader, to io.Writer) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	message := make([]byte, min(binary.BigEndian.Uint32(head[:]), 1<<20))
	if _, err := io.ReadFull(from, message); err != nil || len(message) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	_, err := to.Write(append(head[:], message...))
	return message, err
}
