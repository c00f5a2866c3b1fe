package playbooks

import _ "embed"

//go:embed playbook.schema.json
var schema []byte

// Schema is the format as a JSON Schema (2020-12), for editors: it knows every
// key and word, and less than Lint about what they mean together. What loads is
// valid under it.
func Schema() []byte { return append([]byte(nil), schema...) }
