package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// The steps that errors name.
const (
	opConfig      = "settings"
	opConnect     = "connect"
	opKeyExchange = "key exchange"
	opLogin       = "login"
	opOpen        = "open session"
	opRun         = "run"
	opBecome      = "become root"
)

var (
	errClosed = errors.New("the connection was closed here")
	errSilent = errors.New("the host stopped answering")
)

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}

// ctxError is the error for a context that ended during op. A deadline is a
// timeout; for a cancelled context the class is what it would be if the host
// had gone.
func ctxError(ctx context.Context, host, op string, class transports.Class) *transports.Error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		class = transports.Timeout
	}
	return &transports.Error{Class: class, Host: host, Op: op, Err: err}
}

// connectError puts an error of the dial into a class and short words.
func connectError(host, address string, limit time.Duration, err error) *transports.Error {
	e := &transports.Error{Class: transports.Unreachable, Host: host, Op: opConnect}
	say := func(words, advice string) *transports.Error {
		e.Err, e.Advice = &worded{words: words + " (" + address + ")", err: err}, advice
		return e
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		e.Class = transports.Internal
		return say("too many open files", "raise the limit (ulimit -n) or lower concurrency.hosts")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Class, e.Temporary = transports.Internal, true
		return say("no free local port", "lower concurrency.hosts")
	case errors.As(err, &dns) && dns.IsNotFound:
		return say("no such name", "check the name, or set the host's address")
	case errors.As(err, &dns):
		e.Temporary = true
		return say("the name server did not answer", "check the name server")
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("connection refused", "is sshd running there, and on this port?")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return say("no route to host", "check the address and the network between")
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return say("no answer in "+limit.String(), "is the host on, and the port open in the firewalls between?")
	case isReset(err):
		e.Temporary = true
		return say("connection reset", "")
	}
	return say(clean(err.Error()), "")
}

// lostBastion reports whether an error of a dial over a bastion's connection
// is of that connection, and not of the host behind it.
func lostBastion(err error) bool {
	var open *xssh.OpenChannelError
	return !errors.As(err, &open) && !errors.Is(err, context.DeadlineExceeded)
}

// hopDialError is connectError for a connection that a bastion makes.
func hopDialError(host, address, bastion string, limit time.Duration, err error) *transports.Error {
	var open *xssh.OpenChannelError
	if !errors.As(err, &open) {
		if !lostBastion(err) {
			return connectError(host, address+" through "+bastion, limit, err)
		}
		e := connectError(host, address+" through "+bastion, limit, &worded{words: "the bastion's connection was lost", err: err})
		e.Temporary = true
		return e
	}
	e := &transports.Error{Class: transports.Unreachable, Host: host, Op: opConnect}
	e.Err = &worded{words: fmt.Sprintf("%s could not reach %s: %s", bastion, address, clean(open.Message)), err: err}
	switch open.Reason {
	case xssh.Prohibited:
		e.Advice = "does the bastion's sshd allow TCP forwarding?"
	case xssh.ResourceShortage:
		e.Class, e.Temporary = transports.Busy, true
	default:
		e.Advice = "check the address as the bastion sees it"
	}
	return e
}

// dropped is the error for a peer that ended the stream in op.
func dropped(host, op string, w *wire, err error) *transports.Error {
	text, early := w.beforeVersion()
	if !early {
		// Nothing was asked of the host before the login, so that it may be
		// tried again; a login is not, for accounts lock.
		return &transports.Error{
			Class: transports.LostContact, Host: host, Op: op, Temporary: op == opKeyExchange,
			Err: &worded{words: "the host closed the connection", err: err},
		}
	}
	e := &transports.Error{Class: transports.Unreachable, Host: host, Op: opConnect, Temporary: true}
	words := "the host closed the connection before saying who it is"
	text = clean(text)
	switch {
	case strings.Contains(text, "Not allowed at this time"):
		// sshd 9.8 and later, PerSourcePenalties.
		e.Temporary = false
		e.Advice = "sshd bars this address for a while after failed logins (PerSourcePenalties)"
	case strings.Contains(text, "Exceeded MaxStartups"), text == "":
		e.Advice = "sshd drops connections when too many log in at once (MaxStartups)"
	}
	if text != "" {
		words += ": " + text
	}
	e.Err = &worded{words: words, err: err}
	return e
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// isDrop reports whether err is a stream's end rather than a refusal.
func isDrop(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err) || errors.Is(err, net.ErrClosed)
}

// worded shows a person short words and keeps the cause for errors.Is.
type worded struct {
	words string
	err   error
}

func (e *worded) Error() string { return e.words }
func (e *worded) Unwrap() error { return e.err }

// cleanMost bounds what a peer can put into an error, in bytes.
const cleanMost = 400

// clean makes a peer's text fit for one line of a log: control characters and
// runs of spaces become one space, the length is bounded, and secrets are
// masked.
func clean(text string, secrets ...transports.Secret) string {
	for _, s := range secrets {
		if !s.Empty() {
			text = strings.ReplaceAll(text, s.Reveal(), s.String())
		}
	}
	text = strings.ToValidUTF8(text, "?")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(text) <= cleanMost {
		return text
	}
	cut := cleanMost
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
