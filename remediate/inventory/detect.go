package inventory

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
)

type format int

const (
	formatList format = iota
	formatCSV
)

// format tells by the file's name and, where it says nothing, by the text.
func (s source) format() format {
	switch strings.ToLower(filepath.Ext(s.name)) {
	case ".csv", ".tsv":
		return formatCSV
	}
	first := firstLine(s.text)
	cells := strings.FieldsFunc(strings.ToLower(first), func(r rune) bool { return r == ',' || r == ';' || r == '\t' })
	if slices.Contains(cells, "name") || strings.ContainsAny(first, ",;") {
		return formatCSV
	}
	return formatList
}

// firstLine is the first one that is neither empty nor a comment.
func firstLine(text []byte) string {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return string(line)
		}
	}
	return ""
}
