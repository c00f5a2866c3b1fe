package remediate

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxCmdLine is the longest line that cmd.exe reads, in UTF-16 units
// (Microsoft, "Command prompt line string limitation", KB830473).
const maxCmdLine = 8191

// ErrCmdValue: a value that a line for cmd.exe cannot hold.
var ErrCmdValue = errors.New("cmd cannot hold this value")

// CmdPercent is what stands for a percent sign in a line for cmd.exe. In a
// batch file a sign is doubled; in lines that are typed there is no such way,
// and a variable gives it, for what comes from one is not read for signs
// again.
type CmdPercent string

// Ways to write a percent sign. Typed lines need CmdPercentVariable first.
const (
	CmdBatch CmdPercent = "%%"
	CmdTyped CmdPercent = "%OUSTP%"
)

// CmdPercentVariable is the line that makes the variable of CmdTyped.
const CmdPercentVariable = `set "OUSTP=%"`

// cmdSigns are what cmd.exe reads outside of quotes.
const cmdSigns = "^&|<>()"

// SetCmd makes the line of a batch file that sets a variable to exactly the
// value, whatever stands in it, while delayed expansion is off. The value is
// to be used as !NAME! with delayed expansion on, for what comes from there is
// not read for signs again, or as "%NAME%" where it has no lone quote.
//
// It returns ErrCmdValue for what no line can hold: control characters but
// tab, bytes that are not UTF-8, and lines of more than 8,191 characters.
//
// cmd.exe reads a line twice: first for percent signs, also within quotes;
// then for quotes and, outside of them, for the signs ^ & | < > ( ). The
// whole assignment stands in quotes, which SET takes away, the first and the
// last of the line; a quote within the value ends and begins the part in which
// signs mean nothing.
func SetCmd(name, value string) (string, error) {
	text, err := cmdText(value, CmdBatch, true)
	if err != nil {
		return "", err
	}
	return cmdLine(`set "` + name + `=` + text + `"`)
}

// EchoCmd makes the command that prints exactly the text and a line end. The
// error is as that of SetCmd.
func EchoCmd(text string, percent CmdPercent) (string, error) {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '%':
			b.WriteString(string(percent))
			continue
		case r == '"' || strings.ContainsRune(cmdSigns, r):
			// With each quote escaped no part of the line is quoted.
			b.WriteByte('^')
		}
		b.WriteRune(r)
	}
	if bad := cmdBad(text); bad != "" {
		return "", fmt.Errorf("%w: %s", ErrCmdValue, bad)
	}
	sep := " "
	switch word := strings.ToLower(strings.TrimSpace(text)); {
	case word == "", word == "on", word == "off", strings.HasPrefix(word, "/?"):
		sep = "." // else it is a switch of ECHO, or a question
	}
	return cmdLine("echo" + sep + b.String())
}

// CmdArguments makes a command line's words fit for a line of a batch file:
// percent signs are doubled, and what cmd.exe reads outside of quotes gets a
// caret. What the words are is not changed.
func CmdArguments(words string) (string, error) { return cmdText(words, CmdBatch, false) }

// cmdText escapes a text that begins within quotes or outside of them.
func cmdText(text string, percent CmdPercent, quoted bool) (string, error) {
	if bad := cmdBad(text); bad != "" {
		return "", fmt.Errorf("%w: %s", ErrCmdValue, bad)
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '%':
			b.WriteString(string(percent))
			continue
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(cmdSigns, r):
			b.WriteByte('^')
		}
		b.WriteRune(r)
	}
	return cmdLine(b.String())
}

// cmdBad says what no line can hold, or "".
func cmdBad(text string) string {
	if !utf8.ValidString(text) {
		return "it is not UTF-8"
	}
	for _, r := range text {
		if r < ' ' && r != '\t' || r == 0x7f {
			return fmt.Sprintf("control character %U", r)
		}
	}
	return ""
}

func cmdLine(line string) (string, error) {
	if n := utf16Len(line); n > maxCmdLine {
		return "", fmt.Errorf("%w: its line has %d characters, at most %d are read", ErrCmdValue, n, maxCmdLine)
	}
	return line, nil
}

// utf16Len is the length of a text in UTF-16 units, in which Windows counts.
func utf16Len(s string) int { return len(utf16.Encode([]rune(s))) }
