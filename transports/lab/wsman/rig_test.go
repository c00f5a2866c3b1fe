package wsman

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"oust/transports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testUser     = "Administrator"
	testPassword = "Pass:wörd-123"
)

func testLogins(user, domain string) (transports.Secret, bool) {
	return transports.NewSecret(testPassword), strings.EqualFold(user, testUser) && (domain == "" || strings.EqualFold(domain, "CORP"))
}

// toy is a backend of a few commands:
//
//	echo TEXT     writes the text
//	exit N        ends with the code
//	fill N        writes N bytes to stdout, in lines
//	both          writes to both outputs
//	cat           writes its input, until that ends
//	wait          runs until its context ends
//	whoami        writes the account
func toy(ctx context.Context, c Command) int {
	name, rest, _ := strings.Cut(c.Line, " ")
	switch name {
	case "echo":
		fmt.Fprintf(c.Stdout, "%s\r\n", rest)
	case "exit":
		n, _ := strconv.Atoi(rest)
		return n
	case "fill":
		n, _ := strconv.Atoi(rest)
		_, _ = c.Stdout.Write(filler(n))
	case "both":
		fmt.Fprint(c.Stdout, "out")
		fmt.Fprint(c.Stderr, "err")
		return 3
	case "cat":
		if _, err := io.Copy(c.Stdout, c.Stdin); err != nil {
			return 1
		}
	case "wait":
		<-ctx.Done()
		if errors.Is(context.Cause(ctx), ErrCtrlC) {
			return ExitCtrlC
		}
		return 1
	case "whoami":
		fmt.Fprintf(c.Stdout, "%s|%s", c.Domain, c.User)
	default:
		fmt.Fprintf(c.Stderr, "'%s' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", name)
		return 1
	}
	return 0
}

// filler is n bytes of lines that are all different.
func filler(n int) []byte {
	out := make([]byte, 0, n+16)
	for i := 0; len(out) < n; i++ {
		out = fmt.Appendf(out, "line %d\r\n", i)
	}
	return out[:n]
}

// rig is a server on a port, closed with the test.
type rig struct {
	*Server
	addr, url string
	// ca is the certificate of a TLS server, and caFile where it stands.
	ca     *x509.Certificate
	caFile string
}

func newRig(t testing.TB, config Config) *rig {
	t.Helper()
	if config.Backend == nil {
		config.Backend = Func(toy)
	}
	if config.Logins == nil {
		config.Logins = testLogins
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Server: s, addr: l.Addr().String()}
	r.url = "http://" + r.addr + "/wsman"
	if config.TLS != nil {
		r.url = "https://" + r.addr + "/wsman"
		if r.ca, err = x509.ParseCertificate(config.TLS.Certificates[0].Certificate[0]); err != nil {
			t.Fatal(err)
		}
		r.caFile = filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(r.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.ca.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

// serverTLS is a TLS configuration with a new certificate for 127.0.0.1.
func serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{newCertificate(t, "windows")}}
}

func newCertificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// client is a client of our own that says exactly what a test wants.
type client struct {
	t     testing.TB
	rig   *rig
	http  *http.Client
	auth  string
	shell string
	// timeout and envelope go into every request.
	timeout  string
	envelope int
}

func (r *rig) client(t testing.TB) *client {
	t.Helper()
	transport := &http.Transport{}
	if r.ca != nil {
		pool := x509.NewCertPool()
		pool.AddCert(r.ca)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{
		t: t, rig: r, http: &http.Client{Transport: transport, Timeout: 20 * time.Second},
		auth: basicAuth(testUser, testPassword), timeout: "PT20S", envelope: 153600,
	}
}

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// post sends a body and returns the answer, read to its end.
func (c *client) post(body string) (*http.Response, string, error) {
	req, err := http.NewRequest(http.MethodPost, c.rig.url, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Content-Type", contentSOAP)
	req.Header.Set("Authorization", c.auth)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(bufio.NewReader(res.Body))
	return res, string(text), err
}

// envelopeOf is a request.
func (c *client) envelopeOf(action, body string, options ...string) string {
	text := `<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="` + nsSOAP + `" xmlns:a="` + nsAddressing + `" xmlns:w="` + nsWSMan + `" xmlns:r="` + nsShell + `"><e:Header>` +
		`<a:To>http://x/wsman</a:To><a:ReplyTo><a:Address e:mustUnderstand="true">` + anonymous + `</a:Address></a:ReplyTo>` +
		`<a:MessageID>uuid:11111111-2222-3333-4444-555555555555</a:MessageID><w:MaxEnvelopeSize>` + strconv.Itoa(c.envelope) + `</w:MaxEnvelopeSize>` +
		`<w:OperationTimeout>` + c.timeout + `</w:OperationTimeout><w:ResourceURI e:mustUnderstand="true">` + resourceCmd + `</w:ResourceURI>` +
		`<a:Action e:mustUnderstand="true">` + action + `</a:Action>`
	if c.shell != "" {
		text += `<w:SelectorSet><w:Selector Name="ShellId">` + c.shell + `</w:Selector></w:SelectorSet>`
	}
	if len(options) > 0 {
		text += "<w:OptionSet>"
		for _, o := range options {
			name, value, _ := strings.Cut(o, "=")
			text += `<w:Option Name="` + name + `">` + value + `</w:Option>`
		}
		text += "</w:OptionSet>"
	}
	return text + "</e:Header><e:Body>" + body + "</e:Body></e:Envelope>"
}

// ask sends a request that must be answered with the status.
func (c *client) ask(status int, action, body string, options ...string) string {
	c.t.Helper()
	res, text, err := c.post(c.envelopeOf(action, body, options...))
	if err != nil {
		c.t.Fatalf("%s: %v", action, err)
	}
	if res.StatusCode != status {
		c.t.Fatalf("%s: status %d, want %d: %s", action, res.StatusCode, status, text)
	}
	return text
}

// fault sends a request that must be answered with a fault of the code.
func (c *client) fault(code int, action, body string, options ...string) string {
	c.t.Helper()
	text := c.ask(http.StatusInternalServerError, action, body, options...)
	if got := find(text, `WSManFault [^>]*Code="(\d+)"`); got != strconv.Itoa(code) {
		c.t.Fatalf("%s: fault %s, want %d: %s", action, got, code, text)
	}
	return text
}

// open makes a shell.
func (c *client) open(options ...string) *client {
	c.t.Helper()
	c.shell = find(c.ask(http.StatusOK, actionCreate, `<r:Shell><r:InputStreams>stdin</r:InputStreams><r:OutputStreams>stdout stderr</r:OutputStreams></r:Shell>`, options...), `<rsp:ShellId>([^<]*)<`)
	if c.shell == "" {
		c.t.Fatal("there is no ShellId")
	}
	return c
}

func commandXML(line string) string {
	return `<r:CommandLine><r:Command><![CDATA[` + line + `]]></r:Command></r:CommandLine>`
}

// start starts a command and returns its id.
func (c *client) start(line string, options ...string) string {
	c.t.Helper()
	id := find(c.ask(http.StatusOK, actionCommand, commandXML(line), options...), `<rsp:CommandId>([^<]*)<`)
	if id == "" {
		c.t.Fatal("there is no CommandId")
	}
	return id
}

func receiveXML(id string) string {
	return `<r:Receive><r:DesiredStream CommandId="` + id + `">stdout stderr</r:DesiredStream></r:Receive>`
}

func sendXML(id, data string, end bool) string {
	return fmt.Sprintf(`<r:Send><r:Stream Name="stdin" CommandId="%s" End="%t">%s</r:Stream></r:Send>`, id, end, base64.StdEncoding.EncodeToString([]byte(data)))
}

func signalXML(id, code string) string {
	return `<r:Signal CommandId="` + id + `"><r:Code>` + nsShell + "/signal/" + code + `</r:Code></r:Signal>`
}

// result is what a command has brought.
type result struct {
	stdout, stderr string
	exit           int
	receives       int
	largest        int // bytes of the largest reply
}

// receive fetches until the command is done.
func (c *client) receive(id string) result {
	c.t.Helper()
	var r result
	for {
		text := c.ask(http.StatusOK, actionReceive, receiveXML(id))
		r.receives++
		r.largest = max(r.largest, len(text))
		r.stdout += streamOf(c.t, text, "stdout")
		r.stderr += streamOf(c.t, text, "stderr")
		if strings.Contains(text, stateDone) {
			exit, err := strconv.Atoi(find(text, `<rsp:ExitCode>([^<]*)<`))
			if err != nil {
				c.t.Fatalf("done without an exit code: %s", text)
			}
			r.exit = exit
			return r
		}
		if strings.Contains(text, "ExitCode") || strings.Contains(text, `End="true"`) {
			c.t.Fatalf("an end before the end: %s", text)
		}
	}
}

func streamOf(t testing.TB, text, name string) string {
	t.Helper()
	var out string
	for _, m := range regexp.MustCompile(`<rsp:Stream Name="`+name+`"[^>]*>([^<]*)<`).FindAllStringSubmatch(text, -1) {
		data, err := base64.StdEncoding.DecodeString(m[1])
		if err != nil {
			t.Fatal(err)
		}
		out += string(data)
	}
	return out
}

func find(text, pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// startFunc is a backend whose commands cannot be started.
type startFunc func(c Command) error

func (f startFunc) Start(_ context.Context, c Command) (Process, error) { return nil, f(c) }

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
