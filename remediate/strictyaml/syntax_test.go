package strictyaml

import (
	"strings"
	"testing"
)

func TestSyntax(t *testing.T) {
	for _, text := range []string{"", "a: &x 1\nb: *x\n", "a: !vault |\n  x\n---\nb: 1\n"} {
		if err := Syntax("f.yaml", []byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"hosts:\n  - name: a\n   port: 22\n": "f.yaml:3:",
		"a:\n\t- b\n":                        "f.yaml:2:",
		strings.Repeat("[", 200):             "f.yaml: values are nested",
		"a: \x00":                            "f.yaml:1:4: a NUL byte",
	} {
		if err := Syntax("f.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
}
