package winrm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"

	"oust/transports"
)

// kerberos logs in by Kerberos. It holds the tickets of a Dialer's whole run:
// each account asks for a ticket-granting ticket once, and once for a ticket
// for each host, however many connections want one at the same time.
type kerberos struct {
	confPath string
	kdcs     kdcs
	// total bounds all exchanges that one ticket takes.
	total time.Duration
	now   func() time.Time

	ctx   context.Context // ends at close
	end   context.CancelFunc
	asked sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conf    *kerberosConf
	clients map[clientKey]*kerberosClient
	last    time.Time // of stamp
}

var _ scheme = (*kerberos)(nil)

// newKerberos reads nothing yet: most runs do without Kerberos.
func newKerberos(c Config) *kerberos {
	ctx, end := context.WithCancel(context.Background())
	return &kerberos{
		confPath: c.Krb5Conf, total: c.Login * 2 / 3, now: time.Now, ctx: ctx, end: end,
		kdcs:    newKDCs(c.Login / 4),
		clients: make(map[clientKey]*kerberosClient),
	}
}

// close ends the exchanges under way, and forgets all tickets.
func (k *kerberos) close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.end()
	k.asked.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.clients)
}

// start runs a piece of work that close waits for, within the time for a
// ticket; false after close.
func (k *kerberos) start(work func(context.Context)) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	k.asked.Go(func() {
		ctx, cancel := context.WithTimeout(k.ctx, k.total)
		defer cancel()
		work(ctx)
	})
	return true
}

// stamp is the time in whole microseconds, another one at each call: hosts
// take a second message with the same time for a replay (RFC 4120 3.2.3).
func (k *kerberos) stamp() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.now().UTC().Truncate(time.Microsecond)
	if !t.After(k.last) {
		t = k.last.Add(time.Microsecond)
	}
	k.last = t
	return t
}

// login implements scheme by one message, which goes with an empty body.
// Without TLS all that follows is sealed. Within TLS a host may keep the login
// for the connection or want one with each request, as its HTTP server is set.
func (k *kerberos) login(ctx context.Context, p *peer, l *link) error {
	a, session, err := k.exchange(ctx, p, l, soapType, nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return loginAnswer(p, a)
	}
	if p.tls == nil {
		l.sealer = session
		return nil
	}
	l.relogin = func(ctx context.Context, contentType string, body []byte) (answer, error) {
		a, _, err := k.exchange(ctx, p, l, contentType, body)
		return a, err
	}
	return nil
}

// exchange logs in and sends a message along (SPNEGO with the mechanism
// Kerberos alone, RFC 4178 and RFC 4121). The host has proved that it has its
// key too when there is no error.
func (k *kerberos) exchange(ctx context.Context, p *peer, l *link, contentType string, body []byte) (answer, *kerberosSession, error) {
	client, err := k.client(p.account)
	if err != nil {
		return answer{}, nil, kerberosFailure(p, err)
	}
	pass, err := client.ticket(ctx, p.spn)
	if err != nil {
		if ctx.Err() != nil {
			return answer{}, nil, context.Cause(ctx)
		}
		return answer{}, nil, kerberosFailure(p, err)
	}
	attempt, err := newAttempt(client.name, client.realm, pass, channelOf(l.cert), k.stamp())
	if err != nil {
		return answer{}, nil, kerberosFailure(p, err)
	}
	a, err := l.exchange(ctx, contentType, "Negotiate "+base64.StdEncoding.EncodeToString(attempt.token), body)
	if err != nil {
		return answer{}, nil, err
	}
	text, offered := schemeToken(a.header, "Negotiate")
	token, bad := base64.StdEncoding.DecodeString(text)
	switch {
	case a.status != http.StatusOK && a.status != http.StatusInternalServerError:
		return answer{}, nil, refusal(p, a, token, offered)
	case bad != nil || len(token) == 0:
		return answer{}, nil, untrustedHost(p, errors.New("the host did not prove who it is"))
	}
	session, err := attempt.accept(token)
	if err != nil {
		return answer{}, nil, untrustedHost(p, err)
	}
	return a, session, nil
}

func untrustedHost(p *peer, err error) error {
	return &transports.Error{
		Class: transports.Untrusted, Host: p.host, Op: opLogin, Err: err,
		Advice: "someone may stand between; nothing it said was used",
	}
}

// refusal is the error for an answer other than 200. What the host says in it
// proves nothing, and is for a person to read.
func refusal(p *peer, a answer, token []byte, offered bool) error {
	err := loginAnswer(p, a)
	e, ok := errors.AsType[*transports.Error](err)
	if !ok || a.status != http.StatusUnauthorized {
		return err
	}
	if !offered {
		e.Class = transports.Unsupported
		e.Err = fmt.Errorf("the host offers no Kerberos by way of Negotiate, but %s", offers(a.header))
		e.Advice = "turn Negotiate and Kerberos on there (winrm/config/service/auth), or choose another auth"
		return e
	}
	if said := refusalIn(token); said != nil {
		e.Err = fmt.Errorf("the host refused the ticket of %s for %s: %w", who(p.account), p.spn, said)
		e.Advice = apAdvice(said.ErrorCode)
	}
	return e
}

// kerberosFailure puts a failure of Kerberos itself into the words for a host.
func kerberosFailure(p *peer, err error) error {
	e := &transports.Error{Class: transports.Internal, Host: p.host, Op: opLogin, Err: err}
	if k, ok := errors.AsType[*kerberosError](err); ok {
		e.Class, e.Advice, e.Temporary, e.NoLogin = k.class, k.advice, k.temporary, k.local
	}
	return e
}

// servicePrincipal is the name that a host's WinRM has in Kerberos: that of
// its address, or its own in the inventory where the address is an IP address
// and the name is of a domain. A wrong name does no harm, for the host has to
// prove that it has that name's key.
func servicePrincipal(t transports.Target) (string, error) {
	name := t.Address
	if isIP(name) {
		name = t.Host
	}
	if name = strings.ToLower(strings.TrimSuffix(name, ".")); isIP(t.Address) && (isIP(name) || !domainName.MatchString(name)) {
		return "", errors.New("the address is an IP address, and Kerberos knows hosts by name; " +
			"write the host's DNS name as its address or its name, or log in by ntlm")
	}
	return "HTTP/" + name, nil
}

var domainName = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)+$`)

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
