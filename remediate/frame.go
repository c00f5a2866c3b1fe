package remediate

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ShLine is the command line that runs a script from standard input on any
// Unix host. The whole script is read before it runs, so that no child can
// eat it, and the line means the same to sh, fish and tcsh as login shells.
const ShLine = `/bin/sh -c 'eval "$(cat)"'`

// CmdLine is the command line that runs a script from standard input on any
// Windows host, as lines typed to cmd.exe: nothing is written on the host. /d
// leaves out what AutoRun would run, /q the echo of the lines; /v:off keeps
// exclamation marks what they are. It means the same to cmd and PowerShell as
// login shells, and as a command of a WinRM shell. Each program of such a
// script must have <nul, or it could eat the rest; lines end in CR LF.
const CmdLine = `cmd /d /q /e:on /v:off`

// ErrNoFrame: the output holds no begin line of this nonce; the script did
// not start.
var ErrNoFrame = errors.New("the script did not start on the host")

// ErrCutOff: the output ends before the end line.
var ErrCutOff = errors.New("the output was cut off")

// Nonce frames the output of one script, so that banners and profile noise
// cannot be mistaken for facts. It is 32 hexadecimal characters.
type Nonce string

// NewNonce makes a fresh nonce.
func NewNonce() Nonce {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand.Read
	return Nonce(hex.EncodeToString(b[:]))
}

func (n Nonce) valid() bool {
	if len(n) != 32 {
		return false
	}
	_, err := hex.DecodeString(string(n))
	return err == nil && strings.ToLower(string(n)) == string(n)
}

// Begin, Section and End are the sh commands that print the frame lines.
// Each prints a newline first, so that data without a last newline cannot
// swallow the frame; ParseFrames takes that newline away again.
func (n Nonce) Begin(kind string) string   { return n.line("begin " + kind) }
func (n Nonce) Section(name string) string { return n.line("section " + name) }
func (n Nonce) End() string                { return n.line("end") }

// CmdBegin, CmdSection and CmdEnd are the lines for cmd.exe that print the
// frame lines. What stands before them must have ended its line.
func (n Nonce) CmdBegin(kind string) string   { return "echo @" + string(n) + " begin " + kind }
func (n Nonce) CmdSection(name string) string { return "echo @" + string(n) + " section " + name }
func (n Nonce) CmdEnd() string                { return "echo @" + string(n) + " end" }

func (n Nonce) line(words string) string {
	return fmt.Sprintf(`printf '\n@%s %s\n'`, n, words)
}

// Frame is one section of framed output.
type Frame struct {
	Name string
	Data []byte
}

// Frames is the framed output of one script.
type Frames struct {
	Kind     string
	Sections []Frame
	// Raw is the output from the begin line to the end line, both included:
	// what is kept.
	Raw []byte
}

// Get returns the data of the first section of that name.
func (f Frames) Get(name string) ([]byte, bool) {
	for _, s := range f.Sections {
		if s.Name == name {
			return s.Data, true
		}
	}
	return nil, false
}

// ParseFrames cuts the output of a script into its sections. It returns
// ErrNoFrame, or ErrCutOff together with the sections that came whole or in
// part. CRLF line ends are read as LF.
func ParseFrames(out []byte, nonce Nonce) (Frames, error) {
	if !nonce.valid() {
		return Frames{}, fmt.Errorf("parse frames: bad nonce %q", clip(string(nonce)))
	}
	mark := []byte("@" + string(nonce) + " ")
	begin := append(append([]byte{}, mark...), "begin "...)
	at := frameStart(out, begin)
	if at < 0 {
		return Frames{}, ErrNoFrame
	}
	f := Frames{Raw: out[at:]}
	rest := out[at:]
	line, rest := cutLine(rest)
	f.Kind = string(line[len(begin):])
	var cur *Frame
	var pos = len(out) - len(rest)
	dataStart := pos
	flush := func(end int) {
		if cur != nil {
			cur.Data = trimAdded(out[dataStart:end])
			f.Sections = append(f.Sections, *cur)
			cur = nil
		}
	}
	for len(rest) > 0 {
		lineStart := len(out) - len(rest)
		line, rest = cutLine(rest)
		if !bytes.HasPrefix(line, mark) {
			continue
		}
		words := string(line[len(mark):])
		switch {
		case words == "end":
			flush(lineStart)
			f.Raw = out[at : len(out)-len(rest)]
			return f, nil
		case strings.HasPrefix(words, "section "):
			flush(lineStart)
			cur = &Frame{Name: words[len("section "):]}
			dataStart = len(out) - len(rest)
		}
	}
	flush(len(out))
	return f, ErrCutOff
}

// ParseKept reads what Frames.Raw kept: its nonce stands in its first line.
func ParseKept(raw []byte) (Frames, error) {
	if len(raw) < 33 || raw[0] != '@' {
		return Frames{}, ErrNoFrame
	}
	return ParseFrames(raw, Nonce(raw[1:33]))
}

func frameStart(out, begin []byte) int {
	for from := 0; ; {
		i := bytes.Index(out[from:], begin)
		if i < 0 {
			return -1
		}
		i += from
		if i == 0 || out[i-1] == '\n' {
			return i
		}
		from = i + 1
	}
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// trimAdded takes away the newline that a frame line prints before itself.
func trimAdded(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
