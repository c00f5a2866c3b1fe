package winrm

import (
	"errors"
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
		return a, errors.New("this version does not log in by kerberos; use ntlm")
	case a.auth != authNTLM && a.auth != authBasic && a.auth != authCertificate:
		return a, errors.New("auth is not one of ntlm, basic and certificate")
	case plain && a.auth != authNTLM:
		return a, errors.New("logins by " + a.auth + " need TLS: without it only ntlm seals what it sends")
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

// credName is how errors name the credential.
func (a account) credName() string {
	if a.name == "" {
		return "the credential"
	}
	return "credential " + a.name
}
