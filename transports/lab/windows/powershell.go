package windows

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"oust/transports/lab/cmdexe"
)

// codeNotRecognized is what cmd ends with where there is no such program.
const codeNotRecognized = 9009

// powershell stands in for powershell.exe, as far as other tools need it that
// hand every command to it: it decodes the argument of -EncodedCommand, and has
// cmd run what is in it where that is a plain command line, or several with
// semicolons between. Of the language of PowerShell it knows nothing: for such
// a text, and any other way to start it, the machine has no PowerShell.
//
// Like powershell.exe it ends with 0 or 1, by its last command.
func powershell(ctx context.Context, s *Session, c *cmdexe.Call) int {
	text, err := encodedCommand(c.Args)
	var lines []string
	if err == nil {
		lines, err = plainLines(text)
	}
	if err != nil {
		fmt.Fprintf(c.Stderr, "'%s' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", c.Name)
		return codeNotRecognized
	}
	exit := 0
	for _, line := range lines {
		config := s.Config(c.Stdin, c.Stdout, c.Stderr)
		config.Env, config.Dir = c.Environ(), c.Dir
		if ctx.Err() != nil {
			return 1
		}
		exit = s.host.shell(ctx, config, `/d /s /c "`+line+`"`)
	}
	if exit != 0 {
		return 1
	}
	return 0
}

// encodedCommand is the text of the argument that follows -EncodedCommand,
// which may be shortened (Microsoft, "about_PowerShell_exe"): base64 of
// UTF-16LE.
func encodedCommand(args []string) (string, error) {
	for i, a := range args {
		name := strings.ToLower(a)
		if name != "-ec" && (len(name) < 2 || !strings.HasPrefix(encodedSwitch, name)) {
			continue
		}
		if i+1 == len(args) {
			break
		}
		data, err := base64.StdEncoding.DecodeString(args[i+1])
		if err != nil || len(data)%2 != 0 {
			return "", errors.New("the command is not base64 of UTF-16")
		}
		units := make([]uint16, len(data)/2)
		for j := range units {
			units[j] = uint16(data[2*j]) | uint16(data[2*j+1])<<8
		}
		return string(utf16.Decode(units)), nil
	}
	return "", errors.New("there is no -EncodedCommand")
}

const (
	// notPlain are the signs that PowerShell and cmd read in different ways,
	// outside of quotes; a brace begins a block in PowerShell.
	notPlain = "$|&<>(){}@'`^%!#\r\n"
	// notQuoted are those within quotes.
	notQuoted = "$`%!\r\n"
)

// plainLines are the commands of a text that means the same in PowerShell and
// in cmd, but for semicolons.
func plainLines(text string) ([]string, error) {
	var lines []string
	quoted, start := false, 0
	for i, r := range text {
		refused := notPlain
		if quoted {
			refused = notQuoted
		}
		switch {
		case strings.ContainsRune(refused, r):
			return nil, fmt.Errorf("%q at letter %d", r, i+1)
		case r == '"':
			quoted = !quoted
		case r == ';' && !quoted:
			lines = append(lines, text[start:i])
			start = i + 1
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	var out []string
	for _, line := range append(lines, text[start:]) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the command is empty")
	}
	return out, nil
}

// encodedSwitch may be cut short.
const encodedSwitch = "-encodedcommand"
