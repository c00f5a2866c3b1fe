package lab

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// loginGrace bounds key exchange and login of a client, as sshd's
// LoginGraceTime.
const loginGrace = 2 * time.Minute

// mostSessions bounds what one connection may have open at once, as sshd's
// MaxSessions.
const mostSessions = 10

// listen opens the host's port: the one that it had before, or one that the
// system chooses.
func (h *host) listen(address string) error {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.net.listener != nil {
		return nil
	}
	port := 0
	if h.net.addr != nil {
		port = h.net.addr.Port
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		_ = l.Close()
		return errors.New("listen: not a TCP address")
	}
	h.net.addr, h.net.listener = addr, l
	h.fleet.wg.Go(func() { h.accept(l) })
	return nil
}

func (h *host) closeListener() {
	h.net.mu.Lock()
	l := h.net.listener
	h.net.listener = nil
	h.net.mu.Unlock()
	if l != nil {
		_ = l.Close()
	}
}

// applyFault brings what the host shows to the outside in line with its
// fault.
func (h *host) applyFault() {
	if h.hasFault(faultRefused) {
		h.closeListener()
		h.setDown(true)
		h.setDown(false)
	} else if h.fleet.ctx.Err() == nil {
		if err := h.listen(h.fleet.config.Listen); err != nil {
			h.fleet.config.Logger.Error("the port cannot be opened again", "host", h.name, "error", err)
		}
	}
	h.holdLock(h.hasFault(faultLock))
}

// holdLock starts or ends the process that holds the package manager's lock.
func (h *host) holdLock(hold bool) {
	h.mu.Lock()
	holder := h.holding
	h.mu.Unlock()
	switch {
	case hold && (holder == nil || holder.dead()):
		argv, files := []string{"/usr/bin/unattended-upgrade"}, []string{dpkgFrontendLock, dpkgLock}
		switch h.image.kind.manager {
		case managerRPM:
			argv, files = []string{"/usr/bin/dnf", "-y", "upgrade"}, []string{"/var/lib/rpm/.rpm.lock"}
		case managerApk:
			argv, files = []string{"/sbin/apk", "upgrade"}, []string{apkLock}
		}
		holder = h.spawnAs(h.context(), nil, argv, &root)
		for _, f := range files {
			holder.takeLock(f)
		}
	case !hold && holder != nil:
		holder.kill(syscall.SIGTERM)
		holder = nil
	default:
		return
	}
	h.mu.Lock()
	h.holding = holder
	h.mu.Unlock()
}

func (h *host) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors: others will be closed
			if h.fleet.clock.Sleep(h.fleet.ctx, 10*time.Millisecond) != nil {
				return
			}
			continue
		}
		if !h.admit(c) {
			cut(c)
			continue
		}
		h.fleet.wg.Go(func() {
			defer h.leave(c)
			h.serve(c)
		})
	}
}

// admit enters a connection, unless the host is away.
func (h *host) admit(c net.Conn) bool {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.net.down {
		return false
	}
	if h.net.conns == nil {
		h.net.conns = make(map[net.Conn]struct{})
	}
	h.net.conns[c] = struct{}{}
	return true
}

func (h *host) leave(c net.Conn) {
	_ = c.Close()
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	delete(h.net.conns, c)
	if len(h.net.conns) == 0 {
		h.net.conns = nil
	}
}

// serve is one connection of a client.
func (h *host) serve(c net.Conn) {
	switch {
	case h.hasFault(faultSilent):
		_, _ = io.Copy(io.Discard, c) // until the client gives up
		return
	case h.hasFault(faultSlow):
		c = &slowConn{Conn: c, delay: h.fleet.config.Delay}
	}
	_ = c.SetDeadline(time.Now().Add(loginGrace))
	conn, channels, requests, err := ssh.NewServerConn(c, h.sshConfig())
	if err != nil {
		h.fleet.config.Logger.Debug("no login", "host", h.name, "error", err)
		return
	}
	_ = c.SetDeadline(time.Time{})
	h.fleet.wg.Go(func() { ssh.DiscardRequests(requests) })
	h.sessions(conn, channels)
}

// slowConn waits before each write.
type slowConn struct {
	net.Conn
	delay time.Duration
}

func (c *slowConn) Write(b []byte) (int, error) {
	time.Sleep(c.delay)
	return c.Conn.Write(b)
}

// sshConfig is how the host lets clients in: each account by the fleet's key,
// or by its password.
func (h *host) sshConfig() *ssh.ServerConfig {
	f := h.fleet
	refuse := errors.New("login refused")
	allow := func(name string) (*ssh.Permissions, error) {
		if h.hasFault(faultLogin) || userNamed(name) == nil {
			return nil, refuse
		}
		return &ssh.Permissions{}, nil
	}
	password := func(name, given string) (*ssh.Permissions, error) {
		if name == root.name || subtle.ConstantTimeCompare([]byte(given), []byte(f.secret)) != 1 {
			return nil, refuse
		}
		return allow(name)
	}
	config := &ssh.ServerConfig{
		ServerVersion: h.image.kind.banner,
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(key.Marshal(), f.clientPub.Marshal()) {
				return nil, refuse
			}
			return allow(meta.User())
		},
		PasswordCallback: func(meta ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			return password(meta.User(), string(given))
		},
		KeyboardInteractiveCallback: func(meta ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil || len(answers) != 1 {
				return nil, refuse
			}
			return password(meta.User(), answers[0])
		},
	}
	config.AddHostKey(h.key)
	return config
}
