package winrm

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"oust/transports"
	"oust/transports/lab/wsman"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testUser     = "Administrator"
	testPassword = "Pass:wörd-123"
)

func testLogins(user, domain string) (transports.Secret, bool) {
	known := strings.EqualFold(user, testUser) && (domain == "" || strings.EqualFold(domain, "CORP")) ||
		domain == "" && strings.EqualFold(user, "admin@corp.example")
	return transports.NewSecret(testPassword), known
}

// toy is an operating system of a few commands:
//
//	echo TEXT   writes the text
//	exit N      ends with the code
//	fill N      writes N bytes to stdout
//	flood       writes to stdout until it is ended
//	both        writes to both outputs, and ends with 3
//	cat         writes its input, until that ends
//	deaf N      writes N bytes, and then reads its input and says how much
//	wait        says "begun", and runs until it is ended
//	whoami      writes the account
//	console     says whether its input is a console's
func toy(ctx context.Context, c wsman.Command) int {
	name, rest, _ := strings.Cut(c.Line, " ")
	n, _ := strconv.Atoi(rest)
	switch name {
	case "echo":
		fmt.Fprintf(c.Stdout, "%s\r\n", rest)
	case "exit":
		return n
	case "fill":
		_, _ = c.Stdout.Write(bytes.Repeat([]byte("x"), n))
	case "flood":
		for ctx.Err() == nil {
			fmt.Fprint(c.Stdout, "0123456789")
		}
		return 1
	case "both":
		fmt.Fprint(c.Stdout, "out")
		fmt.Fprint(c.Stderr, "err")
		return 3
	case "cat":
		if _, err := io.Copy(c.Stdout, c.Stdin); err != nil {
			return 1
		}
	case "deaf":
		_, _ = c.Stdout.Write(make([]byte, n))
		got, _ := io.Copy(io.Discard, c.Stdin)
		fmt.Fprintf(c.Stderr, "%d", got)
	case "wait":
		fmt.Fprint(c.Stdout, "begun")
		<-ctx.Done()
		return 1
	case "whoami":
		fmt.Fprintf(c.Stdout, `%s\%s`, c.Domain, c.User)
	case "console":
		fmt.Fprint(c.Stdout, c.Console)
	default:
		fmt.Fprintf(c.Stderr, "'%s' is not recognized", name)
		return 1
	}
	return 0
}

// rig is a server on a port, closed with the test.
type rig struct {
	*wsman.Server
	port   int
	seen   *requestLog
	log    *logBuffer
	caFile string // of a TLS server
	cert   *x509.Certificate
}

// requestLog is what the server was asked.
type requestLog struct {
	mu      sync.Mutex
	actions []string
	remotes map[string]bool
	sealed  int
	tls     int
	heard   chan string // if set, gets each action
}

func (r *requestLog) add(s wsman.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.remotes == nil {
		r.remotes = make(map[string]bool)
	}
	r.actions, r.remotes[s.Remote] = append(r.actions, s.Action), true
	if s.Sealed {
		r.sealed++
	}
	if s.TLS {
		r.tls++
	}
	if r.heard != nil {
		r.heard <- s.Action
	}
}

func (r *requestLog) count(action string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.actions {
		if a == action {
			n++
		}
	}
	return n
}

func (r *requestLog) all() (requests, connections int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.actions), len(r.remotes)
}

// newRig serves; what the configuration leaves out is toy, the test's account
// and NTLM.
func newRig(t testing.TB, config wsman.Config) *rig {
	t.Helper()
	r := &rig{seen: &requestLog{}, log: &logBuffer{}}
	if config.Backend == nil {
		config.Backend = wsman.Func(toy)
	}
	if config.Logins == nil {
		config.Logins = testLogins
	}
	if !config.Basic && config.Certificate == nil {
		config.NTLM = true
	}
	config.OnRequest = r.seen.add
	var err error
	if r.Server, err = wsman.New(config); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.port = l.Addr().(*net.TCPAddr).Port
	if config.TLS != nil {
		if r.cert, err = x509.ParseCertificate(config.TLS.Certificates[0].Certificate[0]); err != nil {
			t.Fatal(err)
		}
		r.caFile = writePEM(t, "CERTIFICATE", r.cert.Raw)
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve(l) }()
	t.Cleanup(func() {
		_ = r.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

// config is a client's configuration that fits the server.
func (r *rig) config() Config {
	return Config{Plain: r.caFile == "", CAFile: r.caFile, Operation: 2 * time.Second, Grace: 2 * time.Second, Logger: r.log.logger()}
}

func (r *rig) target() transports.Target { return targetOf(r.port) }

func targetOf(port int) transports.Target {
	return transports.Target{
		Host: "win1", Address: "127.0.0.1", Port: port,
		Credential: transports.Credential{Name: "windows", User: testUser, Password: transports.NewSecret(testPassword)},
	}
}

// dialer makes a dialer that is closed with the test, and then has no
// farewell under way.
func newDialer(t testing.TB, config Config) *Dialer {
	t.Helper()
	d, err := NewDialer(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// dial connects, with a configuration changed by the functions.
func (r *rig) dial(t testing.TB, change ...func(*Config)) transports.Conn {
	t.Helper()
	config := r.config()
	for _, f := range change {
		f(&config)
	}
	conn, err := newDialer(t, config).Dial(t.Context(), r.target())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// inject has the server fail as named from now on, or a number of times.
func (r *rig) inject(t testing.TB, name string, times int) {
	t.Helper()
	if err := r.Inject(name, times); err != nil {
		t.Fatal(err)
	}
}

// must runs a command that has to end by itself.
func must(t testing.TB, conn transports.Conn, line, stdin string) transports.Result {
	t.Helper()
	res, err := conn.Run(t.Context(), transports.Command{Line: line, Stdin: []byte(stdin), Timeout: time.Minute})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return res
}

// wantError fails unless err has the class and holds all the words, and no
// password.
func wantError(t testing.TB, err error, class transports.Class, words ...string) *transports.Error {
	t.Helper()
	var e *transports.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want one of class %s", err, class)
	}
	if e.Class != class {
		t.Errorf("class %s, want %s: %v", e.Class, class, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not hold %q", err, w)
		}
	}
	if strings.Contains(err.Error(), testPassword) {
		t.Errorf("%q holds the password", err)
	}
	return e
}

// serverTLS is a TLS configuration with a new certificate for 127.0.0.1.
func serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{newCertificate(t, "127.0.0.1")}}
}

// newCertificate is one that signs itself, for an address and as a client.
func newCertificate(t testing.TB, address string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "windows"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.ParseIP(address)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func writePEM(t testing.TB, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), strings.ToLower(strings.ReplaceAll(kind, " ", "-"))+".pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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

func writeKey(t testing.TB, pair tls.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "PRIVATE KEY", der)
}

// channel is a connection without deadlines, as through a bastion.
type channel struct{ net.Conn }

var errNoDeadline = errors.New("no deadlines here")

func (channel) SetDeadline(time.Time) error      { return errNoDeadline }
func (channel) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (channel) SetWriteDeadline(time.Time) error { return errNoDeadline }
