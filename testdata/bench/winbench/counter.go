package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// counter is a proxy in front of one host's HTTP port: it hands all bytes on
// as they are, and counts TCP connections and the HTTP requests in them.
type counter struct {
	listener net.Listener
	host     string

	connections, requests atomic.Int64

	mu    sync.Mutex
	open  map[net.Conn]struct{}
	ended bool
	wg    sync.WaitGroup
}

// newCounter listens on a port of its own for a host that is at an address.
func newCounter(ctx context.Context, host string) (*counter, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("count requests: %w", err)
	}
	c := &counter{listener: l, host: host, open: make(map[net.Conn]struct{})}
	c.wg.Go(c.accept)
	return c, nil
}

// address is where the counter listens.
func (c *counter) address() *net.TCPAddr { return c.listener.Addr().(*net.TCPAddr) }

// counts are connections and requests so far.
func (c *counter) counts() counts { return counts{c.connections.Load(), c.requests.Load()} }

// close ends all connections.
func (c *counter) close() {
	_ = c.listener.Close()
	c.mu.Lock()
	c.ended = true
	for conn := range c.open {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *counter) accept() {
	for {
		client, err := c.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		c.wg.Go(func() { c.carry(client) })
	}
}

// enter notes a connection, which close then ends.
func (c *counter) enter(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.open[conn] = struct{}{}
	}
	return !c.ended
}

func (c *counter) leave(conn net.Conn) {
	_ = conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// carry hands one connection on.
func (c *counter) carry(client net.Conn) {
	defer c.leave(client)
	if !c.enter(client) {
		return
	}
	c.connections.Add(1)
	host, err := net.Dial("tcp", c.host)
	if err != nil {
		return
	}
	defer c.leave(host)
	if !c.enter(host) {
		return
	}
	c.wg.Go(func() {
		_, _ = io.Copy(client, host)
		_ = client.Close()
	})
	// What the reader reads has gone to the host by then.
	requests := bufio.NewReader(io.TeeReader(client, host))
	for {
		req, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		c.requests.Add(1)
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
	}
}
