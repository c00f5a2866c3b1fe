package lab

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"strings"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// linuxStation is a Linux host, as over SSH.
type linuxStation struct{ *host }

var _ station = linuxStation{}

func (s linuxStation) life() context.Context  { return s.context() }
func (s linuxStation) admit(l *line) bool     { return s.host.admit(l) }
func (s linuxStation) leave(l *line)          { s.host.leave(l) }
func (s linuxStation) listening() string      { return "is sshd running there, and on this port?" }
func (s linuxStation) spawn(work func()) bool { return s.fleet.spawn(s.host, work) }

func (s linuxStation) stranger(t transports.Target) *transports.Error {
	if !s.hasFault(faultHostKey) {
		return nil
	}
	return &transports.Error{
		Class: transports.Untrusted, Host: t.Host, Op: opKeyExchange, Err: errors.New("the host key is not the one that is known"),
		Advice: "if the host was set up anew, take its old key out of known_hosts; or someone stands between",
	}
}

// allows is what sshd does with accounts and passwords: root has none.
func (s linuxStation) allows(c transports.Credential) bool {
	if s.hasFault(faultLogin) || userNamed(c.User) == nil {
		return false
	}
	keyed := c.KeyFile != "" || c.CertificateFile != "" || c.Agent
	return keyed || c.Password.Empty() || c.User != root.name && s.fleet.isPassword(c.Password)
}

func (f *Fleet) isPassword(given transports.Secret) bool {
	return subtle.ConstantTimeCompare([]byte(given.Reveal()), []byte(f.secret)) == 1
}

// perform runs a command in a login shell, as root if that is asked for.
func (s linuxStation) perform(ctx context.Context, x *execution) ending {
	u, cred := userNamed(x.target.Credential.User), x.target.Credential
	c := s.loginCall(ctx, u, x.cmd.Line, x.stdin(), x.out.stream(0), x.out.stream(1))
	var refused *transports.Error
	if x.cmd.Elevate && cred.Become != "" && u.name != root.name {
		c.finish(func() (code int) {
			if refused = c.become(x.target); refused != nil {
				return 1
			}
			return c.asRoot([]string{"/bin/sh", "-c", x.cmd.Line})
		})
	} else {
		c.finish(func() int { return c.login(x.cmd.Line) })
	}
	code, signal := c.proc.result()
	if signal != 0 {
		code = 128 + int(signal)
	}
	return ending{exit: code & 0xff, err: refused}
}

// become has sudo ask for the password, and leaves the call's streams as they
// were.
func (c *call) become(t transports.Target) *transports.Error {
	fail := func(class transports.Class, words, advice string) *transports.Error {
		return &transports.Error{Class: class, Host: t.Host, Op: opBecome, Err: errors.New(words), Advice: advice}
	}
	if t.Credential.Become != "sudo" {
		return fail(transports.Unsupported, "become is "+transports.Clean(t.Credential.Become)+", and only sudo is known", "")
	}
	flags, password := "n", t.Credential.BecomePassword
	if !password.Empty() {
		flags = "S"
	}
	var words bytes.Buffer
	ask := *c
	ask.args, ask.out, ask.err = []string{"sudo"}, &words, &words
	ask.in = strings.NewReader(password.Reveal() + "\n")
	if ask.authenticate(flags, "") == 0 {
		return nil
	}
	return fail(transports.Privilege, "sudo failed ("+transports.Clean(words.String(), password)+")", "check become_password, and the user's rule in sudoers")
}

// winStation is a Windows host, as over WinRM.
type winStation struct{ *winHost }

var _ station = winStation{}

func (s winStation) life() context.Context { return s.fleet.ctx }
func (s winStation) admit(l *line) bool    { return s.port.admit(l) }
func (s winStation) leave(l *line)         { s.port.leave(l) }
func (s winStation) listening() string {
	return "is WinRM on there (winrm quickconfig), and on this port?"
}
func (s winStation) spawn(work func()) bool { return s.fleet.spawnWindows(s.winHost, work) }

func (s winStation) stranger(t transports.Target) *transports.Error {
	if !s.hasFault(faultCertificate) {
		return nil
	}
	return &transports.Error{
		Class: transports.Untrusted, Host: t.Host, Op: opTLS, Err: errors.New("the certificate is signed by no authority that is trusted here"),
		Advice: "set the authority's file, or the certificate's fingerprint",
	}
}

func (s winStation) allows(c transports.Credential) bool {
	if _, known := s.login(account(c.User), ""); !known {
		return false
	}
	return c.TLSCertificateFile != "" || c.Password.Empty() || s.fleet.isPassword(c.Password)
}

// codePage is that of a client that wants UTF-8.
const codePage = 65001

// perform runs a command in a shell of its own.
func (s winStation) perform(ctx context.Context, x *execution) ending {
	fail := func(class transports.Class, op, words, advice string) ending {
		return ending{err: &transports.Error{Class: class, Host: x.target.Host, Op: op, Err: errors.New(words), Advice: advice}}
	}
	if x.cmd.Elevate && x.target.Credential.Become != "" {
		return fail(transports.Privilege, opRun, "there is no "+transports.Clean(x.target.Credential.Become)+" on Windows",
			"an administrator's login by WinRM is elevated already")
	}
	s.mu.Lock()
	f, _ := winFaultNamed(s.fault)
	s.mu.Unlock()
	if f.inject == wsman.FaultShellsQuota {
		full := fail(transports.Busy, opShell, "the host answers with fault 2150859173: the user has too many shells",
			"close shells there, or raise MaxShellsPerUser (winrm/config/winrs)")
		full.err.Temporary = true
		return full
	}
	return ending{exit: s.machine.Run(ctx, wsman.Command{
		User: account(x.target.Credential.User), Line: x.cmd.Line, Shell: wsman.Shell{CodePage: codePage, NoProfile: true},
		Stdin: bytes.NewReader(x.cmd.Stdin), Stdout: x.out.stream(0), Stderr: x.out.stream(1),
	})}
}
