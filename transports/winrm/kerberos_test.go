package winrm

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"oust/transports"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest/kdclab"
)

// kerberosRig is a host with Kerberos as win1.lab.test, and the KDC.
type kerberosRig struct {
	*rig
	kdc *kdclab.KDC
}

const kerberosHost = "win1.lab.test"

func newKerberosRig(t *testing.T, config wsman.Config) *kerberosRig {
	t.Helper()
	kdc := kdclab.Start(t)
	return &kerberosRig{newRigFor(t, kdc.Service("HTTP/"+kerberosHost), config), kdc}
}

func newRigFor(t *testing.T, keytab string, config wsman.Config) *rig {
	t.Helper()
	data, err := os.ReadFile(keytab)
	if err != nil {
		t.Fatal(err)
	}
	config.Kerberos = &wsman.Kerberos{Keytab: data}
	return newRig(t, config)
}

// config leads every name of lab.test to this machine.
func (r *kerberosRig) config() Config {
	c := r.rig.config()
	c.Krb5Conf, c.DialContext = r.kdc.Conf, toLoopback
	if c.CAFile != "" {
		c.CAFile, c.Verify = "", VerifyNone // the certificate is for the address
	}
	return c
}

func toLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
}

func (r *kerberosRig) target() transports.Target {
	return transports.Target{Host: "win1", Address: kerberosHost, Port: r.port, Credential: transports.Credential{
		Name: "windows", User: kdclab.User + "@" + kdclab.Realm, Auth: "kerberos", Password: transports.NewSecret(kdclab.Password),
	}}
}

// TestKerberos logs in with each kind of credential, and runs commands with
// input and output.
func TestKerberos(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]func() wsman.Config{
		"sealed": func() wsman.Config { return wsman.Config{} },
		"tls":    func() wsman.Config { return wsman.Config{TLS: serverTLS(t), Bindings: wsman.BindingsStrict} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newKerberosRig(t, server())
			keytab, ccache := r.kdc.Keytab(kdclab.User), r.kdc.Kinit()
			for way, change := range map[string]func(*transports.Credential){
				"password":       func(*transports.Credential) {},
				"realm apart":    func(c *transports.Credential) { c.User, c.Realm = kdclab.User, "lab.test" },
				"domain":         func(c *transports.Credential) { c.User = `lab.test\` + kdclab.User },
				"default realm":  func(c *transports.Credential) { c.User = kdclab.User },
				"keytab":         func(c *transports.Credential) { c.Password, c.KeytabFile = transports.Secret{}, keytab },
				"ccache":         func(c *transports.Credential) { c.Password, c.CCacheFile = transports.Secret{}, "FILE:"+ccache },
				"ccache, a path": func(c *transports.Credential) { *c = transports.Credential{Auth: "kerberos", CCacheFile: ccache} },
			} {
				t.Run(way, func(t *testing.T) {
					target := r.target()
					change(&target.Credential)
					conn, err := newDialer(t, r.config()).Dial(t.Context(), target)
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					if res := must(t, conn, "whoami", ""); string(res.Stdout) != `\`+kdclab.User+"@"+kdclab.Realm {
						t.Errorf("whoami: %q", res.Stdout)
					}
					for _, n := range []int{0, 1, 15, 16, 17, 100_000} {
						text := strings.Repeat("x", n)
						if res := must(t, conn, "cat", text); string(res.Stdout) != text {
							t.Errorf("%d bytes came back as %d", n, len(res.Stdout))
						}
					}
				})
			}
			r.seen.mu.Lock()
			defer r.seen.mu.Unlock()
			if all := len(r.seen.actions); name == "sealed" && r.seen.sealed != all || name == "tls" && r.seen.tls != all || all == 0 {
				t.Errorf("of %d messages %d were sealed and %d within TLS", all, r.seen.sealed, r.seen.tls)
			}
		})
	}
}

// TestKerberosCacheRenewed: a cache whose ticket has ended is read again; the
// environment may name it.
func TestKerberosCacheRenewed(t *testing.T) {
	r := newKerberosRig(t, wsman.Config{})
	path := r.kdc.Kinit("-l", "60s")
	t.Setenv("KRB5CCNAME", "FILE:"+path)
	d, target := newDialer(t, r.config()), r.target()
	target.Credential = transports.Credential{Auth: "kerberos"}
	_, err := d.Dial(t.Context(), target)
	wantError(t, err, transports.Auth, "was good until", "kinit")
	if err := os.Rename(r.kdc.Kinit(), path); err != nil {
		t.Fatal(err)
	}
	conn, err := d.Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	t.Setenv("KRB5CCNAME", "")
	_, err = d.Dial(t.Context(), target)
	wantError(t, err, transports.Auth, "the credential has no user")
}

// TestKerberosForgotten: a host that wants a login with each request gets it,
// and one that refuses it then is not asked for ever.
func TestKerberosForgotten(t *testing.T) {
	t.Parallel()
	kdc := kdclab.Start(t)
	data, err := os.ReadFile(kdc.Service("HTTP/" + kerberosHost))
	if err != nil {
		t.Fatal(err)
	}
	r := &kerberosRig{newRig(t, wsman.Config{
		TLS: serverTLS(t), Bindings: wsman.BindingsStrict, Kerberos: &wsman.Kerberos{Keytab: data, Forget: true},
	}), kdc}
	conn, err := newDialer(t, r.config()).Dial(t.Context(), r.target())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := strings.Repeat("x", 100_000)
	for range 3 {
		if res := must(t, conn, "cat", text); string(res.Stdout) != text {
			t.Errorf("%d bytes came back", len(res.Stdout))
		}
	}
	if res := must(t, conn, "exit 7", ""); res.Exit != 7 {
		t.Errorf("exit %d", res.Exit)
	}
	if as, tgs := kdc.Counter.Counts(); as != 2 || tgs != 1 {
		t.Errorf("%d AS exchanges and %d TGS exchanges, want 2 and 1", as, tgs)
	}
	r.inject(t, wsman.FaultBasicOnly, 0)
	_, err = conn.Run(t.Context(), transports.Command{Line: "echo a"})
	wantError(t, err, transports.Unsupported, "offers no Kerberos")
}

// TestKerberosReferral: a host of another realm is reached by what the KDCs
// say, or by what the settings do.
func TestKerberosReferral(t *testing.T) {
	t.Parallel()
	first, second := kdclab.StartTrusting(t, "ELSE.TEST", "else.test")
	far := &kerberosRig{newRigFor(t, second.Service("HTTP/win.else.test"), wsman.Config{}), first}
	target := far.target()
	target.Address = "win.else.test"
	for name, more := range map[string]string{"by the KDC": "", "by the settings": "[domain_realm]\n .else.test = ELSE.TEST\n",
		"with settings that change names": "[libdefaults]\n canonicalize = true\n noaddresses = false\n forwardable = true\n"} {
		text, err := os.ReadFile(first.Conf)
		if err != nil {
			t.Fatal(err)
		}
		config := far.config()
		config.Krb5Conf = filepath.Join(t.TempDir(), "krb5.conf")
		if err := os.WriteFile(config.Krb5Conf, append(text, more...), 0o600); err != nil {
			t.Fatal(err)
		}
		conn, err := newDialer(t, config).Dial(t.Context(), target)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if res := must(t, conn, "whoami", ""); string(res.Stdout) != `\`+kdclab.User+"@"+kdclab.Realm {
			t.Errorf("%s: whoami: %q", name, res.Stdout)
		}
		_ = conn.Close()
	}
	if as, tgs := second.Counter.Counts(); as != 0 || tgs != 3 {
		t.Errorf("the other realm was asked for %d accounts and %d hosts, want 0 and 3", as, tgs)
	}
}

// TestKerberosTickets: a run asks once for its own ticket, and once for that
// of each host.
func TestKerberosTickets(t *testing.T) {
	t.Parallel()
	r := newKerberosRig(t, wsman.Config{})
	other := newRigFor(t, r.kdc.Service("HTTP/win2.lab.test"), wsman.Config{})
	d := newDialer(t, r.config())
	second := r.target()
	second.Address, second.Port = "WIN2.lab.test.", other.port
	var all sync.WaitGroup
	for range 20 {
		for _, target := range []transports.Target{r.target(), second} {
			all.Go(func() {
				conn, err := d.Dial(t.Context(), target)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
			})
		}
	}
	all.Wait()
	// One question of the account is refused, to learn how the key is made.
	if as, tgs := r.kdc.Counter.Counts(); as != 2 || tgs != 2 {
		t.Errorf("%d AS exchanges and %d TGS exchanges, want 2 and 2", as, tgs)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := d.Dial(t.Context(), r.target()); err == nil {
		t.Error("a closed dialer still logs in")
	}
}
