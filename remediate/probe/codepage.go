package probe

import (
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const utf8CodePage = 65001

// codePages are those with one byte for a letter that Windows uses for the
// output of programs. Source: Microsoft, "Code Page Identifiers".
var codePages = map[int]*charmap.Charmap{
	437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 855: charmap.CodePage855,
	858: charmap.CodePage858, 860: charmap.CodePage860, 862: charmap.CodePage862, 863: charmap.CodePage863,
	865: charmap.CodePage865, 866: charmap.CodePage866, 874: charmap.Windows874,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253,
	1254: charmap.Windows1254, 1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257,
	1258: charmap.Windows1258,
}

var lastNumber = regexp.MustCompile(`\d+`)

// readCodePage finds the number in what chcp says in the host's language. It
// is 0 where chcp said nothing.
func (w *winReader) readCodePage() error {
	for _, l := range w.lines("codepage") {
		if digits := lastNumber.FindAllString(l, -1); digits != nil {
			n, err := strconv.Atoi(digits[len(digits)-1])
			if err != nil || n > 65535 {
				return fmt.Errorf("chcp printed %q", clean(l))
			}
			w.windows.CodePage = n
		}
	}
	w.letters = codePages[w.windows.CodePage]
	return nil
}

// decode makes text of a line in the host's code page. What is UTF-8 is taken
// as that, whatever chcp says; bytes of a code page with several bytes for a
// letter stay as they are, and are shown as question marks.
func (w *winReader) decode(line string) string {
	if utf8.ValidString(line) || w.letters == nil {
		return line
	}
	text, err := w.letters.NewDecoder().String(line)
	if err != nil {
		return line
	}
	return text
}
