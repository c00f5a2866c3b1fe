package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// 'oust serve' owns the store as long as it lives. A command that needs the
// store asks it, through a socket in the campaign folder, to stand back: serve
// drops what it has in hand as a second Ctrl-C would (jobs go on on their
// hosts), closes the store, and takes everything up again when the command's
// end of the socket is closed.

// controlName is the socket's file in the campaign folder.
const controlName = "oust.sock"

// longestSocket is what any Unix takes as a socket's path, in bytes (sun_path
// of unix(7) has 104 to 108 with the zero at its end).
const longestSocket = 100

// Words on the socket, a line each.
const (
	askYield   = "yield"
	askWho     = "who"
	sayYielded = "yielded"
)

// controlPath is where the socket of a campaign is: in its folder, or in the
// folder for temporary files if the path would be too long for a socket.
func controlPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	path := filepath.Join(abs, controlName)
	if len(path) <= longestSocket {
		return path, nil
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join(os.TempDir(), "oust-"+hex.EncodeToString(sum[:8])+".sock"), nil
}

// control is serve's end of the socket.
type control struct {
	listener net.Listener
	who      string
	// yields gets each command that asks for the store.
	yields chan *yield
	conns  sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
}

// yield is a command that wants the store.
type yield struct {
	conn net.Conn
	// gone is closed when the command has ended.
	gone chan struct{}
}

// errServed says that another serve has the campaign.
type errServed struct{ who string }

func (e *errServed) Error() string {
	return fmt.Sprintf("this campaign is served already, by %s; stop that one first", printable(e.who))
}

// listenControl opens the socket. One that nobody listens on any more is
// replaced.
func listenControl(dir, who string) (*control, error) {
	path, err := controlPath(dir)
	if err != nil {
		return nil, err
	}
	if other, err := askOther(path); err == nil {
		return nil, &errServed{other}
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove the socket of a serve that has ended: %w", err)
		}
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the socket for other commands: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open the socket for other commands: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &control{listener: l, who: who, yields: make(chan *yield), ctx: ctx, cancel: cancel}
	c.conns.Go(c.accept)
	return c, nil
}

// askOther asks a serve that listens who it is.
func askOther(path string) (string, error) {
	conn, err := dialControl(context.Background(), path)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(controlPatience))
	if _, err := io.WriteString(conn, askWho+"\n"); err != nil {
		return "", err
	}
	line, err := controlLine(conn)
	return line, err
}

const controlPatience = 5 * time.Second

func dialControl(ctx context.Context, path string) (net.Conn, error) {
	d := net.Dialer{Timeout: controlPatience}
	return d.DialContext(ctx, "unix", path)
}

// controlLine reads one short line.
func controlLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 1024)).ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.conns.Go(func() { c.serve(conn) })
	}
}

func (c *control) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(c.ctx, func() { _ = conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(controlPatience))
	line, err := controlLine(conn)
	if err != nil {
		return
	}
	switch line {
	case askWho:
		_, _ = io.WriteString(conn, c.who+"\n")
	case askYield:
		_ = conn.SetDeadline(time.Time{})
		y := &yield{conn: conn, gone: make(chan struct{})}
		defer close(y.gone)
		select {
		case c.yields <- y:
		case <-c.ctx.Done():
			return
		}
		_, _ = io.Copy(io.Discard, conn) // until the command ends
	}
}

// granted tells the command that the store is free.
func (y *yield) granted() { _, _ = io.WriteString(y.conn, sayYielded+"\n") }

// Close ends the socket and waits for whoever is on it.
func (c *control) Close() error {
	c.cancel()
	err := c.listener.Close() // removes the file
	c.conns.Wait()
	return err
}

// yieldTime is how long a serve may take to drop what it has in hand.
const yieldTime = 2 * time.Minute

// errNobodyServes: no serve listens on the socket.
var errNobodyServes = errors.New("the campaign is not served")

// askYieldOf has a serve of the campaign stand back for as long as the
// returned Closer is open, and calls slow if that takes a while. It returns
// errNobodyServes if none listens.
func askYieldOf(ctx context.Context, dir string, slow func()) (io.Closer, error) {
	path, err := controlPath(dir)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("unix", path, controlPatience)
	if err != nil {
		return nil, errors.Join(errNobodyServes, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := awaitYield(conn, slow); err != nil {
		_ = conn.Close()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("it has not within %v: wait for the process that has the store, or end that one if it hangs, and run this again", yieldTime)
		}
		return nil, errors.Join(ctx.Err(), fmt.Errorf("'oust serve' was asked to stand back: %w", err))
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, nil
}

// awaitYield asks, and waits for the answer.
func awaitYield(conn net.Conn, slow func()) error {
	late := time.AfterFunc(controlPatience, slow)
	defer late.Stop()
	_ = conn.SetDeadline(time.Now().Add(yieldTime))
	if _, err := io.WriteString(conn, askYield+"\n"); err != nil {
		return err
	}
	line, err := controlLine(conn)
	if err == nil && line != sayYielded {
		err = errors.New("it answers something else")
	}
	return err
}
