package probe

import (
	"bytes"
	"strings"

	"oust/remediate"
)

// Unfold gives the text of a look with the lines of the second answer in one
// piece each, so that words in them can be found. It says the same to Reparse.
// A text without a second answer comes back as it is.
func Unfold(raw []byte) []byte {
	first, err := remediate.ParseKept(raw)
	if err != nil || len(raw) <= len(first.Raw)+1 {
		return raw
	}
	at := len(first.Raw)
	out := bytes.NewBuffer(make([]byte, 0, len(raw)))
	out.Write(raw[:at])
	folded := ""
	for line := range bytes.Lines(raw[at:]) {
		switch text := strings.TrimRight(string(line), "\r\n"); {
		case strings.HasPrefix(text, "+") && len(folded) <= maxLine:
			folded += text[1:] + strings.Repeat(" ", max(0, lineWidth-len(text[1:])))
		case strings.HasPrefix(text, ".") && folded != "":
			out.WriteString("." + folded + text[1:] + "\n")
			folded = ""
		case strings.HasPrefix(text, "@") && folded != "": // its end is missing
			out.WriteString("+" + folded + "\n")
			folded = ""
			fallthrough
		default:
			out.Write(line)
		}
	}
	return out.Bytes()
}
