package inventory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
)

// maxColumns bounds a table's width.
const maxColumns = 1000

// Columns of a table that say nothing of a host.
const (
	colIgnored = numColumns + iota // its name begins with x-
	colUnnamed
)

// parseCSV reads a table with a header (RFC 4180, with # comments). The
// separator is the header's: a comma, a semicolon (Excel in much of Europe) or
// a tab. A row may end early, as rows written by hand do.
func (l *loader) parseCSV(s source) {
	t := table{l: l, file: s.name}
	sep := separator(firstLine(s.text))
	if !hasQuotes(s.text) {
		t.parsePlain(s.text, sep)
		return
	}
	r := csv.NewReader(bytes.NewReader(s.text))
	r.Comma = sep
	r.Comment = '#'
	r.ReuseRecord = true
	r.TrimLeadingSpace = sep != '\t' // it would take empty cells for space
	r.FieldsPerRecord = -1
	for !t.broken {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.syntax(err)
			continue
		}
		line, _ := r.FieldPos(0)
		t.row(Place{File: s.name, Line: line}, cells)
	}
}

// table is what is known of the one being read.
type table struct {
	l       *loader
	file    string
	columns []column // nil before the header
	broken  bool     // the rest makes no sense
}

// syntax tells what is wrong with the quotes. After a quoted cell that does
// not end, the rest may be in the wrong columns.
func (t *table) syntax(err error) {
	fault, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		t.broken = true
		t.l.problem(Place{File: t.file}, "%v", err)
		return
	}
	at := Place{File: t.file, Line: fault.StartLine}
	if errors.Is(err, csv.ErrBareQuote) {
		t.l.problem(at, `a quote (") inside a cell that has none around it; write "a ""b"" c"`)
		return
	}
	t.broken = true
	t.l.problem(at, `a quoted cell begins here that does not end well; write a quote inside of it twice ("")`)
}

func (t *table) row(at Place, cells []string) {
	if blank(cells) {
		return // what is left of a row that was emptied in a spreadsheet
	}
	if t.columns == nil {
		if _, ok := separatorLine(strings.Join(cells, ";")); !ok {
			t.header(at, cells)
		}
		return
	}
	if len(cells) > len(t.columns) && !blank(cells[len(t.columns):]) {
		t.l.problem(at, "%d columns, and the header has %d", len(cells), len(t.columns))
		return
	}
	e := entry{place: at}
	for i, c := range t.columns[:min(len(t.columns), len(cells))] {
		switch cell := strings.TrimSpace(cells[i]); {
		case c < numColumns:
			e.text[c] = cell
		case c == colUnnamed && cell != "":
			t.l.problem(at, "a value in column %d, which has no name in the header", i+1)
		}
	}
	t.l.add(&e)
}

// header reads the columns' names. Without them no row makes sense.
func (t *table) header(at Place, cells []string) {
	before := t.l.faults()
	if len(cells) > maxColumns {
		t.broken = true
		t.l.problem(at, "%d columns; at most %d", len(cells), maxColumns)
		return
	}
	if !slices.ContainsFunc(cells, func(cell string) bool {
		return nearColumn(strings.ToLower(strings.TrimSpace(cell))) != ""
	}) && len(cells) > 1 {
		t.broken = true
		t.l.problem(at, "the first line names no column; write one above it, such as name,address,port,tags")
		return
	}
	t.columns = make([]column, len(cells))
	var seen [numColumns]bool
	for i, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		c, err := columnNamed(wordColumn, name)
		switch {
		case name == "":
			c = colUnnamed
		case strings.HasPrefix(name, "x-"):
			c = colIgnored
		case err != nil:
			t.l.problem(at, "%v", err)
			c = colIgnored
		case seen[c]:
			t.l.problem(at, "the column %q is there twice", name)
		default:
			seen[c] = true
		}
		t.columns[i] = c
	}
	if t.l.faults() == before && !seen[colName] {
		t.l.problem(at, "there is no column \"name\"")
	}
	t.broken = t.l.faults() > before
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// separator is the one that a header uses.
func separator(header string) rune {
	if sep, ok := separatorLine(header); ok {
		return sep
	}
	for _, r := range ",;\t" {
		if strings.ContainsRune(header, r) {
			return r
		}
	}
	return ','
}

// separatorLine reads "sep=;", which Excel writes and reads.
func separatorLine(line string) (rune, bool) {
	const prefix = "sep="
	if len(line) == len(prefix)+1 && strings.EqualFold(line[:len(prefix)], prefix) && strings.ContainsAny(line[len(prefix):], ",;\t") {
		return rune(line[len(prefix)]), true
	}
	return 0, false
}
