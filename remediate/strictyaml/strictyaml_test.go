package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

type inner struct {
	Port int    `yaml:"port"`
	Name string `yaml:"name"`
}

type outer struct {
	Title string           `yaml:"title"`
	In    inner            `yaml:"in"`
	List  []inner          `yaml:"list"`
	Map   map[string]inner `yaml:"map"`
	Share share            `yaml:"share"`
	On    *bool            `yaml:"on"`
}

type share float64

// UnmarshalYAML takes "5%".
func (s *share) UnmarshalYAML(b []byte) error {
	var n float64
	if _, err := fmt.Sscanf(string(b), "%g%%", &n); err != nil {
		return fmt.Errorf("want a share such as 5%%, not %s", b)
	}
	*s = share(n / 100)
	return nil
}

func TestDecode(t *testing.T) {
	var o outer
	err := Decode("f.yaml", []byte("\xef\xbb\xbftitle: x\r\nin: {port: 5}\nlist:\n  - name: a\nmap: {k: {port: 1}}\nshare: 5%\n"), &o)
	if err != nil {
		t.Fatal(err)
	}
	if o.Title != "x" || o.In.Port != 5 || o.List[0].Name != "a" || o.Map["k"].Port != 1 || o.Share != 0.05 {
		t.Errorf("decoded %+v", o)
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "title: a\nin:\n  prot: 5\n", `f.yaml:3:3: unknown key "prot"; did you mean "port"?`},
		{"unknown key far from any", "zzzzzz: a\n", `f.yaml:1:1: unknown key "zzzzzz"; known here: title, in, list, map, share, on`},
		{"key of another place", "port: 5\n", `f.yaml:1:1: unknown key "port"; known here: title, in, list, map, share, on`},
		{"key of the file in a list", "list:\n  - tilte: 5\n", `f.yaml:2:5: unknown key "tilte"; known here: port, name`},
		{"a very long key", strings.Repeat("k", 300) + ": a\n", `f.yaml:1:1: unknown key "` + strings.Repeat("k", 64) + `..."; known here`},
		{"repeated key", "title: a\ntitle: b\n", "f.yaml:2:1: "},
		{"wrong type", "in: {port: many}\n", "f.yaml:1:12: want a whole number"},
		{"a fraction for a number", "in: {port: 1.9}\n", "f.yaml:1:12: want a whole number"},
		{"an octal number", "in: {port: 017}\n", "f.yaml:1:12: want a whole number"},
		{"a huge number", "in: {port: 99999999999999999999}\n", "f.yaml:1:12: want a whole number"},
		{"a list for a word", "title: [a]\n", "f.yaml:1:8: want one word or line of text"},
		{"a word for a list", "list: a\n", "f.yaml:1:7: want a list, as in [a, b]"},
		{"a word for keys", "in: a\n", "f.yaml:1:5: want keys and values, one of port, name"},
		{"a list for a map", "map: [a]\n", "f.yaml:1:6: want keys and values"},
		{"a number for yes", "on: 1\n", "f.yaml:1:5: want true or false"},
		{"not YAML", "title: [a\n", "f.yaml:1:"},
		{"a tab", "in:\n\tport: 5\n", "f.yaml:2:1: a tab begins this line; YAML is indented with blanks"},
		{"second document", "title: a\n---\ntitle: b\n", "second document"},
		{"alias", "in: &a {port: 1}\nlist: [*a]\n", "f.yaml:1:5: anchors and aliases"},
		{"NUL", "title: a\x00b\n", "f.yaml:1:9: a NUL byte"},
		{"UTF-16", "\xff\xfet\x00i\x00", "UTF-16; save it as UTF-8"},
		{"Latin-1", "title: caf\xe9\n", "f.yaml:1:11: not UTF-8"},
		{"deep", strings.Repeat("[", 5000), "nested deeper"},
		{"deep by dashes", strings.Repeat("- ", 3000) + "a\n", "nested deeper"},
		{"large", "title: " + strings.Repeat("a", DefaultLimit), "at most"},
		{"a value's own error", "title: a\nshare: lots\n", "want a share"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o outer
			err := Decode("f.yaml", []byte(tt.text), &o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("Decode: %v; want %q", err, tt.want)
			}
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("%T is not *Error", err)
			}
		})
	}
}

func TestDecodeEmpty(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n"} {
		var o outer
		if err := Decode("f.yaml", []byte(text), &o); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestExcerptShowsThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"title: a\nin:\n  prot: 5\n":   "    3 |   prot: 5\n      |   ^",
		"title: a\nin: &x {port: 5}\n": "    2 | in: &x {port: 5}\n      |     ^",
		"title: a\n---\ntitle: b\n":    "    3 | title: b\n",
	} {
		var o outer
		if err := Decode("f.yaml", []byte(text), &o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not show\n%s", text, err, want)
		}
	}
}

// TestDecodeNull: a key without a value is as if it were not there.
func TestDecodeNull(t *testing.T) {
	var o outer
	if err := Decode("f.yaml", []byte("title:\nin: ~\nlist: null\nmap:\non:\n"), &o); err != nil {
		t.Fatal(err)
	}
	if o.List != nil || o.Map != nil || o.On != nil {
		t.Errorf("decoded %+v", o)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"title: a", "in: {port: 1}", "list:\n- name: x\n", "a: &b c\nd: *b", "? x\n: y", "|\n a", "!!binary x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var o outer
		if err := Decode("f.yaml", b, &o); err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("%T %v is not *Error", err, err)
			}
		}
	})
}

func TestLines(t *testing.T) {
	got := Lines([]byte("a: 1\nb:\n  c:\n    d: x\n  e: [1]\n"))
	for key, line := range map[string]int{"a": 1, "b": 2, "b.c": 3, "b.c.d": 4, "b.e": 5} {
		if got[key] != line {
			t.Errorf("Lines[%q] = %d; want %d", key, got[key], line)
		}
	}
	got = Lines([]byte("a:\n  - b: 1\n    c: [x,\n      {d: 1}]\n  - [1]\n"))
	for key, line := range map[string]int{"a[0]": 2, "a[0].b": 2, "a[0].c[1]": 4, "a[0].c[1].d": 4, "a[1]": 5, "a[1][0]": 5} {
		if got[key] != line {
			t.Errorf("Lines[%q] = %d; want %d", key, got[key], line)
		}
	}
	if n := len(Lines([]byte("a: [1\n"))); n != 0 {
		t.Errorf("%d lines of broken text", n)
	}
}
