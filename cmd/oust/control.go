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

// controlPlace is where the socket of a campaign is, in its folder. Where that
// path would be too long for a socket it goes by way of the open folder
// (proc_pid_fd(5)), and without /proc it is in the folder for temporary files.
type controlPlace struct {
	path   string
	folder *os.File // nil if the path needs none
}

func placeControl(dir string) (controlPlace, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return controlPlace{}, err
	}
	path := filepath.Join(abs, controlName)
	if len(path) <= longestSocket {
		return controlPlace{path: path}, nil
	}
	folder, err := os.Open(abs)
	if err != nil {
		return controlPlace{}, fmt.Errorf("open the folder of the campaign: %w", err)
	}
	through := fmt.Sprintf("/proc/self/fd/%d", folder.Fd())
	if _, err := os.Stat(through); err == nil {
		return controlPlace{filepath.Join(through, controlName), folder}, nil
	}
	_ = folder.Close()
	sum := sha256.Sum256([]byte(abs))
	return controlPlace{path: filepath.Join(os.TempDir(), "oust-"+hex.EncodeToString(sum[:8])+".sock")}, nil
}

// Close lets go of the folder; the path holds no longer.
func (p controlPlace) Close() error {
	if p.folder == nil {
		return nil
	}
	return p.folder.Close()
}

// control is serve's end of the socket.
type control struct {
	place    controlPlace
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

// listenControl opens the socket, and answers for who.
func listenControl(dir, who string) (*control, error) {
	place, err := placeControl(dir)
	if err != nil {
		return nil, err
	}
	l, err := openControl(place.path)
	if err != nil {
		return nil, errors.Join(err, place.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &control{place: place, listener: l, who: who, yields: make(chan *yield), ctx: ctx, cancel: cancel}
	c.conns.Go(c.accept)
	return c, nil
}

// openControl makes the socket. One that nobody listens on any more is
// replaced.
func openControl(path string) (net.Listener, error) {
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
	return l, nil
}

// otherServe asks a serve of the campaign who it is.
func otherServe(dir string) (string, error) {
	place, err := placeControl(dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = place.Close() }()
	return askOther(place.path)
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
	return errors.Join(err, c.place.Close())
}

// yieldTime is how long a serve may take to drop what it has in hand.
const yieldTime = 2 * time.Minute

// errNobodyServes: no serve listens on the socket.
var errNobodyServes = errors.New("the campaign is not served")

// askYieldOf has a serve of the campaign stand back for as long as the
// returned Closer is open, and calls slow if that takes a while. It returns
// errNobodyServes if none listens.
func askYieldOf(ctx context.Context, dir string, slow func()) (io.Closer, error) {
	place, err := placeControl(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = place.Close() }()
	conn, err := (&net.Dialer{Timeout: controlPatience}).DialContext(ctx, "unix", place.path)
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
