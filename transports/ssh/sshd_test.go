package ssh

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// sshd is a real OpenSSH server on loopback, with its own keys and folder.
type sshd struct {
	dir, knownHosts, keyFile string
	port                     int
	hostKey                  xssh.Signer
}

// cannot skips a test with the reason why it cannot run here; with
// OUST_NO_SKIP=1 it fails instead.
func cannot(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("OUST_NO_SKIP") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// needRoot skips a test where no sshd can be started.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		cannot(t, "not root: sshd lets nobody else log in")
	}
	if _, err := exec.LookPath("/usr/sbin/sshd"); err != nil {
		cannot(t, "no /usr/sbin/sshd here")
	}
}

// startSSHD starts an sshd for root with a key; lines are added to its
// configuration.
func startSSHD(t testing.TB, lines ...string) *sshd {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	s := &sshd{dir: dir, knownHosts: filepath.Join(dir, "known_hosts"), keyFile: filepath.Join(dir, "id")}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	user := writeKey(t, s.keyFile, "")
	s.hostKey = writeKey(t, filepath.Join(dir, "host"), "")
	writeFile(t, filepath.Join(dir, "authorized"), string(xssh.MarshalAuthorizedKey(user.PublicKey())))
	s.port = freePort(t)
	config := append([]string{
		"Port " + strconv.Itoa(s.port), "ListenAddress 127.0.0.1", "HostKey " + dir + "/host",
		"AuthorizedKeysFile " + dir + "/authorized", "PidFile none", "StrictModes no", "UsePAM no",
		"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes", "LogLevel ERROR",
	}, lines...)
	writeFile(t, filepath.Join(dir, "config"), strings.Join(config, "\n")+"\n")
	writeFile(t, s.knownHosts, knownLineOf(s.port, s.hostKey.PublicKey()))
	s.run(t)
	return s
}

// run starts the server and waits until it accepts.
func (s *sshd) run(t testing.TB) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(s.dir, "config"))
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case err := <-ended:
			t.Fatalf("sshd ended: %v: %s", err, log.String())
		default:
		}
	}
}

func (s *sshd) target() transports.Target {
	return transports.Target{
		Host: "web1", Address: "127.0.0.1", Port: s.port,
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

func knownLineOf(port int, key xssh.PublicKey) string {
	return fmt.Sprintf("[127.0.0.1]:%d %s", port, xssh.MarshalAuthorizedKey(key))
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
