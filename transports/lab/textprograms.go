package lab

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func echo(c *call) int { return echoLine(c, strings.Join(c.args[1:], " ")) }

func echoLine(c *call, s string) int {
	if _, err := io.WriteString(c.out, s+"\n"); err != nil {
		return 1
	}
	return 0
}

// absentBuiltin is for programs whose builtin in the shell is always taken.
func absentBuiltin(c *call) int {
	c.failf("simulated only as a builtin of sh")
	return exitNotExecutable
}

// usage is the end of a call that the program does not understand.
const usage = 2

// inputs yields the content of each named file, or of the input; "-" is the
// input too. It returns 1 if one could not be read; message words why.
func (c *call) inputs(names []string, message string, f func(name string, data []byte)) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	code := 0
	for _, name := range names {
		var data []byte
		var err error
		if name == "-" {
			data, err = io.ReadAll(io.LimitReader(c.stdin(), mostFile))
		} else {
			data, err = c.view().readFile(c.path(name))
		}
		if err != nil {
			code = c.failf(message, name, strerror(err))
			continue
		}
		f(name, data)
	}
	return code
}

func cat(c *call) int {
	o, ok := c.options("u", "")
	if !ok {
		return 1
	}
	if len(o.list) == 0 {
		if _, err := io.Copy(c.out, c.stdin()); err != nil {
			return 1
		}
		return 0
	}
	return c.inputs(o.list, "%s: %s", func(_ string, data []byte) { _, _ = c.out.Write(data) })
}

// countOption parses what head and tail are asked for: -n LINES or -c BYTES.
func (c *call) countOption() (count int, lines bool, names []string, ok bool) {
	args := c.args
	if len(args) > 1 && len(args[1]) > 1 && args[1][0] == '-' && args[1][1] >= '0' && args[1][1] <= '9' {
		c.args = append([]string{args[0], "-n" + args[1][1:]}, args[2:]...)
	}
	o, ok := c.options("n:c:q", "lines= bytes=")
	if !ok {
		return 0, false, nil, false
	}
	count, lines = 10, true
	for _, k := range []string{"n", "lines", "c", "bytes"} {
		if o.is(k) {
			n, err := strconv.Atoi(strings.TrimPrefix(o.has[k], "+"))
			if err != nil || n < 0 {
				c.failf("invalid number of %s: '%s'", map[bool]string{true: "lines", false: "bytes"}[k == "n"], o.has[k])
				return 0, false, nil, false
			}
			count, lines = n, k == "n" || k == "lines"
		}
	}
	return count, lines, o.list, true
}

func head(c *call) int {
	count, lines, names, ok := c.countOption()
	if !ok {
		return 1
	}
	return c.inputs(names, "cannot open '%s' for reading: %s", func(_ string, data []byte) {
		end := min(count, len(data))
		if lines {
			end = 0
			for range count {
				next := bytes.IndexByte(data[end:], '\n')
				if next < 0 {
					end = len(data)
					break
				}
				end += next + 1
			}
		}
		_, _ = c.out.Write(data[:end])
	})
}

func tail(c *call) int {
	count, lines, names, ok := c.countOption()
	if !ok {
		return 1
	}
	return c.inputs(names, "cannot open '%s' for reading: %s", func(_ string, data []byte) {
		start := max(0, len(data)-count)
		if lines {
			start = len(bytes.TrimSuffix(data, []byte("\n")))
			if count == 0 {
				start = len(data)
			}
			for range count {
				if start = bytes.LastIndexByte(data[:start], '\n'); start < 0 {
					break
				}
			}
			if count > 0 {
				start++
			}
		}
		_, _ = c.out.Write(data[start:])
	})
}

func wc(c *call) int {
	o, ok := c.options("lwc", "")
	if !ok {
		return 1
	}
	return c.inputs(o.list, "%s: %s", func(name string, data []byte) {
		var cols []string
		all := len(o.has) == 0
		if all || o.is("l") {
			cols = append(cols, strconv.Itoa(bytes.Count(data, []byte("\n"))))
		}
		if all || o.is("w") {
			cols = append(cols, strconv.Itoa(len(bytes.Fields(data))))
		}
		if all || o.is("c") {
			cols = append(cols, strconv.Itoa(len(data)))
		}
		if name != "-" {
			cols = append(cols, name)
		}
		fmt.Fprintln(c.out, strings.Join(cols, " "))
	})
}

func sortLines(c *call) int {
	o, ok := c.options("urn", "")
	if !ok {
		return usage
	}
	var all []string
	if code := c.inputs(o.list, "cannot read: %s: %s", func(_ string, data []byte) {
		if len(data) > 0 {
			all = append(all, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
		}
	}); code != 0 {
		return usage
	}
	slices.SortStableFunc(all, func(a, b string) int {
		if o.is("n") {
			x, _ := strconv.ParseFloat(strings.TrimSpace(a), 64)
			y, _ := strconv.ParseFloat(strings.TrimSpace(b), 64)
			if x != y {
				return map[bool]int{true: -1, false: 1}[x < y]
			}
		}
		return strings.Compare(a, b)
	})
	if o.is("r") {
		slices.Reverse(all)
	}
	if o.is("u") {
		all = slices.Compact(all)
	}
	for _, line := range all {
		fmt.Fprintln(c.out, line)
	}
	return 0
}

// grep knows fixed strings and extended regular expressions as far as Go's
// package regexp reads them alike; basic ones are read as extended ones after
// their backslashes are turned round.
func grep(c *call) int {
	o, ok := c.options("qFExcvshine:", "quiet fixed-strings extended-regexp line-regexp count invert-match no-messages regexp=")
	if !ok {
		return usage
	}
	is := func(short, long string) bool { return o.is(short) || o.is(long) }
	pattern, names := o.has["e"]+o.has["regexp"], o.list
	if !is("e", "regexp") {
		if len(names) == 0 {
			c.failf("no pattern")
			return usage
		}
		pattern, names = names[0], names[1:]
	}
	re, err := grepPattern(pattern, is("F", "fixed-strings"), is("E", "extended-regexp"), is("x", "line-regexp"), o.is("i"))
	if err != nil {
		c.failf("%v", err)
		return usage
	}
	found := 0
	many := len(names) > 1 && !o.is("h")
	code := c.grepInputs(names, is("s", "no-messages"), func(name string, data []byte) {
		n := 0
		for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			if len(data) == 0 || re.MatchString(line) == is("v", "invert-match") {
				continue
			}
			n++
			if is("q", "quiet") || is("c", "count") {
				continue
			}
			prefix := ""
			if many {
				prefix = name + ":"
			}
			if o.is("n") {
				prefix += strconv.Itoa(i+1) + ":"
			}
			fmt.Fprintln(c.out, prefix+line)
		}
		found += n
		if is("c", "count") && !is("q", "quiet") {
			fmt.Fprintln(c.out, n)
		}
	})
	switch {
	case code != 0 && (found == 0 || !is("q", "quiet")):
		return usage
	case found == 0:
		return 1
	}
	return 0
}

func (c *call) grepInputs(names []string, quiet bool, f func(name string, data []byte)) int {
	err := c.err
	if quiet {
		c.err = io.Discard
	}
	code := c.inputs(names, "%s: %s", f)
	c.err = err
	return code
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
