package ssh

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// hostKeyCheck checks the host key of one connection. The library calls it at
// the end of the key exchange, and again when keys are renewed.
type hostKeyCheck struct {
	dialer *Dialer
	peer   *peer
	at     hostPort
	known  knownLines    // of the host, when the connection was made
	passed chan struct{} // gets a value when the key is trusted

	mu  sync.Mutex
	err *transports.Error
}

// check is an xssh.HostKeyCallback.
func (c *hostKeyCheck) check(_ string, _ net.Addr, key xssh.PublicKey) error {
	err := c.judge(key)
	if err != nil {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		return err
	}
	select {
	case c.passed <- struct{}{}:
	default:
	}
	return nil
}

// refusal is the error of the check, nil if there was none.
func (c *hostKeyCheck) refusal() *transports.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *hostKeyCheck) judge(key xssh.PublicKey) *transports.Error {
	j := c.peer.trust.judgeBy(c.known, c.at, key)
	if j.verdict == unknownKey && c.dialer.cfg.HostKeys == HostKeysAcceptNew {
		recorded, err := c.peer.trust.accept(c.at, key)
		switch {
		case errors.Is(err, errKnownMeanwhile):
			j = c.peer.trust.judge(c.at, key)
		case err != nil:
			return c.untrusted(fmt.Errorf("record the host key: %w", err), "make the known_hosts file writable")
		default:
			if recorded {
				c.announce(key)
			}
			return nil
		}
	}
	return c.words(j, key)
}

func (c *hostKeyCheck) announce(key xssh.PublicKey) {
	name := c.peer.host
	if c.peer.bastion != "" {
		name = c.peer.bastion
	}
	print := fingerprint(key)
	c.dialer.cfg.Logger.Info("a new host key was recorded", keyHost, name, keyAddress, c.at.normalized(), keyKey, print)
	c.dialer.cfg.OnNewKey(name, c.at.normalized(), print)
}

// words makes an error of a verdict, nil for trusted.
func (c *hostKeyCheck) words(j judgement, key xssh.PublicKey) *transports.Error {
	shown, name := fingerprint(key), c.at.normalized()
	switch j.verdict {
	case trusted:
		return nil
	case unknownKey:
		return c.untrusted(fmt.Errorf("the host key of %s is not known: it shows %s", name, shown),
			"if that is the host's key, run: "+c.scanLine(key))
	case revokedKey:
		return c.untrusted(fmt.Errorf("the host key of %s is revoked by %s: %s", name, j.lines[0].place(), shown),
			"the host must get a new key")
	case badCertificate:
		return c.untrusted(fmt.Errorf("the host certificate of %s is not valid: %s", name, transports.Clean(j.err.Error())),
			"ask who runs the host certificate authority")
	}
	var known []string
	for _, l := range j.lines[:min(len(j.lines), keysShown)] {
		known = append(known, l.describe())
	}
	return c.untrusted(fmt.Errorf("the host key of %s has changed: it shows %s, known is %s", name, shown, strings.Join(known, ", ")),
		fmt.Sprintf("find out why; if the host was set up anew, run: ssh-keygen -R '%s' and then %s", name, c.scanLine(key)))
}

func (c *hostKeyCheck) untrusted(err error, advice string) *transports.Error {
	return &transports.Error{
		Class: transports.Untrusted, Host: c.peer.host, Op: c.peer.op(opKeyExchange), Err: err, Advice: advice,
	}
}

// scanLine is the command that adds the key to known_hosts.
func (c *hostKeyCheck) scanLine(key xssh.PublicKey) string {
	file := "~/.ssh/known_hosts"
	if files := c.peer.trust.files; len(files) > 0 {
		file = files[0]
	}
	kind := key.Type()
	if cert, ok := key.(*xssh.Certificate); ok {
		kind = cert.Key.Type()
	}
	port := ""
	if c.at.port != "22" {
		port = "-p " + c.at.port + " "
	}
	return fmt.Sprintf("ssh-keyscan %s-t %s %s >> %s", port, strings.ToLower(keyWord(kind)), c.at.host, file)
}

// place is where the line stands.
func (l *knownLine) place() string { return fmt.Sprintf("%s:%d", l.file, l.line) }

func (l *knownLine) describe() string {
	if l.ca {
		return fmt.Sprintf("a certificate of the authority %s (%s)", l.fingerprint(), l.place())
	}
	return fmt.Sprintf("%s (%s)", l.fingerprint(), l.place())
}
