package ssh

import (
	"errors"
	"strings"

	"oust/transports"
)

// sudoWord is what a text in sudo's or the login shell's own words means. The
// texts are those of sudo 1.8 to 1.9 and sudo-rs, in English; another language
// is shown as it is.
type sudoWord struct{ text, means, advice string }

var sudoWords = []sudoWord{
	{"no new privileges", "sudo cannot work for a process that may gain no privileges", "is sshd run in a container with no-new-privileges?"},
	{"must have a tty", "sudo wants a terminal", "add \"Defaults:USER !requiretty\" to its rules"},
	{"terminal is required", "sudo wants a password, and none is set", "set become_password"},
	{"password is required", "sudo wants a password", "set become_password, or check the one that is set"},
	{"authentication required", "sudo wants a password", "set become_password"},
	{"not in the sudoers file", "the user may not use sudo", "add a rule for the user to sudoers"},
	{"not allowed to", "the user may not run this with sudo", "allow /bin/sh in its sudo rule"},
	{"may not run sudo", "the user may not use sudo", "add a rule for the user to sudoers"},
	{"password is expired", "the password has expired", "set a new one on the host"},
	{"password has expired", "the password has expired", "set a new one on the host"},
	{"password expired", "the password has expired", "set a new one on the host"},
	{"account validation failure", "the account is locked or expired", "check it on the host"},
	{"incorrect password", "sudo refused the password", "check become_password; it was tried once"},
	{"must be owned by uid 0", "sudo is broken on the host", "mend its installation"},
	{"syntax error", "the sudo rules on the host are broken", "mend them with visudo"},
	{"not found", "there is no sudo on the host", "install sudo, or log in as root"},
	{"unknown command", "there is no sudo on the host", "install sudo, or log in as root"},
}

// denied is the error for a command that ended before it was root.
func (g *gate) denied(exit int) *transports.Error {
	g.mu.Lock()
	words := transports.Clean(string(g.words), g.password, g.peer.cred.Password)
	g.mu.Unlock()
	e := &transports.Error{Class: transports.Privilege, Host: g.peer.host, Op: opBecome}
	means, lower := "sudo failed", strings.ToLower(words)
	for _, w := range sudoWords {
		if strings.Contains(lower, w.text) {
			means, e.Advice = w.means, w.advice
			break
		}
	}
	if e.Advice == "" && exit == 127 {
		means, e.Advice = "there is no sudo on the host", "install sudo, or log in as root"
	}
	if words != "" {
		means += " (" + words + ")"
	}
	e.Err = errors.New(means)
	return e
}

// refused is the error for a password that sudo asked for a second time.
func (g *gate) refused() *transports.Error {
	return &transports.Error{
		Class: transports.Privilege, Host: g.peer.host, Op: opBecome,
		Err:    errors.New("sudo refused the password of user " + g.peer.user),
		Advice: "check become_password; it was tried once",
	}
}
