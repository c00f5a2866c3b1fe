package winrm

import (
	"bufio"
	"crypto/tls"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"oust/transports"
	"oust/transports/transporttest/kdclab"
)

// mitHost runs testdata/kerberos_host.py, whose Kerberos is MIT's.
func mitHost(t *testing.T, kdc *kdclab.KDC, keytab string, args ...string) (port int) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if err := exec.Command(python, "-c", "import gssapi").Run(); err != nil {
		reason := "MIT's Kerberos for Python is not on this machine (package python3-gssapi)"
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal(reason + " (and OUST_NO_SKIP=1 forbids to skip)")
		}
		t.Skip(reason)
	}
	cmd := exec.Command(python, append([]string{"testdata/kerberos_host.py"}, args...)...)
	cmd.Env = append(kdc.Env(), "KRB5_KTNAME="+keytab, "KRB5RCACHETYPE=none")
	log := &logBuffer{}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the host says: %s", log)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if port, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(err)
	}
	return port
}

// TestKerberosMIT: MIT's library takes our logins, opens our seals and makes
// ones that we open, in the split form that Windows uses too.
func TestKerberosMIT(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	for _, kind := range []string{"aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96", "aes256-cts-hmac-sha384-192", "aes128-cts-hmac-sha256-128"} {
		t.Run(kind, func(t *testing.T) {
			spn := "HTTP/" + kind + ".lab.test"
			kdc.Admin("addprinc", "-randkey", "-e", kind+":normal", spn)
			r := &kerberosRig{&rig{port: mitHost(t, kdc, kdc.Keytab(spn)), log: &logBuffer{}}, kdc}
			target := r.target()
			target.Address = kind + ".lab.test"
			l := mustReach(t, r.config(), target)
			for _, n := range []int{1, 15, 16, 17, 32, 1000, 100_000} {
				text := strings.Repeat("a", n)
				body, err := l.sealer.seal([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				a, err := l.exchange(t.Context(), sealType, "", body)
				if err != nil {
					t.Fatal(err)
				}
				got, err := l.open(a)
				if err != nil || string(got) != strings.ToUpper(text) {
					t.Errorf("%d bytes: %d bytes back, %v", n, len(got), err)
				}
			}
		})
	}
}

// mustReach connects and logs in, without a shell.
func mustReach(t *testing.T, config Config, target transports.Target) *link {
	t.Helper()
	d := newDialer(t, config)
	p, err := d.peerOf(target)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.reach(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

// TestKerberosBindingsMIT: MIT's library finds the login bound to the host's
// certificate, and to no other.
func TestKerberosBindingsMIT(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	keytab := kdc.Service("HTTP/" + kerberosHost)
	host, other := newCertificate(t, "127.0.0.1"), newCertificate(t, "127.0.0.1")
	pem := func(c tls.Certificate) string { return writePEM(t, "CERTIFICATE", c.Certificate[0]) }
	for _, test := range []struct {
		name  string
		bound tls.Certificate
		class transports.Class
	}{{"the host's", host, ""}, {"another", other, transports.Auth}} {
		t.Run(test.name, func(t *testing.T) {
			port := mitHost(t, kdc, keytab, pem(host), writeKey(t, host), pem(test.bound))
			r := &kerberosRig{&rig{port: port, log: &logBuffer{}, caFile: "set"}, kdc}
			if test.class != "" {
				_, err := newDialer(t, r.config()).Dial(t.Context(), r.target())
				wantError(t, err, test.class, "refused")
				return
			}
			l := mustReach(t, r.config(), r.target())
			a, err := l.exchange(t.Context(), soapType, l.auth, []byte("text"))
			if err != nil || string(a.body) != "TEXT" {
				t.Errorf("%q, %v", a.body, err)
			}
		})
	}
}
