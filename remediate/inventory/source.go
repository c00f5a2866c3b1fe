package inventory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"oust/remediate"
)

// Bounds of what is read.
const (
	maxFile  = 64 << 20 // bytes
	maxHosts = 250_000
	maxLine  = 64 << 10 // bytes
)

// stdinName stands for standard input where a file is named.
const stdinName = "stdin"

// source is the text of one file, as UTF-8 without a byte order mark.
type source struct {
	name string
	text []byte
}

func (l *loader) loadStdin() {
	if l.opts.Stdin == nil {
		l.problem(Place{File: stdinName}, "there is no standard input here; name a file")
		return
	}
	l.read(stdinName, l.opts.Stdin)
}

func (l *loader) loadFile(path string) {
	info, err := os.Stat(path) // before opening: opening a pipe waits for its writer
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.problem(Place{File: path}, "there is no such file%s", nearestFile(path))
	case err != nil:
		l.problem(Place{File: path}, "%v", cause(err))
	case info.IsDir():
		l.problem(Place{File: path}, "a folder; name the files in it")
	case !info.Mode().IsRegular():
		l.problem(Place{File: path}, "not a file; to pipe an inventory in, name it \"-\"")
	case info.Size() > maxFile:
		l.problem(Place{File: path}, "the file has %d bytes; at most %d are read", info.Size(), maxFile)
	default:
		f, err := os.Open(path)
		if err != nil {
			l.problem(Place{File: path}, "%v", cause(err))
			return
		}
		defer f.Close()
		l.read(path, f)
	}
}

// cause takes the path out of an error that is told with it.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// nearestFile proposes a name where one was mistyped.
func nearestFile(path string) string {
	const most = 1000
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return ""
	}
	defer dir.Close()
	names, err := dir.Readdirnames(most)
	if err != nil {
		return ""
	}
	if near := remediate.Nearest(filepath.Base(path), names); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// read takes at most maxFile bytes and one more, so that it can say so.
func (l *loader) read(name string, r io.Reader) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		l.problem(Place{File: name}, "%v", cause(err))
		return
	}
	if len(data) > maxFile {
		l.problem(Place{File: name}, "more than %d bytes; no more are read", maxFile)
		return
	}
	text, fault := decode(data)
	if fault.Msg != "" {
		fault.File = name
		l.problem(fault.Place, "%s", fault.Msg)
		return
	}
	l.parse(source{name: name, text: text})
}

// decode brings text to UTF-8 without a byte order mark. It takes UTF-16 with
// a mark, as Windows programs write it, and refuses what is not text.
func decode(data []byte) ([]byte, Problem) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		data = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		data = fromUTF16(data[2:], binary.BigEndian)
	default:
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	if at := bytes.IndexByte(data, 0); at >= 0 {
		return nil, faultAt(data, at, "a NUL byte: not a text file; save it as UTF-8")
	}
	if !utf8.Valid(data) {
		return nil, faultAt(data, invalidAt(data), "not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)")
	}
	if at := longLine(data); at >= 0 {
		return nil, faultAt(data, at, fmt.Sprintf("a line of more than %d bytes", maxLine))
	}
	return data, Problem{}
}

func faultAt(data []byte, at int, msg string) Problem {
	return Problem{Place: Place{Line: 1 + bytes.Count(data[:at], []byte("\n"))}, Msg: msg}
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

// fromUTF16 decodes UTF-16; halves of pairs and a last odd byte become U+FFFD.
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

// placeOf reads a Place that was written as text.
func placeOf(origin string) Place {
	i := strings.LastIndexByte(origin, ':')
	line := 0
	if i < 0 {
		return Place{File: origin}
	}
	if _, err := fmt.Sscanf(origin[i+1:], "%d", &line); err != nil {
		return Place{File: origin}
	}
	return Place{File: origin[:i], Line: line}
}
