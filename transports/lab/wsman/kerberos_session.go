package wsman

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// kerberosSession is a login by Kerberos, and its seals: wrap tokens of RFC
// 4121 whose front is split off as the signature.
type kerberosSession struct {
	account account
	kind    etype.EType
	key     []byte

	mu       sync.Mutex
	sent     uint64
	received uint64
}

var _ session = (*kerberosSession)(nil)

// newKerberosSession makes the keys of a login that was checked, and the
// answer to it (RFC 4120 section 5.5.2).
func newKerberosSession(req messages.APReq) (*kerberosSession, []byte, error) {
	holder, auth := req.Ticket.DecryptedEncPart, req.Authenticator
	kind, err := crypto.GetEtype(holder.Key.KeyType)
	if err != nil {
		return nil, nil, err
	}
	random := make([]byte, 4+kind.GetKeyByteSize())
	_, _ = rand.Read(random) // never fails
	s := &kerberosSession{
		account: account{user: holder.CName.PrincipalNameString() + "@" + holder.CRealm},
		kind:    kind, key: random[4:],
		sent: uint64(binary.BigEndian.Uint32(random) >> 2), received: uint64(uint32(auth.SeqNumber)),
	}
	part, err := asn1.MarshalWithParams(struct {
		CTime  time.Time           `asn1:"generalized,explicit,tag:0"`
		Cusec  int                 `asn1:"explicit,tag:1"`
		Subkey types.EncryptionKey `asn1:"explicit,tag:2"`
		Number int64               `asn1:"explicit,tag:3"`
	}{auth.CTime, auth.Cusec, types.EncryptionKey{KeyType: holder.Key.KeyType, KeyValue: s.key}, int64(s.sent)},
		"application,explicit,tag:27")
	if err != nil {
		return nil, nil, err
	}
	sealed, err := crypto.GetEncryptedData(part, holder.Key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		return nil, nil, err
	}
	rep, err := asn1.MarshalWithParams(messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed}, "application,explicit,tag:15")
	return s, frame([]byte{2, 0}, rep), err
}

func (s *kerberosSession) who() account { return s.account }

// Seals implements session.
func (s *kerberosSession) Seals() bool { return true }

const (
	wrapHead       = 16
	acceptorWraps  = 1 | 2 | 4 // sent by the acceptor, sealed, with its subkey
	initiatorWraps = 2 | 4
)

// Seal implements sealer: the token is rotated so that the sealed text is at
// its end, and what stands before is the signature.
func (s *kerberosSession) Seal(plain []byte) (sealed, signature []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	head := append([]byte{5, 4, acceptorWraps, 0xff, 0, 0, 0, 0}, binary.BigEndian.AppendUint64(nil, s.sent)...)
	s.sent++
	_, body, err := s.kind.EncryptMessage(s.key, append(bytes.Clone(plain), head...), keyusage.GSSAPI_ACCEPTOR_SEAL)
	if err != nil {
		return nil, nil // which no client takes
	}
	turn := wrapHead + s.kind.GetHMACBitLength()/8
	binary.BigEndian.PutUint16(head[6:], uint16(turn))
	cut := len(body) - turn
	front := turn + s.kind.GetConfounderByteSize()
	body = append(bytes.Clone(body[cut:]), body[:cut]...)
	return body[front:], append(head, body[:front]...)
}

// Unseal implements sealer.
func (s *kerberosSession) Unseal(sealed, signature []byte) (plain []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(signature) < wrapHead || !bytes.HasPrefix(signature, []byte{5, 4, initiatorWraps, 0xff}) {
		return nil, errToken
	}
	head, body := signature[:wrapHead], append(bytes.Clone(signature[wrapHead:]), sealed...)
	if binary.BigEndian.Uint64(head[8:]) != s.received {
		return nil, errors.New("a sealed message out of turn")
	}
	extra, turn := int(binary.BigEndian.Uint16(head[4:])), int(binary.BigEndian.Uint16(head[6:]))
	if turn > len(body) {
		return nil, errToken
	}
	body = append(bytes.Clone(body[turn:]), body[:turn]...)
	err = guarded(func() (err error) {
		plain, err = s.kind.DecryptMessage(s.key, body, keyusage.GSSAPI_INITIATOR_SEAL)
		return err
	})
	if err != nil {
		return nil, err
	}
	end := len(plain) - wrapHead
	if end < extra || !bytes.Equal(plain[end:][:6], head[:6]) || !bytes.Equal(plain[end+8:], head[8:]) {
		return nil, errToken
	}
	s.received++
	return plain[:end-extra], nil
}
