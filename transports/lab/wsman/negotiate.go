package wsman

import (
	"encoding/base64"
	"net/http"
	"strings"

	"oust/transports/lab/wsman/ntlm"
)

// ntlm takes the next message of a login, and answers unless the login is
// complete.
func (x *exchange) ntlm(scheme, token string) bool {
	c, config := x.connection(), &x.server.config
	message, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		x.refuse()
		return false
	}
	if ntlm.IsNegotiate(message) {
		x.challenge(c, scheme, message)
		return false
	}
	handshake := c.handshake
	c.handshake, c.session = nil, nil
	if handshake == nil {
		x.refuse()
		return false
	}
	check := ntlm.Check{Password: config.Logins}
	if x.r.TLS != nil && config.Bindings != BindingsIgnored {
		check.Bindings, check.NeedBindings = x.server.bindings, config.Bindings == BindingsStrict
	}
	session, err := handshake.Authenticate(message, check)
	if err != nil {
		config.Logger.Debug("no login", "error", err)
		x.refuse()
		return false
	}
	c.session = ntlmSession{session}
	return x.open(c.session)
}

// challenge answers the first message of a login.
func (x *exchange) challenge(c *connection, scheme string, message []byte) {
	host := ntlm.Host{Name: x.server.config.Machine, Now: x.server.config.Clock.Now()}
	handshake, answer, err := host.Challenge(message)
	if err != nil {
		x.refuse()
		return
	}
	c.handshake, c.session = handshake, nil
	name := "Negotiate"
	if scheme == "ntlm" {
		name = "NTLM"
	}
	x.w.Header().Set("WWW-Authenticate", name+" "+base64.StdEncoding.EncodeToString(answer))
	x.status(http.StatusUnauthorized)
}

// session is a login that holds for a connection.
type session interface {
	sealer
	who() account
	// Seals reports whether the login made keys to seal with.
	Seals() bool
}

// ntlmSession is a login by NTLM.
type ntlmSession struct{ *ntlm.Session }

func (s ntlmSession) who() account {
	if s.Domain == "" {
		return splitUser(s.User)
	}
	return account{user: s.User, domain: s.Domain}
}

// open takes a request of a connection that has logged in, and opens its
// message if it is sealed. A message that does not open ends the login.
func (x *exchange) open(session session) bool {
	x.who = session.who()
	if len(x.data) == 0 || !isSealed(x.r.Header.Get("Content-Type")) {
		return true
	}
	if !session.Seals() {
		x.status(http.StatusBadRequest)
		return false
	}
	plain, err := unseal(session, x.data)
	if err != nil {
		x.server.config.Logger.Debug("a sealed message does not open", "user", x.who, "error", err)
		x.connection().session = nil
		x.w.Header().Set("Connection", "close")
		x.status(http.StatusBadRequest)
		return false
	}
	x.data, x.sealer = plain, session
	return true
}

var _ session = ntlmSession{}
