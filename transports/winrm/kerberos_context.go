package winrm

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what RFC 4121 hashes bindings with
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Mechanisms (RFC 4178, RFC 4121), and what a token of Kerberos begins with.
var (
	oidSPNEGO   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}
	oidKerberos = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
	tokenAPReq  = []byte{1, 0}
	tokenAPRep  = []byte{2, 0}
	tokenError  = []byte{3, 0}
)

// What is asked of the login (RFC 4121 section 4.1.1.1): both sides prove
// themselves, no message can be replayed, reordered, changed or read.
const contextFlags = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 // mutual, replay, sequence, confidentiality, integrity

// checksumGSS is the type of the checksum that holds bindings and flags.
const checksumGSS = 0x8003

// attempt is one login with a ticket, of one TCP connection.
type attempt struct {
	token   []byte // for the host
	ticket  types.EncryptionKey
	subkey  types.EncryptionKey
	time    time.Time
	counter uint32
}

// newAttempt makes the message for a host. channel is the TLS channel that
// the login is bound to, or nil; now is to be another at each login.
func newAttempt(name types.PrincipalName, realm string, pass ticket, channel []byte, now time.Time) (*attempt, error) {
	kind, err := crypto.GetEtype(pass.key.KeyType)
	if err != nil {
		return nil, err
	}
	random := make([]byte, 4+kind.GetKeyByteSize())
	_, _ = rand.Read(random) // never fails
	a := &attempt{
		ticket: pass.key, subkey: types.EncryptionKey{KeyType: pass.key.KeyType, KeyValue: random[4:]},
		time: now, counter: binary.BigEndian.Uint32(random) >> 2,
	}
	req, err := messages.NewAPReq(pass.ticket, pass.key, types.Authenticator{
		AVNO: iana.PVNO, CRealm: realm, CName: name, CTime: now, Cusec: now.Nanosecond() / 1000,
		Cksum:  types.Checksum{CksumType: checksumGSS, Checksum: bindingChecksum(channel)},
		SubKey: a.subkey, SeqNumber: int64(a.counter),
	})
	if err != nil {
		return nil, err
	}
	types.SetFlag(&req.APOptions, flags.APOptionMutualRequired)
	body, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	a.token, err = negotiateToken(frame(oidKerberos, tokenAPReq, body))
	return a, err
}

// bindingChecksum is RFC 4121 section 4.1.1: the length of the hash, the hash
// of the bindings (RFC 2744 section 3.11; no addresses), and the flags.
func bindingChecksum(channel []byte) []byte {
	var hash [md5.Size]byte
	if channel != nil {
		b := make([]byte, 16, 20+len(channel)) // kinds and lengths of both addresses
		b = binary.LittleEndian.AppendUint32(b, uint32(len(channel)))
		hash = md5.Sum(append(b, channel...))
	}
	sum := binary.LittleEndian.AppendUint32(nil, uint32(len(hash)))
	return binary.LittleEndian.AppendUint32(append(sum, hash[:]...), contextFlags)
}

// channelOf names the TLS channel by the host's certificate.
func channelOf(certificate *x509.Certificate) []byte {
	if b := bindingsFor(certificate); b != nil {
		return b.ApplicationData
	}
	return nil
}

// accept checks the host's proof (RFC 4120 section 3.2.5), and gives the seals
// that follow from it.
func (a *attempt) accept(token []byte) (*kerberosSession, error) {
	inner, err := answerToken(token)
	if err != nil {
		return nil, err
	}
	body, err := unframe(inner, tokenAPRep)
	if err != nil {
		return nil, err
	}
	var part messages.EncAPRepPart
	err = guarded(func() error {
		var rep messages.APRep
		if err := rep.Unmarshal(body); err != nil {
			return err
		}
		text, err := crypto.DecryptEncPart(rep.EncPart, a.ticket, keyusage.AP_REP_ENCPART)
		if err != nil {
			return err
		}
		return part.Unmarshal(text)
	})
	if err != nil {
		return nil, errors.New("the host's proof does not open with the ticket's key")
	}
	if !part.CTime.Equal(a.time.Truncate(time.Second)) || part.Cusec != a.time.Nanosecond()/1000 {
		return nil, errors.New("the host's proof is of another login")
	}
	s := &kerberosSession{key: a.subkey, sent: uint64(a.counter), received: uint64(uint32(part.SequenceNumber))}
	if part.Subkey.KeyType != 0 {
		s.key, s.flags = part.Subkey, acceptorKey
	}
	kind, err := crypto.GetEtype(s.key.KeyType)
	if err != nil || !isAES(s.key.KeyType) || len(s.key.KeyValue) != kind.GetKeyByteSize() {
		return nil, fmt.Errorf("the host wants keys of type %d, which is not AES", s.key.KeyType)
	}
	s.kind = kind
	return s, nil
}

// frame is a token of a mechanism (RFC 2743 section 3.1).
func frame(mechanism asn1.ObjectIdentifier, id, body []byte) []byte {
	oid, _ := asn1.Marshal(mechanism) // of a constant
	whole, _ := asn1.Marshal(asn1.RawValue{
		Class: asn1.ClassApplication, Tag: 0, IsCompound: true, Bytes: bytes.Join([][]byte{oid, id, body}, nil),
	})
	return whole
}

// unframe takes a token of Kerberos apart, which has to be of one kind.
func unframe(token, id []byte) ([]byte, error) {
	var whole asn1.RawValue
	rest, err := asn1.Unmarshal(token, &whole)
	if err != nil || len(rest) > 0 || whole.Class != asn1.ClassApplication || whole.Tag != 0 {
		return nil, errNoToken
	}
	var oid asn1.ObjectIdentifier
	rest, err = asn1.Unmarshal(whole.Bytes, &oid)
	if err != nil || !oid.Equal(oidKerberos) {
		return nil, errNoToken
	}
	body, ok := bytes.CutPrefix(rest, id)
	if !ok {
		return nil, errNoToken
	}
	return body, nil
}

var errNoToken = errors.New("the host's answer is no token of Kerberos")

// negTokenInit and negTokenResp are of RFC 4178 section 4.2.
type negTokenInit struct {
	Mechanisms []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	Token      []byte                  `asn1:"explicit,tag:2"`
}

type negTokenResp struct {
	State     asn1.Enumerated       `asn1:"explicit,optional,tag:0"`
	Mechanism asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
	Token     []byte                `asn1:"explicit,optional,tag:2"`
	MIC       []byte                `asn1:"explicit,optional,tag:3"`
}

// negotiateToken offers Kerberos alone, so that there is nothing to choose
// that someone between could change.
func negotiateToken(inner []byte) ([]byte, error) {
	init, err := asn1.MarshalWithParams(negTokenInit{[]asn1.ObjectIdentifier{oidKerberos}, inner}, "explicit,tag:0")
	return frame(oidSPNEGO, nil, init), err
}

// answerToken is the token of Kerberos in a host's answer.
func answerToken(token []byte) ([]byte, error) {
	var resp negTokenResp
	rest, err := asn1.UnmarshalWithParams(token, &resp, "explicit,tag:1")
	if err != nil || len(rest) > 0 || len(resp.Token) == 0 {
		return nil, errNoToken
	}
	return resp.Token, nil
}

// refusalIn is the refusal that an answer holds, or nil.
func refusalIn(token []byte) *apError {
	if inner, err := answerToken(token); err == nil {
		token = inner
	}
	var refused apError
	if body, err := unframe(token, tokenError); err == nil {
		err = guarded(func() error { return refused.Unmarshal(body) })
		if err == nil && refused.ErrorCode != errorcode.KDC_ERR_NONE {
			return &refused
		}
	}
	return nil
}
