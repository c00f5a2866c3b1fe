package winrm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"oust/transports"
)

// mutualTLS names logins by TLS client certificate (DSP0226, annex C).
const mutualTLS = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

// identify asks a server what it is (DSP0226 section 11). It changes nothing,
// and is what a login is tried with.
const identify = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>` +
	`<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>`

// scheme is a way to log in. It is called on a new connection, which it
// leaves logged in for all that follows: by what each request has under
// Authorization, by a sealer, or by what the host remembers of it. Errors are
// *transports.Error, or those of link.exchange.
type scheme interface {
	login(ctx context.Context, p *peer, l *link) error
}

// schemeFunc makes a function a scheme.
type schemeFunc func(ctx context.Context, p *peer, l *link) error

func (f schemeFunc) login(ctx context.Context, p *peer, l *link) error { return f(ctx, p, l) }

// schemes are the ways to log in, by transports.Credential.Auth.
func schemes(k *kerberos) map[string]scheme {
	return map[string]scheme{
		authNTLM:        schemeFunc(loginNTLM),
		authBasic:       schemeFunc(loginBasic),
		authCertificate: schemeFunc(loginCertificate),
		authKerberos:    k,
	}
}

// login logs a connection in. The account is tried once, whatever the host
// answers.
func (d *Dialer) login(ctx context.Context, p *peer, l *link) error {
	if err := transports.BeginLogin(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, d.cfg.Login, errNoAnswer)
	defer cancel()
	err := d.schemes[p.account.auth].login(limited, p, l)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*transports.Error](err); ok {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return transports.ContextError(ctx, p.host, opLogin, transports.Unreachable)
	case limited.Err() != nil:
		return stageTimeout(p.host, opLogin, d.cfg.Login)
	}
	return loginError(p, err)
}

// loginBasic sends user and password with each request, in UTF-8.
func loginBasic(ctx context.Context, p *peer, l *link) error {
	pair := p.account.full + ":" + p.account.password.Reveal()
	l.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	return tryLogin(ctx, p, l)
}

// loginCertificate names the certificate of the handshake as the login.
func loginCertificate(ctx context.Context, p *peer, l *link) error {
	l.auth = mutualTLS
	return tryLogin(ctx, p, l)
}

// tryLogin sends a question that needs a login.
func tryLogin(ctx context.Context, p *peer, l *link) error {
	a, err := l.exchange(ctx, soapType, l.auth, []byte(identify))
	if err != nil {
		return err
	}
	return loginAnswer(p, a)
}

// loginNTLM logs in by the three messages of NTLM; the last goes with an empty
// body. Without TLS all that follows is sealed.
func loginNTLM(ctx context.Context, p *peer, l *link) error {
	n, err := newNTLMLogin(p.account)
	if err != nil {
		return err
	}
	first, err := n.negotiate()
	if err != nil {
		return err
	}
	name, challenge, err := offer(ctx, p, l, first)
	if err != nil {
		return err
	}
	last, err := n.answer(challenge, l.cert)
	if err != nil {
		return &transports.Error{
			Class: transports.Unsupported, Host: p.host, Op: opLogin, Err: err,
			Advice: "messages are not sent unsealed; use TLS",
		}
	}
	a, err := l.exchange(ctx, soapType, name+" "+base64.StdEncoding.EncodeToString(last), nil)
	if err != nil {
		return err
	}
	if err := loginAnswer(p, a); err != nil {
		return err
	}
	if p.tls == nil {
		l.sealer = n
	}
	return nil
}

// offer sends the first message as Negotiate, and as NTLM to a host that
// knows no other name. It returns the name and the host's challenge.
func offer(ctx context.Context, p *peer, l *link, first []byte) (name string, challenge []byte, err error) {
	var a answer
	for _, name := range []string{"Negotiate", "NTLM"} {
		a, err = l.exchange(ctx, soapType, name+" "+base64.StdEncoding.EncodeToString(first), nil)
		if err != nil {
			return "", nil, err
		}
		if a.status != http.StatusUnauthorized {
			return "", nil, loginAnswer(p, answer{status: max(a.status, http.StatusMultipleChoices)})
		}
		token, offered := schemeToken(a.header, name)
		if challenge, err := base64.StdEncoding.DecodeString(token); err == nil && len(challenge) > 0 {
			return name, challenge, nil
		}
		if _, other := schemeToken(a.header, "NTLM"); offered || !other {
			break
		}
	}
	return "", nil, &transports.Error{
		Class: transports.Unsupported, Host: p.host, Op: opLogin,
		Err:    fmt.Errorf("the host offers no NTLM, but %s", offers(a.header)),
		Advice: "turn Negotiate on there (winrm/config/service/auth), or choose another auth over TLS",
	}
}

// schemeToken finds a scheme in the ways to log in that a host offers.
func schemeToken(h http.Header, scheme string) (token string, offered bool) {
	for _, value := range h.Values("WWW-Authenticate") {
		name, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
		if strings.EqualFold(name, scheme) {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

func offers(h http.Header) string {
	var names []string
	for _, value := range h.Values("WWW-Authenticate") {
		name, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		names = append(names, transports.Clean(name))
	}
	if len(names) == 0 {
		return "nothing"
	}
	return transports.Clean(strings.Join(names, ", "))
}

// loginAnswer judges the answer to the message that completes a login.
func loginAnswer(p *peer, a answer) error {
	e := &transports.Error{Class: transports.Unsupported, Host: p.host, Op: opLogin}
	switch a.status {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized:
		e.Class = transports.Auth
		e.Err = fmt.Errorf("the host refused the login of %s by %s; it offers %s", who(p.account), p.account.auth, offers(a.header))
		e.Advice = "check " + p.account.credName()
	default:
		e.Err = statusError(a.status)
		classifyStatus(e, a.status)
	}
	return e
}

func who(a account) string {
	if a.auth == authCertificate {
		return "the certificate"
	}
	if a.full == "" {
		return "the credential cache's user"
	}
	return transports.Clean(a.full)
}

// loginError is the error for a login that brought no answer.
func loginError(p *peer, err error) *transports.Error {
	e := askError(p, opLogin, err)
	if errors.Is(err, errNotHTTP) || errors.Is(err, errLong) {
		e.Class, e.Advice = transports.Unsupported, "is it WinRM that listens on this port?"
	}
	return e
}
