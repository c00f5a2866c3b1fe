package ssh

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"oust/transports"
)

// onlyKey makes the server take one public key.
func onlyKey(p *place, key xssh.PublicKey) {
	p.server.setup = func(c *xssh.ServerConfig) {
		c.PublicKeyCallback = func(_ xssh.ConnMetadata, got xssh.PublicKey) (*xssh.Permissions, error) {
			if fingerprint(got) != fingerprint(key) {
				return nil, io.EOF
			}
			return nil, nil
		}
	}
}

func dialOnce(t *testing.T, config Config, target transports.Target) error {
	t.Helper()
	conn, err := newDialer(t, config).Dial(t.Context(), target)
	if err == nil {
		return conn.Close()
	}
	return err
}

func dialOf(d *Dialer, t *testing.T, target transports.Target) error {
	t.Helper()
	conn, err := d.Dial(t.Context(), target)
	if err == nil {
		return conn.Close()
	}
	return err
}

func TestEncryptedKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	onlyKey(p, writeKey(t, p.keyFile, "open sesame").PublicKey())
	target := p.target()
	for _, c := range []struct{ passphrase, words string }{
		{"open sesame", ""}, {"", "no key_passphrase"}, {"wrong", "does not open it"},
	} {
		target.Credential.KeyPassphrase = transports.NewSecret(c.passphrase)
		err := dialOnce(t, p.config(), target)
		if c.words == "" && err != nil {
			t.Errorf("%v", err)
		}
		if c.words != "" && (transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), c.words)) {
			t.Errorf("passphrase %q: %v, want %q", c.passphrase, err, c.words)
		}
	}
}

// TestKeyIsReadOnce: the file may go after the first host.
func TestKeyIsReadOnce(t *testing.T) {
	p := newPlace(t)
	d := newDialer(t, p.config())
	for i := range 3 {
		conn, err := d.Dial(t.Context(), p.target())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if i == 0 {
			if err := os.Remove(p.keyFile); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestBrokenKeys(t *testing.T) {
	p := newPlace(t)
	for name, c := range map[string]struct{ text, words string }{
		"missing": {"", "no such file"}, "garbage": {"hello", "not a private key"},
		"public key": {string(xssh.MarshalAuthorizedKey(newSigner(t).PublicKey())), "not a private key"},
		"huge":       {strings.Repeat("x", keyFileMost+1), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			target := p.target()
			target.Credential.KeyFile = filepath.Join(t.TempDir(), "key")
			if c.text != "" {
				writeFile(t, target.Credential.KeyFile, c.text)
			}
			err := dialOnce(t, p.config(), target)
			if transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), c.words) {
				t.Errorf("error %v of class %s, want %q", err, transports.ClassOf(err), c.words)
			}
		})
	}
}

// userCert makes a certificate for a key.
func userCert(t *testing.T, ca xssh.Signer, key xssh.PublicKey, kind uint32) string {
	t.Helper()
	cert := &xssh.Certificate{Key: key, CertType: kind, KeyId: "ops", ValidPrincipals: []string{"ops"}, ValidBefore: xssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return string(xssh.MarshalAuthorizedKey(cert))
}

func TestUserCertificate(t *testing.T) {
	p, ca := newPlace(t), newSigner(t)
	key, other := writeKey(t, p.keyFile, ""), newSigner(t)
	checker := &xssh.CertChecker{IsUserAuthority: func(k xssh.PublicKey) bool { return fingerprint(k) == fingerprint(ca.PublicKey()) }}
	p.server.setup = func(c *xssh.ServerConfig) {
		c.PublicKeyCallback = func(m xssh.ConnMetadata, k xssh.PublicKey) (*xssh.Permissions, error) {
			return checker.Authenticate(m, k)
		}
	}
	target := p.target()
	target.Credential.CertificateFile = filepath.Join(p.dir, "id-cert.pub")
	for _, c := range []struct{ name, text, words string }{
		{"good", userCert(t, ca, key.PublicKey(), xssh.UserCert), ""},
		{"of another key", userCert(t, ca, other.PublicKey(), xssh.UserCert), "belongs to another key"},
		{"of a host", userCert(t, ca, key.PublicKey(), xssh.HostCert), "not an OpenSSH user certificate"},
		{"a plain key", string(xssh.MarshalAuthorizedKey(key.PublicKey())), "not an OpenSSH user certificate"},
		{"garbage", "hello", "not an OpenSSH certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeFile(t, target.Credential.CertificateFile, c.text)
			err := dialOnce(t, p.config(), target)
			if c.words == "" && err != nil {
				t.Error(err)
			}
			if c.words != "" && (transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), c.words)) {
				t.Errorf("error %v, want %q", err, c.words)
			}
		})
	}
}

// fakeAgent serves an ssh-agent with one key.
type fakeAgent struct {
	socket string
	key    xssh.Signer
	conns  atomic.Int32
	mu     sync.Mutex
	open   []net.Conn
}

func newAgent(t *testing.T) *fakeAgent {
	t.Helper()
	a := &fakeAgent{socket: filepath.Join(t.TempDir(), "agent")}
	l, err := net.Listen("unix", a.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(); a.cut() })
	keyFile := filepath.Join(t.TempDir(), "id")
	a.key = writeKey(t, keyFile, "")
	raw, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	private, err := xssh.ParseRawPrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			a.conns.Add(1)
			a.mu.Lock()
			a.open = append(a.open, conn)
			a.mu.Unlock()
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
	return a
}

// cut ends the agent's connections, as when it is restarted.
func (a *fakeAgent) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.open {
		_ = c.Close()
	}
	a.open = nil
}

func TestAgentIsAskedOnce(t *testing.T) {
	p, a := newPlace(t), newAgent(t)
	onlyKey(p, a.key.PublicKey())
	config, target := p.config(), p.target()
	config.AgentSocket = a.socket
	target.Credential.KeyFile, target.Credential.Agent = "", true
	d := newDialer(t, config)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			conn, err := d.Dial(t.Context(), target)
			if err != nil {
				t.Errorf("dial: %v", err)
				return
			}
			conn.Close()
		})
	}
	wg.Wait()
	if n := a.conns.Load(); n != 1 {
		t.Errorf("%d connections to the agent, want 1", n)
	}
	a.cut()
	if _, err := d.Dial(t.Context(), target); transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "ssh-agent") {
		t.Errorf("after the agent's end: %v", err)
	}
	conn, err := d.Dial(t.Context(), target) // a new connection to the agent
	if err != nil {
		t.Fatalf("after the agent's return: %v", err)
	}
	conn.Close()
}

func TestNoAgent(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	p := newPlace(t)
	config, target := p.config(), p.target()
	target.Credential.Agent = true
	if err := dialOnce(t, config, target); transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "SSH_AUTH_SOCK is not set") {
		t.Errorf("error %v", err)
	}
	config.AgentSocket = filepath.Join(p.dir, "nothing")
	if err := dialOnce(t, config, target); transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error %v", err)
	}
}

// TestSilentAgent: an agent that waits for a person does not hold a dial
// longer than the login's time.
func TestSilentAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		go func() { _, _ = io.Copy(io.Discard, far) }()
		start := time.Now()
		w := &agentWire{conn: near, patience: 30 * time.Second}
		if _, err := agent.NewClient(w).Signers(); err == nil || time.Since(start) != 30*time.Second {
			t.Errorf("error %v after %v, want one after 30s", err, time.Since(start))
		}
		near.Close()
	})
}

// TestSilentAgentIsAskedOnce: all hosts wait together, a cancelled one not at
// all, and those that come soon after do not begin anew.
func TestSilentAgentIsAskedOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var asked atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			hold(t, conn)
		}
	}()
	config, target := p.config(), p.target()
	config.AgentSocket, config.Login = socket, 2*time.Second
	target.Credential.Agent = true
	d := newDialer(t, config)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			want := transports.Auth
			if i == 0 {
				time.AfterFunc(10*time.Millisecond, cancel)
				want = transports.Unreachable
			}
			if _, err := d.Dial(ctx, target); transports.ClassOf(err) != want {
				t.Errorf("dial %d: class %s: %v", i, transports.ClassOf(err), err)
			}
		})
	}
	wg.Wait()
	if err := dialOf(d, t, target); transports.ClassOf(err) != transports.Auth {
		t.Errorf("soon after: %v", err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the agent was asked %d times", n)
	}
}

func TestClosedDialerEndsTheAgent(t *testing.T) {
	t.Parallel()
	p, a := newPlace(t), newAgent(t)
	config, target := p.config(), p.target()
	config.AgentSocket, target.Credential.Agent = a.socket, true
	d := newDialer(t, config)
	if err := dialOf(d, t, target); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := dialOf(d, t, target); transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "the dialer is closed") {
		t.Errorf("after close: %v", err)
	}
}

func TestOpenKeyFileIsSaid(t *testing.T) {
	t.Parallel()
	p, log := newPlace(t), &logBuffer{}
	config := p.config()
	config.Logger = log.logger()
	for mode, lines := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o640: 1, 0o604: 1} {
		if err := os.Chmod(p.keyFile, mode); err != nil {
			t.Fatal(err)
		}
		before := strings.Count(log.String(), "others can read a private key")
		d := newDialer(t, config)
		for range 2 {
			if err := dialOf(d, t, p.target()); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(log.String(), "others can read a private key") - before; n != lines {
			t.Errorf("mode %v: said %d times, want %d", mode, n, lines)
		}
	}
}

func TestDistinctKeys(t *testing.T) {
	a, b := newSigner(t), newSigner(t)
	if got := distinct([]xssh.Signer{a, b, a, b, a}); len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("got %d keys", len(got))
	}
}
