package transports

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// ContextError is the error for a context that ended during op. A deadline is
// a timeout; for a cancelled context the class is what it would be if the host
// had gone.
func ContextError(ctx context.Context, host, op string, class Class) *Error {
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) {
		class = Timeout
	}
	return &Error{Class: class, Host: host, Op: op, Err: err}
}

// ConnectError puts an error of a TCP dial into a class and short words; its
// step is "connect". limit is how long the dial was given, and refused the
// advice for a port on which nothing listens.
func ConnectError(host, address string, limit time.Duration, refused string, err error) *Error {
	e := &Error{Class: Unreachable, Host: host, Op: "connect"}
	say := func(words, advice string) *Error {
		e.Err, e.Advice = Worded(words+" ("+address+")", err), advice
		return e
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		e.Class = Internal
		return say("too many open files", "raise the limit (ulimit -n) or lower concurrency.hosts")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Class, e.Temporary = Internal, true
		return say("no free local port", "lower concurrency.hosts")
	case errors.As(err, &dns) && dns.IsNotFound:
		return say("no such name", "check the name, or set the host's address")
	case errors.As(err, &dns):
		e.Temporary = true
		return say("the name server did not answer", "check the name server")
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("connection refused", refused)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return say("no route to host", "check the address and the network between")
	case errors.Is(err, context.DeadlineExceeded), IsTimeout(err):
		return say("no answer in "+limit.String(), "is the host on, and the port open in the firewalls between?")
	case IsReset(err):
		e.Temporary = true
		return say("connection reset", "")
	}
	return say(Clean(err.Error()), "")
}

// IsReset reports whether the peer, or something between, has cut a stream off.
func IsReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}

// IsTimeout reports whether err is a deadline of the network's.
func IsTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// IsDrop reports whether err is a stream's end rather than a refusal.
func IsDrop(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || IsReset(err) || errors.Is(err, net.ErrClosed)
}

// Worded is an error that shows a person short words, and keeps the cause for
// errors.Is.
func Worded(words string, cause error) error { return &worded{words, cause} }

type worded struct {
	words string
	err   error
}

func (e *worded) Error() string { return e.words }
func (e *worded) Unwrap() error { return e.err }

// cleanMost bounds what a peer can put into an error, in bytes.
const cleanMost = 400

// Clean makes a peer's text fit for one line of a log: control characters and
// runs of spaces become one space, the length is bounded to 400 bytes, and
// secrets are masked.
func Clean(text string, secrets ...Secret) string {
	for _, s := range secrets {
		if !s.Empty() {
			text = strings.ReplaceAll(text, s.Reveal(), s.String())
		}
	}
	text = text[:min(len(text), 64*cleanMost)]
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
