package windows

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"oust/transports/lab/cmdexe"
)

// mostLine bounds a line that find and findstr read, in bytes.
const mostLine = 1 << 20

// matcher is what find and findstr look for.
type matcher struct {
	fits                        func(line string) bool
	invert, count, number, fold bool
	nameOnly                    bool
	files                       []string
}

// find is find.exe: find "text", with /v, /c, /i, /n. It returns 0 if a line
// fits, 1 if none does, 2 for what it cannot read.
func find(ctx context.Context, s *Session, c *cmdexe.Call) int {
	m, text, given := matcher{}, "", false
	for _, a := range c.Args {
		switch low := strings.ToLower(a); {
		case low == "/v":
			m.invert = true
		case low == "/c":
			m.count = true
		case low == "/i":
			m.fold = true
		case low == "/n":
			m.number = true
		case !given && quoted(c.Line, a):
			text, given = a, true
		case !given:
			fmt.Fprint(c.Stderr, "FIND: Parameter format not correct\r\n")
			return 2
		default:
			m.files = append(m.files, a)
		}
	}
	if !given {
		fmt.Fprint(c.Stderr, "FIND: Parameter format not correct\r\n")
		return 2
	}
	// No line holds an empty text, so that /v "" counts all.
	m.fits = func(line string) bool {
		if m.fold {
			return text != "" && strings.Contains(strings.ToUpper(line), strings.ToUpper(text))
		}
		return text != "" && strings.Contains(line, text)
	}
	return m.run(ctx, s, c, "FIND")
}

// quoted reports whether a word stands in quotation marks in a line: find
// takes no other text, with its own quotation marks doubled.
func quoted(line, word string) bool {
	return strings.Contains(line, `"`+strings.ReplaceAll(word, `"`, `""`)+`"`)
}

// findstr is findstr.exe: words or, with /c:, one text, each a text with /l
// and a regular expression with /r or without either; /i, /v, /n, /x, /m.
func findstr(ctx context.Context, s *Session, c *cmdexe.Call) int {
	m, patterns, literal, whole := matcher{}, []string(nil), false, false
	for _, a := range c.Args {
		low := strings.ToLower(a)
		switch {
		case strings.HasPrefix(low, "/c:"):
			patterns, literal = append(patterns, a[3:]), true
		case low == "/i":
			m.fold = true
		case low == "/v":
			m.invert = true
		case low == "/n":
			m.number = true
		case low == "/m":
			m.nameOnly = true
		case low == "/x":
			whole = true
		case low == "/l":
			literal = true
		case low == "/r":
			literal = false
		case strings.HasPrefix(a, "/"):
			fmt.Fprintf(c.Stderr, "FINDSTR: %s ignored\r\n", a)
		case patterns == nil:
			patterns = strings.Fields(a)
		default:
			m.files = append(m.files, a)
		}
	}
	all, err := compile(patterns, literal, whole, m.fold)
	if err != nil || len(all) == 0 {
		fmt.Fprint(c.Stderr, "FINDSTR: Bad command line\r\n")
		return 2
	}
	m.fits = func(line string) bool {
		return slices.ContainsFunc(all, func(re *regexp.Regexp) bool { return re.MatchString(line) })
	}
	return m.run(ctx, s, c, "FINDSTR")
}

// compile reads the expressions of findstr.
func compile(patterns []string, literal, whole, fold bool) ([]*regexp.Regexp, error) {
	var all []*regexp.Regexp
	for _, p := range patterns {
		if literal {
			p = regexp.QuoteMeta(p)
		} else {
			p = findstrPattern(p)
		}
		if whole {
			p = "^(?:" + p + ")$"
		}
		if fold {
			p = "(?i)" + p
		}
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("the expression %q: %w", p, err)
		}
		all = append(all, re)
	}
	return all, nil
}

// findstrPattern turns an expression of findstr into one of Go's: it knows
// . * ^ $ [ ] \< \> and the backslash; all else is itself.
func findstrPattern(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		switch ch := p[i]; {
		case ch == '\\' && i+1 < len(p):
			i++
			if p[i] == '<' || p[i] == '>' {
				b.WriteString(`\b`)
			} else {
				b.WriteString(regexp.QuoteMeta(p[i : i+1]))
			}
		case strings.IndexByte("+?(){}|", ch) >= 0:
			b.WriteString(`\` + string(ch))
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}

func (m matcher) run(ctx context.Context, s *Session, c *cmdexe.Call, name string) int {
	out := bufio.NewWriter(c.Stdout)
	defer func() { _ = out.Flush() }()
	if len(m.files) == 0 {
		n := m.lines(ctx, c.Stdin, out, "")
		if m.count {
			fmt.Fprintf(out, "%d\r\n", n)
		}
		return btoi(n == 0)
	}
	found, exit := 0, 0
	for _, file := range m.files {
		f, err := s.host.Files.Open(cleanIn(c.Dir, file))
		if err != nil {
			fmt.Fprintf(c.Stderr, "File not found - %s\r\n", strings.ToUpper(file))
			exit = 2
			continue
		}
		prefix := ""
		switch {
		case name == "FIND" && !m.count:
			fmt.Fprintf(out, "\r\n---------- %s\r\n", strings.ToUpper(file))
		case name == "FINDSTR" && len(m.files) > 1:
			prefix = file + ":"
		}
		n := m.lines(ctx, f, out, prefix)
		_ = f.Close()
		switch {
		case m.count:
			fmt.Fprintf(out, "\r\n---------- %s: %d\r\n", strings.ToUpper(file), n)
		case m.nameOnly && n > 0:
			fmt.Fprintf(out, "%s\r\n", file)
		}
		found += n
	}
	if exit == 0 && found == 0 {
		exit = 1
	}
	return exit
}

// lines prints the lines that fit and returns how many there are.
func (m matcher) lines(ctx context.Context, in io.Reader, out io.Writer, prefix string) int {
	r := bufio.NewReaderSize(in, 4096)
	n, number := 0, 0
	for ctx.Err() == nil {
		line, err := readLine(r)
		if err != nil && line == "" {
			break
		}
		number++
		if m.fits(line) == m.invert {
			continue
		}
		n++
		if m.count || m.nameOnly {
			continue
		}
		_, _ = io.WriteString(out, prefix)
		if m.number {
			fmt.Fprintf(out, "[%d]", number)
		}
		if _, err := io.WriteString(out, line+"\r\n"); err != nil {
			break
		}
	}
	return n
}

// readLine reads a line without its end; what goes beyond mostLine is dropped.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) < mostLine {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return string(bytes.TrimRight(line, "\r\n")), err
	}
}
