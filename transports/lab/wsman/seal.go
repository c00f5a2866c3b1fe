package wsman

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// A sealed message on the wire: MS-WSMV 2.2.9.1. There are two parts; the
// first says what is sealed, the second has the signature's length, the
// signature and the sealed text.
const (
	sealProtocol  = "application/HTTP-SPNEGO-session-encrypted"
	contentSealed = `multipart/encrypted;protocol="` + sealProtocol + `";boundary="Encrypted Boundary"`
	sealBoundary  = "--Encrypted Boundary"
	// sealOverhead is more than what sealing adds to a message, in bytes.
	sealOverhead = 1024
	// mostSignature bounds a signature; that of NTLM has 16 bytes, that of
	// Kerberos 60 or more.
	mostSignature = 128
)

var errSealed = errors.New("a sealed message has another form")

// isSealed reports whether a request's content type is that of a sealed
// message.
func isSealed(contentType string) bool {
	return strings.HasPrefix(strings.ToLower(contentType), "multipart/encrypted") && strings.Contains(contentType, sealProtocol)
}

// sealMessage is an envelope as sealed message.
func sealMessage(s sealer, envelope []byte) []byte {
	sealed, signature := s.Seal(envelope)
	var b bytes.Buffer
	b.Grow(len(sealed) + sealOverhead)
	b.WriteString(sealBoundary + "\r\n\tContent-Type: " + sealProtocol + "\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=" +
		strconv.Itoa(len(envelope)) + "\r\n" + sealBoundary + "\r\n\tContent-Type: application/octet-stream\r\n")
	b.Write(binary.LittleEndian.AppendUint32(b.AvailableBuffer(), uint32(len(signature))))
	b.Write(signature)
	b.Write(sealed)
	b.WriteString(sealBoundary + "--\r\n")
	return b.Bytes()
}

// sealedParts is what stands in a sealed message.
type sealedParts struct {
	length            int // of the envelope, in bytes
	signature, sealed []byte
}

// parseSealed takes a sealed message apart. The sealed text may hold anything,
// also a boundary: it reaches to the last one, which ends the message.
func parseSealed(data []byte) (sealedParts, error) {
	var p sealedParts
	first, ok := bytes.CutPrefix(data, []byte(sealBoundary+"\r\n"))
	if !ok {
		return p, errSealed
	}
	head, rest, ok := bytes.Cut(first, []byte(sealBoundary+"\r\n"))
	if !ok || len(head) > sealOverhead/2 {
		return p, errSealed
	}
	if p.length, ok = originalLength(string(head)); !ok {
		return p, errSealed
	}
	kind, rest, ok := bytes.Cut(rest, []byte("\r\n"))
	if !ok || strings.TrimSpace(string(kind)) != "Content-Type: application/octet-stream" {
		return p, errSealed
	}
	rest, ok = bytes.CutSuffix(bytes.TrimSuffix(rest, []byte("\r\n")), []byte(sealBoundary+"--"))
	if !ok || len(rest) < 4 {
		return p, errSealed
	}
	n := binary.LittleEndian.Uint32(rest)
	if rest = rest[4:]; n > mostSignature || int(n) > len(rest) {
		return p, errSealed
	}
	p.signature, p.sealed = rest[:n], rest[n:]
	return p, nil
}

// originalLength reads the head of a sealed message.
func originalLength(head string) (int, bool) {
	length, typed := -1, false
	for line := range strings.SplitSeq(head, "\r\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch strings.ToLower(name) {
		case "content-type":
			typed = strings.TrimSpace(value) == sealProtocol
		case "originalcontent":
			for field := range strings.SplitSeq(value, ";") {
				if text, ok := strings.CutPrefix(strings.TrimSpace(field), "Length="); ok {
					n, err := strconv.ParseUint(text, 10, 31)
					if err != nil {
						return 0, false
					}
					length = int(n)
				}
			}
		}
	}
	return length, typed && length >= 0
}

// unseal opens a sealed message.
func unseal(s sealer, data []byte) ([]byte, error) {
	p, err := parseSealed(data)
	if err != nil {
		return nil, err
	}
	plain, err := s.Unseal(p.sealed, p.signature)
	if err != nil {
		return nil, err
	}
	if len(plain) != p.length {
		return nil, errSealed
	}
	return plain, nil
}
