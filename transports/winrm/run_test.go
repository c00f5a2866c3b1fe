package winrm

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// TestLogins runs a command over each way to log in.
func TestLogins(t *testing.T) {
	t.Parallel()
	client := newCertificate(t, "127.0.0.1")
	clientKey, err := x509.MarshalPKCS8PrivateKey(client.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := writePEM(t, "CERTIFICATE", client.Certificate[0]), writePEM(t, "PRIVATE KEY", clientKey)
	withClientCert := serverTLS(t)
	withClientCert.ClientAuth = tls.RequestClientCert
	for _, test := range []struct {
		name   string
		server wsman.Config
		change func(*transports.Credential)
		want   string
		sealed bool
	}{
		{"ntlm, sealed over HTTP", wsman.Config{}, nil, `\Administrator`, true},
		{"ntlm with a domain", wsman.Config{}, func(c *transports.Credential) { c.User = `CORP\Administrator` }, `CORP\Administrator`, true},
		{"ntlm with a realm", wsman.Config{}, func(c *transports.Credential) { c.User = "admin@corp.example" }, `\admin@corp.example`, true},
		{"ntlm over TLS, bound to it", wsman.Config{TLS: serverTLS(t), Bindings: wsman.BindingsStrict}, nil, `\Administrator`, false},
		{"basic over TLS", wsman.Config{TLS: serverTLS(t), Basic: true}, func(c *transports.Credential) { c.Auth = "basic" }, `\Administrator`, false},
		{
			"client certificate",
			wsman.Config{TLS: withClientCert, Certificate: func(c *x509.Certificate) (string, bool) {
				return `CORP\` + c.Subject.CommonName, bytes.Equal(c.Raw, client.Certificate[0])
			}},
			func(c *transports.Credential) {
				*c = transports.Credential{TLSCertificateFile: certFile, TLSKeyFile: keyFile}
			}, `CORP\windows`, false,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, test.server)
			target := r.target()
			if test.change != nil {
				test.change(&target.Credential)
			}
			conn, err := newDialer(t, r.config()).Dial(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for range 2 {
				if res := must(t, conn, "whoami", ""); string(res.Stdout) != test.want || res.Exit != 0 {
					t.Errorf("got %q and exit %d, want %q", res.Stdout, res.Exit, test.want)
				}
			}
			n, _ := r.seen.all()
			if sealed := r.seen.sealed == n; sealed != test.sealed {
				t.Errorf("%d of %d messages were sealed", r.seen.sealed, n)
			}
			if tls := r.seen.tls == n; tls == test.sealed {
				t.Errorf("%d of %d messages came over TLS", r.seen.tls, n)
			}
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	conn := r.dial(t)
	for _, test := range []struct {
		line, stdin, stdout, stderr string
		exit                        int
	}{
		{"both", "", "out", "err", 3},
		{"cat", "one\r\ntwo\r\n", "one\r\ntwo\r\n", "", 0},
		{"cat", "", "", "", 0},
		{"echo a & <b> \"c\" ]]> 'd' ünï", "", "a & <b> \"c\" ]]> 'd' ünï\r\n", "", 0},
		{"exit -1073741510", "", "", "", -1073741510},
		{"exit 3010", "", "", "", 3010},
		{"exit 2147483647", "", "", "", 1<<31 - 1},
		{"fill 300000", "", strings.Repeat("x", 300_000), "", 0},
		{"nope", "", "", "'nope' is not recognized", 1},
		{"console", "", "false", "", 0},
		{"cat", strings.Repeat("y", chunkMost), strings.Repeat("y", chunkMost), "", 0},
		{"cat", strings.Repeat("z", 5*chunkMost+1), strings.Repeat("z", 5*chunkMost+1), "", 0},
	} {
		res := must(t, conn, test.line, test.stdin)
		if string(res.Stdout) != test.stdout || string(res.Stderr) != test.stderr || res.Exit != test.exit || res.Truncated {
			t.Errorf("%s: %d bytes of %.40q, %.40q, exit %d, truncated %t", test.line, len(res.Stdout), res.Stdout, res.Stderr, res.Exit, res.Truncated)
		}
	}
}

// TestInputAndOutputAtOnce has a command write more than the host holds before
// it reads input of more than one chunk.
func TestInputAndOutputAtOnce(t *testing.T) {
	t.Parallel()
	conn := newRig(t, wsman.Config{}).dial(t)
	res := must(t, conn, "deaf 1000000", strings.Repeat("i", 300_000))
	if string(res.Stderr) != "300000" || len(res.Stdout) != 1_000_000 {
		t.Errorf("%d bytes of output, %q of input", len(res.Stdout), res.Stderr)
	}
}

// TestInputUnread: a command may end without reading what it is given.
func TestInputUnread(t *testing.T) {
	t.Parallel()
	conn := newRig(t, wsman.Config{}).dial(t)
	for _, size := range []int{10, chunkMost, 4 << 20} {
		if res := must(t, conn, "exit 4", strings.Repeat("i", size)); res.Exit != 4 {
			t.Errorf("%d bytes: exit %d, want 4", size, res.Exit)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	conn := newRig(t, wsman.Config{}).dial(t)
	res, err := conn.Run(t.Context(), transports.Command{Line: "fill 300000", MaxOutput: 1000, Timeout: time.Minute})
	if err != nil || len(res.Stdout) != 1000 || !res.Truncated || res.Dropped != 299_000 {
		t.Errorf("%d bytes, truncated %t, dropped %d, %v", len(res.Stdout), res.Truncated, res.Dropped, err)
	}
	res = must(t, conn, "fill 3000000", "")
	if len(res.Stdout) != transports.DefaultMaxOutput || res.Dropped != 3_000_000-transports.DefaultMaxOutput {
		t.Errorf("by default: %d bytes, dropped %d", len(res.Stdout), res.Dropped)
	}
}

// TestLines: what cmd cannot be handed is refused before the host hears of it.
func TestLines(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	conn := r.dial(t)
	for name, line := range map[string]string{
		"empty": " ", "newline": "echo a\necho b", "carriage return": "echo a\rb", "nul": "echo \x00", "not UTF-8": "echo \xff",
		"too long": "echo " + strings.Repeat("a", lineMost), "too long in UTF-16": "echo " + strings.Repeat("😀", lineMost/2),
	} {
		_, err := conn.Run(t.Context(), transports.Command{Line: line})
		if transports.ClassOf(err) != transports.Unsupported {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, _ := r.seen.all(); n != 0 {
		t.Errorf("%d requests", n)
	}
	long := "echo " + strings.Repeat("a", lineMost-5)
	if res := must(t, conn, long, ""); len(res.Stdout) != len(long)-3 {
		t.Errorf("the longest line brought %d bytes", len(res.Stdout))
	}
}

// TestElevate: an administrator is elevated already, and there is no sudo.
func TestElevate(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	conn := r.dial(t)
	if res, err := conn.Run(t.Context(), transports.Command{Line: "whoami", Elevate: true}); err != nil || string(res.Stdout) != `\Administrator` {
		t.Errorf("%q, %v", res.Stdout, err)
	}
	target := r.target()
	target.Credential.Become = "sudo"
	other, err := newDialer(t, r.config()).Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, err = other.Run(t.Context(), transports.Command{Line: "whoami", Elevate: true})
	wantError(t, err, transports.Privilege, "no sudo on Windows", "take become out of credential windows")
}
