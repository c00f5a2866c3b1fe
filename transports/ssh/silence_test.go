package ssh

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// freezer passes a stream on until it is frozen: then nothing is read and
// nothing comes, as when a firewall forgets a connection.
type freezer struct {
	net.Conn
	once   sync.Once
	frozen chan struct{}
	closed chan struct{}
}

func newFreezer(conn net.Conn) *freezer {
	return &freezer{Conn: conn, frozen: make(chan struct{}), closed: make(chan struct{})}
}

func (f *freezer) freeze() { f.once.Do(func() { close(f.frozen) }) }

func (f *freezer) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	select {
	case <-f.frozen:
		<-f.closed
		return 0, io.EOF
	default:
		return n, err
	}
}

func (f *freezer) Write(p []byte) (int, error) {
	select {
	case <-f.frozen:
		<-f.closed
		return 0, io.EOF
	default:
		return f.Conn.Write(p)
	}
}

// freezingPlace is a place whose connection freezes when a command starts.
func freezingPlace(t *testing.T) (p *place, thaw func()) {
	p = newPlace(t)
	var f *freezer
	p.at(address, func(conn net.Conn) {
		f = newFreezer(conn)
		p.server.serve(f)
	})
	p.server.session = func(ch xssh.NewChannel) { begin(ch); f.freeze() }
	return p, func() { f.Conn.Close(); close(f.closed) }
}

// TestSilenceIsLostContact freezes the connection under a command.
func TestSilenceIsLostContact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, thaw := freezingPlace(t)
		conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { conn.Close(); thaw() }()
		start := time.Now()
		_, err = conn.Run(t.Context(), transports.Command{Line: "x", Timeout: time.Hour})
		if transports.ClassOf(err) != transports.LostContact || !errors.Is(err, errSilent) {
			t.Errorf("error %v of class %s", err, transports.ClassOf(err))
		}
		// something was heard in the first interval; one without a byte, and
		// three more without an answer
		if took := time.Since(start); took != 75*time.Second {
			t.Errorf("took %v, want 1m15s", took)
		}
		if _, err := conn.Run(t.Context(), transports.Command{Line: "x"}); transports.ClassOf(err) != transports.LostContact {
			t.Errorf("the next command: %v", err)
		}
	})
}

// TestSilenceWhileWriting is the same with stdin that fills all buffers, in
// real time: a writer that waits for a mutex stops the clock of a bubble.
func TestSilenceWhileWriting(t *testing.T) {
	p, thaw := freezingPlace(t)
	config := p.config()
	config.KeepAlive = 10 * time.Millisecond
	conn, err := newDialer(t, config).Dial(t.Context(), p.target())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { conn.Close(); thaw() }()
	_, err = conn.Run(t.Context(), transports.Command{Line: "x", Stdin: make([]byte, 8<<20), Timeout: time.Minute})
	if transports.ClassOf(err) != transports.LostContact || !errors.Is(err, errSilent) {
		t.Errorf("error %v of class %s", err, transports.ClassOf(err))
	}
}

// TestKeepAliveKeepsAQuietCommand: a host that answers may be quiet for long.
func TestKeepAliveKeepsAQuietCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.server.session = func(ch xssh.NewChannel) {
			c, requests, _ := begin(ch)
			go xssh.DiscardRequests(requests)
			time.Sleep(time.Hour)
			end(c, 0)
		}
		conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if res, err := conn.Run(t.Context(), transports.Command{Line: "x", Timeout: 2 * time.Hour}); err != nil || res.Exit != 0 {
			t.Errorf("exit %d, %v", res.Exit, err)
		}
	})
}
