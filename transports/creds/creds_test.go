package creds

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const planted = "s3cret-planted"

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("good", planted+"\r\nsecond line\n", 0o600)
	write("plain", planted, 0o400)
	write("open", planted, 0o644)
	write("empty", "\n"+planted, 0o600)
	write("long", planted+strings.Repeat("x", maxSecret), 0o600)
	r := Resolver{Dir: dir, Getenv: func(n string) (string, bool) {
		v, ok := map[string]string{"PW": planted, "EMPTY": ""}[n]
		return v, ok
	}}
	tests := []struct{ ref, want, err string }{
		{"", "", ""},
		{"env:PW", planted, ""},
		{"env:EMPTY", "", "env:EMPTY: the variable is not set"},
		{"env:NONE", "", "env:NONE: the variable is not set"},
		{"file:good", planted, ""},
		{"file:plain", planted, ""},
		{"file:" + filepath.Join(dir, "good"), planted, ""},
		{"file:open", "", "chmod 600"},
		{"file:empty", "", "first line is empty"},
		{"file:long", "", "longer than"},
		{"file:none", "", "no such file"},
		{"file:.", "", "not a regular file"},
		{planted, "", "not a reference"},
		{"env:", "", "not a reference"},
		{"plain:" + planted, "", "not a reference"},
	}
	for _, tt := range tests {
		s, err := r.Resolve(tt.ref)
		if tt.err == "" {
			if err != nil || s.Reveal() != tt.want {
				t.Errorf("Resolve(%q): %v", tt.ref, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("Resolve(%q): %v; want %q", tt.ref, err, tt.err)
		}
		if err != nil && strings.Contains(err.Error(), planted) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}
