package wsman

import (
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"sync"
)

// connection is what a TCP connection remembers: who has logged in there.
type connection struct {
	conn net.Conn

	mu  sync.Mutex
	who *account // nil before a login that holds for the connection
}

// connection of a request; one of its own where ConnContext was not used.
func (x *exchange) connection() *connection {
	if c, ok := x.r.Context().Value(connKey{}).(*connection); ok {
		return c
	}
	return &connection{}
}

// login finds out who asks, and opens a sealed message. Where that cannot be
// done it answers 401, and returns false.
func (x *exchange) login() bool {
	scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	config := &x.server.config
	switch strings.ToLower(scheme) {
	case "basic":
		if config.offersBasic(x.r.TLS != nil) && x.basic(token) {
			return true
		}
	case mutualTLS:
		if x.certificate() {
			return true
		}
	}
	x.refuse()
	return false
}

// refuse answers 401, with the ways to log in.
func (x *exchange) refuse() {
	config := &x.server.config
	if config.offersBasic(x.r.TLS != nil) {
		x.w.Header().Add("WWW-Authenticate", `Basic realm="WSMAN"`)
	}
	if config.Certificate != nil {
		x.w.Header().Add("WWW-Authenticate", mutualTLS)
	}
	x.w.Header().Set("Content-Length", "0")
	x.w.WriteHeader(http.StatusUnauthorized)
}

func (c *Config) offersBasic(sealed bool) bool { return c.Basic && (sealed || c.AllowUnencrypted) }

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
