package ntlm

import (
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"sync"
)

// ErrSeal is a sealed message that was changed, is out of order, or is not of
// this session.
var ErrSeal = errors.New("ntlm: a sealed message does not check")

// signatureLength is the length of a message's signature, in bytes (2.2.2.9.2).
const signatureLength = 16

// Session is a login that was accepted.
type Session struct {
	// User and Domain are the account, as the client wrote it.
	User, Domain string
	// Bound says that the login is bound to the TLS connection.
	Bound bool

	seals    bool
	exchange bool // the checksum is sealed too (NTLMSSP_NEGOTIATE_KEY_EXCH)

	mu      sync.Mutex
	in, out direction
}

// direction is the state of one way.
type direction struct {
	signing  []byte
	stream   cipher.Stream
	sequence uint32
}

func newSession(key []byte, flags uint32) *Session {
	const needed = flagSign | flagSeal | flagExtended | flag128
	return &Session{
		seals: flags&needed == needed, exchange: flags&flagKeyExchange != 0,
		in:  direction{signing: derived(key, clientSigning), stream: newRC4(derived(key, clientSealing))},
		out: direction{signing: derived(key, serverSigning), stream: newRC4(derived(key, serverSealing))},
	}
}

// Seals says that the client has agreed to seal, with keys of 128 bits.
func (s *Session) Seals() bool { return s.seals }

// Seal encrypts a message to the client and signs it (3.4.3, 3.4.4.2).
// Messages must reach the client in the order of these calls.
func (s *Session) Seal(plain []byte) (sealed, signature []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed = make([]byte, len(plain))
	s.out.stream.XORKeyStream(sealed, plain)
	return sealed, s.out.sign(plain, s.exchange)
}

// Unseal decrypts a message of the client and checks its signature. After an
// error the session is of no use: what follows cannot be read.
func (s *Session) Unseal(sealed, signature []byte) (plain []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain = make([]byte, len(sealed))
	s.in.stream.XORKeyStream(plain, sealed)
	if !hmac.Equal(s.in.sign(plain, s.exchange), signature) {
		return nil, ErrSeal
	}
	return plain, nil
}

// sign is the signature of the next message of a direction.
func (d *direction) sign(plain []byte, exchange bool) []byte {
	sequence := binary.LittleEndian.AppendUint32(nil, d.sequence)
	d.sequence++
	sum := hmacMD5(d.signing, sequence, plain)[:8]
	if exchange {
		d.stream.XORKeyStream(sum, sum)
	}
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, signatureLength), 1) // the version
	return append(append(out, sum...), sequence...)
}
