package ssh

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
	"oust/transports/transporttest/sshdlab"
)

// sshd is a real OpenSSH server on a host of its own, and what root needs to
// log in there.
type sshd struct {
	lab                       *sshdlab.Lab
	addr, knownHosts, keyFile string
	hostKey                   xssh.Signer
}

// sshdPort is a port that known_hosts has to name.
const sshdPort = 2222

// startSSHD starts a host whose sshd also listens on sshdPort.
func startSSHD(t testing.TB) *sshd {
	t.Helper()
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: 1, Packages: sshdlab.None})
	s := &sshd{lab: lab, addr: lab.Hosts[0].Addr, knownHosts: filepath.Join(t.TempDir(), "known_hosts"), keyFile: lab.KeyFile}
	raw, err := os.ReadFile(s.file("ssh_host_ed25519_key"))
	if err != nil {
		t.Fatal(err)
	}
	if s.hostKey, err = xssh.ParsePrivateKey(raw); err != nil {
		t.Fatal(err)
	}
	writeFile(t, s.knownHosts, knownLineOf(s.addr, s.hostKey.PublicKey()))
	s.configure(t, fmt.Sprintf("ListenAddress %s:%d", s.addr, sshdPort))
	return s
}

// file is where a file of the host's /etc/ssh stands for us.
func (s *sshd) file(name string) string { return filepath.Join(s.lab.Hosts[0].Root, "etc/ssh", name) }

// configure puts lines before those that sshd_config has.
func (s *sshd) configure(t testing.TB, lines ...string) {
	t.Helper()
	old, err := os.ReadFile(s.file("sshd_config"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, s.file("sshd_config"), strings.Join(lines, "\n")+"\n"+string(old))
	s.lab.Restart(0)
}

func (s *sshd) target() transports.Target {
	return transports.Target{
		Host: "web1", Address: s.addr, Port: sshdPort,
		Credential: transports.Credential{Name: "linux", User: "root", KeyFile: s.keyFile},
	}
}

func (s *sshd) config() Config {
	return Config{KnownHosts: []string{s.knownHosts}, ConfigFile: ConfigNone}
}

// newDialer makes a dialer that is closed with the test.
func newDialer(t testing.TB, config Config) *Dialer {
	t.Helper()
	d, err := NewDialer(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func knownLineOf(addr string, key xssh.PublicKey) string {
	return fmt.Sprintf("[%s]:%d %s", addr, sshdPort, xssh.MarshalAuthorizedKey(key))
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// writeKey makes an ed25519 key and writes it as OpenSSH does.
func writeKey(t testing.TB, path, passphrase string) xssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = xssh.MarshalPrivateKey(private, "")
	} else {
		block, err = xssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(pem.EncodeToMemory(block)))
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// logBuffer is a log that a test can read while others write.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: l, Level: hclog.Trace})
}

func appendFile(t testing.TB, path, text string) {
	t.Helper()
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	writeFile(t, path, string(old)+text)
}
