package winrm

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestCertificateByRenegotiation: a host that asks for the certificate by a
// second handshake, as Windows does, gets it. OpenSSL is such a host; Go's own
// server cannot be.
func TestCertificateByRenegotiation(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatalf("%v (and OUST_NO_SKIP=1 forbids to skip)", err)
		}
		t.Skip("there is no openssl")
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	made := exec.CommandContext(t.Context(), openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=win1", "-days", "1", "-keyout", key, "-out", cert)
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	server := exec.CommandContext(t.Context(), openssl, "s_server", "-accept", "127.0.0.1:"+strconv.Itoa(port), "-cert", cert, "-key", key,
		"-tls1_2")
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	config, err := forHost(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, "win1", account{auth: authCertificate, cert: cert, key: key})
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 8)
	pair := config.Certificates[0]
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked <- struct{}{}
		return &pair, nil
	}
	var conn *tls.Conn
	for deadline := time.Now().Add(10 * time.Second); conn == nil; {
		if conn, err = tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port), config); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	defer conn.Close()
	// R has s_server ask for a certificate by a second handshake.
	if _, err := io.WriteString(stdin, "R\n"); err != nil {
		t.Fatal(err)
	}
	go func() {
		<-asked
		_, _ = io.WriteString(stdin, "hello\n")
	}()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	got := make([]byte, 6)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello\n" {
		t.Errorf("after a second handshake: %q, %v", got, err)
	}
}
