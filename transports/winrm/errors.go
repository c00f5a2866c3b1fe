package winrm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"oust/transports"
)

// The steps that errors name.
const (
	opConfig  = "settings"
	opConnect = "connect"
	opTLS     = "TLS handshake"
	opLogin   = "login"
	opShell   = "open shell"
	opRun     = "run"
)

// Why a wait ended.
var (
	errClosed   = errors.New("the connection was closed here")
	errNoAnswer = errors.New("the host stopped answering")
	errOverTime = errors.New("the command took longer than its time")
	errBusyConn = errors.New("another command runs on this connection")
)

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
		return say("connection refused", "is WinRM on there (winrm quickconfig), and on this port?")
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

// tlsError puts an error of the TLS handshake into a class and short words.
func tlsError(host string, err error) *transports.Error {
	e := &transports.Error{Class: transports.Untrusted, Host: host, Op: opTLS}
	var (
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		alert   tls.AlertError
		pin     *pinError
	)
	switch {
	case errors.As(err, &pin):
		e.Err, e.Advice = pin, "if the host's certificate was renewed, set the new fingerprint; or someone stands between"
	case errors.As(err, &unknown):
		e.Err = &worded{words: "the certificate is signed by no authority that is trusted here", err: err}
		e.Advice = "set the authority's file, or the certificate's fingerprint"
	case errors.As(err, &name):
		e.Err = &worded{words: "the certificate is for another name: " + clean(name.Error()), err: err}
		e.Advice = "use the name of the certificate as address, or set the certificate's fingerprint"
	case errors.As(err, &invalid):
		e.Err = &worded{words: clean(invalid.Error()), err: err}
	case errors.As(err, &record):
		e.Class = transports.Unsupported
		e.Err = &worded{words: "the host speaks no TLS on this port", err: err}
		e.Advice = "WinRM has TLS on port 5986, and HTTP on 5985"
	case errors.As(err, &alert):
		e.Class = transports.Unsupported
		e.Err = &worded{words: "the host refused the handshake: " + clean(alert.Error()), err: err}
	case isDrop(err):
		e.Class, e.Temporary = transports.LostContact, true
		e.Err = &worded{words: "the host closed the connection", err: err}
		e.Advice = "does the host's listener have a certificate?"
	default:
		e.Class = transports.Unsupported
		e.Err = &worded{words: clean(err.Error()), err: err}
	}
	return e
}

// stageTimeout is the error for a stage that took longer than its time.
func stageTimeout(host, op string, limit time.Duration) *transports.Error {
	return &transports.Error{
		Class: transports.Timeout, Host: host, Op: op,
		Err: &worded{words: fmt.Sprintf("connected, and the host gave no answer for %v", limit), err: context.DeadlineExceeded},
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
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
	if len(text) > 64*cleanMost {
		text = text[:64*cleanMost]
	}
	for _, s := range secrets {
		if !s.Empty() {
			text = strings.ReplaceAll(text, s.Reveal(), s.String())
		}
	}
	text = strings.ToValidUTF8(text, "?")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
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
