package report

import (
	"bufio"
	_ "embed" // the schema
	"encoding/json"
	"fmt"
	"io"
)

//go:embed report.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of what WriteJSON writes.
func Schema() []byte { return append([]byte(nil), schema...) }

// WriteJSON writes the snapshot itself, see Schema.
func WriteJSON(w io.Writer, s Snapshot) error {
	out := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(s)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the JSON file: %w", err)
	}
	return nil
}
