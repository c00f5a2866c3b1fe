package playbooks

import (
	"bytes"
	"fmt"

	"oust/remediate"
	"oust/remediate/strictyaml"
)

// MaxSize is the most bytes that a playbook may have.
const MaxSize = 256 << 10

// Parse reads one playbook. The file name is for messages only. A playbook
// that is not valid gives an [*InvalidError], or a [*strictyaml.Error] where
// the text is not YAML of the right shape; both name file, line and column
// and show the place.
func Parse(file string, data []byte) (*Playbook, error) {
	p, err := decode(file, data)
	if err != nil {
		return nil, err
	}
	if err := invalid(check(p)); err != nil {
		return nil, err
	}
	return p, nil
}

func decode(file string, data []byte) (*Playbook, error) {
	if len(data) > MaxSize {
		return nil, &InvalidError{Problems: []Problem{{File: file, Severity: SeverityError, Rule: ruleSyntax,
			Message: fmt.Sprintf("the file is larger than a playbook may be, %d bytes", MaxSize)}}}
	}
	text := canonical(data)
	p := new(Playbook)
	if err := strictyaml.Decode(file, text, p); err != nil {
		return nil, err
	}
	p.file, p.text, p.digest, p.pos = file, text, remediate.Digest(text), locate(text)
	return p, nil
}

// canonical is what the digest is over.
func canonical(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}
