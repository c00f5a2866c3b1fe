package wsman

import (
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"strings"

	"oust/transports/lab/wsman/ntlm"
)

// connection is what a TCP connection remembers: the login that is under way
// there, or that holds. HTTP/1.1 handles the requests of a
// connection one after the other, so that nothing is locked.
type connection struct {
	conn      net.Conn
	handshake *ntlm.Handshake
	session   session
}

// connection of a request; one of its own where ConnContext was not used.
func (x *exchange) connection() *connection {
	if c, ok := x.r.Context().Value(connKey{}).(*connection); ok {
		return c
	}
	return &connection{}
}

// login finds out who asks, and opens a sealed message. Where that cannot be
// done it answers, and returns false.
func (x *exchange) login() bool {
	scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	switch scheme = strings.ToLower(scheme); scheme {
	case "basic":
		if x.offersBasic() && x.basic(token) {
			return true
		}
	case mutualTLS:
		if x.certificate() {
			return true
		}
	case "negotiate", "ntlm":
		if scheme == "negotiate" && x.offersKerberos() && isKerberos(token) {
			return x.kerberos(token)
		}
		if x.offersNTLM() {
			return x.ntlm(scheme, token)
		}
	case "":
		if session := x.connection().session; session != nil {
			return x.open(session)
		}
	}
	x.refuse()
	return false
}

// refuse answers 401, with the ways to log in.
func (x *exchange) refuse() {
	if x.offersNTLM() || x.offersKerberos() {
		x.w.Header().Add("WWW-Authenticate", "Negotiate")
	}
	if x.offersNTLM() {
		x.w.Header().Add("WWW-Authenticate", "NTLM")
	}
	if x.offersBasic() {
		x.w.Header().Add("WWW-Authenticate", `Basic realm="WSMAN"`)
	}
	if x.server.config.Certificate != nil {
		x.w.Header().Add("WWW-Authenticate", mutualTLS)
	}
	x.status(http.StatusUnauthorized)
}

func (x *exchange) offersBasic() bool {
	c := &x.server.config
	return c.Basic && (x.r.TLS != nil || c.AllowUnencrypted) || x.server.faults.is(FaultBasicOnly)
}

func (x *exchange) offersNTLM() bool {
	return x.server.config.NTLM && !x.server.faults.is(FaultBasicOnly)
}

func (x *exchange) offersKerberos() bool {
	return x.server.keytab != nil && !x.server.faults.is(FaultBasicOnly)
}

// splitUser takes DOMAIN\user apart; user@realm stays whole.
func splitUser(name string) account {
	if domain, user, ok := strings.Cut(name, `\`); ok {
		return account{user: user, domain: domain}
	}
	return account{user: name}
}

// basic checks a login by Basic, in UTF-8.
func (x *exchange) basic(token string) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		return false
	}
	name, password, ok := strings.Cut(string(raw), ":")
	if !ok {
		return false
	}
	who := splitUser(name)
	if x.server.config.Logins == nil {
		return false
	}
	want, ok := x.server.config.Logins(who.user, who.domain)
	if !ok || subtle.ConstantTimeCompare([]byte(want.Reveal()), []byte(password)) != 1 {
		return false
	}
	x.who = who
	return true
}

// certificate checks a login by a TLS client certificate.
func (x *exchange) certificate() bool {
	if x.server.config.Certificate == nil || x.r.TLS == nil || len(x.r.TLS.PeerCertificates) == 0 {
		return false
	}
	user, ok := x.server.config.Certificate(x.r.TLS.PeerCertificates[0])
	x.who = splitUser(user)
	return ok
}
