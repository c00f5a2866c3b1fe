package inventory

import (
	"bytes"
	"strings"
)

// parsePlain reads a table in which no cell has quotes around it, as nearly all
// are: the general reader costs more than all else about a host.
func (t *table) parsePlain(text []byte, separator rune) {
	eachRow(string(text), byte(separator), func(line int, cells []string) bool {
		t.row(Place{File: t.file, Line: line}, cells)
		return !t.broken
	})
}

// eachRow yields the rows of a table without quotes, with the line of each, as
// encoding/csv does.
func eachRow(text string, separator byte, yield func(line int, cells []string) bool) {
	var cells []string
	for line := 1; text != ""; line++ {
		var row string
		row, text, _ = strings.Cut(text, "\n")
		row = strings.TrimSuffix(row, "\r")
		if row == "" || row[0] == '#' {
			continue
		}
		cells = cutCells(cells[:0], row, separator)
		if !yield(line, cells) {
			return
		}
	}
}

func cutCells(cells []string, row string, separator byte) []string {
	for {
		at := strings.IndexByte(row, separator)
		if at < 0 {
			return append(cells, row)
		}
		cells, row = append(cells, row[:at]), row[at+1:]
	}
}

func hasQuotes(text []byte) bool { return bytes.IndexByte(text, '"') >= 0 }
