package ssh

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"oust/transports"
)

// A known_hosts file is indexed here, and not asked line by line as the
// knownhosts packages do: with 10,000 hosts and as many lines that alone would
// be minutes of CPU. Those packages also refuse a whole file for one line that
// they cannot read. What is decided is the same; a test compares.

// knownLine is one line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE
// FORMAT).
type knownLine struct {
	file string
	line int
	ca   bool
	kind string // the key's type, such as ssh-ed25519
	blob string // the key in wire form
	// One of these says which hosts it is for.
	patterns []hostPattern
	hash     *hostHash
	// anyPort is true for a pattern with * and no port: it is for all ports.
	anyPort bool
}

// hostPattern is one host name or pattern with its port.
type hostPattern struct {
	not        bool
	host, port string
}

// hostHash is a hashed host name.
type hostHash struct{ salt, sum []byte }

// hostPort is a host that lines are looked up for. host is lower case.
type hostPort struct{ host, port string }

// splitEndpoint splits address:port.
func splitEndpoint(endpoint string) (hostPort, error) {
	host, port, err := net.SplitHostPort(endpoint)
	return hostPort{strings.ToLower(host), port}, err
}

// knownIndex finds the lines for a host.
type knownIndex struct {
	exact   map[hostPort][]*knownLine // lines whose patterns are plain names
	rest    []*knownLine              // lines with wildcards, negation or a hash
	revoked map[string]*knownLine     // by blob
}

func newKnownIndex() *knownIndex {
	return &knownIndex{exact: make(map[hostPort][]*knownLine), revoked: make(map[string]*knownLine)}
}

func (x *knownIndex) add(l *knownLine) {
	plain := l.hash == nil
	for _, p := range l.patterns {
		plain = plain && !p.not && !strings.ContainsAny(p.host+p.port, "*?")
	}
	if !plain {
		x.rest = append(x.rest, l)
		return
	}
	for _, p := range l.patterns {
		at := hostPort{p.host, p.port}
		if lines := x.exact[at]; len(lines) == 0 || lines[len(lines)-1] != l {
			x.exact[at] = append(lines, l)
		}
	}
}

// knownLines are the lines for a host. By the loose ones it may be known, but
// not refused.
type knownLines struct{ lines, loose []*knownLine }

// lookup finds the lines for a host. For one on a port of its own that has
// none, it looks for lines without a port as OpenSSH does: patterns with * are
// for all ports; others are loose.
func (x *knownIndex) lookup(at hostPort) knownLines {
	found := knownLines{lines: x.find(at)}
	if len(found.lines) > 0 || at.port == "22" {
		return found
	}
	at.port = "22"
	for _, l := range x.find(at) {
		if l.anyPort {
			found.lines = append(found.lines, l)
		} else {
			found.loose = append(found.loose, l)
		}
	}
	return found
}

func (x *knownIndex) find(at hostPort) []*knownLine {
	lines := slices.Clone(x.exact[at])
	if len(x.rest) == 0 {
		return lines
	}
	hasher := newHostHasher(at.normalized())
	for _, l := range x.rest {
		if l.hash != nil && hasher.is(l.hash) || l.hash == nil && l.matches(at) {
			lines = append(lines, l)
		}
	}
	return lines
}

// hostHasher compares one host with many hashed names. It is HMAC-SHA1 (RFC
// 2104) without the allocations of crypto/hmac: every hashed line of a file
// has a salt of its own, so that each of ten thousand lines is asked for each
// of ten thousand hosts.
type hostHasher struct {
	inner []byte // a block for the salt, and the name
	outer [sha1.BlockSize + sha1.Size]byte
}

func newHostHasher(name string) *hostHasher {
	return &hostHasher{inner: append(make([]byte, sha1.BlockSize, sha1.BlockSize+len(name)), name...)}
}

// is reports whether the hash is the host's.
func (h *hostHasher) is(hash *hostHash) bool {
	salt := hash.salt
	if len(salt) > sha1.BlockSize {
		short := sha1.Sum(salt)
		salt = short[:]
	}
	for i := range sha1.BlockSize {
		var b byte
		if i < len(salt) {
			b = salt[i]
		}
		h.inner[i], h.outer[i] = b^0x36, b^0x5c
	}
	sum := sha1.Sum(h.inner)
	copy(h.outer[sha1.BlockSize:], sum[:])
	sum = sha1.Sum(h.outer[:])
	return bytes.Equal(sum[:], hash.sum)
}

// matches reports whether the patterns of the line are for a host.
func (l *knownLine) matches(at hostPort) bool {
	found := false
	for _, p := range l.patterns {
		if p.covers(at) {
			if p.not {
				return false
			}
			found = true
		}
	}
	return found
}

// covers reports whether the pattern is for a host. OpenSSH matches [host]:port
// as one text, and port 22 without brackets, so that [host]:* is for every
// other port.
func (p hostPattern) covers(at hostPort) bool {
	if p.port != at.port && (at.port == "22" || !wildcard(p.port, at.port)) {
		return false
	}
	return wildcard(p.host, at.host)
}

// wildcard matches a pattern with * and ?, without backtracking further than
// the last *.
func wildcard(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

var errKnownLine = errors.New("not a known_hosts line")

// parseKnownLine reads one line; nil without error for an empty one. revoked
// is true for a @revoked line, which counts for every host.
func parseKnownLine(text, file string, number int) (l *knownLine, revoked bool, err error) {
	text = strings.Trim(text, " \t\r")
	if text == "" || text[0] == '#' {
		return nil, false, nil
	}
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' })
	l = &knownLine{file: file, line: number}
	switch fields[0] {
	case "@cert-authority":
		l.ca, fields = true, fields[1:]
	case "@revoked":
		revoked, fields = true, fields[1:]
	}
	if len(fields) < 3 || fields[0][0] == '@' {
		return nil, false, fmt.Errorf("%w: want hosts, key type and key", errKnownLine)
	}
	blob, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		return nil, false, fmt.Errorf("%w: the key is not base64", errKnownLine)
	}
	if l.kind = blobType(blob); l.kind != fields[1] {
		return nil, false, fmt.Errorf("%w: the key is not of type %s", errKnownLine, transports.Clean(fields[1]))
	}
	l.blob = string(blob)
	if !revoked {
		err = l.parseHosts(fields[0])
	}
	return l, revoked, err
}

// blobType is the type that a key in wire form says it has (RFC 4253 section 6.6).
func blobType(blob []byte) string {
	if len(blob) < 4 {
		return ""
	}
	n := binary.BigEndian.Uint32(blob)
	if uint64(n) > uint64(len(blob)-4) {
		return ""
	}
	return string(blob[4 : 4+n])
}

func (l *knownLine) parseHosts(field string) error {
	if strings.HasPrefix(field, "|") {
		return l.parseHash(field)
	}
	star := strings.IndexByte(field, '*')
	l.anyPort = star >= 0 && !strings.Contains(field[star:], "]:")
	for _, text := range strings.Split(strings.ToLower(field), ",") {
		if text == "" {
			continue
		}
		p := hostPattern{port: "22"}
		text, p.not = strings.CutPrefix(text, "!")
		if text == "" {
			return fmt.Errorf("%w: ! without a name", errKnownLine)
		}
		host, port, err := net.SplitHostPort(text)
		switch {
		case err == nil:
			p.host, p.port = host, port
		case text[0] == '[':
			return fmt.Errorf("%w: [ without ]:port", errKnownLine)
		default:
			p.host = text
		}
		l.patterns = append(l.patterns, p)
	}
	return nil
}

// parseHash reads |1|salt|sum, HMAC-SHA1 of the host name.
func (l *knownLine) parseHash(field string) error {
	parts := strings.Split(field, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return fmt.Errorf("%w: a hash other than |1|salt|sum", errKnownLine)
	}
	salt, err1 := base64.StdEncoding.DecodeString(parts[2])
	sum, err2 := base64.StdEncoding.DecodeString(parts[3])
	if err1 != nil || err2 != nil || len(bytes.TrimSpace(sum)) == 0 {
		return fmt.Errorf("%w: a hash that is not base64", errKnownLine)
	}
	l.hash = &hostHash{salt: salt, sum: sum}
	return nil
}
