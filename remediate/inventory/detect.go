package inventory

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

type format int

const (
	formatList format = iota
	formatCSV
	formatYAML
	formatJSON
	formatINI
)

var (
	// yamlKey is a line that opens a map: a word, a colon and nothing more.
	yamlKey = regexp.MustCompile(`^["']?[\w.-]+["']?:\s*(#.*)?$`)
	// assignment is a line with a variable of Ansible's INI.
	assignment = regexp.MustCompile(`^(\S+\s+)?[A-Za-z_]\w*\s*=`)
)

// format tells by the file's name and, where it says nothing, by the text.
func (s source) format() format {
	switch strings.ToLower(filepath.Ext(s.name)) {
	case ".csv", ".tsv":
		return formatCSV
	case ".yaml", ".yml":
		return formatYAML
	case ".json":
		return formatJSON
	case ".ini":
		return formatINI
	}
	first := firstLine(s.text)
	switch {
	case looksJSON(s.text):
		return formatJSON
	case strings.HasPrefix(first, "---") || yamlKey.MatchString(first):
		return formatYAML
	case namesColumns(first):
		return formatCSV
	case looksINI(s.text):
		return formatINI
	case strings.ContainsAny(first, ",;"):
		return formatCSV
	}
	return formatList
}

func looksJSON(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}

// namesColumns reports whether a line is a table's header.
func namesColumns(line string) bool {
	if _, ok := separatorLine(line); ok {
		return true
	}
	cells := strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return strings.ContainsRune(",;\t\" ", r) })
	return slices.Contains(cells, columnNames[colName])
}

// looksINI looks for a line that only Ansible's INI has. A bracketed IPv6
// address is no section.
func looksINI(text []byte) bool {
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == ';' || strings.ContainsRune(line, '=') && assignment.MatchString(line) {
			return true
		}
		if line[0] == '[' && sectionLine.MatchString(line) && !isBracketedIP(line) {
			return true
		}
		if strings.Contains(line, "[") && strings.Contains(line, "]") && !strings.HasPrefix(line, "[") && !strings.Contains(line, "@") {
			return true // a range
		}
	}
	return false
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
