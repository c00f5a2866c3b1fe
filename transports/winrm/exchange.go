package winrm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"oust/transports"
)

// sealer makes messages unreadable for others, and opens those of the host.
type sealer interface {
	seal(text []byte) ([]byte, error)
	unseal(data []byte) ([]byte, error)
}

var (
	// errUnsealed: whoever answered does not have the login's keys.
	errUnsealed  = errors.New("the answer is not sealed by the login's key")
	errLoggedOut = errors.New("the host does not know the login any more")
)

// statusError is an answer that is no message.
type statusError int

func (s statusError) Error() string {
	return fmt.Sprintf("the host answers %d %s", int(s), http.StatusText(int(s)))
}

// ask sends a request and reads its reply, which the host must begin within
// the request's own time and grace. Errors are *fault and errReply, after
// which the connection goes on, and all others, after which it does not.
func (l *link) ask(ctx context.Context, r request, grace time.Duration) (*reply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.wait+grace, errNoAnswer)
	defer cancel()
	l.asking.Lock()
	defer l.asking.Unlock()
	body, contentType := r.text, soapType
	if l.sealer != nil {
		var err error
		if body, err = l.sealer.seal(r.text); err != nil {
			l.abandon()
			return nil, err
		}
		contentType = sealType
	}
	a, err := l.send(ctx, contentType, body)
	if err != nil {
		return nil, err
	}
	text, err := l.open(a)
	if err != nil {
		l.abandon()
		return nil, err
	}
	return parseReply(text, r.action)
}

// send exchanges a message, to a host that forgets logins along with a new one.
// A message that was answered by 401 was not looked at, and may go again.
func (l *link) send(ctx context.Context, contentType string, body []byte) (answer, error) {
	if l.relogin == nil || !l.forgotten.Load() {
		a, err := l.exchange(ctx, contentType, l.auth, body)
		if err != nil || a.status != http.StatusUnauthorized || l.relogin == nil {
			return a, err
		}
		l.forgotten.Store(true)
	}
	return l.relogin(ctx, contentType, body)
}

// open returns the message of an answer. What stands outside of a seal is
// believed as far as its status goes, and only to end the connection.
func (l *link) open(a answer) ([]byte, error) {
	sealed := isSealed(a.header.Get("Content-Type"))
	switch {
	case a.status == http.StatusUnauthorized:
		return nil, errLoggedOut
	case a.status != http.StatusOK && (a.status != http.StatusInternalServerError || len(a.body) == 0):
		return nil, statusError(a.status)
	case l.sealer == nil && !sealed:
		if len(a.body) > replyMost {
			return nil, errLong
		}
		return a.body, nil
	case l.sealer == nil || !sealed:
		return nil, errUnsealed
	}
	text, err := l.sealer.unseal(a.body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnsealed, err)
	}
	return text, nil
}

// abandon closes the connection.
func (l *link) abandon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	l.close()
}

// Codes of faults (winerror.h, wsmerror.h).
const (
	codeAccessDenied     = 5
	codeBrokenPipe       = 109
	codeBusy             = 170
	codePipeClosing      = 232
	codeTimeout          = 1460
	codeOperationTimeout = 2150858793 // ERROR_WSMAN_OPERATION_TIMEDOUT
	codeShellNotFound    = 2150858843 // ERROR_WSMAN_UNEXPECTED_SELECTORS
	codeShellsQuota      = 2150859173 // ERROR_WSMAN_QUOTA_MAX_SHELLS
	codeOperationsQuota  = 2150859174 // ERROR_WSMAN_QUOTA_MAX_OPERATIONS
)

// codeOf is the code of a fault, or 0 for any other error. A Win32 error may
// come in the form of an HRESULT.
func codeOf(err error) uint32 {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		return 0
	}
	return f.win32()
}

// win32 is the code without what makes an HRESULT of a Win32 error.
func (f *fault) win32() uint32 {
	const facility = 0x8007
	if f.code>>16 == facility {
		return f.code & 0xffff
	}
	return f.code
}

// askError puts the error of a request into a class and short words.
func askError(p *peer, op string, err error) *transports.Error {
	e := &transports.Error{Class: transports.LostContact, Host: p.host, Op: op, Err: err}
	if done, ok := errors.AsType[*transports.Error](err); ok {
		return done
	}
	if f, ok := errors.AsType[*fault](err); ok {
		faultError(e, f)
		return e
	}
	status, isStatus := errors.AsType[statusError](err)
	switch {
	case errors.Is(err, errUnsealed):
		e.Class = transports.Untrusted
		e.Advice = "someone may stand between; nothing it said was used"
	case errors.Is(err, errLoggedOut):
		// A new connection tells whether the login is still good.
		e.Advice = "a new login tells whether the password of " + p.account.credName() + " still holds"
	case isStatus:
		classifyStatus(e, int(status))
	case errors.Is(err, errReply), errors.Is(err, errNotHTTP), errors.Is(err, errLong):
		e.Advice = "does something between change what passes?"
	case errors.Is(err, errClosed), errors.Is(err, errNoAnswer), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case transports.IsDrop(err):
		e.Err = transports.Worded("the connection was lost", err)
	default:
		e.Err = transports.Worded("the connection was lost: "+transports.Clean(err.Error(), p.account.password), err)
	}
	return e
}

// faultError says what a fault means for whoever waits.
func faultError(e *transports.Error, f *fault) {
	switch code := f.win32(); {
	case code == codeAccessDenied || f.subcode == "AccessDenied":
		e.Class = transports.Privilege
		e.Advice = "the login worked; is the account in Administrators there, or for a local account LocalAccountTokenFilterPolicy set?"
	case f.code == codeShellsQuota:
		e.Class, e.Temporary = transports.Busy, true
		e.Advice = "close shells there, or raise MaxShellsPerUser (winrm/config/winrs)"
	case f.code == codeOperationsQuota:
		e.Class, e.Temporary = transports.Busy, true
		e.Advice = "close shells there, or raise MaxConcurrentOperationsPerUser (winrm/config/service)"
	case f.subcode == "QuotaLimit":
		e.Class, e.Temporary = transports.Busy, true
	case f.code == codeOperationTimeout:
		e.Class = transports.Timeout
	case f.code == codeShellNotFound:
		e.Advice = "its shell was ended there, as by a restart of the WinRM service"
	case e.Op == opShell:
		e.Class = transports.Unsupported
	}
}

// classifyStatus says what an HTTP status means that is neither 200 nor 401.
func classifyStatus(e *transports.Error, status int) {
	e.Class = transports.Unsupported
	switch status {
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout:
		e.Class = transports.LostContact
	case http.StatusForbidden:
		e.Class = transports.Auth
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		e.Class, e.Temporary = transports.Busy, true
	case http.StatusNotFound:
		e.Advice = "there is no WinRM on this port"
	case http.StatusInternalServerError:
		e.Advice = "does the host refuse what is not sealed (AllowUnencrypted)?"
	}
}
