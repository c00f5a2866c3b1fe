package ssh

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// knownMost bounds a known_hosts file, in bytes: some 300,000 lines.
const knownMost = 128 << 20

// trustStore keeps one knownHosts for each list of files.
type trustStore struct {
	cfg   Config
	notes *notes
	mu    sync.Mutex
	sets  map[string]*knownHosts
}

// open loads the files, once. No files means the default ones.
func (s *trustStore) open(files []string) (*knownHosts, error) {
	if len(files) == 0 {
		files = []string{"~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"}
	}
	id := strings.Join(files, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.sets[id]; ok {
		return k, nil
	}
	k := &knownHosts{index: newKnownIndex(), cfg: s.cfg, notes: s.notes}
	for _, f := range files {
		path := s.cfg.path(f)
		if f == "none" || path == "/dev/null" {
			continue
		}
		if !filepath.IsAbs(path) && s.cfg.Home != "" && strings.HasPrefix(f, "~") {
			return nil, fmt.Errorf("known_hosts %s: only ~ and ~/ are known", f)
		}
		k.files = append(k.files, path)
		if err := k.load(path); err != nil {
			return nil, err
		}
	}
	if s.sets == nil {
		s.sets = make(map[string]*knownHosts)
	}
	s.sets[id] = k
	return k, nil
}

// knownHosts is what some known_hosts files say. It is safe for concurrent use.
type knownHosts struct {
	cfg   Config
	notes *notes
	files []string

	mu    sync.RWMutex
	index *knownIndex

	// record is held while a key is written to the first file; size is how
	// much of that file is in the index, in bytes, and newlines in lines.
	record   sync.Mutex
	size     int64
	newlines int
}

var newline = []byte("\n")

func (k *knownHosts) load(path string) error {
	raw, err := readBounded(path, knownMost)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read known_hosts: %w", err)
	}
	if path == k.files[0] {
		k.size, k.newlines = int64(len(raw)), bytes.Count(raw, newline)
	}
	k.read(path, raw, 1)
	return nil
}

// read takes the lines of a file, from the line of that number on. A line
// that cannot be read is left out and said: its host is then not known.
func (k *knownHosts) read(path string, raw []byte, number int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for line := range bytes.Lines(raw) {
		l, revoked, err := parseKnownLine(strings.TrimRight(string(line), "\r\n"), path, number)
		switch {
		case err != nil:
			k.notes.once(fmt.Sprintf("%s:%d", path, number), "a known_hosts line is left out", keyFile, path, keyLine, number, keyError, err)
		case l == nil:
		case revoked:
			k.index.revoked[l.blob] = l
		default:
			k.index.add(l)
		}
		number++
	}
}

func (k *knownHosts) lookup(at hostPort) knownLines {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.index.lookup(at)
}

func (k *knownHosts) revoked(blobs ...string) *knownLine {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, b := range blobs {
		if l := k.index.revoked[b]; l != nil {
			return l
		}
	}
	return nil
}

// algorithms lists the host key algorithms to ask for, the known ones first:
// a host that has several keys then shows the one that is known. Certificates
// are asked for only where an authority is known for the host.
func (k knownLines) algorithms() []string {
	lines := slices.Concat(k.lines, k.loose)
	supported := xssh.SupportedAlgorithms().HostKeys
	var first, last []string
	authority := slices.ContainsFunc(lines, func(l *knownLine) bool { return l.ca })
	for _, algo := range supported {
		certificate := strings.Contains(algo, "-cert-")
		known := slices.ContainsFunc(lines, func(l *knownLine) bool { return !l.ca && l.signs(algo) })
		switch {
		case certificate && authority:
			first = append(first, algo)
		case certificate:
		case known:
			first = append(first, algo)
		default:
			last = append(last, algo)
		}
	}
	return append(first, last...)
}

// signs reports whether a key of the line's type makes signatures of algo.
func (l *knownLine) signs(algo string) bool {
	if l.kind == xssh.KeyAlgoRSA {
		return algo == xssh.KeyAlgoRSASHA256 || algo == xssh.KeyAlgoRSASHA512 || algo == xssh.KeyAlgoRSA
	}
	return algo == l.kind
}

// verdict is the answer to "is this the host's key?".
type verdict int

const (
	trusted verdict = iota
	unknownKey
	changedKey
	revokedKey
	badCertificate
)

// judgement is a verdict with what it rests on.
type judgement struct {
	verdict verdict
	lines   []*knownLine // what was known of the host
	err     error        // of a certificate
}

// judge compares a key with what is known of a host.
func (k *knownHosts) judge(at hostPort, key xssh.PublicKey) judgement {
	return k.judgeBy(k.lookup(at), at, key)
}

// judgeBy is judge for a host that has been looked up.
func (k *knownHosts) judgeBy(known knownLines, at hostPort, key xssh.PublicKey) judgement {
	cert, ok := key.(*xssh.Certificate)
	if !ok {
		return k.judgePlain(known, string(key.Marshal()))
	}
	if l := k.revoked(string(cert.Key.Marshal()), string(cert.SignatureKey.Marshal()), string(key.Marshal())); l != nil {
		return judgement{verdict: revokedKey, lines: []*knownLine{l}}
	}
	checker := xssh.CertChecker{
		Clock: k.cfg.Now,
		IsHostAuthority: func(authority xssh.PublicKey, _ string) bool {
			blob := string(authority.Marshal())
			return holds(known.lines, true, blob) || holds(known.loose, true, blob)
		},
	}
	endpoint := net.JoinHostPort(at.host, at.port)
	if err := checker.CheckHostKey(endpoint, nil, cert); err != nil {
		// A plain entry for the key in the certificate counts, as with OpenSSH.
		if j := k.judgePlain(known, string(cert.Key.Marshal())); j.verdict == trusted {
			return j
		}
		return judgement{verdict: badCertificate, lines: known.lines, err: err}
	}
	return judgement{verdict: trusted}
}

func (k *knownHosts) judgePlain(known knownLines, blob string) judgement {
	if l := k.revoked(blob); l != nil {
		return judgement{verdict: revokedKey, lines: []*knownLine{l}}
	}
	switch {
	case holds(known.lines, false, blob), holds(known.loose, false, blob):
		return judgement{verdict: trusted}
	case len(known.lines) == 0:
		return judgement{verdict: unknownKey}
	}
	return judgement{verdict: changedKey, lines: known.lines}
}

// holds reports whether a line has the key, as an authority or as a host's.
func holds(lines []*knownLine, ca bool, blob string) bool {
	return slices.ContainsFunc(lines, func(l *knownLine) bool { return l.ca == ca && l.blob == blob })
}

// fingerprint shows a key as ssh-keygen -l does: its type and SHA-256.
func fingerprint(key xssh.PublicKey) string {
	kind := key.Type()
	if cert, ok := key.(*xssh.Certificate); ok {
		kind, key = cert.Key.Type(), cert.Key
	}
	return keyWord(kind) + " " + sha256Word(string(key.Marshal()))
}

func (l *knownLine) fingerprint() string { return keyWord(l.kind) + " " + sha256Word(l.blob) }

func sha256Word(blob string) string {
	sum := sha256.Sum256([]byte(blob))
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// keyWord is the short name of a key type, as ssh-keygen -t takes it.
func keyWord(kind string) string {
	switch kind {
	case xssh.KeyAlgoRSA:
		return "RSA"
	case xssh.KeyAlgoED25519:
		return "ED25519"
	case xssh.KeyAlgoECDSA256, xssh.KeyAlgoECDSA384, xssh.KeyAlgoECDSA521:
		return "ECDSA"
	}
	return transports.Clean(kind)
}

// normalized is a host as known_hosts has it: host, or [host]:port.
func (at hostPort) normalized() string {
	return knownhosts.Normalize(net.JoinHostPort(at.host, at.port))
}
