package remediate

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a store takes, in bytes. Text that only a person reads is shortened
// to its bound, so that a talkative host cannot cost an outcome; what is
// evidence is never altered, so a longer one is refused.
const (
	// MaxRaw bounds Look.Raw; a longer one is refused.
	MaxRaw = 4 << 20
	// MaxFindings bounds the findings of one look as JSON; longer ones are
	// refused.
	MaxFindings = 1 << 20
	// MaxLog bounds Attempt.Log; of a longer one its beginning and its end
	// are kept, see ClipLog.
	MaxLog = 1 << 20
	// MaxResult bounds Attempt.Result; of a longer one the last lines go.
	MaxResult = 1 << 20
	// MaxText bounds every other text, such as a detail or the name of an
	// operating system; a longer one loses its end.
	MaxText = 4 << 10
	// MaxName bounds the name of a host and every id; a longer one is
	// refused.
	MaxName = 253
	// MaxAddress bounds an address with its port; a longer one is refused.
	MaxAddress = MaxName + len("[]:65535")
)

// ClipLog shortens a log to MaxLog bytes: its first quarter and its end stay,
// a line between them says how much went. A shorter log comes back as it is.
func ClipLog(log []byte) []byte {
	if len(log) <= MaxLog {
		return log
	}
	note := fmt.Sprintf("\n[oust: cut from %d bytes]\n", len(log))
	head := MaxLog / 4
	tail := MaxLog - head - len(note)
	return bytes.Join([][]byte{log[:head], log[len(log)-tail:]}, []byte(note))
}

// ClipText shortens a text to MaxText bytes and leaves no half of a
// character at its end, nor anything else that is not UTF-8.
func ClipText(s string) string {
	if s = Legible(s); len(s) <= MaxText {
		return s
	}
	const mark = "..."
	return strings.ToValidUTF8(s[:MaxText-len(mark)], "") + mark
}

// Legible is the text with U+FFFD for what is not UTF-8: a record of the
// ledger holds nothing else.
func Legible(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// ClipResult shortens result lines to MaxResult bytes, whole lines only, and
// makes them Legible.
func ClipResult(s string) string {
	if s = Legible(s); len(s) <= MaxResult {
		return s
	}
	s = s[:MaxResult]
	return s[:strings.LastIndexByte(s, '\n')+1]
}
