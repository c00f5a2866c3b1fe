package ntlm

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Flags of a negotiation (2.2.2.5).
const (
	flagUnicode       = 0x00000001
	flagOEM           = 0x00000002
	flagRequestTarget = 0x00000004
	flagSign          = 0x00000010
	flagSeal          = 0x00000020
	flagNTLM          = 0x00000200
	flagAlwaysSign    = 0x00008000
	flagTargetServer  = 0x00020000
	flagExtended      = 0x00080000 // extended session security
	flagTargetInfo    = 0x00800000
	flagVersion       = 0x02000000
	flag128           = 0x20000000
	flagKeyExchange   = 0x40000000
	flag56            = 0x80000000

	// offered are the flags that a client may have if it asks for them.
	offered = flagUnicode | flagRequestTarget | flagSign | flagSeal | flagNTLM | flagAlwaysSign | flagExtended | flagTargetInfo |
		flagVersion | flag128 | flagKeyExchange | flag56
)

// Attributes (2.2.2.1).
const (
	avEnd          = 0x00
	avComputer     = 0x01
	avDomain       = 0x02
	avDNSComputer  = 0x03
	avDNSDomain    = 0x04
	avFlags        = 0x06
	avTimestamp    = 0x07
	avBindings     = 0x0a
	avFlagsHasMIC  = 0x02
	mostAttributes = 64
)

// ErrMessage is a message that is not NTLM, or not of the kind that is due.
var ErrMessage = errors.New("ntlm: not the message that is due")

const (
	magic = "NTLMSSP\x00"
	// mostMessage bounds a message of a client, in bytes.
	mostMessage = 16 << 10

	kindNegotiate    = 1
	kindChallenge    = 2
	kindAuthenticate = 3

	micOffset = 72
	micLength = 16
)

// serverVersion is that of Windows Server 2022 (2.2.2.10).
var serverVersion = [8]byte{10, 0, 0x7c, 0x4f, 0, 0, 0, 15}

// isKind checks a message's head and least length.
func isKind(m []byte, kind uint32, least int) bool {
	return len(m) >= least && len(m) <= mostMessage && bytes.HasPrefix(m, []byte(magic)) && binary.LittleEndian.Uint32(m[8:]) == kind
}

// IsNegotiate reports whether a message is the first of a login.
func IsNegotiate(m []byte) bool { return isKind(m, kindNegotiate, 16) }

// field reads the payload that the descriptor at an offset points to.
func field(m []byte, at int) ([]byte, bool) {
	if at+8 > len(m) {
		return nil, false
	}
	length, offset := int(binary.LittleEndian.Uint16(m[at:])), uint64(binary.LittleEndian.Uint32(m[at+4:]))
	if length == 0 {
		return nil, true
	}
	if offset+uint64(length) > uint64(len(m)) {
		return nil, false
	}
	return m[offset:][:length], true
}

// authenticate is the last message of a login (2.2.1.3).
type authenticate struct {
	user, domain string
	response     []byte // the NTLMv2 response: proof, and the client's part
	sessionKey   []byte // under the key that the login makes
	flags        uint32
	mic          []byte // nil if the message has no room for it
}

func parseAuthenticate(m []byte) (*authenticate, error) {
	if !isKind(m, kindAuthenticate, 64) {
		return nil, ErrMessage
	}
	a := &authenticate{flags: binary.LittleEndian.Uint32(m[60:])}
	var domain, user []byte
	for _, f := range []struct {
		at  int
		out *[]byte
	}{{20, &a.response}, {28, &domain}, {36, &user}, {52, &a.sessionKey}} {
		var ok bool
		if *f.out, ok = field(m, f.at); !ok {
			return nil, ErrMessage
		}
	}
	read := fromUTF16
	if a.flags&flagUnicode == 0 {
		read = fromOEM
	}
	var ok, well bool
	a.user, ok = read(user)
	a.domain, well = read(domain)
	if !ok || !well {
		return nil, ErrMessage
	}
	if len(m) >= micOffset+micLength {
		a.mic = m[micOffset:][:micLength]
	}
	return a, nil
}

// fromOEM reads the letters that all OEM code pages have in common.
func fromOEM(raw []byte) (string, bool) {
	for _, c := range raw {
		if c < 0x20 || c > 0x7e {
			return "", false
		}
	}
	return string(raw), true
}

// Parts of a response (2.2.2.7, 2.2.2.8).
const (
	proofLength     = 16
	attributesStart = proofLength + 28
)

// attributes reads the attributes in a response; false if it is not a
// response of version 2.
func attributes(response []byte) (map[uint16][]byte, bool) {
	if len(response) < attributesStart+4 || response[proofLength] != 1 || response[proofLength+1] != 1 {
		return nil, false
	}
	found := make(map[uint16][]byte)
	for rest := response[attributesStart:]; len(rest) >= 4 && len(found) < mostAttributes; {
		id, length := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		if rest = rest[4:]; length > len(rest) {
			return nil, false
		}
		if id == avEnd {
			return found, true
		}
		found[id], rest = rest[:length], rest[length:]
	}
	return nil, false
}

// challengeMessage is the server's message (2.2.1.2).
func challengeMessage(flags uint32, challenge, target, info []byte) []byte {
	const head = 56
	m := make([]byte, 0, head+len(target)+len(info))
	le := binary.LittleEndian
	pointer := func(data []byte, offset int) {
		m = le.AppendUint16(m, uint16(len(data)))
		m = le.AppendUint16(m, uint16(len(data)))
		m = le.AppendUint32(m, uint32(offset))
	}
	m = le.AppendUint32(append(m, magic...), kindChallenge)
	pointer(target, head)
	m = le.AppendUint32(m, flags)
	m = append(m, challenge...)
	m = append(m, make([]byte, 8)...)
	pointer(info, head+len(target))
	m = append(m, serverVersion[:]...)
	return append(append(m, target...), info...)
}

// attribute appends one attribute.
func attribute(info []byte, id uint16, value []byte) []byte {
	info = binary.LittleEndian.AppendUint16(info, id)
	info = binary.LittleEndian.AppendUint16(info, uint16(len(value)))
	return append(info, value...)
}
