package creds

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

const planted = "s3cret-planted"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestResolve(t *testing.T) {
	t.Parallel()
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
	write("bom", "\xef\xbb\xbf"+planted+"\n", 0o600)
	write("spaces", " "+planted+" \n", 0o600)
	write("group", planted, 0o640)
	if err := os.Symlink("good", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
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
		{"file:bom", planted, ""},
		{"file:link", planted, ""},
		{"file:spaces", " " + planted + " ", ""},
		{"file:open", "", "chmod 600"},
		{"file:group", "", "others can read it (mode 0640); run: chmod 600 " + filepath.Join(dir, "group")},
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

// FuzzResolve: any reference and any file give a secret or an error, and no
// error repeats what may be one.
func FuzzResolve(f *testing.F) {
	f.Add("file:secret", []byte(planted+"\r\n"))
	f.Add(planted, []byte("\xef\xbb\xbf\n"))
	f.Fuzz(func(t *testing.T, ref string, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "secret"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		r := Resolver{Dir: dir, Getenv: func(string) (string, bool) { return planted, true }}
		s, err := r.Resolve("file:secret")
		if err == nil && (s.Empty() || strings.ContainsAny(s.Reveal(), "\n") || !strings.Contains(string(text), s.Reveal())) {
			t.Errorf("%q gives %q", text, s.Reveal())
		}
		if _, known, _ := strings.Cut(ref, ":"); ref == "" || known != "" && (strings.HasPrefix(ref, "env:") || strings.HasPrefix(ref, "file:")) {
			return
		}
		if _, err := r.Resolve(ref); err == nil || err.Error() != "not a reference to a secret; write env:NAME or file:PATH" {
			t.Errorf("%q: %v", ref, err)
		}
	})
}
