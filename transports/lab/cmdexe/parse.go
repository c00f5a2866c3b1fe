package cmdexe

import (
	"errors"
	"slices"
	"strings"
)

// Bounds of what a script may ask for.
const (
	maxLine  = 8191 // characters of a line
	maxLines = 4096 // lines of a block
	maxDepth = 64   // blocks, IF and FOR within each other
)

var errSyntax = errors.New("the syntax of the command is incorrect")

// node is a parsed command: simple, or one of the kinds below.
type node struct {
	kind   nodeKind
	text   string // of a simple command, without carets and redirections
	redirs []redir
	a, b   *node // the two sides; the bodies of IF and ELSE; the body of FOR
	cond   condition
	loop   loop
}

type nodeKind int

const (
	simple nodeKind = iota
	sequence
	onSuccess
	onFailure
	pipe
	block
	ifNode
	forNode
)

// redir is one redirection: of handle fd to a file, or to another handle if
// target begins with &.
type redir struct {
	fd     int
	op     string // < > >>
	target string
}

type condition struct {
	fold, not   bool
	op          string // exist, defined, errorlevel, ==, EQU and the like
	left, right string
}

type loop struct {
	kind    byte // 0, l, d, r or f
	options string
	name    byte
	set     string
}

// parser reads one command, and more lines while a block is open.
type parser struct {
	line  string
	pos   int
	more  func() (string, bool) // the next line with percent signs expanded
	depth int                   // open parentheses
	deep  int
	lines int // read for the open block
}

const delims = " \t,;="

// peek is the next character, or 0 at the end of the line.
func (p *parser) peek() byte {
	if p.pos < len(p.line) {
		return p.line[p.pos]
	}
	return 0
}

func (p *parser) skip(set string) {
	for p.pos < len(p.line) && strings.IndexByte(set, p.line[p.pos]) >= 0 {
		p.pos++
	}
}

// nextLine goes on with the next line of an open block.
func (p *parser) nextLine() bool {
	if p.lines++; p.lines > maxLines {
		return false
	}
	l, ok := p.more()
	if ok {
		p.line, p.pos = l, 0
	}
	return ok
}

// parse reads a whole command line; nil for an empty one.
func (p *parser) parse() (*node, error) {
	n, err := p.list()
	if err == nil && p.peek() != 0 {
		if p.peek() == ')' { // cmd.exe ignores what follows
			return n, nil
		}
		err = errSyntax
	}
	return n, err
}

func (p *parser) list() (*node, error) {
	return p.chain(sequence, "&", func() (*node, error) {
		return p.chain(onFailure, "||", func() (*node, error) {
			return p.chain(onSuccess, "&&", func() (*node, error) {
				return p.chain(pipe, "|", p.command)
			})
		})
	})
}

// operator says whether op is next, and not a longer one.
func (p *parser) operator(op string) bool {
	rest := p.line[p.pos:]
	return strings.HasPrefix(rest, op) && (len(op) == 2 || len(rest) < 2 || rest[1] != op[0])
}

func (p *parser) chain(kind nodeKind, op string, below func() (*node, error)) (*node, error) {
	a, err := below()
	for err == nil && p.operator(op) {
		p.pos += len(op)
		if a == nil {
			return nil, errSyntax
		}
		var b *node
		if b, err = below(); b == nil {
			if err == nil && kind != sequence {
				err = errSyntax
			}
			continue
		}
		a = &node{kind: kind, a: a, b: b}
	}
	return a, err
}

func (p *parser) command() (*node, error) {
	if p.deep++; p.deep > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.deep-- }()
	p.skip(delims + "@")
	switch c := p.peek(); {
	case c == 0 || c == ')' && p.depth > 0 || c == '&' || c == '|':
		return nil, nil
	case c == ':':
		p.pos = len(p.line)
		return nil, nil
	case c == '(':
		return p.block()
	}
	switch word, end := p.word(); strings.ToLower(word) {
	case "if":
		p.pos = end
		return p.ifCommand()
	case "for":
		p.pos = end
		return p.forCommand()
	case "rem":
		n := &node{text: p.line[p.pos:]}
		p.pos = len(p.line)
		return n, nil
	}
	return p.simple()
}

// word is the word that is next, and where it ends.
func (p *parser) word() (string, int) {
	i := p.pos
	for i < len(p.line) && strings.IndexByte(delims+"()&|<>\"", p.line[i]) < 0 {
		i++
	}
	return p.line[p.pos:i], i
}

func (p *parser) block() (*node, error) {
	p.pos++
	p.depth++
	n := &node{kind: block}
	for {
		c, err := p.list()
		switch {
		case err != nil:
			return nil, err
		case c != nil && n.a == nil:
			n.a = c
		case c != nil:
			n.a = &node{kind: sequence, a: n.a, b: c}
		}
		if p.peek() == ')' {
			break
		}
		if p.peek() != 0 || !p.nextLine() {
			return nil, errSyntax
		}
	}
	p.pos++
	p.depth--
	for {
		p.skip(delims)
		start := p.pos
		if c := p.peek(); c >= '0' && c <= '9' {
			p.pos++
		}
		if c := p.peek(); c != '<' && c != '>' {
			p.pos = start
			return n, nil
		}
		fd := -1
		if p.pos > start {
			fd = int(p.line[start] - '0')
		}
		r, err := p.redirection(fd)
		if err != nil {
			return nil, err
		}
		n.redirs = append(n.redirs, r)
	}
}

// redirection reads an operator and its target.
func (p *parser) redirection(fd int) (redir, error) {
	r := redir{fd: fd, op: string(p.peek())}
	p.pos++
	if r.op == ">" && p.peek() == '>' {
		p.pos++
		r.op = ">>"
	}
	if fd < 0 {
		r.fd = 1
		if r.op == "<" {
			r.fd = 0
		}
	}
	if p.peek() == '&' && p.pos+1 < len(p.line) && p.line[p.pos+1] >= '0' && p.line[p.pos+1] <= '9' {
		r.target = p.line[p.pos : p.pos+2]
		p.pos += 2
		return r, nil
	}
	p.skip(delims)
	r.target = p.token(delims)
	if r.target == "" {
		return r, errSyntax
	}
	return r, nil
}

// token reads up to one of the characters of end, or an operator, outside of
// quotes; carets are taken off.
func (p *parser) token(end string) string {
	var b strings.Builder
	quoted := false
	for p.pos < len(p.line) {
		c := p.line[p.pos]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '^':
			if p.pos++; p.pos >= len(p.line) {
				return b.String()
			}
			c = p.line[p.pos]
		case strings.IndexByte("&|<>", c) >= 0 || strings.IndexByte(end, c) >= 0 || c == ')' && p.depth > 0:
			return b.String()
		}
		b.WriteByte(c)
		p.pos++
	}
	return b.String()
}

func (p *parser) simple() (*node, error) {
	n := &node{}
	var b []byte
	quoted := false
	for p.pos < len(p.line) {
		c := p.line[p.pos]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '^':
			p.pos++
			if p.pos >= len(p.line) && !p.nextLine() || p.pos >= len(p.line) {
				continue
			}
			c = p.line[p.pos]
		case c == '&' || c == '|' || c == ')' && p.depth > 0:
			n.text = string(b)
			return n, nil
		case c == '<' || c == '>':
			fd := -1
			if k := len(b); k > 0 && b[k-1] >= '0' && b[k-1] <= '9' && p.line[p.pos-1] == b[k-1] &&
				(k == 1 || strings.IndexByte(delims+"\"", b[k-2]) >= 0) {
				fd = int(b[k-1] - '0')
				b = b[:k-1]
			}
			r, err := p.redirection(fd)
			if err != nil {
				return nil, err
			}
			n.redirs = append(n.redirs, r)
			continue
		}
		b = append(b, c)
		p.pos++
	}
	n.text = string(b)
	return n, nil
}

func (p *parser) ifCommand() (*node, error) {
	n := &node{kind: ifNode}
	next := func() string { p.skip(delims); return p.token(delims) }
	w := next()
	for strings.EqualFold(w, "/i") || strings.EqualFold(w, "not") {
		n.cond.fold = n.cond.fold || w[0] == '/'
		n.cond.not = n.cond.not != (w[0] != '/')
		w = next()
	}
	switch op := strings.ToLower(w); op {
	case "exist", "defined", "errorlevel", "cmdextversion":
		n.cond.op, n.cond.left = op, next()
	default:
		n.cond.left = w
		p.skip(" \t")
		if strings.HasPrefix(p.line[p.pos:], "==") {
			n.cond.op = "=="
		} else if n.cond.op = strings.ToUpper(next()); !slices.Contains(comparisons, n.cond.op) {
			return nil, errSyntax
		}
		n.cond.right = next()
		if n.cond.right == "" {
			return nil, errSyntax
		}
	}
	var err error
	if n.a, err = p.list(); err != nil || n.a == nil || n.cond.left == "" {
		return nil, errSyntax
	}
	p.skip(delims)
	if w, end := p.word(); strings.EqualFold(w, "else") {
		p.pos = end
		if n.b, err = p.list(); err != nil || n.b == nil {
			return nil, errSyntax
		}
	}
	return n, nil
}

func (p *parser) forCommand() (*node, error) {
	n := &node{kind: forNode}
	next := func() string { p.skip(" \t"); return p.token(" \t") }
	w := next()
	if len(w) == 2 && w[0] == '/' {
		n.loop.kind = w[1] | 0x20
		if strings.IndexByte("ldrf", n.loop.kind) < 0 {
			return nil, errSyntax
		}
		if w = next(); !strings.HasPrefix(w, "%") {
			n.loop.options = w
			w = next()
		}
	}
	if len(w) != 2 || w[0] != '%' || !strings.EqualFold(next(), "in") {
		return nil, errSyntax
	}
	n.loop.name = w[1]
	p.skip(delims)
	if p.peek() != '(' {
		return nil, errSyntax
	}
	p.pos++
	p.depth++
	var set strings.Builder
	for {
		set.WriteString(p.token(""))
		c := p.peek()
		if c == ')' {
			break
		}
		if c == 0 {
			if set.Len() > 8*maxLine || !p.nextLine() {
				return nil, errSyntax
			}
			set.WriteByte(' ')
			continue
		}
		set.WriteByte(c)
		p.pos++
	}
	p.pos++
	p.depth--
	n.loop.set = set.String()
	if !strings.EqualFold(next(), "do") {
		return nil, errSyntax
	}
	var err error
	if n.a, err = p.list(); err != nil || n.a == nil {
		return nil, errSyntax
	}
	return n, nil
}

// comparisons are the words by which IF compares.
var comparisons = []string{"EQU", "NEQ", "LSS", "LEQ", "GTR", "GEQ"}
