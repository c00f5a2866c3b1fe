package playbooks

import (
	"encoding/hex"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Secret is a password or the like that a playbook's steps ask for. The
// campaign says where its value comes from.
type Secret struct {
	Name string `yaml:"name"`
	// Encoding is EncodingPlain (the default) or EncodingUTF16LEHex.
	Encoding string `yaml:"encoding"`
	What     string `yaml:"what"` // one line for people
	// Optional secrets need not be in the campaign: there are hosts without
	// the protection. A step then goes without.
	Optional bool `yaml:"optional"`
}

// Encodings of secrets.
const (
	EncodingPlain = "plain"
	// EncodingUTF16LEHex is the hexadecimal form of the UTF-16LE bytes, as
	// Kaspersky's Network Agent for Windows wants its uninstall password.
	EncodingUTF16LEHex = "utf16le-hex"
)

// Encode brings a secret's value into the form that the steps expect. The
// error never holds the value.
func (s Secret) Encode(value []byte) ([]byte, error) {
	switch s.Encoding {
	case "", EncodingPlain:
		return value, nil
	case EncodingUTF16LEHex:
		if !utf8.Valid(value) {
			return nil, fmt.Errorf("encode secret %s: it is not UTF-8", s.Name)
		}
		var b []byte
		for _, u := range utf16.Encode([]rune(string(value))) {
			b = append(b, byte(u), byte(u>>8))
		}
		return []byte(hex.EncodeToString(b)), nil
	}
	return nil, fmt.Errorf("encode secret %s: unknown encoding %q", s.Name, s.Encoding)
}
