package cmdexe

import (
	"maps"
	"strconv"
	"strings"
)

// loop runs a FOR.
func (s *session) loop(n *node) int {
	outer := s.vars
	defer func() { s.vars = outer }()
	code := 0
	turn := func(values ...string) bool {
		vars := maps.Clone(outer)
		if vars == nil {
			vars = map[byte]string{}
		}
		for i, v := range values {
			vars[n.loop.name+byte(i)] = v
		}
		s.vars = vars
		code = s.exec(n.a)
		return s.stop == goOn && s.ctx.Err() == nil
	}
	set := s.late(n.loop.set)
	switch n.loop.kind {
	case 'l':
		s.count(set, turn)
	case 'f':
		return s.parseLines(s.late(n.loop.options), set, turn, &code)
	case 'r':
		root := s.dir
		if o := unquote(s.late(n.loop.options)); o != "" {
			root = s.abs(o)
		}
		s.walk(root, split(set), 0, turn)
	default:
		s.each(set, n.loop.kind == 'd', turn)
	}
	return code
}

func (s *session) count(set string, turn func(...string) bool) {
	var v [3]int64
	for i, w := range split(set) {
		if i < 3 {
			v[i], _ = strconv.ParseInt(w, 0, 32)
		}
	}
	for i := v[0]; (v[1] >= 0 && i <= v[2] || v[1] < 0 && i >= v[2]) && s.ctx.Err() == nil; i += v[1] {
		if !turn(strconv.FormatInt(i, 10)) {
			return
		}
	}
}

func (s *session) each(set string, dirs bool, turn func(...string) bool) {
	for _, w := range split(set) {
		if !strings.ContainsAny(w, "*?") {
			if !turn(w) {
				return
			}
			continue
		}
		w = unquote(w)
		prefix := ""
		if i := strings.LastIndexAny(w, `\/:`); i >= 0 {
			prefix = w[:i+1]
		}
		for _, info := range s.glob(w) {
			if info.Dir == dirs && !turn(prefix+info.Name) {
				return
			}
		}
	}
}

// walk is FOR /R.
func (s *session) walk(dir string, set []string, deep int, turn func(...string) bool) bool {
	base := strings.TrimSuffix(dir, `\`) + `\`
	for _, w := range set {
		w = unquote(w)
		if !strings.ContainsAny(w, "*?") {
			if !turn(base + w) {
				return false
			}
			continue
		}
		for _, info := range s.glob(base + w) {
			if !info.Dir && !turn(base+info.Name) {
				return false
			}
		}
	}
	all, _ := s.c.Files.List(dir)
	for _, info := range all {
		if info.Dir && !info.Link && deep < maxNesting && !s.walk(base+info.Name, set, deep+1, turn) {
			return false
		}
	}
	return true
}

// fields is how FOR /F cuts a line.
type fields struct {
	eol      byte
	skip     int
	delims   string
	tokens   []int
	rest     bool // the last token is the rest of the line
	usebackq bool
}

func parseFields(o string) (fields, bool) {
	f := fields{eol: ';', delims: " \t", tokens: []int{1}}
	o = unquote(o)
	for o = strings.TrimLeft(o, " "); o != ""; o = strings.TrimLeft(o, " ") {
		low := strings.ToLower(o)
		word, rest, _ := strings.Cut(o, " ")
		switch {
		case strings.HasPrefix(low, "usebackq"):
			f.usebackq = true
			o = o[len("usebackq"):]
		case strings.HasPrefix(low, "eol=") && len(o) > 4:
			f.eol = o[4]
			o = o[5:]
		case strings.HasPrefix(low, "skip="):
			n, err := strconv.Atoi(word[5:])
			if err != nil || n < 1 {
				return f, false
			}
			f.skip, o = n, rest
		case strings.HasPrefix(low, "delims="):
			d := o[7:]
			end := len(d)
			for _, next := range []string{" tokens=", " usebackq", " eol=", " skip="} {
				if i := indexFold(d, next); i >= 0 {
					end = min(end, i)
				}
			}
			f.delims, o = d[:end], d[end:]
		case strings.HasPrefix(low, "tokens="):
			f.tokens = nil
			for t := range strings.SplitSeq(strings.ReplaceAll(word[7:], "*", ",*"), ",") {
				from, to, span := strings.Cut(t, "-")
				a, _ := strconv.Atoi(from)
				b := a
				if span {
					b, _ = strconv.Atoi(to)
				}
				f.rest = f.rest || t == "*"
				for ; a > 0 && a <= min(b, 31) && len(f.tokens) < 31; a++ {
					f.tokens = append(f.tokens, a)
				}
			}
			o = rest
		default:
			return f, false
		}
	}
	return f, true
}

// cut is the values of one line; none if the line is passed over.
func (f fields) cut(l string) []string {
	if l == "" {
		return nil
	}
	var words []string
	top := 0
	for _, t := range f.tokens {
		top = max(top, t)
	}
	skip := func() {
		for l != "" && strings.IndexByte(f.delims, l[0]) >= 0 {
			l = l[1:]
		}
	}
	skip()
	if l == "" || l[0] == f.eol {
		return nil
	}
	for len(words) < top && l != "" {
		end := strings.IndexAny(l, f.delims)
		if f.delims == "" || end < 0 {
			end = len(l)
		}
		words = append(words, l[:end])
		l = l[end:]
		if len(words) < top || f.rest {
			skip()
		}
	}
	var out []string
	found := false
	for _, t := range f.tokens {
		v := ""
		if t <= len(words) {
			v, found = words[t-1], true
		}
		out = append(out, v)
	}
	if f.rest {
		out = append(out, l)
		found = found || l != ""
	}
	if !found {
		return nil
	}
	return out
}

// parseLines is FOR /F.
func (s *session) parseLines(options, set string, turn func(...string) bool, code *int) int {
	f, ok := parseFields(options)
	if !ok {
		s.stop = endSession
		return s.fail(255, options+" was unexpected at this time.")
	}
	text, err := s.input(f, strings.Trim(set, " \t"))
	if err != nil {
		return s.fail(1, words(err))
	}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, l := range lines {
		if i < f.skip {
			continue
		}
		if values := f.cut(l); values != nil && !turn(values...) {
			break
		}
	}
	return *code
}

// input is the text that FOR /F reads: of a string, a command or files.
func (s *session) input(f fields, set string) (string, error) {
	quote, command := byte('"'), byte('\'')
	if f.usebackq {
		quote, command = '\'', '`'
	}
	if n := len(set); n >= 2 && set[0] == set[n-1] {
		switch set[0] {
		case quote:
			return set[1 : n-1], nil
		case command:
			var w bounded
			if s.nesting >= maxNesting {
				return "", errFull
			}
			c := s.child()
			c.out, c.frame, c.vars, c.echo = &w, nil, nil, false
			c.source(set[1:n-1], nil)
			return string(w.b), nil
		}
	}
	var b strings.Builder
	for _, w := range split(set) {
		t, err := s.readFile(s.abs(w))
		if err != nil {
			return "", err
		}
		b.WriteString(t)
	}
	return b.String(), nil
}

// split cuts at blanks, commas, semicolons and equals signs outside quotes.
func split(t string) []string {
	var out []string
	for {
		t = strings.TrimLeft(t, delims)
		if t == "" {
			return out
		}
		quoted := false
		i := 0
		for ; i < len(t) && (quoted || strings.IndexByte(delims, t[i]) < 0); i++ {
			if t[i] == '"' {
				quoted = !quoted
			}
		}
		out = append(out, t[:i])
		t = t[i:]
	}
}
