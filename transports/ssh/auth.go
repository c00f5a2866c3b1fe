package ssh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// The method names of RFC 4252 and RFC 4256.
const (
	methodKey         = "publickey"
	methodPassword    = "password"
	methodInteractive = "keyboard-interactive"
)

// login is one try to log in to one host. A password is shown to the host at
// most once, in whichever way the host asks first: after a wrong one the
// account must not be tried again.
type login struct {
	user     string
	signers  []xssh.Signer
	password transports.Secret
	// begin waits until the login may be tried; see transports.BeginLogin.
	begin func() error
	// waiting is closed when the wait begins, admitted when it has ended well.
	waiting, admitted chan struct{}
	asked             sync.Once

	mu      sync.Mutex
	tried   []string // in words for a person
	offered []string // what the host would take
	used    bool     // the password was shown
	ended   error    // errNoMethod when all was tried
	barred  error    // of begin
}

var errNoMethod = errors.New("the host refused the login")

// newLogin collects the credential's keys: those of the agent, then the
// certificate and the key, each once.
func (d *Dialer) newLogin(ctx context.Context, p *peer) (*login, error) {
	l := &login{
		user: p.user, password: p.cred.Password, begin: func() error { return transports.BeginLogin(ctx) },
		waiting: make(chan struct{}), admitted: make(chan struct{}),
	}
	var all []xssh.Signer
	if p.cred.Agent {
		keys, err := d.agent.keys(ctx, l.stop)
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	if p.cred.KeyFile != "" {
		keys, err := d.keys.load(d.cfg.path(p.cred.KeyFile), d.cfg.path(p.cred.CertificateFile), p.cred.KeyPassphrase)
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	for _, file := range p.identities {
		keys, err := d.keys.load(file, "", p.cred.KeyPassphrase)
		if err != nil {
			d.notes.once("identity "+file, "an IdentityFile of the ssh_config file is left out", keyFile, file, keyError, err)
			continue
		}
		all = append(all, keys...)
	}
	l.signers = distinct(all)
	return l, nil
}

// distinct drops signers of a public key that an earlier one has: sshd counts
// each offered key as a try.
func distinct(signers []xssh.Signer) []xssh.Signer {
	seen := make(map[string]bool, len(signers))
	var out []xssh.Signer
	for _, s := range signers {
		blob := string(s.PublicKey().Marshal())
		if !seen[blob] {
			seen[blob] = true
			out = append(out, s)
		}
	}
	return out
}

// admit waits, before the first method, until the login may be tried.
func (l *login) admit() error {
	l.asked.Do(func() {
		close(l.waiting)
		err := l.begin()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.barred = err; err == nil {
			close(l.admitted)
		}
	})
	return l.refusedHere()
}

// refusedHere is why the login was not tried, if it was not.
func (l *login) refusedHere() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.barred
}

// next is the xssh.ClientAuthCallback: the first method that the host offers,
// we can do, and have not done.
func (l *login) next(ctx *xssh.ClientAuthContext) (xssh.AuthMethod, error) {
	if err := l.admit(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.offered = ctx.AllowedMethods
	can := func(method string) bool {
		return slices.Contains(ctx.AllowedMethods, method) &&
			!slices.Contains(ctx.TriedMethods, method) && !slices.Contains(ctx.PartialSuccessMethods, method)
	}
	switch {
	case len(l.signers) > 0 && can(methodKey):
		l.tried = append(l.tried, keyWords(l.signers))
		return xssh.PublicKeys(l.signers...), nil
	case !l.password.Empty() && !l.used && can(methodPassword):
		l.tried, l.used = append(l.tried, "password"), true
		return xssh.Password(l.password.Reveal()), nil
	case !l.password.Empty() && !l.used && can(methodInteractive):
		l.tried = append(l.tried, "password (keyboard-interactive)")
		return xssh.KeyboardInteractive(l.answer), nil
	}
	if l.ended == nil {
		l.ended = errNoMethod
	}
	return nil, errNoMethod
}

// stop notes why a method failed here; the library forgets it when it goes on
// to the next.
func (l *login) stop(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended == nil {
		l.ended = err
	}
}

// keysShown bounds how many keys an error lists.
const keysShown = 3

func keyWords(signers []xssh.Signer) string {
	var words []string
	for _, s := range signers[:min(len(signers), keysShown)] {
		words = append(words, fingerprint(s.PublicKey()))
	}
	if more := len(signers) - keysShown; more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return "key " + strings.Join(words, ", ")
}

var (
	errAskedTwice = errors.New("the host asked again after the password: it was wrong, or has expired")
	errOtherAsk   = errors.New("the host asks for something other than a password")
)

// answer is the xssh.KeyboardInteractiveChallenge. It gives the password to
// the first question that is alone, hidden, and not about a second factor.
func (l *login) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 { // only something to show
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.used:
		l.ended = errAskedTwice
		return nil, errAskedTwice
	case len(questions) != 1 || echos[0] || asksSecondFactor(questions[0]):
		l.ended = errOtherAsk
		return nil, errOtherAsk
	}
	l.used = true
	return []string{l.password.Reveal()}, nil
}

// asksSecondFactor reports whether a prompt wants something that a password
// must not be given for. The words are those of pam_google_authenticator,
// pam_duo, pam_oath, RSA SecurID and of pam_unix's password change.
func asksSecondFactor(prompt string) bool {
	words := strings.FieldsFunc(strings.ToLower(prompt), func(r rune) bool { return !unicode.IsLetter(r) })
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(otherFactors, w) })
}

var otherFactors = []string{"code", "passcode", "token", "otp", "verification", "duo", "pin", "new", "retype"}

// failure is the error of a login that the host refused.
func (l *login) failure(p *peer, cause error) *transports.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	tried, offered := "nothing", "nothing"
	if len(l.tried) > 0 {
		tried = strings.Join(l.tried, "; ")
	}
	if len(l.offered) > 0 {
		offered = transports.Clean(strings.Join(l.offered, ", "))
	}
	words := errNoMethod.Error()
	if l.ended != nil {
		words = l.ended.Error()
	} else if cause != nil {
		words = transports.Clean(cause.Error(), l.password)
	}
	e := &transports.Error{Class: transports.Auth, Host: p.host, Op: p.op(opLogin)}
	e.Err = transports.Worded(fmt.Sprintf("user %s: %s (tried %s; the host offers %s)", l.user, words, tried, offered), cause)
	e.Advice = "check the user and the secrets of " + p.credName()
	if len(l.signers) > keysShown && cause != nil && strings.Contains(cause.Error(), "oo many") {
		e.Advice = "the agent has many keys and sshd takes few tries (MaxAuthTries): name one with key"
	}
	return e
}
