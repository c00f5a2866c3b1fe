package ssh

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// server is an SSH server in Go whose every stage a test can bend.
type server struct {
	keys []xssh.Signer
	// setup bends the server's configuration; by default any key logs in.
	setup func(*xssh.ServerConfig)
	// session serves one session channel; default echoes, see answer.
	session func(xssh.NewChannel)
	// forward connects for direct-tcpip; nil refuses it.
	forward func(address string) (net.Conn, error)
	// global answers global requests; default refuses, as OpenSSH does.
	global func(<-chan *xssh.Request)

	logins, tries atomic.Int32
}

func newServer(t testing.TB) *server {
	t.Helper()
	return &server{keys: []xssh.Signer{newSigner(t)}}
}

func newSigner(t testing.TB) xssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// serve is what the network calls for each connection.
func (s *server) serve(conn net.Conn) {
	config := &xssh.ServerConfig{
		MaxAuthTries: 6,
		PublicKeyCallback: func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) {
			return nil, nil
		},
	}
	if s.setup != nil {
		s.setup(config)
	}
	for _, k := range s.keys {
		config.AddHostKey(k)
	}
	s.tries.Add(1)
	established, channels, requests, err := xssh.NewServerConn(conn, config)
	if err != nil {
		_ = conn.Close()
		return
	}
	s.logins.Add(1)
	defer established.Close()
	if s.global != nil {
		go s.global(requests)
	} else {
		go xssh.DiscardRequests(requests)
	}
	for ch := range channels {
		switch {
		case ch.ChannelType() == "session" && s.session != nil:
			go s.session(ch)
		case ch.ChannelType() == "session":
			go answer(ch)
		case ch.ChannelType() == "direct-tcpip" && s.forward != nil:
			go s.proxy(ch)
		default:
			_ = ch.Reject(xssh.Prohibited, "not here")
		}
	}
}

// proxy carries a direct-tcpip channel (RFC 4254 section 7.2).
func (s *server) proxy(ch xssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		FromHost string
		FromPort uint32
	}
	if err := xssh.Unmarshal(ch.ExtraData(), &to); err != nil {
		_ = ch.Reject(xssh.ConnectionFailed, err.Error())
		return
	}
	far, err := s.forward(net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = ch.Reject(xssh.ConnectionFailed, err.Error())
		return
	}
	near, requests, err := ch.Accept()
	if err != nil {
		_ = far.Close()
		return
	}
	go xssh.DiscardRequests(requests)
	go func() {
		_, _ = io.Copy(far, near)
		_ = far.Close()
	}()
	_, _ = io.Copy(near, far)
	_ = near.Close()
}

// begin accepts a session and its exec request, and returns the command.
func begin(ch xssh.NewChannel) (xssh.Channel, <-chan *xssh.Request, string) {
	c, requests, err := ch.Accept()
	if err != nil {
		return nil, nil, ""
	}
	for r := range requests {
		if r.Type == "exec" {
			_ = r.Reply(true, nil)
			return c, requests, string(r.Payload[4:])
		}
		_ = r.Reply(false, nil)
	}
	return nil, nil, ""
}

// answer knows the commands "cat", "exit N", and "hang".
func answer(ch xssh.NewChannel) {
	c, requests, line := begin(ch)
	if c == nil {
		return
	}
	go xssh.DiscardRequests(requests)
	code := 0
	switch {
	case line == "cat":
		_, _ = io.Copy(c, c)
	case line == "hang":
		return
	default:
		code, _ = strconv.Atoi(strings.TrimPrefix(line, "exit "))
	}
	end(c, code)
}

// end sends an exit code and closes.
func end(c xssh.Channel, code int) {
	_, _ = c.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(code)))
	_ = c.Close()
}

// place is a network with one server, and what is needed to dial it.
type place struct {
	*network
	server  *server
	dir     string
	known   string
	keyFile string
}

const address = "192.0.2.2:22"

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{network: newNetwork(), server: newServer(t), dir: t.TempDir()}
	p.known, p.keyFile = filepath.Join(p.dir, "known_hosts"), filepath.Join(p.dir, "id")
	writeKey(t, p.keyFile, "")
	p.knows(t, "192.0.2.2", p.server.keys[0].PublicKey())
	p.at(address, p.server.serve)
	return p
}

// knows adds a line to known_hosts.
func (p *place) knows(t testing.TB, name string, key xssh.PublicKey) {
	t.Helper()
	appendFile(t, p.known, fmt.Sprintf("%s %s", name, xssh.MarshalAuthorizedKey(key)))
}

func (p *place) config() Config {
	return Config{KnownHosts: []string{p.known}, ConfigFile: ConfigNone, DialContext: p.DialContext, Home: p.dir}
}

func (p *place) target() transports.Target {
	return transports.Target{
		Host: "web1", Address: "192.0.2.2",
		Credential: transports.Credential{Name: "linux", User: "ops", KeyFile: p.keyFile},
	}
}

func newECDSA(t testing.TB) xssh.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}
