package engine

import (
	"os"
	"path/filepath"
	"testing"

	"oust/playbooks"
	"oust/transports"
)

// TestMask: a secret is masked as it is, as a playbook passes it on, and as a
// line of detail shows it.
func TestMask(t *testing.T) {
	file := filepath.Join(t.TempDir(), "widget.yaml")
	if err := os.WriteFile(file, []byte(`format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux]
detect: [{package: {managers: [dpkg], names: [widget]}}]
steps:
  - script: {what: ask, text: 'cat "$OUST_DIR/secrets/pass"', exit: {0: ok}}
secrets: [{name: pass, encoding: utf16le-hex}]
confidence: unverified
sources: [{claim: all, source: none, confidence: unverified}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	lib, err := playbooks.LoadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "two  blanks\tand a tab"
	mask, err := newMask(lib, map[string]transports.Secret{"pass": transports.NewSecret("ab")})
	if err != nil {
		t.Fatal(err)
	}
	if got := mask.Replace("ab 61006200"); got != "[redacted] [redacted]" {
		t.Errorf("masked: %q", got)
	}
	if mask, err = newMask(lib, map[string]transports.Secret{"pass": transports.NewSecret(secret)}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"said " + secret, oneLine("said " + secret)} {
		if got := mask.Replace(text); got != "said [redacted]" {
			t.Errorf("masked: %q", got)
		}
	}
}
