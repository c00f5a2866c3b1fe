package report

import (
	"bufio"
	"bytes"
	_ "embed" // the schema
	"encoding/json"
	"fmt"
	"io"
)

//go:embed report.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of what WriteJSON writes.
func Schema() []byte { return append([]byte(nil), schema...) }

// WriteJSON writes the snapshot itself, see Schema: each host on one line, the
// rest indented.
func WriteJSON(w io.Writer, s Snapshot) error {
	out := bufio.NewWriterSize(w, 1<<16)
	err := writeJSON(out, s)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("write the JSON file: %w", err)
	}
	return nil
}

func writeJSON(out *bufio.Writer, s Snapshot) error {
	hosts := s.Hosts
	s.Hosts = []HostRow{}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	const end = "[]\n}\n" // hosts are the last field
	if _, err := out.Write(b.Bytes()[:b.Len()-len(end)]); err != nil {
		return err
	}
	enc.SetIndent("", "")
	separator := "["
	for i := range hosts {
		b.Reset()
		if err := enc.Encode(&hosts[i]); err != nil {
			return err
		}
		if _, err := out.WriteString(separator + "\n  "); err != nil {
			return err
		}
		if _, err := out.Write(bytes.TrimRight(b.Bytes(), "\n")); err != nil {
			return err
		}
		separator = ","
	}
	if len(hosts) == 0 {
		_, err := out.WriteString(end)
		return err
	}
	_, err := out.WriteString("\n ]\n}\n")
	return err
}
