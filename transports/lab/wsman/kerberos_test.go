package wsman

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"oust/transports/transporttest/kdclab"
)

// mitJob is what testdata/kerberos_client.py takes.
type mitJob struct {
	Host      string   `json:"host"`
	Port      int      `json:"port"`
	CA        string   `json:"ca,omitempty"`
	Bind      string   `json:"bind,omitempty"` // "", yes or wrong
	Mechanism string   `json:"mechanism"`
	Messages  []string `json:"messages"`
}

// mitClient runs a job with MIT's library.
func mitClient(t *testing.T, kdc *kdclab.KDC, r *rig, job mitJob) (answers []string, failure string) {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if err := exec.Command(python, "-c", "import gssapi").Run(); err != nil {
		reason := "MIT's Kerberos for Python is not on this machine (package python3-gssapi)"
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal(reason + " (and OUST_NO_SKIP=1 forbids to skip)")
		}
		t.Skip(reason)
	}
	_, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		t.Fatal(err)
	}
	if job.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	job.CA = r.caFile
	input, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/kerberos_client.py")
	cmd.Env = append(kdc.Env(), "KRB5CCNAME="+kdc.Kinit())
	cmd.Stdin, cmd.WaitDelay = bytes.NewReader(input), time.Second
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("kerberos_client.py: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var answer struct {
		Answers []string
		Error   string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return answer.Answers, answer.Error
}

const testIdentify = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>` +
	`<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>`

// serviceKeys is the content of a keytab of HTTP/HOST.
func serviceKeys(t *testing.T, kdc *kdclab.KDC, host string) []byte {
	t.Helper()
	data, err := os.ReadFile(kdc.Service("HTTP/" + host))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestKerberosMIT: a client with MIT's library logs in, and what is sealed for
// it and by it opens.
func TestKerberosMIT(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	keys := serviceKeys(t, kdc, "host.lab.test")
	plain := newRig(t, Config{Kerberos: &Kerberos{Keytab: keys}, NTLM: true})
	strict := newRig(t, Config{Kerberos: &Kerberos{Keytab: keys}, TLS: serverTLS(t), Bindings: BindingsStrict})
	relaxed := newRig(t, Config{Kerberos: &Kerberos{Keytab: keys}, TLS: serverTLS(t)})
	for _, test := range []struct {
		name      string
		rig       *rig
		mechanism string
		bind      string
		failure   string // "" for a login
	}{
		{"sealed", plain, "spnego", "", ""},
		{"sealed, without SPNEGO", plain, "kerberos", "", ""},
		{"bound", strict, "spnego", "yes", ""},
		{"bound, without SPNEGO", strict, "kerberos", "yes", ""},
		{"bound to another", strict, "spnego", "wrong", "status 401"},
		{"not bound", strict, "spnego", "", "status 401"},
		{"not bound, relaxed", relaxed, "spnego", "", ""},
		{"bound to another, relaxed", relaxed, "spnego", "wrong", "status 401"},
	} {
		t.Run(test.name, func(t *testing.T) {
			long := strings.Replace(testIdentify, "<s:Header/>", "<s:Header>"+strings.Repeat(" ", 70_000)+"</s:Header>", 1)
			got, failure := mitClient(t, kdc, test.rig, mitJob{
				Host: "host.lab.test", Mechanism: test.mechanism, Bind: test.bind, Messages: []string{testIdentify, long, testIdentify},
			})
			if test.failure != "" {
				if !strings.Contains(failure, test.failure) {
					t.Errorf("%q, want %q", failure, test.failure)
				}
				return
			}
			if failure != "" || len(got) != 3 {
				t.Fatalf("%d answers, %s", len(got), failure)
			}
			for _, a := range got {
				if !strings.HasPrefix(a, "200 ") || !strings.Contains(a, "IdentifyResponse") {
					t.Errorf("%.200q", a)
				}
			}
		})
	}
}

// TestKerberosRefused: a ticket that does not open, or comes too late, is
// refused in words that MIT's library reads.
func TestKerberosRefused(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	old := serviceKeys(t, kdc, "host.lab.test")
	kdc.Admin("cpw", "-randkey", "HTTP/host.lab.test")
	now, err := os.ReadFile(kdc.Keytab("HTTP/host.lab.test"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		kerberos Kerberos
		want     string
	}{
		{Kerberos{Keytab: old}, "Message stream modified"},
		{Kerberos{Keytab: now, Skew: time.Nanosecond}, "Clock skew too great"},
	} {
		r := newRig(t, Config{Kerberos: &test.kerberos})
		got, failure := mitClient(t, kdc, r, mitJob{Host: "host.lab.test", Mechanism: "kerberos", Messages: []string{testIdentify}})
		if len(got) > 0 || !strings.Contains(failure, test.want) {
			t.Errorf("%q, %q; want %q", got, failure, test.want)
		}
	}
	if _, err := New(Config{Backend: Func(toy), Kerberos: &Kerberos{Keytab: []byte("no keys")}}); err == nil {
		t.Error("a server without keys")
	}
}

// TestPywinrmKerberos runs commands through Debian's pywinrm, which over TLS
// sends Kerberos' own tokens, and the first message along with the login.
func TestPywinrmKerberos(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	for name, config := range map[string]Config{
		"tls":         {TLS: serverTLS(t)},
		"unencrypted": {AllowUnencrypted: true},
	} {
		t.Run(name, func(t *testing.T) {
			config.Kerberos = &Kerberos{Keytab: serviceKeys(t, kdc, name)}
			r := newRig(t, config)
			job := pyJob{
				URL: r.url, Transport: "kerberos", CA: r.caFile, Encryption: "never", Host: name,
				Commands: []pyCommand{{Line: "whoami"}, {Line: "cat", Stdin: []string{"in"}}, {Line: "fill 100000"}},
				env:      append(kdc.Env(), "KRB5CCNAME="+kdc.Kinit()),
			}
			got, failure := pywinrm(t, job)
			if failure != "" || len(got) != 3 {
				t.Fatalf("%d results, %s", len(got), failure)
			}
			if want := "|" + kdclab.User + "@" + kdclab.Realm; got[0].Stdout != want || got[1].Stdout != "in" || len(got[2].Stdout) != 100_000 {
				t.Errorf("%.300v, want %s", got, want)
			}
		})
	}
}

// FuzzKerberos takes any bytes as a login, and as a sealed message.
func FuzzKerberos(f *testing.F) {
	keys := keytab.New()
	if err := keys.AddEntry("HTTP/host", "R", "password", time.Now(), 1, 18); err != nil {
		f.Fatal(err)
	}
	data, err := keys.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(Config{Backend: Func(toy), Kerberos: &Kerberos{Keytab: data}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	now := time.Now().UTC()
	service := types.NewPrincipalName(nametype.KRB_NT_SRV_HST, "HTTP/host")
	ticket, key, err := messages.NewTicket(types.NewPrincipalName(1, "u"), "R", service, "R", types.NewKrbFlags(), keys, 18, 1, now, now, now.Add(time.Hour), now)
	if err != nil {
		f.Fatal(err)
	}
	req, err := messages.NewAPReq(ticket, key, types.Authenticator{AVNO: 5, CRealm: "R", CName: types.NewPrincipalName(1, "u"), CTime: now})
	if err != nil {
		f.Fatal(err)
	}
	body, err := req.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame([]byte{1, 0}, body))
	f.Add([]byte{0x60, 0})
	f.Add([]byte{5, 4, 6, 0xff, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if inner, _, err := mechanismToken(b); err == nil {
			if _, _, err := s.accept(inner, false); err == nil {
				t.Fatal("a login without a checksum")
			}
		}
		session, _, err := newKerberosSession(messages.APReq{Ticket: messages.Ticket{DecryptedEncPart: messages.EncTicketPart{Key: key}}, Authenticator: types.Authenticator{CTime: now}})
		if err != nil {
			t.Fatal(err)
		}
		cut := min(len(b), 60)
		if text, err := session.Unseal(b[cut:], b[:cut]); err == nil {
			t.Fatalf("a message that nobody sealed: %q", text)
		}
	})
}
