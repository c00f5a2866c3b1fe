package winrm

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest/kdclab"
)

// dialKerberos connects with a changed clock and credential, and wants an
// error. It returns the dialer.
func (r *kerberosRig) dialKerberos(t *testing.T, change func(*transports.Target, *Dialer), class transports.Class, words ...string) *Dialer {
	t.Helper()
	target, d := r.target(), newDialer(t, r.config())
	if change != nil {
		change(&target, d)
	}
	_, err := d.Dial(t.Context(), target)
	if err == nil {
		t.Fatal("logged in")
	}
	e := wantError(t, err, class, words...)
	if down := strings.Contains(err.Error(), "no KDC of LAB.TEST answered"); e.Temporary != down {
		t.Errorf("temporary %t: %v", e.Temporary, err)
	}
	if strings.Contains(err.Error(), kdclab.Password) || strings.Contains(r.log.String(), kdclab.Password) {
		t.Error("the password can be seen")
	}
	return d
}

// TestKerberosRefused: what the KDC or the host refuses has its class and
// words.
func TestKerberosRefused(t *testing.T) {
	t.Parallel()
	r := newKerberosRig(t, wsman.Config{})
	for _, user := range []string{"locked", "stale", "other"} {
		r.kdc.Admin("addprinc", "+requires_preauth", "-pw", kdclab.Password, user)
	}
	r.kdc.Admin("modprinc", "-allow_tix", "locked")
	r.kdc.Admin("modprinc", "-pwexpire", "2020-01-01", "stale")
	short, keytab := r.kdc.Kinit("-l", "60s"), r.kdc.Keytab(kdclab.User)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no keys here"), 0o600); err != nil {
		t.Fatal(err)
	}
	off := func(by time.Duration) func(*transports.Target, *Dialer) {
		return func(_ *transports.Target, d *Dialer) { d.kerberos.now = func() time.Time { return time.Now().Add(by) } }
	}
	login := func(f func(*transports.Credential)) func(*transports.Target, *Dialer) {
		return func(t *transports.Target, _ *Dialer) { f(&t.Credential) }
	}
	none := transports.Secret{}
	for _, test := range []struct {
		name   string
		change func(*transports.Target, *Dialer)
		class  transports.Class
		words  []string
	}{
		{"wrong password", login(func(c *transports.Credential) { c.Password = transports.NewSecret("wrong") }), transports.Auth,
			[]string{"win1: login:", "refused the login of svc-oust@LAB.TEST", "check the password of credential windows", "not tried again"}},
		{"unknown account", login(func(c *transports.Credential) { c.User = "nobody@LAB.TEST" }), transports.Auth, []string{"does not know nobody@LAB.TEST"}},
		{"locked", login(func(c *transports.Credential) { c.User = "locked@LAB.TEST" }), transports.Auth, []string{"locked@LAB.TEST is disabled, expired or locked"}},
		{"expired password", login(func(c *transports.Credential) { c.User = "stale@LAB.TEST" }), transports.Auth, []string{"password of stale@LAB.TEST has expired"}},
		{"unknown realm", login(func(c *transports.Credential) { c.User = "a@else.test" }), transports.Unreachable, []string{"no KDC of ELSE.TEST is known", "krb5.conf"}},
		{"unknown host", func(t *transports.Target, _ *Dialer) { t.Address = "other.lab.test" }, transports.Unsupported, []string{"knows no service HTTP/other.lab.test", "setspn"}},
		{"an IP address", func(t *transports.Target, _ *Dialer) { t.Address = "127.0.0.1" }, transports.Unsupported, []string{"IP address", "DNS name", "ntlm"}},
		{"our clock is off", off(time.Hour), transports.Auth, []string{"the KDC's are 1h0m", "NTP"}},
		{"an old ticket", login(func(c *transports.Credential) { *c = transports.Credential{Auth: "kerberos", CCacheFile: short} }), transports.Auth, []string{"was good until", "kinit"}},
		{"the cache of another", login(func(c *transports.Credential) { c.User, c.CCacheFile = "else", short }), transports.Auth, []string{"the credential cache is of svc-oust@LAB.TEST"}},
		{"no such cache", login(func(c *transports.Credential) { c.CCacheFile = "/nowhere" }), transports.Auth, []string{"/nowhere", "check credential windows"}},
		{"a cache in a daemon", login(func(c *transports.Credential) { c.CCacheFile = "KCM:0" }), transports.Auth, []string{"type KCM cannot be read"}},
		{"no cache", login(func(c *transports.Credential) { c.CCacheFile = text }), transports.Auth, []string{"is no credential cache"}},
		{"the keytab of another", login(func(c *transports.Credential) { c.User, c.Password, c.KeytabFile = "other@LAB.TEST", none, keytab }), transports.Auth,
			[]string{"the keytab has no AES key of other@LAB.TEST", "klist -k"}},
		{"no keytab", login(func(c *transports.Credential) { c.KeytabFile = text }), transports.Auth, []string{"is not a keytab"}},
		{"a domain of NetBIOS", login(func(c *transports.Credential) { c.User = `LAB\a` }), transports.Unsupported, []string{"user@REALM"}},
		{"two realms", login(func(c *transports.Credential) { c.Realm = "ELSE" }), transports.Unsupported, []string{"another realm"}},
		{"no settings", func(_ *transports.Target, d *Dialer) { d.kerberos.confPath = "/nowhere" }, transports.Unsupported, []string{"Kerberos settings", "krb5_conf"}},
	} {
		t.Run(test.name, func(t *testing.T) { r.dialKerberos(t, test.change, test.class, test.words...) })
	}
}

// TestKerberosPasswordOnce: a wrong password is not tried again for the next
// host, which would lock the account.
func TestKerberosPasswordOnce(t *testing.T) {
	t.Parallel()
	r := newKerberosRig(t, wsman.Config{})
	wrong := func(c *transports.Target) { c.Credential.Password = transports.NewSecret("wrong") }
	d := r.dialKerberos(t, func(c *transports.Target, _ *Dialer) { wrong(c) }, transports.Auth)
	before, _ := r.kdc.Counter.Counts()
	for range 5 {
		target := r.target()
		wrong(&target)
		_, err := d.Dial(t.Context(), target)
		wantError(t, err, transports.Auth, "not tried again")
	}
	if as, _ := r.kdc.Counter.Counts(); as != before {
		t.Errorf("%d more questions", as-before)
	}
}

// TestKerberosHostRefuses: what the host itself says of a ticket.
func TestKerberosHostRefuses(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	old := kdc.Service("HTTP/" + kerberosHost)
	kdc.Admin("cpw", "-randkey", "HTTP/"+kerberosHost)
	r := &kerberosRig{newRigFor(t, old, wsman.Config{}), kdc}
	r.dialKerberos(t, nil, transports.Auth, "refused the ticket of svc-oust@LAB.TEST for HTTP/"+kerberosHost, "KRB_AP_ERR_MODIFIED", "another host")

	data, err := os.ReadFile(kdc.Keytab("HTTP/" + kerberosHost))
	if err != nil {
		t.Fatal(err)
	}
	r = &kerberosRig{newRig(t, wsman.Config{Kerberos: &wsman.Kerberos{Keytab: data, Skew: 30 * time.Second}}), kdc}
	r.dialKerberos(t, func(_ *transports.Target, d *Dialer) {
		d.kerberos.now = func() time.Time { return time.Now().Add(-2 * time.Minute) } // which the KDC takes
	}, transports.Auth, "KRB_AP_ERR_SKEW", "clocks")

	r = &kerberosRig{newRig(t, wsman.Config{Basic: true, AllowUnencrypted: true}), kdc}
	r.dialKerberos(t, nil, transports.Unsupported, "offers no Kerberos by way of Negotiate, but Basic")
	r = &kerberosRig{newRig(t, wsman.Config{}), kdc}
	r.dialKerberos(t, nil, transports.Auth, "the host refused the login of svc-oust@LAB.TEST by kerberos")
}

// TestKerberosImpostor: a host that cannot prove who it is gets no command.
func TestKerberosImpostor(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	kdc.Service("HTTP/" + kerberosHost)
	for name, token := range map[string]string{
		"none": "", "not base64": "%", "nonsense": "AAAA", "no proof": b64(spnegoAnswer(nil)), "another token": b64(spnegoAnswer(frame(oidKerberos, tokenAPReq, []byte("x")))),
		"an empty proof": b64(spnegoAnswer(frame(oidKerberos, tokenAPRep, nil))),
		"a false proof": b64(spnegoAnswer(frame(oidKerberos, tokenAPRep,
			mustDER(t, struct{ A, B int }{5, 15})))),
	} {
		t.Run(name, func(t *testing.T) {
			var asked int
			host := newScripted(t, func(w http.ResponseWriter, _, _ string) bool {
				asked++
				w.Header().Set("WWW-Authenticate", "Negotiate "+token)
				w.WriteHeader(http.StatusOK)
				return true
			})
			r := &kerberosRig{&rig{port: host.port, log: &logBuffer{}, caFile: "set"}, kdc}
			r.dialKerberos(t, nil, transports.Untrusted, "someone may stand between")
			if asked != 1 {
				t.Errorf("%d requests", asked)
			}
		})
	}
}

// TestKerberosFaults: seals that are missing, broken or repeated end the
// connection.
func TestKerberosFaults(t *testing.T) {
	t.Parallel()
	r := newKerberosRig(t, wsman.Config{})
	conn, err := newDialer(t, r.config()).Dial(t.Context(), r.target())
	if err != nil {
		t.Fatal(err)
	}
	must(t, conn, "echo a", "")
	r.inject(t, wsman.FaultStripSealing, 0)
	_, err = conn.Run(t.Context(), transports.Command{Line: "echo a"})
	wantError(t, err, transports.Untrusted, "not sealed")
	_ = conn.Close()
}

// TestKDCs: KDCs that do not answer, or answer nonsense, hold nobody up.
func TestKDCs(t *testing.T) {
	t.Parallel()
	r := newKerberosRig(t, wsman.Config{})
	for _, test := range []struct {
		name   string
		answer []byte // nil for silence
		class  transports.Class
		words  string
	}{
		{"silence", nil, transports.Timeout, "no answer in 100ms"},
		{"nothing", []byte{}, transports.Unreachable, "no KDC of LAB.TEST answered"},
		{"no length", []byte{0, 0}, transports.Unreachable, "no KDC"},
		{"a length of 0", []byte{0, 0, 0, 0}, transports.Unreachable, "an answer of 0 bytes"},
		{"too much", []byte{0x7f, 0xff, 0xff, 0xff}, transports.Unreachable, "an answer of 2147483647 bytes"},
		{"half", []byte{0, 0, 0, 9, 1}, transports.Unreachable, "no KDC"},
		{"nonsense", []byte{0, 0, 0, 2, 'h', 'i'}, transports.Untrusted, "is what answers there the domain's KDC?"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.dialKerberos(t, func(_ *transports.Target, d *Dialer) {
				d.kerberos.kdcs.answer = 100 * time.Millisecond
				if test.answer != nil {
					d.kerberos.kdcs.answer = time.Minute
				}
				d.kerberos.kdcs.dial = func(context.Context, string, string) (net.Conn, error) { return falseKDC(t, test.answer), nil }
			}, test.class, test.words)
		})
	}
	t.Run("one of two", func(t *testing.T) {
		target, d := r.target(), newDialer(t, r.config())
		dial, tried := d.kerberos.kdcs.dial, 0
		d.kerberos.conf = mustConf(t, r.kdc.Conf)
		all := d.kerberos.conf.kdcs
		all[kdclab.Realm] = append([]string{"dead.lab.test:88"}, all[kdclab.Realm]...)
		d.kerberos.kdcs.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "dead") {
				tried++
				return nil, errors.New("refused")
			}
			return dial(ctx, network, address)
		}
		conn, err := d.Dial(t.Context(), target)
		if err != nil || tried == 0 {
			t.Fatal(err, tried)
		}
		_ = conn.Close()
	})
}

// falseKDC is a connection whose other end gives the answer, or none.
func falseKDC(t *testing.T, answer []byte) net.Conn {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 64<<10)
		_, _ = theirs.Read(buffer)
		if answer != nil {
			_, _ = theirs.Write(answer)
			_ = theirs.Close()
		}
	}()
	t.Cleanup(func() { _ = theirs.Close(); <-done })
	return ours
}

// TestKDCGivenUp: a login that is given up, and a dialer that is closed, do
// not wait for a silent KDC.
func TestKDCGivenUp(t *testing.T) {
	t.Parallel()
	r := newKerberosRig(t, wsman.Config{})
	d := newDialer(t, r.config())
	asked := make(chan struct{}, 2)
	d.kerberos.kdcs.dial = func(context.Context, string, string) (net.Conn, error) {
		asked <- struct{}{}
		return falseKDC(t, nil), nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { _, err := d.Dial(ctx, r.target()); failed <- err }()
	<-asked
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	go func() { _, err := d.Dial(t.Context(), r.target()); failed <- err }() // waits for the same answer
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("logged in without a KDC")
	}
}

// TestKDCsFound: what a file does not name is looked up, if that is allowed.
func TestKDCsFound(t *testing.T) {
	t.Parallel()
	k := newKDCs(time.Second)
	k.lookup = func(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
		if service+proto+name != "kerberostcpCORP.TEST." {
			return "", nil, errors.New("no such record")
		}
		return "", []*net.SRV{{Target: "dc1.corp.test.", Port: 88}, {Target: "dc2.corp.test.", Port: 8888}}, nil
	}
	path := filepath.Join(t.TempDir(), "krb5.conf")
	write := func(text string) *kerberosConf {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return mustConf(t, path)
	}
	for _, test := range []struct{ conf, realm, want string }{
		{"", "CORP.TEST", "dc1.corp.test:88 dc2.corp.test:8888"},
		{"includedir /nowhere\n[libdefaults]\n dns_lookup_kdc = true\n", "CORP.TEST", "dc1.corp.test:88 dc2.corp.test:8888"},
		{"[libdefaults]\n dns_lookup_kdc = no\n", "CORP.TEST", "no KDC of CORP.TEST is known"},
		{"[realms]\n CORP.TEST = {\n kdc = dc3\n kdc = [::1]:99\n }\n", "CORP.TEST", "dc3:88 [::1]:99"},
		{"", "ELSE", "no KDC of ELSE is known: no such record"},
	} {
		got, err := k.find(t.Context(), write(test.conf), test.realm)
		if text := strings.Join(got, " "); err == nil && text != test.want || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %q, %v", test.conf, text, err)
		}
	}
}

func mustConf(t *testing.T, path string) *kerberosConf {
	t.Helper()
	c, err := readKerberosConf(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
