package winrm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"oust/transports"
)

// nobodyListens is the advice for a port that refuses connections.
const nobodyListens = "is WinRM on there (winrm quickconfig), and on this port?"

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
		e.Err = transports.Worded("the certificate is signed by no authority that is trusted here", err)
		e.Advice = "set the authority's file, or the certificate's fingerprint"
	case errors.As(err, &name):
		e.Err = transports.Worded("the certificate is for another name: "+transports.Clean(name.Error()), err)
		e.Advice = "use the name of the certificate as address, or set the certificate's fingerprint"
	case errors.As(err, &invalid):
		e.Err = transports.Worded(transports.Clean(invalid.Error()), err)
	case errors.As(err, &record):
		e.Class = transports.Unsupported
		e.Err = transports.Worded("the host speaks no TLS on this port", err)
		e.Advice = "WinRM has TLS on port 5986, and HTTP on 5985"
	case errors.As(err, &alert):
		e.Class = transports.Unsupported
		e.Err = transports.Worded("the host refused the handshake: "+transports.Clean(alert.Error()), err)
	case transports.IsDrop(err):
		e.Class, e.Temporary = transports.LostContact, true
		e.Err = transports.Worded("the host closed the connection", err)
		e.Advice = "does the host's listener have a certificate?"
	default:
		e.Class = transports.Unsupported
		e.Err = transports.Worded(transports.Clean(err.Error()), err)
	}
	return e
}

// stageTimeout is the error for a stage that took longer than its time.
func stageTimeout(host, op string, limit time.Duration) *transports.Error {
	return &transports.Error{
		Class: transports.Timeout, Host: host, Op: op,
		Err: transports.Worded(fmt.Sprintf("connected, and the host gave no answer for %v", limit), context.DeadlineExceeded),
	}
}
