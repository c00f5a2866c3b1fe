package playbooks

import (
	"bytes"

	"github.com/goccy/go-yaml"
)

func strictDecode(file string, data []byte, into any) error {
	return yaml.NewDecoder(bytes.NewReader(data), yaml.DisallowUnknownField()).Decode(into)
}
