// Package transports is the contract between oust and the ways to reach a
// host: what a connection is, how credentials and secrets are carried, and
// what can go wrong. Adapters (ssh, winrm, lab) live below it and
// import it; it imports nothing of ours.
package transports

import (
	"context"
	"time"
)

// Target is one host to connect to.
type Target struct {
	// Host is the inventory's name; it appears in errors and logs.
	Host string
	// Address is a DNS name or IP address without a port.
	Address string
	// Port is 1 to 65535, or 0 for the transport's default.
	Port       int
	Site       string
	Credential Credential
}

// Credential is how to log in and how to become root, with its secrets
// resolved. An adapter tries what is set, in the order: agent, certificate
// and key, password, keyboard-interactive (with the password).
type Credential struct {
	// Name is the campaign's name for it; it appears in errors.
	Name     string
	User     string
	Password Secret
	// KeyFile is the path of a private key, KeyPassphrase opens it.
	KeyFile       string
	KeyPassphrase Secret
	// CertificateFile is the path of an OpenSSH certificate for the key.
	CertificateFile string
	// Agent asks the ssh-agent at SSH_AUTH_SOCK.
	Agent bool
	// Become is "" or "sudo": how Command.Elevate is carried out.
	Become         string
	BecomePassword Secret

	// Auth is how to log in over WinRM: "ntlm", "kerberos", "basic" or
	// "certificate"; "" means certificate if there is a TLSCertificateFile, and else ntlm.
	Auth string
	// TLSCertificateFile and TLSKeyFile are paths of PEM files: a client
	// certificate with its chain, and its key without passphrase.
	TLSCertificateFile, TLSKeyFile string
	// Realm is that of Kerberos, for a User without one. KeytabFile is the path
	// of a keytab, CCacheFile a credential cache such as kinit leaves; of them
	// and Password, one is used, in this order.
	Realm, KeytabFile, CCacheFile string
}

// Dialer opens connections to hosts.
//
// Dial connects and logs in. It returns before its own deadlines for each
// stage, even if the peer accepts and then stays silent, and at once when ctx
// is cancelled. Errors are of type *Error and carry a class. Dial is safe for
// concurrent use and may be repeated. It tries the credential at most once,
// and calls BeginLogin before.
type Dialer interface {
	Dial(ctx context.Context, target Target) (Conn, error)
}

// Conn is a connection to one host, logged in.
type Conn interface {
	// Run runs one command and waits for its end, its deadline, or ctx.
	//
	// A command that ended with an exit code other than 0 is not an error.
	// An error (*Error) means that the exit code is not known; the Result
	// then still holds the output so far. After an error of class timeout
	// with Command.Timeout passed, the connection can still be used; after
	// any other error it cannot. If ctx was cancelled before the command was
	// handed to the host, nothing was changed there; a command under way is
	// given up, not undone. Run may be called again, but not concurrently.
	Run(ctx context.Context, cmd Command) (Result, error)
	// Close gives the connection back. It does not wait for the peer, and
	// may be called more than once.
	Close() error
}

// Command is one command for a host.
type Command struct {
	// Line is handed to the login shell of the host, whatever that is. Keep
	// to words, spaces and single-quoted strings without backslash, '!' or
	// newline, which sh, fish, tcsh and cmd read alike; scripts go to Stdin.
	Line string
	// Stdin is written to the command and then closed.
	Stdin []byte
	// Elevate runs the command as root by the credential's Become; without
	// one it runs as the login user.
	Elevate bool
	// Timeout bounds the command from its start; 0 means the dialer's default.
	Timeout time.Duration
	// MaxOutput bounds stdout and stderr together, in bytes; 0 means 1 MiB.
	// What comes after is read and dropped, and Result says so.
	MaxOutput int
}

// DefaultMaxOutput is the bound of a command's output, in bytes.
const DefaultMaxOutput = 1 << 20

// Result is what a command left.
type Result struct {
	Stdout, Stderr []byte
	// Truncated is true when output was dropped; Dropped counts the bytes.
	Truncated bool
	Dropped   int64
	// Exit is the exit code, on Windows a signed number of 32 bits; a death by
	// signal is 128 + its number.
	Exit int
}

// DialerFunc makes a function a Dialer.
type DialerFunc func(ctx context.Context, target Target) (Conn, error)

// Dial calls f.
func (f DialerFunc) Dial(ctx context.Context, target Target) (Conn, error) { return f(ctx, target) }

var _ Dialer = DialerFunc(nil)
