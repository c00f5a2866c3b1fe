package lab

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// parseCache remembers what shell code means. Scripts for many hosts differ in
// a line or two at the top, and are else the same functions: so code is cut
// into its functions and what stands between, and each piece is parsed once.
// Its zero value is ready.
type parseCache struct {
	mu sync.Mutex
	// fresh takes what is new until it is full, and is old then. What is old
	// and asked for is fresh again.
	fresh, old map[string]parsed
	size       int // of the keys of fresh, in bytes
}

// mostParsed bounds the keys of one generation of a parseCache, in bytes; what
// they mean takes some twenty times as much.
const mostParsed = 1 << 20

// shell is parseShell, with what is known.
func (p *parseCache) shell(code, name string, known map[string]bool) (parsed, error) {
	pieces := cutShell(code)
	if len(pieces) == 1 {
		return p.piece(code, name, known)
	}
	all := maps.Clone(known)
	if all == nil {
		all = make(map[string]bool)
	}
	parts := make([]parsed, len(pieces))
	for i, text := range pieces {
		var err error
		if parts[i], err = p.piece(text, name, nil); err != nil {
			return parseShell(code, name, known) // it was cut in a wrong place, or is wrong
		}
		for _, f := range parts[i].funcs {
			all[f] = true
		}
	}
	for i, text := range pieces {
		if parts[i].background { // what is a function matters there
			var err error
			if parts[i], err = p.piece(text, name, all); err != nil {
				return parsed{}, err
			}
		}
	}
	return joinParsed(parts, name), nil
}

// joinParsed is what pieces of code mean one after the other.
func joinParsed(parts []parsed, name string) parsed {
	whole := parsed{file: &syntax.File{Name: name}}
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = part.text
		whole.file.Stmts = append(whole.file.Stmts, part.file.Stmts...)
		whole.funcs = append(whole.funcs, part.funcs...)
		whole.altered = whole.altered || part.altered
		whole.background = whole.background || part.background
	}
	whole.text = strings.Join(texts, "")
	return whole
}

// piece parses one piece of code, unless it was parsed before.
func (p *parseCache) piece(text, name string, known map[string]bool) (parsed, error) {
	key := text
	if len(known) > 0 {
		key += "\x00" + strings.Join(slices.Sorted(maps.Keys(known)), " ")
	}
	p.mu.Lock()
	found, ok := p.fresh[key]
	if !ok {
		if found, ok = p.old[key]; ok {
			p.keepLocked(key, found)
		}
	}
	p.mu.Unlock()
	if ok {
		return found, nil
	}
	made, err := parseShell(text, name, known)
	if err != nil || len(key) > mostParsed/8 {
		return made, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keepLocked(key, made)
	return made, nil
}

func (p *parseCache) keepLocked(key string, what parsed) {
	if p.size += len(key); p.fresh == nil || p.size > mostParsed {
		p.fresh, p.old, p.size = make(map[string]parsed), p.fresh, len(key)
	}
	p.fresh[key] = what
}

// cutShell cuts code into functions, as far as these begin and end at the
// begin of a line, and what stands between. It looks at quotes only as closely
// as it needs to for most code: where it errs, there is a piece that cannot be
// parsed.
func cutShell(code string) []string {
	if strings.ContainsAny(code, "\x00\r") { // the parser passes over these
		return []string{code}
	}
	var pieces []string
	var q quoting
	from, at, function := 0, 0, false
	cut := func(to int) {
		if to > from {
			pieces, from = append(pieces, code[from:to]), to
		}
	}
	for line := range strings.Lines(code) {
		begins := !q.open()
		q.read(line)
		switch {
		case !begins:
		case line == "}\n" && function:
			function = false
			cut(at + len(line))
		case strings.HasSuffix(line, "() {\n") && isName(line[:len(line)-len("() {\n")]):
			cut(at)
			function = true
		}
		at += len(line)
	}
	if cut(len(code)); len(pieces) == 0 {
		return []string{code}
	}
	return pieces
}

// quoting is where a reader of shell code is: in a string, or behind a
// backslash. Comments are passed over.
type quoting struct {
	quote   byte // ' or " or 0
	escaped bool // the line ends with a backslash
}

// open reports whether the next line goes on with what this one has begun.
func (q *quoting) open() bool { return q.quote != 0 || q.escaped }

func (q *quoting) read(line string) {
	before, escaped := byte(' '), false
	// Whatever a backslash at the end means there, nothing is cut behind it.
	q.escaped = strings.HasSuffix(line, "\\\n")
	for i := range len(line) {
		c := line[i]
		switch {
		case q.quote == '\'':
			if c == '\'' {
				q.quote = 0
			}
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"' && q.quote == '"':
			q.quote = 0
		case q.quote != 0:
		case c == '"' || c == '\'':
			q.quote = c
		case c == '#' && strings.IndexByte(" \t;&|(", before) >= 0:
			return
		}
		before = c
	}
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
