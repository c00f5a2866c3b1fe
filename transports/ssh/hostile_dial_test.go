package ssh

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// silent keeps the connection and says nothing, until the client hangs up.
func silent(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// says returns a host that says something and then nothing.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, text)
		silent(conn)
	}
}

// saysAndCloses returns a host that says something and hangs up.
func saysAndCloses(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

// afterVersion is a host that hangs up after both versions are said.
func afterVersion(conn net.Conn) {
	_, _ = io.WriteString(conn, "SSH-2.0-x\r\n")
	_, _ = bufio.NewReader(conn).ReadString('\n')
	_ = conn.Close()
}

// talksForEver sends lines before a version that never comes.
func talksForEver(conn net.Conn) {
	for {
		if _, err := io.WriteString(conn, "wait\r\n"); err != nil {
			return
		}
	}
}

// stalledLogin is a server that never answers a login.
func stalledLogin(t *testing.T, p *place) func(net.Conn) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	p.server.setup = func(c *xssh.ServerConfig) {
		c.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) {
			<-stop
			return nil, errors.New("too late")
		}
	}
	return p.server.serve
}

// droppedLogin is a server that hangs up when asked to log in.
func droppedLogin(p *place) func(net.Conn) {
	return func(conn net.Conn) {
		p.server.setup = func(c *xssh.ServerConfig) {
			c.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) {
				_ = conn.Close()
				return nil, errors.New("gone")
			}
		}
		p.server.serve(conn)
	}
}

func TestDialHostilePeers(t *testing.T) {
	for _, c := range []struct {
		name      string
		host      func(t *testing.T, p *place) func(net.Conn)
		class     transports.Class
		op        string
		took      time.Duration
		temporary bool
		words     string
	}{
		{name: "never answers", host: func(*testing.T, *place) func(net.Conn) { return nil },
			class: transports.Unreachable, op: opConnect, took: 10 * time.Second, words: "no answer in 10s"},
		{name: "accepts and is silent", host: fixed(silent),
			class: transports.Timeout, op: opKeyExchange, took: 15 * time.Second, words: "said nothing"},
		{name: "silent after the version", host: fixed(says("SSH-2.0-OpenSSH_9.2\r\n")),
			class: transports.Timeout, op: opKeyExchange, took: 15 * time.Second, words: "not done in 15s"},
		{name: "a line and no more", host: fixed(says("please wait\r\n")),
			class: transports.Timeout, op: opKeyExchange, took: 15 * time.Second},
		{name: "drops at once", host: fixed(saysAndCloses("")),
			class: transports.Unreachable, op: opConnect, temporary: true, words: "MaxStartups"},
		{name: "says MaxStartups", host: fixed(saysAndCloses("Exceeded MaxStartups\r\n")),
			class: transports.Unreachable, op: opConnect, temporary: true, words: "Exceeded MaxStartups"},
		{name: "bars this address", host: fixed(saysAndCloses("Not allowed at this time\r\n")),
			class: transports.Unreachable, op: opConnect, words: "PerSourcePenalties"},
		{name: "drops after the version", host: fixed(afterVersion),
			class: transports.LostContact, op: opKeyExchange, temporary: true, words: "closed the connection"},
		{name: "not SSH", host: fixed(says("HTTP/1.1 400 Bad Request " + strings.Repeat("x", 300))),
			class: transports.Unsupported, op: opKeyExchange, words: "is it an SSH server?"},
		{name: "talks for ever", host: fixed(talksForEver),
			class: transports.Unsupported, op: opKeyExchange, words: "is it an SSH server?"},
		{name: "garbage after the version", host: fixed(says("SSH-2.0-x\r\n" + strings.Repeat("\xff", 64))),
			class: transports.Unsupported, op: opKeyExchange},
		{name: "no answer to the login", host: stalledLogin,
			class: transports.Timeout, op: opLogin, took: 30 * time.Second, words: "not done in 30s"},
		{name: "drops in the login", host: func(_ *testing.T, p *place) func(net.Conn) { return droppedLogin(p) },
			class: transports.LostContact, op: opLogin, words: "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				p.at(address, c.host(t, p))
				d := newDialer(t, p.config())
				start := time.Now()
				_, err := d.Dial(t.Context(), p.target())
				e, ok := errors.AsType[*transports.Error](err)
				if !ok {
					t.Fatalf("error %v", err)
				}
				if e.Class != c.class || e.Op != c.op || e.Temporary != c.temporary || !strings.Contains(e.Error(), c.words) {
					t.Errorf("class %s, op %s, temporary %v: %v; want %s, %s, %v with %q",
						e.Class, e.Op, e.Temporary, e, c.class, c.op, c.temporary, c.words)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
			})
		})
	}
}

func fixed(serve func(net.Conn)) func(*testing.T, *place) func(net.Conn) {
	return func(*testing.T, *place) func(net.Conn) { return serve }
}

// TestDialCancel cancels in every stage: Dial returns in the same instant.
func TestDialCancel(t *testing.T) {
	for name, host := range map[string]func(t *testing.T, p *place) func(net.Conn){
		"connect":      func(*testing.T, *place) func(net.Conn) { return nil },
		"version":      fixed(silent),
		"key exchange": fixed(says("SSH-2.0-x\r\n")),
		"login":        stalledLogin,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				p.at(address, host(t, p))
				d := newDialer(t, p.config())
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				start := time.Now()
				_, err := d.Dial(ctx, p.target())
				if !errors.Is(err, context.Canceled) || transports.ClassOf(err) != transports.Unreachable {
					t.Errorf("error %v of class %s", err, transports.ClassOf(err))
				}
				if took := time.Since(start); took != 3*time.Second {
					t.Errorf("took %v, want 3s", took)
				}
				short, stop := context.WithTimeout(t.Context(), time.Second)
				defer stop()
				if _, err := d.Dial(short, p.target()); transports.ClassOf(err) != transports.Timeout {
					t.Errorf("deadline: class %s, want timeout: %v", transports.ClassOf(err), err)
				}
			})
		})
	}
}

// TestLateLogin: a login that comes when nobody waits any more holds nothing up.
func TestLateLogin(t *testing.T) {
	t.Parallel()
	near, far := newStream()
	defer far.Close()
	w := newWire(near)
	w.kill(errClosed)
	channels, requests, over := make(chan xssh.NewChannel), make(chan *xssh.Request), make(chan struct{})
	go func() {
		defer close(over)
		handshakeEnd{established: established{channels: channels, requests: requests}}.deliver(make(chan handshakeEnd), w)
	}()
	for range 40 {
		requests <- &xssh.Request{}
	}
	close(channels)
	close(requests)
	<-over
}

// TestConnectErrorWords are the failures of the dial itself.
func TestConnectErrorWords(t *testing.T) {
	op := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		name      string
		err       error
		class     transports.Class
		temporary bool
		words     string
	}{
		{"refused", op(syscall.ECONNREFUSED), transports.Unreachable, false, "connection refused"},
		{"no route", op(syscall.EHOSTUNREACH), transports.Unreachable, false, "no route to host"},
		{"no network", op(syscall.ENETUNREACH), transports.Unreachable, false, "no route to host"},
		{"no name", op(&net.DNSError{IsNotFound: true, Name: "web1"}), transports.Unreachable, false, "no such name"},
		{"no name server", op(&net.DNSError{IsTimeout: true, Name: "web1"}), transports.Unreachable, true, "name server"},
		{"reset", op(syscall.ECONNRESET), transports.Unreachable, true, "connection reset"},
		{"files", op(syscall.EMFILE), transports.Internal, false, "ulimit -n"},
		{"files of the system", op(syscall.ENFILE), transports.Internal, false, "ulimit -n"},
		{"ports", op(syscall.EADDRNOTAVAIL), transports.Internal, true, "no free local port"},
		{"kernel timeout", op(syscall.ETIMEDOUT), transports.Unreachable, false, "no answer"},
		{"other", op(errors.New("odd\nthing")), transports.Unreachable, false, "odd thing"},
	} {
		e := transports.ConnectError("web1", address, 10*time.Second, nobodyListens, c.err)
		if e.Class != c.class || e.Temporary != c.temporary || !strings.Contains(e.Error(), c.words) || !errors.Is(e, c.err) {
			t.Errorf("%s: class %s, temporary %v: %v", c.name, e.Class, e.Temporary, e)
		}
	}
}

func TestBadTargets(t *testing.T) {
	p := newPlace(t)
	d := newDialer(t, p.config())
	for name, bend := range map[string]func(*transports.Target){
		"empty":          func(t *transports.Target) { t.Address, t.Host = "", "" },
		"space":          func(t *transports.Target) { t.Address = "a b" },
		"line break":     func(t *transports.Target) { t.Address = "a\nb" },
		"pattern":        func(t *transports.Target) { t.Address = "*" },
		"option":         func(t *transports.Target) { t.Address = "-oProxyCommand=x" },
		"port":           func(t *transports.Target) { t.Port = 70000 },
		"negative port":  func(t *transports.Target) { t.Port = -1 },
		"comma":          func(t *transports.Target) { t.Address = "a,b" },
		"shell in there": func(t *transports.Target) { t.Address = "$(id)" },
	} {
		target := p.target()
		bend(&target)
		if _, err := d.Dial(t.Context(), target); transports.ClassOf(err) != transports.Unsupported {
			t.Errorf("%s: class %s, want unsupported: %v", name, transports.ClassOf(err), err)
		}
	}
	target := p.target()
	target.Credential.User = ""
	if _, err := d.Dial(t.Context(), target); transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "credential linux has no user") {
		t.Errorf("no user: class %s: %v", transports.ClassOf(err), err)
	}
	if n := p.dialed(address); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}
