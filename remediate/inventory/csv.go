package inventory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// parseCSV reads a table with a header. The separator is the one of the
// header: a comma, a semicolon (Excel in much of Europe) or a tab.
func (l *loader) parseCSV(s source) {
	r := csv.NewReader(bytes.NewReader(s.text))
	r.Comma = separator(firstLine(s.text))
	r.Comment = '#'
	r.ReuseRecord = true
	r.TrimLeadingSpace = true
	var columns []column
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if fault, ok := errors.AsType[*csv.ParseError](err); ok {
			l.problem(Place{File: s.name, Line: fault.Line}, "%v", fault.Err)
			if !errors.Is(err, csv.ErrFieldCount) {
				return // the rest may be in the wrong columns
			}
			continue
		}
		line, _ := r.FieldPos(0)
		at := Place{File: s.name, Line: line}
		if columns == nil {
			if columns = l.header(at, cells); columns == nil {
				return
			}
			continue
		}
		e := entry{place: at}
		for i, cell := range cells {
			e.text[columns[i]] = strings.TrimSpace(cell)
		}
		l.add(&e)
	}
}

func separator(header string) rune {
	for _, r := range ",;\t" {
		if strings.ContainsRune(header, r) {
			return r
		}
	}
	return ','
}

// header reads the columns' names; nil means that there was a problem.
func (l *loader) header(at Place, cells []string) []column {
	out := make([]column, len(cells))
	good, named := true, false
	for i, cell := range cells {
		c, err := columnNamed(strings.ToLower(strings.TrimSpace(cell)))
		if err != nil {
			l.problem(at, "%v", err)
			good = false
		}
		out[i] = c
		named = named || c == colName && err == nil
	}
	if good && !named {
		l.problem(at, "there is no column \"name\"")
	}
	if !good || !named {
		return nil
	}
	return out
}
