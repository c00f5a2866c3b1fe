package lab

import (
	"bytes"
	"fmt"
	"io"
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

func wc(c *call) int {
	o, ok := c.options("lwc", "")
	if !ok {
		return 1
	}
	all := len(o.has) == 0
	var total [3]int
	show := func(counts [3]int, name string) {
		var cols []string
		for i, option := range []string{"l", "w", "c"} {
			if all || o.is(option) {
				cols = append(cols, strconv.Itoa(counts[i]))
			}
		}
		if name != "-" {
			cols = append(cols, name)
		}
		fmt.Fprintln(c.out, strings.Join(cols, " "))
	}
	code := c.inputs(o.list, "%s: %s", func(name string, data []byte) {
		counts := [3]int{bytes.Count(data, []byte("\n")), len(bytes.Fields(data)), len(data)}
		for i, n := range counts {
			total[i] += n
		}
		show(counts, name)
	})
	if len(o.list) > 1 {
		show(total, "total")
	}
	return code
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
