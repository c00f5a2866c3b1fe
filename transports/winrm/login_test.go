package winrm

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// TestRefusedLogins: what is said about a login that does not work, and that
// nothing goes out in the clear in its place.
func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	tlsOnly := serverTLS(t)
	for _, test := range []struct {
		name   string
		server wsman.Config
		fault  string
		change func(*transports.Credential)
		class  transports.Class
		words  []string
	}{
		{"wrong password", wsman.Config{}, "", func(c *transports.Credential) { c.Password = transports.NewSecret("wrong-1") },
			transports.Auth, []string{"login", "refused the login of Administrator by ntlm", "check credential windows"}},
		{"wrong password by basic", wsman.Config{TLS: tlsOnly, Basic: true}, "", func(c *transports.Credential) {
			c.Auth, c.Password = "basic", transports.NewSecret("wrong-1")
		}, transports.Auth, []string{"refused the login of Administrator by basic", `it offers Basic`}},
		{"unknown certificate", wsman.Config{TLS: tlsOnly, Basic: true}, "", func(c *transports.Credential) { c.Auth = "certificate" },
			transports.Unsupported, []string{"needs the files"}},
		{"nothing but basic over HTTP", wsman.Config{}, wsman.FaultBasicOnly, nil,
			transports.Unsupported, []string{"the host offers no NTLM, but Basic", "turn Negotiate on there"}},
		{"nothing but basic over TLS", wsman.Config{TLS: tlsOnly, Basic: true}, "", nil,
			transports.Unsupported, []string{"the host offers no NTLM, but Basic", "choose another auth"}},
		{"basic over HTTP", wsman.Config{}, "", func(c *transports.Credential) { c.Auth = "basic" },
			transports.Unsupported, []string{"logins by basic need TLS"}},
		{"certificate over HTTP", wsman.Config{}, "", func(c *transports.Credential) { c.Auth = "certificate" },
			transports.Unsupported, []string{"logins by certificate need TLS"}},
		{"kerberos", wsman.Config{}, "", func(c *transports.Credential) { c.Auth = "kerberos" },
			transports.Unsupported, []string{"the address is an IP address", "log in by ntlm"}},
		{"another way", wsman.Config{}, "", func(c *transports.Credential) { c.Auth = "credssp" },
			transports.Unsupported, []string{"not one of ntlm, kerberos, basic and certificate"}},
		{"no user", wsman.Config{}, "", func(c *transports.Credential) { c.User = "" },
			transports.Auth, []string{"the credential has no user"}},
		{"a colon in the user", wsman.Config{TLS: tlsOnly, Basic: true}, "", func(c *transports.Credential) { c.Auth, c.User = "basic", "a:b" },
			transports.Unsupported, []string{"a user with a colon"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, test.server)
			if test.fault != "" {
				r.inject(t, test.fault, 0)
			}
			target := r.target()
			if test.change != nil {
				test.change(&target.Credential)
			}
			_, err := newDialer(t, r.config()).Dial(t.Context(), target)
			if e := wantError(t, err, test.class, test.words...); e.Temporary {
				t.Error("a login may be tried again")
			}
			if n, _ := r.seen.all(); n > 0 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// TestTrust: which certificates of hosts are trusted.
func TestTrust(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{TLS: serverTLS(t)})
	other := newRig(t, wsman.Config{TLS: &tls.Config{Certificates: []tls.Certificate{newCertificate(t, "192.0.2.9")}}})
	plain := newRig(t, wsman.Config{})
	sum := sha256.Sum256(r.cert.Raw)
	own := hex.EncodeToString(sum[:])
	colons := strings.ToUpper(own[:2] + ":" + own[2:])
	for _, test := range []struct {
		name   string
		rig    *rig
		config Config
		class  transports.Class // "" for trust
		words  []string
	}{
		{"the authority", r, Config{CAFile: r.caFile}, "", nil},
		{"its fingerprint", r, Config{Fingerprints: []string{strings.Repeat("0", 64), colons}}, "", nil},
		{"any", other, Config{Verify: VerifyNone}, "", nil},
		{"the system's authorities", r, Config{}, transports.Untrusted, []string{"TLS handshake", "signed by no authority", "fingerprint"}},
		{"another name", other, Config{CAFile: other.caFile}, transports.Untrusted, []string{"for another name", "use the name of the certificate"}},
		{"another fingerprint", other, Config{Fingerprints: []string{own}}, transports.Untrusted, []string{"its SHA-256 fingerprint is"}},
		{"no TLS there", plain, Config{}, transports.Unsupported, []string{"speaks no TLS on this port", "5986"}},
		{"TLS there", r, Config{Plain: true}, transports.Unsupported, []string{"400 Bad Request"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn, err := newDialer(t, test.config).Dial(t.Context(), test.rig.target())
			if test.class != "" {
				wantError(t, err, test.class, test.words...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		})
	}
}

// TestCertificateLoginIsTLS12: Windows asks for the certificate after the
// handshake, which Go answers up to TLS 1.2 only.
func TestCertificateLoginIsTLS12(t *testing.T) {
	t.Parallel()
	for auth, most := range map[string]uint16{authCertificate: tls.VersionTLS12, authNTLM: 0} {
		pair := newCertificate(t, "127.0.0.1")
		a := account{auth: auth, cert: writePEM(t, "CERTIFICATE", pair.Certificate[0]), key: writeKey(t, pair)}
		got, err := forHost(&tls.Config{MinVersion: tls.VersionTLS12}, "win1", a)
		if err != nil || got.MaxVersion != most || got.ServerName != "win1" {
			t.Errorf("%s: at most %#x for %s, %v", auth, got.MaxVersion, got.ServerName, err)
		}
	}
	a := account{auth: authCertificate, cert: writePEM(t, "CERTIFICATE", []byte("x")), key: writePEM(t, "PRIVATE KEY", []byte("y"))}
	if _, err := forHost(&tls.Config{}, "win1", a); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("a broken pair: %v", err)
	}
}

// TestProxies: connections go through a proxy that is set, and through no
// other.
func TestProxies(t *testing.T) {
	r := newRig(t, wsman.Config{})
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	must(t, r.dial(t), "echo direct", "")
	for scheme, serve := range map[string]func(*testing.T, net.Conn){"http": serveConnect, "socks5": serveSocks} {
		served := make(chan struct{}, 10)
		port := listen(t, func(conn net.Conn) { served <- struct{}{}; serve(t, conn) })
		conn := r.dial(t, func(c *Config) { c.Proxy = scheme + "://user:pass-word@127.0.0.1:" + port })
		if res := must(t, conn, "echo through", ""); string(res.Stdout) != "through\r\n" || len(served) != 1 {
			t.Errorf("%s: %q, %d connections to the proxy", scheme, res.Stdout, len(served))
		}
	}
	port := listen(t, func(conn net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		_ = conn.Close()
	})
	config := r.config()
	config.Proxy = "http://user:pass-word@127.0.0.1:" + port
	_, err := newDialer(t, config).Dial(t.Context(), r.target())
	wantError(t, err, transports.Unreachable, "the proxy refused: 407")
	if strings.Contains(err.Error(), "pass-word") {
		t.Errorf("%v holds the proxy's password", err)
	}
}

// listen serves connections on loopback until the test ends.
func listen(t *testing.T, serve func(net.Conn)) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

func serveConnect(t *testing.T, conn net.Conn) {
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil || req.Method != http.MethodConnect || req.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwYXNzLXdvcmQ=" || req.Header.Get("Authorization") != "" {
		t.Errorf("the proxy was asked %v: %v", req, err)
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	pass(conn, req.Host)
}

// serveSocks reads the messages of RFC 1928 and RFC 1929 by their lengths.
func serveSocks(t *testing.T, conn net.Conn) {
	defer conn.Close()
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(conn, b)
		return b
	}
	read(int(read(2)[1])) // methods
	_, _ = conn.Write([]byte{5, 2})
	user := string(read(int(read(2)[1])))
	if password := string(read(int(read(1)[0]))); user != "user" || password != "pass-word" {
		t.Errorf("the proxy got %q and %q", user, password)
	}
	_, _ = conn.Write([]byte{1, 0})
	head := read(10) // CONNECT, IPv4
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	address := net.TCPAddr{IP: head[4:8], Port: int(head[8])<<8 | int(head[9])}
	pass(conn, address.String())
}

// pass joins a connection with one to the address.
func pass(near net.Conn, address string) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	_, _ = io.Copy(far, near)
	_ = far.Close()
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for words, config := range map[string]Config{
		"a deadline is negative":            {Login: -1},
		"want at least 500ms":               {Operation: 1},
		"commands of a shell is negative":   {ShellCommands: -1},
		`verify is "some"`:                  {Verify: "some"},
		"to verify by":                      {Verify: VerifyNone, CAFile: "x"},
		"both a CA file and":                {CAFile: "x", Fingerprints: []string{"y"}},
		"no TLS":                            {Plain: true, CAFile: "x"},
		"not a SHA-256":                     {Fingerprints: []string{"abc"}},
		"the CA file: open":                 {CAFile: "/nonexistent/ca.pem"},
		"no certificate in PEM":             {CAFile: writePEM(t, "NONE", nil)},
		"the proxy is not of the form":      {Proxy: "https://p:1"},
		"the proxy is not of the form http": {Proxy: "http://user:hunter2@p"},
	} {
		_, err := NewDialer(config)
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %v, want %q", err, words)
		}
	}
	d := newDialer(t, Config{})
	for _, address := range []string{"", "a b", "a/b", "u@h", "[::1]", "x?y"} {
		target := targetOf(0)
		target.Address = address
		_, err := d.Dial(t.Context(), target)
		wantError(t, err, transports.Unsupported, "not a name or an IP address")
	}
}

// TestBastion: Config.DialContext makes each connection, with no deadlines of
// its own.
func TestBastion(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	conn := r.dial(t, func(c *Config) {
		c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return channel{raw}, err
		}
	})
	must(t, conn, "echo a", "")
	if res := must(t, conn, "cat", strings.Repeat("x", 100_000)); len(res.Stdout) != 100_000 {
		t.Errorf("%d bytes", len(res.Stdout))
	}
	_, err := conn.Run(t.Context(), transports.Command{Line: "wait", Timeout: 1})
	wantError(t, err, transports.Timeout)
}
