package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/remediate"
	"oust/transports"
	"oust/transports/creds"
	"oust/transports/lab/wsman"
)

// windowsHost serves WinRM until the test ends.
func windowsHost(t *testing.T, config wsman.Config) (port int) {
	t.Helper()
	config.NTLM = true
	config.Backend = wsman.Func(func(_ context.Context, c wsman.Command) int {
		fmt.Fprintf(c.Stdout, `%s\%s runs %s`, c.Domain, c.User, c.Line)
		return 0
	})
	config.Logins = func(user, domain string) (transports.Secret, bool) {
		return transports.NewSecret("hunter2"), user == "oust" && domain == "CORP"
	}
	s, err := wsman.New(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = s.Serve(l); close(done) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return l.Addr().(*net.TCPAddr).Port
}

// windowsCampaign is an app on a campaign with one Windows host.
func windowsCampaign(t *testing.T, port int, auth, winrm string) *workspace {
	t.Helper()
	t.Setenv("OUST_TEST_WINDOWS", "hunter2")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"hosts.csv": fmt.Sprintf("name,address,port,platform,transport\nwin1,127.0.0.1,%d,windows,winrm\nlinux1,127.0.0.1,1,linux,ssh\n", port),
		"campaign.yaml": "campaign: c\nmandate: bod-17-01\nissued: 2026-10-01\ninventory: [hosts.csv]\nplaybooks: [kaspersky]\n" +
			`credentials: {w: {user: 'CORP\oust', password: 'env:OUST_TEST_WINDOWS', auth: ` + auth + "}}\n" +
			"defaults: {credential: w}\nssh: {config: none}\nwinrm: " + winrm + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := &app{Streams: Streams{In: strings.NewReader(""), Out: os.Stdout, Err: os.Stderr}, now: time.Now, dir: dir, logger: hclog.NewNullLogger()}
	t.Cleanup(func() {
		for _, c := range a.closers {
			_ = c.Close()
		}
	})
	w, err := a.openCampaign()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// dialHost connects to a host of the campaign as a run does.
func (w *workspace) dialHost(t *testing.T, name string) (transports.Conn, error) {
	t.Helper()
	dialer, err := w.dialer()
	if err != nil {
		t.Fatal(err)
	}
	logins, err := w.logins()
	if err != nil {
		t.Fatal(err)
	}
	host, err := w.hostNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	target, err := targets(logins)(host)
	if err != nil {
		t.Fatal(err)
	}
	return dialer.Dial(t.Context(), target)
}

// TestHostsOverWinRM: what the campaign says of Windows hosts reaches them.
func TestHostsOverWinRM(t *testing.T) {
	cert := windowsCertificate(t)
	sum := sha256.Sum256(cert.Certificate[0])
	plain := windowsHost(t, wsman.Config{})
	secure := windowsHost(t, wsman.Config{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}, Bindings: wsman.BindingsStrict})
	for _, test := range []struct {
		port        int
		auth, winrm string
		class       transports.Class // "" for a command that runs
		words       string
	}{
		{plain, "ntlm", "{plain: true}", "", ""},
		{secure, "ntlm", "{fingerprints: ['" + hex.EncodeToString(sum[:]) + "']}", "", ""},
		{secure, "ntlm", "{verify: none}", "", ""},
		{secure, "ntlm", "{}", transports.Untrusted, "win1: TLS handshake"},
		{secure, "basic", "{verify: none}", transports.Auth, "refused the login"},
		{secure, "kerberos", "{verify: none}", transports.Unsupported, "write the user as user@REALM"},
		{plain, "ntlm", "{plain: true, proxy: 'http://127.0.0.1:1'}", transports.Unreachable, "connection refused"},
	} {
		conn, err := windowsCampaign(t, test.port, test.auth, test.winrm).dialHost(t, "win1")
		if test.class != "" {
			if transports.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.words) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s, %s: %v", test.auth, test.winrm, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s, %s: %v", test.auth, test.winrm, err)
			continue
		}
		res, err := conn.Run(t.Context(), transports.Command{Line: "ver"})
		if err != nil || string(res.Stdout) != `CORP\oust runs ver` {
			t.Errorf("%s: %q, %v", test.winrm, res.Stdout, err)
		}
		_ = conn.Close()
	}
	// The other hosts go over SSH as before.
	_, err := windowsCampaign(t, plain, "ntlm", "{plain: true}").dialHost(t, "linux1")
	if transports.ClassOf(err) != transports.Unreachable || !strings.Contains(err.Error(), "sshd") {
		t.Errorf("a host over SSH: %v", err)
	}
}

// TestWinRMSettings: settings that cannot work end a run before it begins, and
// only where there is a host that they are for.
func TestWinRMSettings(t *testing.T) {
	w := windowsCampaign(t, 1, "ntlm", "{ca: nowhere.pem}")
	if _, err := w.dialer(); err == nil || !strings.Contains(err.Error(), "campaign.yaml") || !strings.Contains(err.Error(), "the CA file") {
		t.Errorf("a CA file that is not there: %v", err)
	}
	w.hosts = w.hosts[1:]
	if _, err := w.dialer(); err != nil {
		t.Errorf("without a Windows host: %v", err)
	}
	c, err := resolveCredential(creds.Resolver{}, "w", remediate.CredentialSpec{User: "u", Auth: "certificate", Certificate: "c.pem", Key: "k.pem"})
	if err != nil || c.TLSCertificateFile != "c.pem" || c.TLSKeyFile != "k.pem" || c.Auth != "certificate" {
		t.Errorf("a client certificate: %+v, %v", c, err)
	}
	c, err = resolveCredential(creds.Resolver{}, "l", remediate.CredentialSpec{User: "u", Certificate: "c.pub", Key: "k"})
	if err != nil || c.TLSCertificateFile != "" || c.CertificateFile != "c.pub" {
		t.Errorf("a certificate for SSH: %+v, %v", c, err)
	}
}

func windowsCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
