package winrm

import (
	"bytes"
	"testing"

	"github.com/jcmturner/gokrb5/v8/keytab"

	"oust/transports"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest/kdclab"
)

// TestKerberosDomain: a domain of Active Directory, which Samba's is, takes
// its accounts in any case, knows the service by the machine's HOST names, and
// puts the account's groups into the ticket.
func TestKerberosDomain(t *testing.T) {
	t.Parallel()
	domain := kdclab.StartDomain(t)
	keys, err := keytab.Load(domain.Join("win1"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys.Entries { // Windows opens any of a machine's names with the one account's key
		keys.Entries[i].Principal.Components, keys.Entries[i].Principal.NumComponents = []string{"HTTP", "win1.corp.test"}, 2
	}
	var data bytes.Buffer
	if _, err := keys.Write(&data); err != nil {
		t.Fatal(err)
	}
	sealed := newRig(t, wsman.Config{Kerberos: &wsman.Kerberos{Keytab: data.Bytes()}})
	secure := newRig(t, wsman.Config{Kerberos: &wsman.Kerberos{Keytab: data.Bytes()}, TLS: serverTLS(t), Bindings: wsman.BindingsStrict})
	for _, r := range []*rig{sealed, secure} {
		config := r.config()
		config.Krb5Conf, config.DialContext = domain.Conf, toLoopback
		if config.CAFile != "" {
			config.CAFile, config.Verify = "", VerifyNone
		}
		for _, test := range []struct {
			user, password, address string
			class                   transports.Class // "" for a login
			words                   string
		}{
			{"svc-oust@CORP.TEST", kdclab.DomainPassword, "win1.corp.test", "", ""},
			{"svc-oust@corp.test", kdclab.DomainPassword, "WIN1.corp.test", "", ""},
			{`corp.test\SVC-Oust`, kdclab.DomainPassword, "win1.corp.test", "", ""},
			{"svc-oust@CORP.TEST", "wrong", "win1.corp.test", transports.Auth, "refused the login of svc-oust@CORP.TEST"},
			{"nobody@CORP.TEST", "wrong", "win1.corp.test", transports.Auth, "does not know nobody@CORP.TEST"},
			{"svc-oust@CORP.TEST", kdclab.DomainPassword, "win2.corp.test", transports.Unsupported, "no service HTTP/win2.corp.test"},
		} {
			conn, err := newDialer(t, config).Dial(t.Context(), transports.Target{
				Host: "win1", Address: test.address, Port: r.port,
				Credential: transports.Credential{Name: "windows", User: test.user, Auth: "kerberos", Password: transports.NewSecret(test.password)},
			})
			if test.class != "" {
				wantError(t, err, test.class, test.words)
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", test.user, err)
				continue
			}
			must(t, conn, "echo a", "")
			_ = conn.Close()
		}
	}
}
