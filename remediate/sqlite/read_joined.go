package sqlite

import (
	"bytes"
	"errors"
	"fmt"
)

// A long list is read with one value for each row: what a row costs is mostly
// the way of each value from SQLite through its driver. So a query joins the
// columns of a row, by a character that hardly any text has in it. Columns may
// not be NULL there: concat_ws leaves NULL out.
const separator = '\x1f'

// errSeparator: a text of the row has the separator in it, so that the columns
// have to be read one by one.
var errSeparator = errors.New("a text has the separator of columns in it")

// cutRow cuts a row into as many columns as there are.
func cutRow(row []byte, columns [][]byte) error {
	last := len(columns) - 1
	for i := range last {
		at := bytes.IndexByte(row, separator)
		if at < 0 {
			return fmt.Errorf("the store is damaged: a row of %d columns, not %d", i+1, len(columns))
		}
		columns[i], row = row[:at], row[at+1:]
	}
	if bytes.IndexByte(row, separator) >= 0 {
		return errSeparator
	}
	columns[last] = row
	return nil
}

// parseInt reads an integer as SQLite writes it.
func parseInt(text []byte) (int64, error) {
	digits, negative := bytes.CutPrefix(text, []byte("-"))
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("the store is damaged: %q where an integer was", text)
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, fmt.Errorf("the store is damaged: %q where an integer was", text)
	}
	if negative {
		n = -n
	}
	return n, nil
}

// words gives equal texts the same string: of 100,000 hosts most say one of a
// few things. It keeps wordsMost of them.
type words map[string]string

const wordsMost = 4096

func (w words) of(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if known, ok := w[string(text)]; ok {
		return known
	}
	s := string(text)
	if len(w) < wordsMost {
		w[s] = s
	}
	return s
}
