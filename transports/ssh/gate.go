package ssh

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"oust/transports"
)

// gate lets a command become root by sudo. sudo is given a prompt that nobody
// can guess, on stderr; the password is written when it is seen, once. Before
// the command itself, the root shell prints a line that nobody can guess, on
// stdout: only then is stdin written. So neither a noisy profile nor a sudo
// that wants no password can make the password reach anything but sudo.
type gate struct {
	peer     *peer
	password transports.Secret
	nonce    string
	out      *capture

	prompted chan struct{} // closed at the first prompt
	again    chan struct{} // closed at the second: the password was wrong
	ready    chan struct{} // closed when the root shell has spoken

	mu      sync.Mutex
	prompts int
	open    bool // the root shell has spoken
	outMark marker
	errMark marker
	words   []byte // what was printed before the root shell spoke
}

// wordsMost bounds what is kept of sudo's own words, in bytes.
const wordsMost = 4 << 10

func newGate(p *peer, out *capture) (*gate, error) {
	refuse := func(class transports.Class, text string) error {
		return &transports.Error{Class: class, Host: p.host, Op: opBecome, Err: errors.New(text)}
	}
	if p.cred.Become != "sudo" {
		return nil, refuse(transports.Unsupported, fmt.Sprintf("become is %q, and only sudo is known", transports.Clean(p.cred.Become)))
	}
	if strings.ContainsAny(p.cred.BecomePassword.Reveal(), "\r\n\x00") {
		return nil, refuse(transports.Privilege, "the password for sudo has a line break in it")
	}
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, &transports.Error{Class: transports.Internal, Host: p.host, Op: opBecome, Err: err}
	}
	g := &gate{
		peer: p, password: p.cred.BecomePassword, nonce: hex.EncodeToString(raw[:]), out: out,
		prompted: make(chan struct{}), again: make(chan struct{}), ready: make(chan struct{}),
	}
	g.errMark.text, g.outMark.text = []byte(g.prompt()), []byte(g.sign()+"\n")
	return g, nil
}

func (g *gate) prompt() string { return "oust-" + g.nonce + "-password:" }
func (g *gate) sign() string   { return "oust-" + g.nonce + "-ready" }

// line wraps a command line. It holds words and single-quoted strings only;
// a quote inside becomes '"'"', which sh, fish and tcsh read alike.
func (g *gate) line(command string) string {
	inner := strings.ReplaceAll("echo "+g.sign()+"; "+command, "'", `'"'"'`)
	if g.password.Empty() {
		return "sudo -n -- /bin/sh -c '" + inner + "'"
	}
	return "sudo -S -p " + g.prompt() + " -- /bin/sh -c '" + inner + "'"
}

// take sorts what the command prints: the prompt and the sign are taken out.
func (g *gate) take(stream int, p []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if stream == stderr {
		text, hits := g.errMark.feed(p)
		g.keep(stderr, text)
		for range hits {
			g.asked()
		}
		return
	}
	if g.open {
		g.out.add(stdout, p)
		return
	}
	text, hits := g.outMark.feed(p)
	if hits == 0 {
		g.keep(stdout, text)
		return
	}
	g.open = true
	close(g.ready)
	g.keep(stdout, text)
	g.keep(stdout, g.outMark.rest())
}

func (g *gate) keep(stream int, p []byte) {
	g.out.add(stream, p)
	if !g.open {
		g.words = append(g.words, p[:min(len(p), wordsMost-len(g.words))]...)
	}
}

func (g *gate) asked() {
	g.prompts++
	switch g.prompts {
	case 1:
		close(g.prompted)
	case 2:
		close(g.again)
	}
}

// flush gives out what was held back as the possible begin of a mark.
func (g *gate) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keep(stdout, g.outMark.rest())
	g.keep(stderr, g.errMark.rest())
}

func (g *gate) passed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// pass answers the prompt and waits for the root shell; true when stdin may
// follow. sudo -n reads nothing, so that there is nothing to wait for.
func (g *gate) pass(w io.Writer, done, stop <-chan struct{}) bool {
	if g.password.Empty() {
		return true
	}
	prompted := g.prompted
	for {
		select {
		case <-prompted:
			prompted = nil
			if _, err := io.WriteString(w, g.password.Reveal()+"\n"); err != nil {
				return false
			}
		case <-g.ready:
			return true
		case <-done:
			return false
		case <-stop:
			return false
		}
	}
}

// marker finds a text in a stream, also across reads, and takes it out.
type marker struct {
	text []byte
	held []byte // the end of what was fed, if the text may begin there
}

// feed returns what is not the text, and how often the text was in it.
func (m *marker) feed(p []byte) (out []byte, hits int) {
	p = append(m.held, p...)
	m.held = nil
	for {
		at := bytes.Index(p, m.text)
		if at < 0 {
			break
		}
		hits++
		out = append(out, p[:at]...)
		p = p[at+len(m.text):]
	}
	keep := 0
	for n := min(len(m.text)-1, len(p)); n > 0; n-- {
		if bytes.HasSuffix(p, m.text[:n]) {
			keep = n
			break
		}
	}
	m.held = bytes.Clone(p[len(p)-keep:])
	return append(out, p[:len(p)-keep]...), hits
}

// rest gives out what is held back.
func (m *marker) rest() []byte {
	held := m.held
	m.held = nil
	return held
}
