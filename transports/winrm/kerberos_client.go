package winrm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"oust/transports"
)

// kerberosClient is one account with its tickets.
type kerberosClient struct {
	kerberos *kerberos
	conf     *kerberosConf
	name     types.PrincipalName
	realm    string
	credName string
	password transports.Secret
	keytab   *keytab.Keytab    // nil without a keytab
	cached   map[string]ticket // from a credential cache, by service; nil without one
	tickets  shared            // by service; that of the account itself under ""
}

// ticket is a ticket with the key that came with it.
type ticket struct {
	ticket messages.Ticket
	key    types.EncryptionKey
	until  time.Time
}

// early is how long before its end a ticket is not used any more: a host's
// clock may be ahead.
const early = 2 * time.Minute

func (t ticket) fresh(now time.Time) bool { return now.Add(early).Before(t.until) }

// clientKey tells accounts apart.
type clientKey struct{ credential, user, realm, keytab, ccache string }

// client is the one client of an account.
func (k *kerberos) client(a account) (*kerberosClient, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := clientKey{a.name, a.user, a.realm, a.keytab, a.ccache}
	if c := k.clients[key]; c != nil && !c.outdated() {
		return c, nil
	}
	if k.conf == nil {
		conf, err := readKerberosConf(k.confPath)
		if err != nil {
			return nil, err
		}
		k.conf = conf
	}
	c, err := newClient(k, a)
	if err != nil {
		return nil, err
	}
	if !k.closed {
		k.clients[key] = c
	}
	return c, nil
}

func newClient(k *kerberos, a account) (*kerberosClient, error) {
	c := &kerberosClient{
		kerberos: k, conf: k.conf, realm: a.realm, credName: a.credName(), password: a.password,
		name: types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, a.user),
	}
	if c.realm == "" {
		c.realm = k.conf.realm
	}
	var err error
	switch {
	case a.keytab != "":
		c.keytab, err = readKeytab(a.keytab)
	case a.ccache != "":
		err = c.readCache(a.ccache, a.user)
	}
	if err != nil {
		return nil, &kerberosError{class: transports.Auth, local: true, err: err, advice: "check " + a.credName()}
	}
	c.realm = k.conf.spelled(c.realm)
	if c.realm == "" {
		return nil, &kerberosError{
			class: transports.Unsupported, err: errors.New("the user has no realm, and krb5.conf no default_realm"),
			advice: "write the user as user@REALM, or set realm of " + a.credName(),
		}
	}
	return c, nil
}

// outdated reports whether the account comes from a credential cache that
// somebody may have renewed meanwhile.
func (c *kerberosClient) outdated() bool {
	return c.cached != nil && !c.cached["krbtgt/"+c.realm].fresh(c.kerberos.now())
}

// ticket is a ticket for a service, such as HTTP/host.
func (c *kerberosClient) ticket(ctx context.Context, spn string) (ticket, error) {
	if t, ok := c.cached[spn]; ok && t.fresh(c.kerberos.now()) {
		return t, nil
	}
	return c.tickets.get(ctx, c.kerberos, spn, func(ctx context.Context) (ticket, error) {
		own, err := c.own(ctx)
		if err != nil {
			return ticket{}, err
		}
		return c.askTicket(ctx, own, types.NewPrincipalName(nametype.KRB_NT_SRV_HST, spn))
	})
}

// own is the account's ticket-granting ticket.
func (c *kerberosClient) own(ctx context.Context) (ticket, error) {
	if c.cached == nil {
		return c.tickets.get(ctx, c.kerberos, "", c.authenticate)
	}
	t, ok := c.cached["krbtgt/"+c.realm]
	if !ok || !t.fresh(c.kerberos.now()) {
		words := "the credential cache has no ticket-granting ticket of " + c.realm + " with an AES key"
		if ok {
			words = fmt.Sprintf("the ticket in the credential cache was good until %s", t.until.UTC().Format(time.RFC3339))
		}
		return ticket{}, &kerberosError{class: transports.Auth, local: true, err: errors.New(transports.Clean(words)), advice: "get a new one with kinit"}
	}
	return t, nil
}

// shared asks for each ticket once, however many wait for it at a time, and
// keeps it until its end. A refusal that would come again is kept too: to
// repeat a wrong password for each host would lock the account.
type shared struct {
	mu    sync.Mutex
	calls map[string]*call
}

type call struct {
	done   chan struct{}
	ticket ticket
	err    error
}

// holds reports whether a call that is done need not be repeated.
func (c *call) holds(now time.Time) bool {
	if k, ok := errors.AsType[*kerberosError](c.err); ok {
		return k.lasting
	}
	return c.err == nil && c.ticket.fresh(now)
}

// get waits for a ticket. Work goes on when ctx ends, for those who also wait.
func (s *shared) get(ctx context.Context, k *kerberos, key string, work func(context.Context) (ticket, error)) (ticket, error) {
	c := s.call(k, key, work)
	select {
	case <-c.done:
		return c.ticket, c.err
	case <-ctx.Done():
		return ticket{}, ctx.Err()
	}
}

func (s *shared) call(k *kerberos, key string, work func(context.Context) (ticket, error)) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.calls[key]; c != nil {
		select {
		case <-c.done:
			if c.holds(k.now()) {
				return c
			}
		default:
			return c
		}
	}
	c := &call{done: make(chan struct{}), err: errMalformed}
	started := k.start(func(ctx context.Context) {
		defer close(c.done)
		_ = guarded(func() error { c.ticket, c.err = work(ctx); return nil })
	})
	if !started {
		c.err = errors.New("the dialer is closed")
		close(c.done)
		return c
	}
	if s.calls == nil {
		s.calls = make(map[string]*call)
	}
	s.calls[key] = c
	return c
}
