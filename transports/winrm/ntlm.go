package winrm

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bodgit/ntlmssp"
)

// Flags of MS-NLMP 2.2.2.5.
const (
	flagUnicode    = 1 << 0
	flagSign       = 1 << 4
	flagSeal       = 1 << 5
	flagAnonymous  = 1 << 11
	flagExtended   = 1 << 19 // extended session security
	flagTargetInfo = 1 << 23
	flag128        = 1 << 29
	flagKeyExch    = 1 << 30

	flagsNeeded = flagUnicode | flagSign | flagSeal | flagExtended | flagTargetInfo | flag128 | flagKeyExch
)

// ntlmLogin is one login by NTLM, and the seals that follow from it. It is of
// one TCP connection, and not safe for concurrent use.
type ntlmLogin struct {
	client  *ntlmssp.Client
	domain  string
	session *ntlmssp.SecuritySession
}

func newNTLMLogin(a account) (*ntlmLogin, error) {
	client, err := ntlmssp.NewClient(
		ntlmssp.SetUserInfo(a.user, a.password.Reveal()), ntlmssp.SetVersion(ntlmssp.DefaultVersion()))
	if err != nil {
		return nil, errors.New("ntlm: the login cannot be set up")
	}
	return &ntlmLogin{client: client, domain: a.domain}, nil
}

// negotiate is the first message. It does not name the domain, which would
// have to be in the host's OEM code page there.
func (n *ntlmLogin) negotiate() ([]byte, error) {
	return n.client.Authenticate(nil, nil)
}

// answer takes the host's challenge and makes the last message. certificate
// is the host's, to which the login is bound, or nil without TLS.
func (n *ntlmLogin) answer(challenge []byte, certificate *x509.Certificate) ([]byte, error) {
	if err := checkChallenge(challenge); err != nil {
		return nil, err
	}
	if err := n.client.SetOption(ntlmssp.SetDomain(n.domain)); err != nil {
		return nil, err
	}
	message, err := n.client.Authenticate(challenge, bindingsFor(certificate))
	if err != nil {
		return nil, fmt.Errorf("ntlm: the challenge: %w", err)
	}
	if n.session = n.client.SecuritySession(); n.session == nil {
		return nil, errors.New("ntlm: the host offers no sealing")
	}
	return message, nil
}

// seal makes a message unreadable for others.
func (n *ntlmLogin) seal(text []byte) ([]byte, error) {
	sealed, signature, err := n.session.Wrap(text)
	if err != nil || len(signature) != signatureSize {
		return nil, errors.New("ntlm: a message could not be sealed")
	}
	return wrapSealed(sealed, signature, len(text)), nil
}

// unseal opens a message of the host, and checks its signature and number.
func (n *ntlmLogin) unseal(data []byte) ([]byte, error) {
	sealed, signature, _, err := parseSealed(data)
	if err != nil {
		return nil, err
	}
	if len(signature) != signatureSize {
		return nil, errSealed
	}
	text, err := n.session.Unwrap(sealed, signature)
	if err != nil {
		return nil, fmt.Errorf("a sealed message does not open: %w", err)
	}
	return text, nil
}

// checkChallenge refuses what ntlmssp would fail on or be led astray by: the
// library takes the flags of the host for those agreed on, also that nobody
// logs in and that nothing is sealed, and reads pairs without looking at their
// length (MS-NLMP 2.2.1.2 and 2.2.2.1).
func checkChallenge(m []byte) error {
	const head = 48
	if len(m) < head || !bytes.HasPrefix(m, []byte("NTLMSSP\x00")) || binary.LittleEndian.Uint32(m[8:]) != 2 {
		return errors.New("ntlm: the host's answer is no challenge")
	}
	flags := binary.LittleEndian.Uint32(m[20:])
	if flags&flagsNeeded != flagsNeeded || flags&flagAnonymous != 0 {
		return fmt.Errorf("ntlm: the host offers no NTLMv2 with 128-bit sealing (flags %#x)", flags)
	}
	length, offset := int(binary.LittleEndian.Uint16(m[40:])), int64(binary.LittleEndian.Uint32(m[44:]))
	if offset+int64(length) > int64(len(m)) {
		return errors.New("ntlm: the challenge is cut off")
	}
	return checkPairs(m[offset:][:length])
}

// The pairs whose length is fixed.
var pairLengths = map[uint16]int{6: 4, 7: 8, 10: 16} // flags, timestamp, channel bindings

// pairTimestamp is MsvAvTimestamp. Every Windows since Vista sends it; without
// it the last message has no code over all three, and whoever chose the
// challenge could pass the login on to another host.
const pairTimestamp = 7

// checkPairs wants pairs up to MsvAvEOL, with a timestamp among them.
func checkPairs(info []byte) error {
	stamped := false
	for len(info) >= 4 {
		id, length := binary.LittleEndian.Uint16(info), int(binary.LittleEndian.Uint16(info[2:]))
		if info = info[4:]; id == 0 {
			if !stamped {
				return errors.New("ntlm: the host's challenge has no timestamp, and the login could be passed on to another host")
			}
			return nil
		}
		stamped = stamped || id == pairTimestamp
		if want, fixed := pairLengths[id]; length > len(info) || fixed && length != want {
			break
		}
		info = info[length:]
	}
	return errors.New("ntlm: the challenge's target information is broken")
}

// bindingsFor is the channel binding tls-server-end-point for a certificate:
// a hash of it, by its signature's own hash, but SHA-256 for MD5 and SHA-1
// (RFC 5929 section 4.1).
func bindingsFor(certificate *x509.Certificate) *ntlmssp.ChannelBindings {
	if certificate == nil {
		return nil
	}
	hash := crypto.SHA256
	switch certificate.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write(certificate.Raw)
	return &ntlmssp.ChannelBindings{ApplicationData: h.Sum([]byte(ntlmssp.TLSServerEndPoint + ":"))}
}
