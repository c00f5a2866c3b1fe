// Package ssh reaches hosts over SSH with golang.org/x/crypto/ssh. It
// implements the contract of package transports: host keys are checked against
// known_hosts, ~/.ssh/config is honoured as far as doc comments say, bastions
// are shared by all hosts behind them, and no call outlives its deadline
// whatever the peer does.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/transports"
)

// How unknown host keys are met.
const (
	// HostKeysStrict refuses a host whose key is not in known_hosts.
	HostKeysStrict = "strict"
	// HostKeysAcceptNew records the key of a host that known_hosts does not
	// have; a key that differs from a recorded one is refused as in strict.
	HostKeysAcceptNew = "accept-new"
)

// ConfigNone as Config.ConfigFile means that no ssh_config file is read.
const ConfigNone = "none"

// Config is how a Dialer connects. The zero value is ready to use.
type Config struct {
	// KnownHosts are the paths of known_hosts files. New keys go to the
	// first. Empty means UserKnownHostsFile of the ssh_config file, and where
	// that is not set ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. A file
	// that does not exist is as good as an empty one.
	KnownHosts []string
	// HostKeys is HostKeysStrict, the default, or HostKeysAcceptNew.
	HostKeys string
	// ConfigFile is the path of an ssh_config file, "" for ~/.ssh/config if
	// it exists, ConfigNone for no file.
	ConfigFile string
	// AgentSocket is the path of the ssh-agent's socket; default SSH_AUTH_SOCK.
	AgentSocket string
	// Home is where ~ points; default the user's home directory.
	Home string

	// Connect bounds name lookup and TCP, default 10 s; KeyExchange the time
	// from there to the checked host key, default 15 s; Login the rest up to
	// the accepted login, default 30 s; Open the opening of a channel, also
	// through a bastion, default 15 s.
	Connect, KeyExchange, Login, Open time.Duration
	// Command bounds a command that says no Timeout itself; default 2 min.
	Command time.Duration
	// Linger is how long a command that has ended may keep its output open
	// without writing, as when it left a daemon behind; default 5 s.
	Linger time.Duration
	// HopIdle is how long a connection to a bastion is kept with no host
	// using it; default 30 s.
	HopIdle time.Duration
	// HopAgain is how long a login that a bastion refused, or a bastion that
	// is not trusted, counts for all hosts behind it before it is tried
	// again; default 1 min. Accounts lock when thousands of hosts repeat it.
	HopAgain time.Duration
	// Guard counts the logins that bastions refuse. Give it the one that stands
	// before the dialer, so that bastions and hosts count together; default one
	// of its own.
	Guard *transports.Guard
	// Knock bounds each stage of Dialer.Knock, where it is less than the time
	// that a Dial has for it; default 5 s.
	Knock time.Duration
	// KeepAlive is the time without a byte from the peer after which it is
	// asked for one, default 15 s; after KeepAliveCount of these without an
	// answer, default 3, the connection is lost.
	KeepAlive      time.Duration
	KeepAliveCount int

	// DialContext makes the TCP connections; default a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// OnNewKey is told of each host key that accept-new has recorded: the
	// inventory's name, the address as known_hosts has it, and the
	// fingerprint ("ED25519 SHA256:..."). It must be safe for concurrent use.
	OnNewKey func(host, address, fingerprint string)
	// Now is the clock for the validity of certificates; default time.Now.
	Now func() time.Time
	// Logger gets notes on what could not be honoured; default none.
	Logger hclog.Logger
}

// WithDefaults returns c with its zero fields filled.
func (c Config) WithDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.Connect, 10 * time.Second}, {&c.KeyExchange, 15 * time.Second},
		{&c.Login, 30 * time.Second}, {&c.Open, 15 * time.Second},
		{&c.Command, 2 * time.Minute}, {&c.Linger, 5 * time.Second},
		{&c.HopIdle, 30 * time.Second}, {&c.HopAgain, time.Minute},
		{&c.KeepAlive, 15 * time.Second}, {&c.Knock, 5 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.KeepAliveCount == 0 {
		c.KeepAliveCount = 3
	}
	if c.HostKeys == "" {
		c.HostKeys = HostKeysStrict
	}
	if c.AgentSocket == "" {
		c.AgentSocket = os.Getenv("SSH_AUTH_SOCK")
	}
	if c.Home == "" {
		c.Home, _ = os.UserHomeDir() // without one, ~ stays as it is and no file is found
	}
	if c.Guard == nil {
		c.Guard = transports.NewGuard(transports.LockOutConfig{})
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{}).DialContext
	}
	if c.OnNewKey == nil {
		c.OnNewKey = func(string, string, string) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	return c
}

func (c Config) validate() error {
	for _, d := range []time.Duration{
		c.Connect, c.KeyExchange, c.Login, c.Open, c.Command, c.Linger, c.HopIdle, c.HopAgain, c.KeepAlive, c.Knock,
	} {
		if d < 0 {
			return fmt.Errorf("ssh: a deadline is negative: %v", d)
		}
	}
	if c.KeepAliveCount < 0 {
		return errors.New("ssh: the number of keepalives is negative")
	}
	switch c.HostKeys {
	case HostKeysStrict, HostKeysAcceptNew:
	default:
		return fmt.Errorf("ssh: host_keys is %q, want %q or %q", c.HostKeys, HostKeysStrict, HostKeysAcceptNew)
	}
	return nil
}

// path resolves a leading ~ to the home directory.
func (c Config) path(p string) string {
	if p == "~" {
		return c.Home
	}
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		return filepath.Join(c.Home, rest)
	}
	return p
}

// Keys of log lines.
const (
	keyHost    = "host"
	keyFile    = "file"
	keyLine    = "line"
	keyOption  = "option"
	keyValue   = "value"
	keyAddress = "address"
	keyKey     = "key"
	keyError   = "error"
	keyBastion = "bastion"
	keyMode    = "mode"
)
