package winelab

import (
	"regexp"
	"strings"

	"oust/remediate"
)

// variable is a reference to a variable of the environment.
var variable = regexp.MustCompile(`^%[A-Za-z_][A-Za-z0-9_()]*(:[^%]*)?%`)

// batch makes a batch file of lines that are meant to be typed to cmd, which
// do the same there. wine's cmd reads typed lines for percent signs twice, so
// that no such line can write %NAME% into a file; Windows' cmd reads once.
// What such lines write, the job and its script, runs unchanged.
func batch(typed []byte) []byte {
	var b strings.Builder
	b.WriteString("@echo off\r\n")
	for line := range strings.Lines(string(typed)) {
		line = strings.TrimRight(line, "\r\n")
		for line != "" {
			found := variable.FindString(line)
			switch {
			case found == string(remediate.CmdTyped) || found == "" && line[0] == '%':
				b.WriteString("%%")
				line = line[max(len(found), 1):]
			case found != "":
				b.WriteString(found)
				line = line[len(found):]
			default:
				b.WriteByte(line[0])
				line = line[1:]
			}
		}
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}
