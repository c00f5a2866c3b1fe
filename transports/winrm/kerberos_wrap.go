package winrm

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Flags of a wrap token (RFC 4121 section 4.2.2).
const (
	fromAcceptor = 1 << 0
	isWrapped    = 1 << 1
	acceptorKey  = 1 << 2
)

// wrapHead is the length of a wrap token's head, in bytes.
const wrapHead = 16

// kerberosSession makes the seals of one login: wrap tokens with
// confidentiality (RFC 4121 section 4.2.4), in the split form of GSS_WrapEx
// (MS-KILE 3.4.5.4): the signature is all but the text, rotated to the front.
// It is of one TCP connection, and not safe for concurrent use.
type kerberosSession struct {
	key            types.EncryptionKey
	kind           etype.EType
	flags          byte // acceptorKey or 0
	sent, received uint64
}

var _ sealer = (*kerberosSession)(nil)

// before is what stands in front of the text in a token, in bytes: head, the
// sealed head and checksum that are rotated there, and the confounder.
func (s *kerberosSession) before() int {
	return wrapHead + s.rotation() + s.kind.GetConfounderByteSize()
}

// rotation is how far a token is rotated for that, in bytes.
func (s *kerberosSession) rotation() int { return wrapHead + s.kind.GetHMACBitLength()/8 }

// seal makes a message unreadable for others.
func (s *kerberosSession) seal(text []byte) ([]byte, error) {
	head := []byte{5, 4, isWrapped | s.flags, 0xff, 0, 0, 0, 0}
	head = binary.BigEndian.AppendUint64(head, s.sent)
	_, sealed, err := s.kind.EncryptMessage(s.key.KeyValue, append(bytes.Clone(text), head...), keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil || len(sealed) != s.before()-wrapHead+len(text) {
		return nil, errors.New("kerberos: a message could not be sealed")
	}
	s.sent++
	cut := len(sealed) - s.rotation()
	binary.BigEndian.PutUint16(head[6:], uint16(s.rotation()))
	token := append(append(head, sealed[cut:]...), sealed[:cut]...)
	return wrapSealed(token[s.before():], token[:s.before()], len(text)), nil
}

// unseal opens a message of the host, and checks that it is the next one.
func (s *kerberosSession) unseal(data []byte) ([]byte, error) {
	sealed, signature, length, err := parseSealed(data)
	if err != nil {
		return nil, err
	}
	text, err := s.open(append(bytes.Clone(signature), sealed...))
	if err == nil && len(text) != length {
		err = errSealed
	}
	return text, err
}

var errWrap = errors.New("kerberos: a sealed message is malformed")

// open opens a wrap token.
func (s *kerberosSession) open(token []byte) ([]byte, error) {
	if len(token) < s.before() || token[0] != 5 || token[1] != 4 || token[3] != 0xff {
		return nil, errWrap
	}
	if token[2] != fromAcceptor|isWrapped|s.flags {
		return nil, errors.New("kerberos: a sealed message has other flags")
	}
	if binary.BigEndian.Uint64(token[8:]) != s.received {
		return nil, errors.New("kerberos: a sealed message is not the next one")
	}
	head, body := token[:wrapHead], token[wrapHead:]
	filler, rotation := int(binary.BigEndian.Uint16(head[4:])), int(binary.BigEndian.Uint16(head[6:]))
	rotation %= len(body)
	body = append(bytes.Clone(body[rotation:]), body[:rotation]...)
	var text []byte
	err := guarded(func() (err error) {
		text, err = s.kind.DecryptMessage(s.key.KeyValue, body, keyusage.GSSAPI_ACCEPTOR_SEAL)
		return err
	})
	if err != nil || len(text) < filler+wrapHead {
		return nil, errors.New("kerberos: a sealed message does not open with the login's key")
	}
	// The head was sealed too, before it was rotated.
	inner := text[len(text)-wrapHead:]
	if !bytes.Equal(inner[:6], head[:6]) || !bytes.Equal(inner[8:], head[8:]) {
		return nil, errWrap
	}
	s.received++
	return text[:len(text)-wrapHead-filler], nil
}
