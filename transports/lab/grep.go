package lab

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// grep knows fixed strings and extended regular expressions as far as Go's
// package regexp reads them alike; basic ones are read as extended ones after
// their backslashes are turned round.
func grep(c *call) int {
	o, ok := c.options("qFExcvshine:", "quiet fixed-strings extended-regexp line-regexp count invert-match no-messages regexp=")
	if !ok {
		return usage
	}
	pattern, names := o.has["e"]+o.has["regexp"], o.list
	if !o.any("e", "regexp") {
		if len(names) == 0 {
			c.failf("no pattern")
			return usage
		}
		pattern, names = names[0], names[1:]
	}
	re, err := grepPattern(pattern, o.any("F", "fixed-strings"), o.any("E", "extended-regexp"), o.any("x", "line-regexp"), o.is("i"))
	if err != nil {
		c.failf("%v", err)
		return usage
	}
	g := search{
		re: re, invert: o.any("v", "invert-match"), numbers: o.is("n"), names: len(names) > 1 && !o.is("h"),
		count: o.any("c", "count"), quiet: o.any("q", "quiet"),
	}
	if o.any("s", "no-messages") {
		c.err = io.Discard
	}
	code := c.inputs(names, "%s: %s", func(name string, data []byte) { g.search(c.out, name, string(data)) })
	switch {
	case code != 0 && (g.found == 0 || !g.quiet):
		return usage
	case g.found == 0:
		return 1
	}
	return 0
}

// search is one run of grep.
type search struct {
	re                                   *regexp.Regexp
	invert, numbers, names, count, quiet bool
	found                                int // lines in all
}

// search prints what fits of one input.
func (g *search) search(out io.Writer, name, data string) {
	prefix, n := "", 0
	if g.names {
		prefix = name + ":"
	}
	line := 0
	for text := range strings.Lines(data) {
		line++
		text = strings.TrimSuffix(text, "\n")
		if g.re.MatchString(text) == g.invert {
			continue
		}
		n++
		switch {
		case g.quiet || g.count:
		case g.numbers:
			fmt.Fprintf(out, "%s%d:%s\n", prefix, line, text)
		default:
			fmt.Fprintln(out, prefix+text)
		}
	}
	g.found += n
	if g.count && !g.quiet {
		fmt.Fprintf(out, "%s%d\n", prefix, n)
	}
}

func grepPattern(pattern string, fixed, extended, line, fold bool) (*regexp.Regexp, error) {
	var alternatives []string
	for p := range strings.SplitSeq(pattern, "\n") {
		switch {
		case fixed:
			p = regexp.QuoteMeta(p)
		case !extended:
			p = basicToExtended(p)
		}
		alternatives = append(alternatives, "(?:"+p+")")
	}
	expr := strings.Join(alternatives, "|")
	if line {
		expr = "^(?:" + expr + ")$"
	}
	if fold {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("the simulated grep does not know the pattern: %w", err)
	}
	return re, nil
}

// basicToExtended turns a basic regular expression into an extended one: what
// is special with a backslash in one is special without it in the other.
func basicToExtended(p string) string {
	const special = "(){}+?|"
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			i++
			if !strings.ContainsRune(special, rune(p[i])) {
				b.WriteByte('\\')
			}
			b.WriteByte(p[i])
		case strings.ContainsRune(special, rune(p[i])):
			b.WriteByte('\\')
			b.WriteByte(p[i])
		default:
			b.WriteByte(p[i])
		}
	}
	return b.String()
}
