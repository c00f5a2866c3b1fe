package inventory

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpandRange(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"web":          "web",
		"web[1:3]":     "web1 web2 web3",
		"web[08:11]":   "web08 web09 web10 web11",
		"web[8:11].x":  "web8.x web9.x web10.x web11.x",
		"[a:c]":        "a b c",
		"[y:B]":        "y z A B",
		"n[0:10:5]":    "n0 n5 n10",
		"n[a:f:2]":     "na nc ne",
		"[:2]x":        "0x 1x 2x",
		"[1:2]-[a:b]":  "1-a 1-b 2-a 2-b",
		"[0:0]":        "0",
		"[00:01][1:2]": "001 002 011 012",
	} {
		got, err := expandRange(pattern, 100)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %s", pattern, got, err, want)
		}
	}
}

func TestSplitWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		`a b	c`:                {"a", "b", "c"},
		`  a  `:                {"a"},
		`a # b`:                {"a"},
		`a#b c`:                {"a"},
		`a "b # c" 'd "e"'`:    {"a", "b # c", `d "e"`},
		`a="b c"d`:             {"a=b cd"},
		`a\ b "c\"d\\e\f" '\'`: {"a b", `c"d\e\f`, `\`},
		`a "" ''`:              {"a", "", ""},
	} {
		got, err := splitWords(line)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", line, err, diff)
		}
	}
	for _, line := range []string{`a "b`, `a 'b`, `a\`, `"\"`} {
		if got, err := splitWords(line); err == nil {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]value{
		"22":                {text: "22"},
		"-1":                {text: "-1"},
		"022":               {text: "022"}, // no number in Python
		"22 # c":            {text: "22"},
		"22 c":              {text: "22 c"},
		`"a b"`:             {text: "a b"},
		`'a\'b' # c`:        {text: "a'b"},
		`"a\tb\d"`:          {text: "a\tb\\d"},
		`"a" b`:             {text: `"a" b`},
		"None":              {kind: valueNone},
		"":                  {},
		"a # b":             {text: "a # b"},
		"{{ x }}":           {text: "{{ x }}", kind: valueTemplate},
		"{% if x %}":        {text: "{% if x %}", kind: valueTemplate},
		"$ANSIBLE_VAULT;1.": {kind: valueVault},
	} {
		if got := literal(text); got != want {
			t.Errorf("%s: %+v; want %+v", text, got, want)
		}
	}
}

func TestSplitPort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"web1":              {"web1", ""},
		"web1:22":           {"web1", "22"},
		"web1:":             {"web1:", ""},
		"web1:ssh":          {"web1:ssh", ""},
		"::1":               {"::1", ""},
		"2001:db8::22":      {"2001:db8::22", ""},
		"[::1]":             {"::1", ""},
		"[::1]:22":          {"::1", "22"},
		"[10.0.0.1]:22":     {"10.0.0.1", "22"},
		"[web1]:22":         {"web1", "22"},
		"web[1:3]:22":       {"web[1:3]", "22"},
		"[1:3]web":          {"[1:3]web", ""},
		"[1:3]":             {"[1:3]", ""},
		"[1:3]:22":          {"[1:3]", "22"},
		"a:1:2":             {"a:1:2", ""},
		"[::1":              {"[::1", ""},
		"[fe80::1%eth0]:22": {"fe80::1%eth0", "22"},
	} {
		if host, port := splitPort(text); host != want[0] || port != want[1] {
			t.Errorf("%s: %q %q; want %q", text, host, port, want)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       format
	}{
		{"x.CSV", "web1", formatCSV},
		{"x.tsv", "web1", formatCSV},
		{"x.yml", "web1", formatYAML},
		{"x.Yaml", "web1", formatYAML},
		{"x.json", "web1", formatJSON},
		{"x.ini", "web1", formatINI},
		{"x", "web1", formatList},
		{"x", "", formatList},
		{"x.txt", "# name, please\nweb1\n", formatList},
		{"x", "[::1]:22\nroot@[2001:db8::1]\n", formatList},
		{"x", "[10.0.0.1]\n", formatList},
		{"x", "root@web1:22\n", formatList},
		{"x", "web1:22\n", formatList},
		{"x", "name\nweb1\n", formatCSV},
		{"x", "Address;Name\n", formatCSV},
		{"x", "\"name\",\"port\"\n", formatCSV},
		{"x", "sep=;\nname;port\n", formatCSV},
		{"x", "web1,web2\n", formatCSV},
		{"hosts", "web1\n\n[db]\ndb1\n", formatINI},
		{"hosts", "web1 ansible_host=10.0.0.1,10.0.0.2\n", formatINI},
		{"hosts", "; a comment\nweb1\n", formatINI},
		{"hosts", "web[1:3]\n", formatINI},
		{"hosts", "[all:vars]\nx=1\n", formatINI},
		{"hosts", "all:\n  hosts:\n", formatYAML},
		{"hosts", "---\nweb:\n", formatYAML},
		{"hosts", "'web':  # c\n", formatYAML},
		{"hosts", "\n\t {\"web\": []}", formatJSON},
	}
	for _, tt := range tests {
		if got := (source{name: tt.name, text: []byte(tt.text)}).format(); got != tt.want {
			t.Errorf("%s %q: format %d; want %d", tt.name, tt.text, got, tt.want)
		}
	}
}

func TestFromUTF16(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                               "",
		"a\x00b\x00":                     "ab",
		"\x3d\xd8\x00\xde":               "😀",
		"\x3d\xd8":                       "\ufffd",
		"\x3d\xd8a\x00":                  "\ufffda",
		"\x00\xde\x3d\xd8":               "\ufffd\ufffd",
		"a\x00b":                         "a\ufffd",
		"\xff\xff":                       "\uffff",
		"\x3d\xd8\x3d\xd8\x00\xdeb\x00c": "\ufffd😀b\ufffd",
	} {
		if got := string(fromUTF16([]byte(in), binary.LittleEndian)); got != want {
			t.Errorf("%q: %q; want %q", in, got, want)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	var r report
	for i := range maxWarnings + 5 {
		for range 2 {
			r.warn(Place{File: "f", Line: i + 1}, "", strings.Repeat("x", i+1))
		}
	}
	got := r.warnings()
	if len(got) != maxWarnings+1 || got[0] != "f:1: x (2 times)" || got[maxWarnings] != "and 10 more warnings" {
		t.Errorf("%d warnings: %q ... %q", len(got), got[0], got[len(got)-1])
	}
}

// TestYAMLFaultOfLargeText is told by the library that reads it.
func TestYAMLFaultOfLargeText(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("- a: 1\n", 50_000) + "- [1\n"
	root, fault := readYAML([]byte(text), 1<<20)
	if root != nil || fault == nil || fault.Line < 50_000 || !strings.HasPrefix(fault.Msg, "not YAML: did not find") {
		t.Errorf("%+v", fault)
	}
}
