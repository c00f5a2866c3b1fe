package main

import (
	"net/netip"
	"os"
	"strings"
	"unicode"
)

// actor is who runs this and from where, for the ledger: USER@HOST, with the
// user before sudo and the address of an SSH client where the environment tells
// them. It says what the environment says; who has the account can set it.
func actor(env func(string) string) string {
	var more []string
	if user := wordOf(env("SUDO_USER")); user != "" {
		more = append(more, "sudo by "+user)
	}
	client, _, _ := strings.Cut(env("SSH_CONNECTION"), " ") // CLIENT PORT SERVER PORT, see ssh(1)
	if address, err := netip.ParseAddr(client); err == nil {
		more = append(more, "from "+address.WithZone("").String())
	}
	if len(more) == 0 {
		return operator()
	}
	return operator() + " (" + strings.Join(more, ", ") + ")"
}

// wordOf makes a name from outside fit into a line of words: at most 64
// characters, and none that could end the name.
func wordOf(name string) string {
	const most = 64
	kept := 0
	return strings.Map(func(r rune) rune {
		if kept == most || r == unicode.ReplacementChar || !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune("(),", r) {
			return -1
		}
		kept++
		return r
	}, name)
}

// here is the actor of this process.
func here() string { return actor(os.Getenv) }
