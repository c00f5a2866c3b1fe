package ssh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// nobodyListens is the advice for a port that refuses connections.
const nobodyListens = "is sshd running there, and on this port?"

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
			return transports.ConnectError(host, address+" through "+bastion, limit, nobodyListens, err)
		}
		e := transports.ConnectError(host, address+" through "+bastion, limit, nobodyListens, transports.Worded("the bastion's connection was lost", err))
		e.Temporary = true
		return e
	}
	e := &transports.Error{Class: transports.Unreachable, Host: host, Op: opConnect}
	e.Err = transports.Worded(fmt.Sprintf("%s could not reach %s: %s", bastion, address, transports.Clean(open.Message)), err)
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
			Err: transports.Worded("the host closed the connection", err),
		}
	}
	e := &transports.Error{Class: transports.Unreachable, Host: host, Op: opConnect, Temporary: true}
	words := "the host closed the connection before saying who it is"
	text = transports.Clean(text)
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
	e.Err = transports.Worded(words, err)
	return e
}
