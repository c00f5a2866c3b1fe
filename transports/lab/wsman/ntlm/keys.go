package ntlm

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // NTLM is made of it
	"crypto/rc4" //nolint:gosec // NTLM is made of it
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:gosec,staticcheck // NTLM is made of it
)

// utf16LE is text as Windows holds it.
func utf16LE(text string) []byte {
	var out []byte
	for _, c := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, c)
	}
	return out
}

// fromUTF16 reads UTF-16; an odd byte at the end is an error.
func fromUTF16(raw []byte) (string, bool) {
	if len(raw)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units)), true
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(md5.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// hashLength is the length of hash, and of all keys, in bytes.
const hashLength = md5.Size

// hash is the MD5 of the parts.
func hash(parts ...[]byte) []byte {
	h := md5.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// ntowfv2 is the key that a password makes for an account (3.3.2). The domain
// is as the client wrote it.
func ntowfv2(password, user, domain string) []byte {
	h := md4.New() //nolint:gosec // NTLM is made of it
	h.Write(utf16LE(password))
	return hmacMD5(h.Sum(nil), utf16LE(strings.ToUpper(user)+domain))
}

// proof is what a client that knows the key answers a challenge with, and the
// key that the session rests on (3.3.2). temp is the client's part.
func proof(key, challenge, temp []byte) (proof, sessionBase []byte) {
	proof = hmacMD5(key, challenge, temp)
	return proof, hmacMD5(key, proof)
}

// rc4Once is RC4 of some bytes under a key of its own (RC4K, 6).
func rc4Once(key, data []byte) []byte {
	out := make([]byte, len(data))
	newRC4(key).XORKeyStream(out, data)
	return out
}

// newRC4 takes keys of this package, which have 16 bytes.
func newRC4(key []byte) cipher.Stream {
	c, err := rc4.NewCipher(key) //nolint:gosec // NTLM is made of it
	if err != nil {
		panic(err) // the length is wrong
	}
	return c
}

// Magic constants of 3.4.5.2 and 3.4.5.3, with the byte 0 that ends them.
const (
	clientSigning = "session key to client-to-server signing key magic constant\x00"
	serverSigning = "session key to server-to-client signing key magic constant\x00"
	clientSealing = "session key to client-to-server sealing key magic constant\x00"
	serverSealing = "session key to server-to-client sealing key magic constant\x00"
)

// derived is a signing or sealing key of 128 bits.
func derived(session []byte, magic string) []byte {
	return hash(session, []byte(magic))
}
