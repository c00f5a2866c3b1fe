package transports

import (
	"errors"
	"fmt"
)

// Class says what kind of failure an error is. The words are those of
// remediate.Class; the engine maps one to the other by name.
type Class string

// The classes that transports give.
const (
	// Unreachable: no connection; refused, no route, no such name, or no
	// answer to the connection attempt.
	Unreachable Class = "unreachable"
	// Auth: the host refused the login.
	Auth Class = "auth"
	// Untrusted: the host's key or certificate is not the expected one, or
	// not known.
	Untrusted Class = "untrusted"
	// Privilege: the login worked; becoming root did not.
	Privilege Class = "privilege"
	// Timeout: connected, and a stage or command took longer than its time.
	Timeout Class = "timeout"
	// LostContact: the connection ended in the middle.
	LostContact Class = "lost-contact"
	// Busy: the host has no room for another session now.
	Busy Class = "busy"
	// Unsupported: the peer lacks something that the transport needs.
	Unsupported Class = "unsupported"
	// Internal: oust's own failure.
	Internal Class = "internal"
)

// Error is what every method of this package's interfaces returns.
type Error struct {
	Class Class
	// Host is the inventory's name, Op the step: "connect", "key exchange",
	// "login", "open session", "run".
	Host, Op string
	// Advice says what a person can do, or is empty.
	Advice string
	// Temporary is true when the same call may work in a moment, such as
	// after sshd dropped a connection for MaxStartups. Nothing else is retried.
	Temporary bool
	// NoLogin is true for an error of class auth that is not the host's answer
	// to the target's credential: a key that cannot be read here, a login that
	// a bastion refused, a credential that is not tried any more.
	NoLogin bool
	Err     error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s: %v", e.Host, e.Op, e.Err)
	if e.Advice != "" {
		s += "; " + e.Advice
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of an error: that of the *Error in its chain,
// Internal for any other, "" for nil.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Internal
}
