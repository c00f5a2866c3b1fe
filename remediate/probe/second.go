package probe

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"oust/remediate"
)

// lineWidth is how many characters of a line the second question prints at a
// time: PowerShell may break longer lines where it thinks the screen ends.
const lineWidth = 70

// maxLine bounds a line that was put together again, in bytes.
const maxLine = 64 << 10

// Second joins what the script of PowerShell printed to the raw text of the
// look before it, and reads both. out must have the look's nonce. Where out is
// not whole, the facts are those of the look and of what has come, and
// WindowsFacts.Warnings says why, with the reason in its words if it is not "".
// It fails only where raw is no look at a Windows host.
func Second(raw, out []byte, reason string) (*remediate.Facts, []byte, error) {
	first, err := remediate.ParseKept(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("read the kept look: %w", err)
	}
	nonce := remediate.Nonce(raw[1:33])
	second, err := remediate.ParseFrames(out, nonce)
	said := second.Raw
	switch {
	case second.Kind != KindPowerShell:
		said = []byte("@" + string(nonce) + " begin " + KindPowerShell + "\n")
		fallthrough
	case err != nil:
		if reason == "" {
			reason = "the answer has no end"
		}
		said = fmt.Appendf(bytes.Clone(said), "\n@%s section failed\n%s\n@%s end\n", nonce, clean(reason), nonce)
	}
	joined := append(bytes.Clone(first.Raw), '\n')
	joined = append(joined, said...)
	facts, err := Reparse(joined)
	return facts, joined, err
}

// readSecond adds what follows a kept look to its facts.
func (r *reader) readSecond(raw []byte) error {
	f, err := remediate.ParseFrames(raw[len(r.frames.Raw):], remediate.Nonce(raw[1:33]))
	if errors.Is(err, remediate.ErrNoFrame) {
		return nil
	}
	if err != nil || f.Kind != KindPowerShell || r.facts.Windows == nil {
		return errors.New("what follows the look is no second answer")
	}
	w := r.facts.Windows
	s := &secondReader{frames: f, winReader: &winReader{reader: r, windows: w, letters: codePages[w.CodePage]}}
	s.read()
	return nil
}

// secondReader turns the second answer into facts. Whatever is wrong with the
// answer is a warning: the first look counts without it.
type secondReader struct {
	*winReader
	frames   remediate.Frames
	language string // PowerShell's language mode, such as FullLanguage
}

func (s *secondReader) warn(format string, args ...any) {
	s.windows.Warnings = append(s.windows.Warnings, clean("PowerShell: "+fmt.Sprintf(format, args...)))
}

// read takes the parts one by one. Of an answer that failed as a whole the
// reason is said once, and not for each part.
func (s *secondReader) read() {
	failed, cut := s.frames.Get("failed")
	if cut {
		s.warn("%s", strings.TrimSpace(string(failed)))
	} else if len(s.frames.Sections) == 0 {
		s.warn("it did not start; the host said: %s", s.noise(s.frames.Raw))
		return
	}
	for _, part := range []struct {
		name, what string
		read       func([]string) bool
	}{
		{"host", "the version of PowerShell", s.host},
		{"appx", "the Appx packages", s.appx},
		{"security", "the Security Center", s.securityCenter},
		{"profiles", "the users who are not logged on", s.profiles},
	} {
		data, there := s.frames.Get(part.name)
		if !there && cut {
			continue
		}
		lines, whole := s.lines(part.what, data)
		if part.read(lines) && whole {
			s.windows.Answered = append(s.windows.Answered, part.name)
		}
	}
	if len(s.windows.Warnings) > 0 && s.language != "" && s.language != "FullLanguage" {
		s.warn("a policy of the host has it in the language mode %s", s.language)
	}
}

// noise is what PowerShell itself says, such as that it is not there.
func (s *secondReader) noise(raw []byte) string {
	var said []string
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '@' {
			said = append(said, s.decode(line))
		}
		if len(said) == 3 {
			break
		}
	}
	return clean(strings.Join(said, " "))
}

// lines puts the lines of a part together again. whole says that the part ran
// to its end; where it did not, there is a warning.
func (s *secondReader) lines(what string, data []byte) (lines []string, whole bool) {
	var line strings.Builder
	for l := range strings.SplitSeq(string(data), "\n") {
		l = strings.TrimRight(l, "\r")
		if l == "" || l[0] != '+' && l[0] != '.' || line.Len() > maxLine {
			continue
		}
		line.WriteString(l[1:])
		if l[0] == '+' { // blanks at its end may have been lost
			line.WriteString(strings.Repeat(" ", max(0, lineWidth-len(l[1:]))))
			continue
		}
		lines = append(lines, unescape(line.String()))
		line.Reset()
	}
	last := ""
	if len(lines) > 0 {
		last, lines = lines[len(lines)-1], lines[:len(lines)-1]
	}
	switch reason, failed := strings.CutPrefix(last, "error "); {
	case last == "done":
		return lines, true
	case failed:
		s.warn("%s: %s", what, reason)
	default:
		s.warn("%s: the answer has no end", what)
	}
	return lines, false
}

var escape = regexp.MustCompile("(?:`[0-9a-f]{4})+")

// unescape gives back the characters that were written as ` and the four
// hexadecimal digits of a UTF-16 unit.
func unescape(s string) string {
	return escape.ReplaceAllStringFunc(s, func(run string) string {
		var units []uint16
		for _, digits := range strings.Split(run[1:], "`") {
			n, _ := strconv.ParseUint(digits, 16, 16)
			units = append(units, uint16(n))
		}
		return string(utf16.Decode(units))
	})
}
