package lab

import (
	"bytes"
	"strconv"
	"strings"
)

// part is what head and tail are asked for: -n LINES or -c BYTES.
type part struct {
	count int
	lines bool
	// from says that the count is where to begin, as in `tail -n +2`.
	from bool
}

func (c *call) partOption() (p part, names []string, ok bool) {
	args := c.args
	if len(args) > 1 && len(args[1]) > 1 && args[1][0] == '-' && args[1][1] >= '0' && args[1][1] <= '9' {
		c.args = append([]string{args[0], "-n" + args[1][1:]}, args[2:]...)
	}
	o, ok := c.options("n:c:q", "lines= bytes=")
	if !ok {
		return p, nil, false
	}
	p = part{count: 10, lines: true}
	for _, k := range []string{"n", "lines", "c", "bytes"} {
		if !o.is(k) {
			continue
		}
		p.lines = k == "n" || k == "lines"
		var number string
		number, p.from = strings.CutPrefix(o.has[k], "+")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || p.from && c.name() != "tail" {
			c.failf("invalid number of %s: '%s'", map[bool]string{true: "lines", false: "bytes"}[p.lines], o.has[k])
			return p, nil, false
		}
		p.count = n
	}
	return p, o.list, true
}

// first is where the first n lines or bytes of data end.
func (p part) first(data []byte, n int) int {
	if !p.lines {
		return min(n, len(data))
	}
	end := 0
	for range n {
		next := bytes.IndexByte(data[end:], '\n')
		if next < 0 {
			return len(data)
		}
		end += next + 1
	}
	return end
}

// last is where the last n lines or bytes of data begin.
func (p part) last(data []byte, n int) int {
	switch {
	case !p.lines:
		return max(0, len(data)-n)
	case n == 0:
		return len(data)
	}
	start := len(bytes.TrimSuffix(data, []byte("\n")))
	for range n {
		if start = bytes.LastIndexByte(data[:start], '\n'); start < 0 {
			break
		}
	}
	return start + 1
}

const cannotOpen = "cannot open '%s' for reading: %s"

func head(c *call) int {
	p, names, ok := c.partOption()
	if !ok {
		return 1
	}
	return c.inputs(names, cannotOpen, func(_ string, data []byte) { _, _ = c.out.Write(data[:p.first(data, p.count)]) })
}

func tail(c *call) int {
	p, names, ok := c.partOption()
	if !ok {
		return 1
	}
	return c.inputs(names, cannotOpen, func(_ string, data []byte) {
		start := p.last(data, p.count)
		if p.from {
			start = p.first(data, max(0, p.count-1))
		}
		_, _ = c.out.Write(data[start:])
	})
}
