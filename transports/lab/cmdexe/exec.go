package cmdexe

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// exec runs a command and returns its code, which && and || look at.
func (s *session) exec(n *node) int {
	if n == nil || s.stop != goOn {
		return s.level
	}
	if s.ctx.Err() != nil {
		s.stop, s.level = endSession, 1
		return 1
	}
	switch n.kind {
	case sequence:
		s.exec(n.a)
		return s.exec(n.b)
	case onSuccess:
		if code := s.exec(n.a); code != 0 {
			return code
		}
		return s.exec(n.b)
	case onFailure:
		code := s.exec(n.a)
		if code == 0 || s.stop != goOn {
			return code
		}
		s.level = code
		return s.exec(n.b)
	case pipe:
		return s.pipe(n)
	case ifNode:
		yes, ok := s.test(n.cond)
		switch {
		case !ok:
			return s.fail(255, "The syntax of the command is incorrect.")
		case yes:
			return s.exec(n.a)
		case n.b != nil:
			return s.exec(n.b)
		}
		return 0
	case forNode:
		return s.loop(n)
	case block:
		return s.redirected(n.redirs, func() int { return s.exec(n.a) })
	}
	return s.redirected(n.redirs, func() int { return s.simple(s.late(n.text)) })
}

// pipe runs the left side to its end and hands its output to the right one.
func (s *session) pipe(n *node) int {
	if s.nesting >= maxNesting {
		s.stop = endSession
		return s.fail(1, "Not enough memory resources are available to process this command.")
	}
	var w bounded
	l := s.child()
	l.out = &w
	l.exec(n.a)
	r := s.child()
	r.in = bytes.NewReader(w.b)
	s.level = r.exec(n.b)
	if r.stop == endSession {
		s.level = r.level
	}
	return s.level
}

// redirected runs f with its input and output where the redirections say.
func (s *session) redirected(all []redir, f func() int) int {
	in, out, errs := s.in, s.out, s.err
	defer func() { s.in, s.out, s.err = in, out, errs }()
	for _, r := range all {
		target := unquote(s.late(r.target))
		if strings.HasPrefix(target, "&") {
			switch from := target[1:]; {
			case r.fd == 2 && from == "1":
				s.err = s.out
			case r.fd == 1 && from == "2":
				s.out = s.err
			}
			continue
		}
		if r.op == "<" {
			src, err := s.open(target)
			if err != nil {
				s.err = errs
				return s.fail(1, words(err))
			}
			defer src.Close()
			if r.fd == 0 {
				s.in = src
			}
			continue
		}
		w, err := s.create(target, r.op == ">>")
		if err != nil {
			s.err = errs
			return s.fail(1, words(err))
		}
		defer w.Close()
		switch r.fd {
		case 1:
			s.out = w
		case 2:
			s.err = w
		}
	}
	return f()
}

// nul swallows all and holds nothing.
type nul struct{}

func (nul) Read([]byte) (int, error)    { return 0, io.EOF }
func (nul) Write(p []byte) (int, error) { return len(p), nil }
func (nul) Close() error                { return nil }

type console struct{ io.Writer }

func (console) Close() error { return nil }

func isDevice(path, name string) bool {
	_, last := splitLast(`\` + strings.ReplaceAll(path, "/", `\`))
	return strings.EqualFold(strings.TrimSuffix(last, ":"), name)
}

func (s *session) open(path string) (io.ReadCloser, error) {
	switch {
	case isDevice(path, "nul"):
		return nul{}, nil
	case isDevice(path, "con"):
		return io.NopCloser(s.in), nil
	}
	return s.c.Files.Open(s.abs(path))
}

func (s *session) create(path string, appending bool) (io.WriteCloser, error) {
	switch {
	case isDevice(path, "nul"):
		return nul{}, nil
	case isDevice(path, "con"):
		return console{s.out}, nil
	case strings.ContainsAny(path, `*?"<>|`):
		return nil, errSyntaxOfName
	}
	return s.c.Files.Create(s.abs(path), appending)
}

var errSyntaxOfName = errors.New("The filename, directory name, or volume label syntax is incorrect.") //nolint:staticcheck,revive // Windows' own words

// words are what cmd.exe says to an error of the file system.
func words(err error) string {
	switch {
	case errors.Is(err, errNotEmpty):
		return "The directory is not empty."
	case errors.Is(err, fs.ErrPermission):
		return "Access is denied."
	case errors.Is(err, fs.ErrExist):
		return "A duplicate file name exists, or the file\r\ncannot be found."
	case errors.Is(err, fs.ErrNotExist):
		return "The system cannot find the file specified."
	case errors.Is(err, ErrNotDir):
		return "The system cannot find the path specified."
	}
	return err.Error()
}

// test evaluates the condition of IF; ok is false if it cannot be read.
func (s *session) test(c condition) (yes, ok bool) {
	left, right := s.late(c.left), s.late(c.right)
	switch c.op {
	case "exist":
		yes = s.exists(unquote(left))
	case "defined":
		_, yes = s.get(left)
	case "errorlevel", "cmdextversion":
		n, err := strconv.Atoi(left)
		if err != nil {
			return false, false
		}
		yes = s.level >= n
		if c.op == "cmdextversion" {
			yes = n <= 2
		}
	case "==":
		yes = left == right || c.fold && strings.EqualFold(left, right)
	default:
		yes = compare(c.op, left, right, c.fold)
	}
	return yes != c.not, true
}

func compare(op, left, right string, fold bool) bool {
	a, err1 := strconv.ParseInt(left, 0, 32)
	b, err2 := strconv.ParseInt(right, 0, 32)
	d := int(a - b)
	if err1 != nil || err2 != nil {
		if fold {
			left, right = strings.ToUpper(left), strings.ToUpper(right)
		}
		d = strings.Compare(left, right)
	}
	switch op {
	case "EQU":
		return d == 0
	case "NEQ":
		return d != 0
	case "LSS":
		return d < 0
	case "LEQ":
		return d <= 0
	case "GTR":
		return d > 0
	}
	return d >= 0
}

func (s *session) exists(path string) bool {
	if path == "" {
		return false
	}
	if strings.ContainsAny(path, "*?") {
		return len(s.glob(path)) > 0
	}
	if isDevice(path, "nul") {
		return true
	}
	i, err := s.c.Files.Stat(s.abs(path))
	return err == nil && (i.Dir || !strings.HasSuffix(path, `\`))
}

// abs is a path with its drive, without . and .., and without a backslash at
// its end.
func (s *session) abs(p string) string {
	p = strings.ReplaceAll(strings.ReplaceAll(p, `"`, ""), "/", `\`)
	switch {
	case len(p) >= 2 && p[1] == ':' && (len(p) == 2 || p[2] != '\\') && strings.EqualFold(p[:2], s.dir[:2]):
		p = s.dir + `\` + p[2:]
	case len(p) >= 2 && p[1] == ':':
	case strings.HasPrefix(p, `\`):
		p = s.dir[:2] + p
	default:
		p = s.dir + `\` + p
	}
	return clean(p)
}

// clean takes . and .. out of an absolute path; a drive alone keeps its
// backslash.
func clean(p string) string {
	if len(p) < 2 || p[1] != ':' {
		p = `C:\` + p
	}
	var out []string
	for _, e := range steps(p[2:]) {
		switch e = strings.TrimRight(e, " "); e {
		case ".", "":
		case "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, e)
		}
	}
	return p[:2] + `\` + strings.Join(out, `\`)
}
