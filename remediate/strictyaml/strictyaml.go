// Package strictyaml reads YAML that people write: campaign files, playbooks,
// inventories. It is strict, so that a slip of the pen is an error with file,
// line and column, and never a setting that silently does nothing.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// DefaultLimit is the largest file that Decode takes, in bytes.
const DefaultLimit = 1 << 20

// maxDepth bounds how deep values may stand in one another.
const maxDepth = 100

// Error is what is wrong with a file, and where.
type Error struct {
	File string
	// Line and Column count from 1; 0 means the whole file.
	Line, Column int
	Msg          string
	// Excerpt shows the place, over a few lines; it may be empty.
	Excerpt string
}

// Error is "file:line:column: message", then the excerpt on lines of its own.
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d:%d", e.Line, e.Column)
	}
	s += ": " + e.Msg
	if e.Excerpt != "" {
		s += "\n" + e.Excerpt
	}
	return s
}

// Decode reads one document of YAML into a struct with yaml tags. It refuses
// unknown and repeated keys, aliases and anchors, a second document, values
// nested deeper than 100, text that is not UTF-8, and files over
// DefaultLimit. Errors are of type *Error; errors of UnmarshalYAML methods are
// given the place of their value. An empty file leaves into as it is.
func Decode(file string, data []byte, into any) error {
	if len(data) > DefaultLimit {
		return &Error{File: file, Msg: fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), DefaultLimit)}
	}
	text, err := checkText(file, data)
	if err != nil {
		return err
	}
	body, err := checkShape(file, text)
	if err == nil {
		err = conform(file, body, reflect.TypeOf(into))
	}
	if err != nil {
		return explain(file, text, err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField())
	if err := dec.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return explain(file, text, err)
	}
	return nil
}

// checkText refuses what is not UTF-8 text, and takes a byte order mark away.
func checkText(file string, data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, &Error{File: file, Msg: "the file is UTF-16; save it as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for n, line := range bytes.Split(data, []byte("\n")) {
		if at := bytes.IndexByte(line, 0); at >= 0 {
			return nil, &Error{File: file, Line: n + 1, Column: at + 1, Msg: "a NUL byte; is this a text file, saved as UTF-8?"}
		}
		if !utf8.Valid(line) {
			return nil, &Error{File: file, Line: n + 1, Column: invalidAt(line) + 1, Msg: "not UTF-8; save the file as UTF-8"}
		}
	}
	return data, nil
}

func invalidAt(line []byte) int {
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return 0
}

// checkShape parses the text and refuses what no file of ours needs: a second
// document, anchors, aliases, merge keys, and depth. It returns the document,
// nil if there is none.
func checkShape(file string, text []byte) (body ast.Node, err error) {
	if deepest(text) > maxDepth {
		return nil, &Error{File: file, Msg: fmt.Sprintf("values are nested deeper than %d", maxDepth)}
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range parsed.Docs {
		if d.Body == nil {
			continue
		}
		if body != nil {
			return nil, at(file, d.Body.GetToken(), "a second document; write one document a file")
		}
		body = d.Body
		v := &shape{file: file}
		ast.Walk(v, d.Body)
		if v.err != nil {
			return nil, v.err
		}
	}
	return body, nil
}

// deepest is an upper bound of the nesting, by indentation and brackets,
// found before the parser is asked to follow it.
func deepest(text []byte) int {
	most, open := 0, 0
	for line := range bytes.Lines(text) {
		indent := len(line) - len(bytes.TrimLeft(line, " -"))
		for _, c := range line {
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open = max(0, open-1)
			}
			most = max(most, open+indent/2)
		}
	}
	return most
}

// shape is an ast.Visitor that looks for what is refused.
type shape struct {
	file string
	err  error
}

// Visit implements ast.Visitor.
func (s *shape) Visit(n ast.Node) ast.Visitor {
	if s.err != nil {
		return nil
	}
	switch n.Type() {
	case ast.AnchorType, ast.AliasType:
		s.err = at(s.file, n.GetToken(), "anchors and aliases are not used here; write the value out")
	case ast.MergeKeyType:
		s.err = at(s.file, n.GetToken(), "merge keys are not used here; write the values out")
	case ast.TagType:
		s.err = at(s.file, n.GetToken(), "tags are not used here")
	}
	return s
}

func at(file string, t *token.Token, msg string) *Error {
	e := &Error{File: file, Msg: msg}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}

// explain turns an error of the YAML library into ours, and shows the place.
func explain(file string, text []byte, err error) error {
	e, own := errors.AsType[*Error](err)
	if own {
		e.File = file
	} else {
		e = &Error{File: file, Msg: err.Error()}
		if y, ok := errors.AsType[yaml.Error](err); ok {
			e.Msg = plainer(y.GetMessage())
			if t := y.GetToken(); t != nil && t.Position != nil {
				e.Line, e.Column = t.Position.Line, t.Position.Column
			}
		}
	}
	if e.Excerpt == "" {
		e.Excerpt = excerpt(text, e.Line, e.Column)
	}
	return e
}

// plainer says in other words what the YAML library says so that few understand it.
func plainer(msg string) string {
	if strings.HasPrefix(msg, "found character '\t'") {
		return "a tab begins this line; YAML is indented with blanks"
	}
	return msg
}

// excerpt shows the line before, the line and a mark under the column.
func excerpt(text []byte, line, column int) string {
	const most = 160
	ls := strings.Split(string(text), "\n")
	if line < 1 || line > len(ls) {
		return ""
	}
	var b strings.Builder
	for n := max(1, line-1); n <= line; n++ {
		l := []rune(strings.TrimRight(ls[n-1], "\r"))
		fmt.Fprintf(&b, "%5d | %s\n", n, string(l[:min(len(l), most)]))
	}
	if column >= 1 && column <= most {
		fmt.Fprintf(&b, "      | %s^", strings.Repeat(" ", column-1))
	}
	return strings.TrimRight(b.String(), "\n")
}
