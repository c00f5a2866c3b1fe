package lab

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// loginGrace bounds key exchange and login of a client, as sshd's
// LoginGraceTime.
const loginGrace = 2 * time.Minute

// mostSessions bounds what one connection may have open at once, as sshd's
// MaxSessions.
const mostSessions = 10

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
	h.fleet.spawn(h, func() { ssh.DiscardRequests(requests) })
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
	if h.hasFault(faultHostKey) {
		config.AddHostKey(f.stranger)
	} else {
		config.AddHostKey(h.key)
	}
	return config
}
