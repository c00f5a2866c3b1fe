package winrm

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"oust/transports"
)

// Dialer reaches hosts over WinRM. One should serve a whole run.
type Dialer struct {
	cfg   Config
	trust *tls.Config
	proxy *url.URL
	// schemes are the ways to log in, by name.
	schemes  map[string]scheme
	kerberos *kerberos
	byes     crowd // farewells under way
}

var _ transports.Dialer = (*Dialer)(nil)

// NewDialer checks the configuration and reads the CA file. An error is about
// one of these two.
func NewDialer(config Config) (*Dialer, error) {
	config = config.WithDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	trust, err := newTrust(config)
	if err != nil {
		return nil, err
	}
	via, err := parseProxy(config.Proxy)
	if err != nil {
		return nil, err
	}
	if config.Verify == VerifyNone && !config.Plain {
		config.Logger.Warn("certificates of hosts are not verified")
	}
	k := newKerberos(config)
	return &Dialer{cfg: config, trust: trust, proxy: via, schemes: schemes(k), kerberos: k}, nil
}

// Close waits until the shells of closed connections are deleted, which is
// bounded by Config.Farewell, and forgets the tickets of Kerberos. Connections
// that are open stay so.
func (d *Dialer) Close() error {
	d.byes.wait() // they may log in once more
	d.kerberos.close()
	return nil
}

// Dial connects and logs in. See transports.Dialer for what it promises.
func (d *Dialer) Dial(ctx context.Context, target transports.Target) (transports.Conn, error) {
	if ctx.Err() != nil {
		return nil, transports.ContextError(ctx, target.Host, opConnect, transports.Unreachable)
	}
	p, err := d.peerOf(target)
	if err != nil {
		return nil, settingsError(target.Host, err)
	}
	p.again = transports.Again(ctx)
	l, err := d.reach(ctx, p)
	if err != nil {
		return nil, err
	}
	return newConn(d, p, l), nil
}

// reachAgain makes one more connection to a host, with a login that counts
// like the first.
func (d *Dialer) reachAgain(ctx context.Context, p *peer) (*link, error) {
	ctx, attempt, err := p.again(ctx)
	if err != nil {
		return nil, err
	}
	l, err := d.reach(ctx, p)
	attempt.End(err)
	return l, err
}

// settingsError is the error for a target that cannot be dialled as it is.
func settingsError(host string, err error) *transports.Error {
	e := &transports.Error{Class: transports.Unsupported, Host: host, Op: opConfig, Err: err, Advice: "mend the campaign or the inventory"}
	if errors.Is(err, errNoUser) {
		e.Class, e.NoLogin = transports.Auth, true
	}
	return e
}

// peer is a host with all that is needed to connect.
type peer struct {
	host, address, endpoint string
	url                     *url.URL
	requests                requests
	account                 account
	tls                     *tls.Config // nil without TLS
	become                  string
	spn                     string // the host's name in Kerberos, for logins by it
	// again watches further logins; see transports.Again.
	again func(context.Context) (context.Context, *transports.Attempt, error)
}

func (d *Dialer) peerOf(t transports.Target) (*peer, error) {
	if t.Address == "" || strings.ContainsAny(t.Address, " /\\@<>&\"'[]\r\n\t?#") || t.Port < 0 || t.Port > 65535 {
		return nil, fmt.Errorf("%q is not a name or an IP address, or %d not a port", transports.Clean(t.Address), t.Port)
	}
	a, err := accountOf(t.Credential, d.cfg.Plain)
	if err != nil {
		return nil, err
	}
	p := &peer{host: t.Host, address: t.Address, account: a, become: t.Credential.Become}
	if a.auth == authKerberos {
		if p.spn, err = servicePrincipal(t); err != nil {
			return nil, err
		}
	}
	port, scheme := PortPlain, "http"
	if !d.cfg.Plain {
		port, scheme = PortTLS, "https"
		if p.tls, err = forHost(d.trust, t.Address, a); err != nil {
			return nil, err
		}
	}
	if t.Port != 0 {
		port = t.Port
	}
	p.endpoint = net.JoinHostPort(t.Address, strconv.Itoa(port))
	p.url = &url.URL{Scheme: scheme, Host: p.endpoint, Path: "/wsman"}
	p.requests = requests{url: p.url}
	return p, nil
}

// reach makes a connection and logs in, each stage in its time.
func (d *Dialer) reach(ctx context.Context, p *peer) (*link, error) {
	raw, err := d.connect(ctx, p, d.cfg.Connect)
	if err != nil {
		return nil, err
	}
	conn := raw
	if p.tls != nil {
		if conn, err = d.handshake(ctx, p, raw, d.cfg.Handshake); err != nil {
			return nil, err
		}
	}
	l := newLink(raw, conn, p.url)
	if secure, ok := conn.(*tls.Conn); ok {
		l.cert = secure.ConnectionState().PeerCertificates[0]
	}
	if err := d.login(ctx, p, l); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// connect makes the TCP connection.
func (d *Dialer) connect(ctx context.Context, p *peer, limit time.Duration) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := d.throughProxy(limited, p.endpoint)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, transports.ContextError(ctx, p.host, opConnect, transports.Unreachable)
	case limited.Err() != nil:
		err = context.DeadlineExceeded
	}
	if e, ok := errors.AsType[*transports.Error](err); ok { // of a bastion
		own := *e
		own.Host = p.host
		return nil, &own
	}
	return nil, transports.ConnectError(p.host, p.endpoint, limit, nobodyListens, err)
}

func (d *Dialer) throughProxy(ctx context.Context, endpoint string) (net.Conn, error) {
	switch {
	case d.proxy == nil:
		return d.cfg.DialContext(ctx, "tcp", endpoint)
	case d.proxy.Scheme == "socks5":
		var login *proxy.Auth
		if u := d.proxy.User; u != nil {
			login = &proxy.Auth{User: u.Username()}
			login.Password, _ = u.Password()
		}
		// The library bounds its talk by deadlines, which a stream through a
		// bastion does not have.
		stop := func() bool { return true }
		via, err := proxy.SOCKS5("tcp", d.proxy.Host, login, dialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := d.cfg.DialContext(ctx, network, address)
			if err == nil {
				stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}))
		if err != nil {
			return nil, err
		}
		defer func() { stop() }()
		return via.(proxy.ContextDialer).DialContext(ctx, "tcp", endpoint)
	}
	conn, err := d.cfg.DialContext(ctx, "tcp", d.proxy.Host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := d.askProxy(conn, endpoint); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// askProxy has an HTTP proxy open a way to endpoint by CONNECT.
func (d *Dialer) askProxy(conn net.Conn, endpoint string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: endpoint}, Host: endpoint, Header: http.Header{}}
	if u := d.proxy.User; u != nil {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
		req.Header.Set("Proxy-Authorization", req.Header.Get("Authorization"))
		req.Header.Del("Authorization")
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	// The host says nothing before it is asked, so that nothing of it can be
	// read here along with the proxy's answer.
	res, err := http.ReadResponse(bufio.NewReader(&budget{r: conn, left: headMost}), req)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy refused: %s", transports.Clean(res.Status))
	}
	return nil
}

// dialFunc lets the proxy package use our dialer.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (f dialFunc) Dial(network, address string) (net.Conn, error) {
	return f(context.Background(), network, address)
}

func (f dialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

func (d *Dialer) handshake(ctx context.Context, p *peer, raw net.Conn, limit time.Duration) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(limited, func() { _ = raw.Close() })
	conn := tls.Client(raw, p.tls)
	err := conn.HandshakeContext(limited)
	if err == nil && stop() {
		return conn, nil
	}
	_ = raw.Close()
	switch {
	case ctx.Err() != nil:
		return nil, transports.ContextError(ctx, p.host, opTLS, transports.Unreachable)
	case limited.Err() != nil:
		return nil, stageTimeout(p.host, opTLS, limit)
	}
	return nil, tlsError(p.host, err)
}
