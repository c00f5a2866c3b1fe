package winrm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/hashicorp/go-hclog"
)

// How a host's TLS certificate is checked.
const (
	// VerifyFull checks the chain and the name, or, where Config.Fingerprints
	// are given, that the certificate is one of them.
	VerifyFull = "full"
	// VerifyNone takes any certificate. Whoever stands between can then read
	// everything, and with Basic the password too.
	VerifyNone = "none"
)

// The default ports of WinRM.
const (
	PortTLS   = 5986
	PortPlain = 5985
)

// Config is how a Dialer connects. The zero value is ready to use: TLS,
// checked against the system's roots.
type Config struct {
	// Plain speaks HTTP without TLS, by default on port 5985. Messages are
	// then sealed by NTLM or Kerberos; other logins are refused there.
	Plain bool
	// Verify is VerifyFull, the default, or VerifyNone.
	Verify string
	// CAFile is the path of a PEM file with the roots to trust in place of
	// the system's.
	CAFile string
	// Fingerprints are SHA-256 sums, in hexadecimal digits with or without
	// colons, of the certificates of hosts. If there are any, a certificate
	// is trusted if it is one of them, and for no other reason.
	Fingerprints []string

	// Connect bounds name lookup, TCP and the proxy, default 10 s; Handshake
	// the TLS handshake, default 15 s; Login all from there to the accepted
	// login, default 30 s.
	Connect, Handshake, Login time.Duration
	// Knock bounds each stage of Dialer.Knock, where it is less than the time
	// that a Dial has for it; default 5 s.
	Knock time.Duration
	// Operation is how long a host may wait for output before it answers
	// that there is none yet, default 20 s and at least 500 ms; Grace how
	// much longer an answer may take, default 10 s. A host that has not
	// answered by then is lost.
	Operation, Grace time.Duration
	// Command bounds a command that says no Timeout itself; default 2 min.
	Command time.Duration
	// Farewell bounds what is said to a host at the end of a command or of a
	// connection: that the command is over, and the shell to be deleted;
	// default 2 s.
	Farewell time.Duration
	// ShellCommands is how many commands a shell runs before a new one is
	// made; default 10. Hosts count a command until its shell is deleted
	// (MS-WSMV, note 118), and WinRM 2.0 allows 15.
	ShellCommands int

	// Proxy is "" for none, or http://host:port, or socks5://host:port. The
	// environment's HTTP_PROXY is not looked at.
	Proxy string
	// DialContext makes the TCP connections, as through a bastion; default a
	// net.Dialer. The connections need no deadlines of their own.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Krb5Conf is the path of the Kerberos settings, default /etc/krb5.conf;
	// without that file realms are taken as DNS domains. KDCs are reached
	// directly, over TCP; neither Proxy nor DialContext is used for them.
	Krb5Conf string
	// Logger gets notes; default none.
	Logger hclog.Logger
}

// WithDefaults returns c with its zero fields filled.
func (c Config) WithDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.Connect, 10 * time.Second}, {&c.Handshake, 15 * time.Second}, {&c.Login, 30 * time.Second},
		{&c.Operation, 20 * time.Second}, {&c.Grace, 10 * time.Second},
		{&c.Command, 2 * time.Minute}, {&c.Farewell, 2 * time.Second}, {&c.Knock, 5 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Verify == "" {
		c.Verify = VerifyFull
	}
	if c.ShellCommands == 0 {
		c.ShellCommands = 10
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{}).DialContext
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

// leastOperation is the shortest OperationTimeout that Windows takes.
const leastOperation = 500 * time.Millisecond

func (c Config) validate() error {
	for _, d := range []time.Duration{c.Connect, c.Handshake, c.Login, c.Grace, c.Command, c.Farewell, c.Knock} {
		if d < 0 {
			return fmt.Errorf("winrm: a deadline is negative: %v", d)
		}
	}
	switch {
	case c.Operation < leastOperation:
		return fmt.Errorf("winrm: the operation timeout is %v, want at least %v", c.Operation, leastOperation)
	case c.ShellCommands < 0:
		return errors.New("winrm: the number of commands of a shell is negative")
	case c.Verify != VerifyFull && c.Verify != VerifyNone:
		return fmt.Errorf("winrm: verify is %q, want %q or %q", c.Verify, VerifyFull, VerifyNone)
	case c.Verify == VerifyNone && (c.CAFile != "" || len(c.Fingerprints) > 0):
		return fmt.Errorf("winrm: verify is %q, and there is a CA file or a fingerprint to verify by", c.Verify)
	case c.CAFile != "" && len(c.Fingerprints) > 0:
		return errors.New("winrm: both a CA file and fingerprints; a fingerprint alone decides")
	case c.Plain && (c.CAFile != "" || len(c.Fingerprints) > 0):
		return errors.New("winrm: a CA file or fingerprints, and no TLS")
	}
	_, err := parseProxy(c.Proxy)
	return err
}

// parseProxy reads Config.Proxy; nil means none. The error does not show the
// address, for it may hold a password.
func parseProxy(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Port() == "" || u.Scheme != "http" && u.Scheme != "socks5" {
		return nil, errors.New("winrm: the proxy is not of the form http://host:port or socks5://host:port")
	}
	return u, nil
}

// Keys of log lines.
const (
	keyHost  = "host"
	keyOp    = "op"
	keyError = "error"
)
