package winrm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"

	"oust/transports"
)

// kerberosError is a failure of Kerberos that is not of one host's making.
type kerberosError struct {
	class     transports.Class
	err       error
	advice    string
	temporary bool
	// lasting: the same would come of it again, as of a wrong password.
	lasting bool
	// local: nobody was asked, as with a keytab that cannot be read.
	local bool
}

func (e *kerberosError) Error() string { return e.err.Error() }
func (e *kerberosError) Unwrap() error { return e.err }

const (
	adviceAES   = "accounts that are older than the domain's AES get AES keys when their password is set again"
	adviceClock = "set the clocks right (NTP); Kerberos allows 5 minutes"
)

// malformed is an answer that nobody who knows the keys would give, or that a
// KDC of another kind does.
func malformed(what string, err error) *kerberosError {
	if err == nil {
		err = errors.New(what)
	} else {
		err = fmt.Errorf("%s: %s", what, transports.Clean(err.Error()))
	}
	return &kerberosError{class: transports.Untrusted, err: err, advice: "is what answers there the domain's KDC?"}
}

// String is the account for errors.
func (c *kerberosClient) String() string {
	return transports.Clean(c.name.PrincipalNameString() + "@" + c.realm)
}

func (c *kerberosClient) wrongKey(words string) *kerberosError {
	what := "password"
	if c.keytab != nil {
		what = "keytab"
	}
	return &kerberosError{
		class: transports.Auth, lasting: true, err: errors.New(words),
		advice: "check the " + what + " of " + c.credName + "; it is not tried again in this run, so that the account is not locked",
	}
}

// kdcError puts the refusal of a KDC into a class and short words. service is
// empty where the account itself is not let in.
func (c *kerberosClient) kdcError(err error, service string) error {
	refused, ok := errors.AsType[messages.KRBError](err)
	if !ok {
		return err
	}
	e := &kerberosError{class: transports.Auth, err: fmt.Errorf("the KDC refused %s: %s", c, refusalWords(refused)), advice: "check " + c.credName}
	switch refused.ErrorCode {
	case errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KRB_AP_ERR_BAD_INTEGRITY:
		if service == "" {
			return c.wrongKey(fmt.Sprintf("the KDC refused the login of %s", c))
		}
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:
		e.lasting, e.err = true, fmt.Errorf("the KDC does not know %s", c)
		e.advice += "; the realm is the DNS name of the domain, also where mail addresses have another"
	case errorcode.KDC_ERR_CLIENT_REVOKED:
		e.lasting, e.err, e.advice = true, fmt.Errorf("the account %s is disabled, expired or locked", c), "unlock it in the directory"
	case errorcode.KDC_ERR_KEY_EXPIRED:
		e.lasting, e.err, e.advice = true, fmt.Errorf("the password of %s has expired", c), "set a new one"
	case errorcode.KDC_ERR_ETYPE_NOSUPP:
		e.class, e.advice = transports.Unsupported, adviceAES
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN:
		e.class = transports.Unsupported
		e.err = fmt.Errorf("the KDC of %s knows no service %s", transports.Clean(refused.Realm), transports.Clean(service))
		e.advice = "use the name that the host has in the directory (setspn -L HOST), or log in by ntlm"
	case errorcode.KRB_AP_ERR_SKEW:
		e.err, e.advice = skewError(c.kerberos.now(), refused), adviceClock
	case errorcode.KRB_AP_ERR_TKT_EXPIRED:
		e.advice = adviceClock
	case errorcode.KDC_ERR_SVC_UNAVAILABLE:
		e.class, e.temporary, e.advice = transports.Unreachable, true, ""
	}
	return e
}

func skewError(now time.Time, refused messages.KRBError) error {
	apart := now.Sub(refused.STime).Abs().Round(time.Second)
	if refused.STime.IsZero() {
		return errors.New("the clock here and the KDC's are too far apart")
	}
	return fmt.Errorf("the clock here and the KDC's are %v apart", apart)
}

// refusalWords are the code's own words; the number is what searches find.
func refusalWords(refused messages.KRBError) string {
	words := strings.TrimPrefix(errorcode.Lookup(refused.ErrorCode), fmt.Sprintf("(%d) ", refused.ErrorCode))
	return fmt.Sprintf("%s (%d)", transports.Clean(words), refused.ErrorCode)
}

// apError is the refusal of a ticket by a host.
type apError struct{ messages.KRBError }

func (e *apError) Error() string { return refusalWords(e.KRBError) }

// apAdvice is what to do when a host refuses a ticket.
func apAdvice(code int32) string {
	switch code {
	case errorcode.KRB_AP_ERR_SKEW, errorcode.KRB_AP_ERR_TKT_EXPIRED, errorcode.KRB_AP_ERR_TKT_NYV:
		return adviceClock
	case errorcode.KRB_AP_ERR_MODIFIED, errorcode.KRB_AP_ERR_NOKEY, errorcode.KRB_AP_ERR_BADKEYVER:
		return "the host does not have the key of that name: does the name lead to another host, or was this one joined again?"
	case errorcode.KRB_AP_ERR_REPEAT:
		return "try again"
	}
	return ""
}
