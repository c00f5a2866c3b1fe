package ntlm

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	_ "crypto/sha256" // for hashes of certificates
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"oust/transports"
)

// Why a login is refused.
var (
	// ErrLogin: the account is not known, the password is wrong, or the
	// answer is not NTLM version 2.
	ErrLogin = errors.New("ntlm: the login is refused")
	// ErrMIC: the messages of the login were changed on their way.
	ErrMIC = errors.New("ntlm: the integrity code does not check")
	// ErrBindings: the channel binding token is missing, or of another
	// connection.
	ErrBindings = errors.New("ntlm: the channel binding token does not fit")
)

// Host is who challenges.
type Host struct {
	// Name is the computer's NetBIOS name, of at most 15 letters.
	Name string
	// Now is the time that the challenge tells.
	Now time.Time
}

// Handshake is a login under way: a challenge that waits for its answer.
type Handshake struct {
	negotiate, message []byte
	challenge          []byte
	flags              uint32
}

// Challenge answers the first message of a login.
func (h Host) Challenge(negotiate []byte) (*Handshake, []byte, error) {
	if !IsNegotiate(negotiate) {
		return nil, nil, ErrMessage
	}
	challenge := make([]byte, 8)
	_, _ = rand.Read(challenge) // never fails
	s := h.challenge(negotiate, challenge)
	return s, s.message, nil
}

// challenge is Challenge with a challenge that is given.
func (h Host) challenge(negotiate, challenge []byte) *Handshake {
	asked := binary.LittleEndian.Uint32(negotiate[12:])
	flags := asked&offered | flagTargetInfo | flagNTLM | flagVersion
	encode := utf16LE
	if flags&flagUnicode == 0 {
		flags |= flagOEM
		encode = func(text string) []byte { return []byte(text) }
	}
	var target []byte
	if flags&flagRequestTarget != 0 {
		flags |= flagTargetServer
		target = encode(h.Name)
	}
	var info []byte
	for _, a := range []struct {
		id   uint16
		text string
	}{{avDomain, h.Name}, {avComputer, h.Name}, {avDNSDomain, strings.ToLower(h.Name)}, {avDNSComputer, strings.ToLower(h.Name)}} {
		info = attribute(info, a.id, utf16LE(a.text))
	}
	info = attribute(info, avTimestamp, binary.LittleEndian.AppendUint64(nil, filetime(h.Now)))
	info = attribute(info, avEnd, nil)
	return &Handshake{
		negotiate: bytes.Clone(negotiate), challenge: challenge, flags: flags,
		message: challengeMessage(flags, challenge, target, info),
	}
}

// filetime is a time as Windows counts it: in units of 100 ns from 1601 on.
func filetime(t time.Time) uint64 { return uint64(t.UnixNano()/100) + 116444736000000000 }

// Check is what an answer is checked with.
type Check struct {
	// Password looks an account up, by the names that the client wrote.
	Password func(user, domain string) (transports.Secret, bool)
	// Bindings is the token of the TLS connection, from Bindings; nil if
	// there is none, or if it is not to be checked.
	Bindings []byte
	// NeedBindings refuses logins without a token.
	NeedBindings bool
}

// Authenticate checks the last message of a login. It may be called once.
func (s *Handshake) Authenticate(message []byte, check Check) (*Session, error) {
	a, err := parseAuthenticate(message)
	if err != nil {
		return nil, err
	}
	given, ok := attributes(a.response)
	flags := a.flags & s.flags
	if !ok || flags&flagExtended == 0 {
		return nil, ErrLogin
	}
	password, known := check.Password(a.user, a.domain)
	key := ntowfv2(password.Reveal(), a.user, a.domain)
	want, base := proof(key, s.challenge, a.response[proofLength:])
	if !hmac.Equal(want, a.response[:proofLength]) || !known {
		return nil, ErrLogin
	}
	if flags&flagKeyExchange != 0 {
		if len(a.sessionKey) != len(base) {
			return nil, ErrMessage
		}
		base = rc4Once(base, a.sessionKey)
	}
	if err := s.checkMIC(message, a, given, base); err != nil {
		return nil, err
	}
	session := newSession(base, flags)
	session.User, session.Domain = a.user, a.domain
	session.Bound, err = check.bindings(given[avBindings])
	if err != nil {
		return nil, err
	}
	return session, nil
}

// checkMIC checks the code over all three messages, where the client says
// that there is one (3.2.5.2.2).
func (s *Handshake) checkMIC(message []byte, a *authenticate, given map[uint16][]byte, key []byte) error {
	flags := given[avFlags]
	if len(flags) != 4 || binary.LittleEndian.Uint32(flags)&avFlagsHasMIC == 0 {
		return nil
	}
	if a.mic == nil {
		return ErrMIC
	}
	blank := bytes.Clone(message)
	clear(blank[micOffset:][:micLength])
	if !hmac.Equal(hmacMD5(key, s.negotiate, s.message, blank), a.mic) {
		return ErrMIC
	}
	return nil
}

// bindings checks a token; one of zeros is none (3.1.5.1.2).
func (c Check) bindings(given []byte) (bound bool, err error) {
	none := len(given) == 0 || bytes.Equal(given, make([]byte, hashLength))
	switch {
	case none && c.NeedBindings:
		return false, ErrBindings
	case none || c.Bindings == nil:
		return false, nil
	case !hmac.Equal(given, c.Bindings):
		return false, ErrBindings
	}
	return true, nil
}

// Bindings is the channel binding token of a TLS server's certificate: the
// MD5 of a structure whose only content is its tls-server-end-point (RFC 5929,
// 4; RFC 2744, 3.11; 2.2.2.1).
func Bindings(certificate *x509.Certificate) []byte {
	end := crypto.SHA256
	switch certificate.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		end = crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		end = crypto.SHA512
	}
	h := end.New()
	h.Write(certificate.Raw)
	data := h.Sum([]byte("tls-server-end-point:"))
	// Two addresses, each of a type and a length of 4 bytes, are empty.
	structure := binary.LittleEndian.AppendUint32(make([]byte, 16), uint32(len(data)))
	return hash(structure, data)
}
