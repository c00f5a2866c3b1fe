package inventory

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// maxLine bounds a line of text, in bytes. JSON may stand on one line, and is
// not held to it.
const maxLine = 64 << 10

// decode brings text to UTF-8 without a byte order mark and with lines that
// end in LF or CRLF. It takes UTF-16 with a mark, as Windows programs write
// it, and refuses what is not text.
func decode(data []byte) ([]byte, *Problem) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		data = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		data = fromUTF16(data[2:], binary.BigEndian)
	default:
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	if bytes.IndexByte(data, '\n') < 0 {
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	if at := bytes.IndexByte(data, 0); at >= 0 {
		return nil, faultAt(data, at, "a NUL byte: not a text file; save it as UTF-8")
	}
	if !utf8.Valid(data) {
		return nil, faultAt(data, invalidAt(data), "not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)")
	}
	if at := longLine(data); at >= 0 && !looksJSON(data) {
		return nil, faultAt(data, at, fmt.Sprintf("a line of more than %d bytes", maxLine))
	}
	return data, nil
}

func faultAt(data []byte, at int, msg string) *Problem {
	return &Problem{Place: Place{Line: 1 + bytes.Count(data[:at], []byte("\n"))}, Msg: msg}
}

func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return 0
}

// longLine is where a line begins that is too long, or -1.
func longLine(data []byte) int {
	for at := 0; at < len(data); {
		n := bytes.IndexByte(data[at:], '\n')
		if n < 0 {
			n = len(data) - at
		}
		if n > maxLine {
			return at
		}
		at += n + 1
	}
	return -1
}

// fromUTF16 decodes UTF-16; half a pair and a last odd byte become U+FFFD.
func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	out := make([]byte, 0, len(data)/2+len(data)/8)
	for len(data) >= 2 {
		r := rune(order.Uint16(data))
		data = data[2:]
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if len(data) >= 2 {
				low = rune(order.Uint16(data))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				data = data[2:]
			}
		}
		out = utf8.AppendRune(out, r)
	}
	if len(data) > 0 {
		out = utf8.AppendRune(out, utf8.RuneError)
	}
	return out
}
