package winrm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A sealed message as multipart (MS-WSMV 2.2.9.1): one part says what is
// sealed and how long it is, the other has the length of the signature (32
// bit, little-endian), the signature, and the sealed text.
const (
	sealProtocol = "application/HTTP-SPNEGO-session-encrypted"
	sealType     = `multipart/encrypted;protocol="` + sealProtocol + `";boundary="Encrypted Boundary"`
	sealBoundary = "--Encrypted Boundary"
	soapType     = "application/soap+xml;charset=UTF-8"

	sealHead = sealBoundary + "\r\n\tContent-Type: " + sealProtocol +
		"\r\n\tOriginalContent: type=" + soapType + ";Length="
	sealMiddle = "\r\n" + sealBoundary + "\r\n\tContent-Type: application/octet-stream\r\n"
	sealEnd    = sealBoundary + "--"

	// signatureSize is the length of NTLM's signatures, in bytes, and
	// signatureMost bounds those of Kerberos.
	signatureSize = 16
	signatureMost = 128
	// sealRoom is more than what sealing adds to a message, in bytes.
	sealRoom = 2 << 10
)

var errSealed = errors.New("a sealed message has another form than MS-WSMV 2.2.9.1")

// isSealed reports whether a reply's content type is that of a sealed message.
func isSealed(contentType string) bool {
	return strings.HasPrefix(strings.ToLower(contentType), "multipart/encrypted") && strings.Contains(contentType, sealProtocol)
}

// wrapSealed puts a sealed text of length bytes on the wire.
func wrapSealed(sealed, signature []byte, length int) []byte {
	b := make([]byte, 0, len(sealed)+len(signature)+sealRoom)
	b = append(b, sealHead...)
	b = strconv.AppendInt(b, int64(length), 10)
	b = append(b, sealMiddle...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(signature)))
	b = append(b, signature...)
	b = append(b, sealed...)
	return append(b, sealEnd+"\r\n"...)
}

// parseSealed takes a sealed message apart; length is that of the text within.
// The sealed text may hold anything, a boundary too: it reaches to the last one.
func parseSealed(data []byte) (sealed, signature []byte, length int, err error) {
	line := func() string {
		var l []byte
		var ok bool
		if l, data, ok = bytes.Cut(data, []byte("\r\n")); !ok || len(l) > sealRoom/8 {
			err = errSealed
		}
		return strings.TrimSpace(string(l))
	}
	if line() != sealBoundary || err != nil {
		return nil, nil, 0, errSealed
	}
	length = -1
	for range 8 { // head lines up to the second boundary
		text := line()
		if err != nil {
			return nil, nil, 0, err
		}
		if text == sealBoundary {
			break
		}
		if _, digits, ok := strings.Cut(text, ";Length="); ok {
			n, bad := strconv.ParseUint(digits, 10, 31)
			if bad != nil {
				return nil, nil, 0, errSealed
			}
			length = int(n)
		}
	}
	if kind := line(); err != nil || length < 0 || kind != "Content-Type: application/octet-stream" {
		return nil, nil, 0, errSealed
	}
	rest, ok := bytes.CutSuffix(bytes.TrimSuffix(data, []byte("\r\n")), []byte(sealEnd))
	if !ok || len(rest) < 4+signatureSize {
		return nil, nil, 0, errSealed
	}
	n, rest := binary.LittleEndian.Uint32(rest), rest[4:]
	if n < signatureSize || n > signatureMost || int(n) > len(rest) {
		return nil, nil, 0, errSealed
	}
	signature, sealed = rest[:n], rest[n:]
	if len(sealed) != length { // sealing keeps the length
		return nil, nil, 0, fmt.Errorf("%w: %d bytes, said to be %d", errSealed, len(sealed), length)
	}
	return sealed, signature, length, nil
}
