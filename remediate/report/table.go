package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
)

// WriteTable writes rows of cells as a CSV file: UTF-8 with a byte order mark
// and CR LF (RFC 4180). A text that a spreadsheet could take for a formula has
// an apostrophe before it, also in the middle of a text behind a semicolon or a
// tab (owasp.org/www-community/attacks/CSV_Injection); line breaks are spaces,
// and a text of more than MaxCell characters is cut. A row is written before the
// next is asked for, so that its slice may be used again.
func WriteTable(w io.Writer, rows iter.Seq[[]string]) error {
	if _, err := io.WriteString(w, bom); err != nil {
		return fmt.Errorf("write the CSV file: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var safe []string
	for row := range rows {
		safe = safe[:0]
		for _, text := range row {
			safe = append(safe, cell(text))
		}
		if err := out.Write(safe); err != nil {
			return fmt.Errorf("write the CSV file: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the CSV file: %w", err)
	}
	return nil
}
