package winrm

import (
	"errors"
	"os"
	"strings"

	"oust/transports"
)

// Ways to log in, as transports.Credential.Auth names them.
const (
	authNTLM        = "ntlm"
	authBasic       = "basic"
	authCertificate = "certificate"
	authKerberos    = "kerberos"
)

// account is who logs in, and how.
type account struct {
	name     string // of the credential, for errors
	auth     string
	user     string
	domain   string // of NTLM; empty for local users and for user@realm
	full     string // the user as the campaign has it
	password transports.Secret
	cert     string // path
	key      string // path
	realm    string // of Kerberos; empty for the default one
	keytab   string // path
	ccache   string // a credential cache, as KRB5CCNAME has it
}

var errNoUser = errors.New("the credential has no user")

// accountOf reads a credential. DOMAIN\user is taken apart; user@realm stays
// whole, since the host finds the domain by it.
func accountOf(c transports.Credential, plain bool) (account, error) {
	a := account{
		name: c.Name, auth: strings.ToLower(c.Auth), user: c.User, full: c.User,
		password: c.Password, cert: c.TLSCertificateFile, key: c.TLSKeyFile,
	}
	if a.auth == "" {
		if a.auth = authNTLM; a.cert != "" {
			a.auth = authCertificate
		}
	}
	if domain, user, ok := strings.Cut(c.User, `\`); ok {
		a.domain, a.user = domain, user
	}
	switch {
	case a.auth == authKerberos:
		return kerberosAccount(a, c)
	case a.auth != authNTLM && a.auth != authBasic && a.auth != authCertificate:
		return a, errors.New("auth is not one of ntlm, kerberos, basic and certificate")
	case plain && a.auth != authNTLM:
		return a, errors.New("logins by " + a.auth + " need TLS: without it only ntlm and kerberos seal what they send")
	case a.auth == authCertificate && (a.cert == "" || a.key == ""):
		return a, errors.New("a login by certificate needs the files of certificate and key")
	case a.auth == authCertificate:
		return a, nil
	case a.user == "":
		return a, errNoUser
	case a.auth == authBasic && strings.Contains(c.User, ":"):
		return a, errors.New("a user with a colon cannot log in by Basic")
	}
	return a, nil
}

// kerberosAccount reads a credential as one of Kerberos: user@REALM, or a user
// and a realm, with a password, a keytab or a credential cache. The last one
// may name the user itself.
func kerberosAccount(a account, c transports.Credential) (account, error) {
	a.realm, a.keytab, a.ccache = c.Realm, c.KeytabFile, c.CCacheFile
	if a.keytab == "" && a.ccache == "" && a.password.Empty() {
		a.ccache = os.Getenv("KRB5CCNAME")
	}
	user, realm, named := strings.Cut(a.user, "@")
	a.user = user
	if a.domain != "" {
		realm, named = a.domain, true
	}
	switch {
	case a.domain != "" && !strings.Contains(a.domain, "."):
		return a, errors.New("the domain is not given by its DNS name, as kerberos needs it; write the user as user@REALM")
	case named && a.realm != "" && !strings.EqualFold(realm, a.realm):
		return a, errors.New("the user names another realm than the credential")
	case named:
		a.realm = realm
	}
	switch {
	case a.keytab != "" && a.ccache != "":
		return a, errors.New("both a keytab and a credential cache")
	case a.user == "" && a.ccache == "":
		return a, errNoUser
	case a.keytab == "" && a.ccache == "" && a.password.Empty():
		return a, errors.New("a login by kerberos needs a password, a keytab or a credential cache")
	}
	return a, nil
}

// credName is how errors name the credential.
func (a account) credName() string {
	if a.name == "" {
		return "the credential"
	}
	return "credential " + a.name
}
