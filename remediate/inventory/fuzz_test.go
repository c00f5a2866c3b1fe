package inventory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// small limits let a fuzzer find what lies behind them.
var small = limits{file: 1 << 20, yaml: 1 << 20, vars: 1 << 20, hosts: 100, groups: 30, mentions: 300, nodes: 500, folderFiles: 20}

// seed adds the cases with one of the endings; none means all.
func seed(f *testing.F, endings ...string) {
	f.Helper()
	for _, path := range cases(f) {
		if len(endings) > 0 && !slices.Contains(endings, filepath.Ext(path)) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// tryText reads a text as a format, from detection or by name, and checks what
// holds for every inventory.
func tryText(t *testing.T, name string, text []byte) {
	t.Helper()
	l := newLoader(Options{}, small)
	l.read(bytes.NewReader(text), source{name: name}, 0)
	l.ansible.resolve(l)
	l.compareAddresses()
	if err := l.err(); err != nil {
		told, ok := errors.AsType[*Error](err)
		if !ok || len(told.Problems) == 0 {
			t.Fatalf("%T is no *Error with problems", err)
		}
		for _, p := range told.Problems {
			if p.File != name || p.Msg == "" || p.Line > bytes.Count(text, []byte("\n"))+bytes.Count(text, []byte("\r"))+1 {
				t.Errorf("problem %+v", p)
			}
		}
		return
	}
	names := map[string]bool{}
	for _, h := range l.hosts {
		checkHost(t, h)
		if names[h.Name] {
			t.Errorf("%q is there twice", h.Name)
		}
		names[h.Name] = true
	}
	roundTrip(t, l.hosts)
}

func checkHost(t *testing.T, h remediate.Host) {
	t.Helper()
	switch {
	case h.Name == "" || len(h.Name) > 253 || strings.ContainsAny(h.Name, ", \t\r\n\x00"):
		t.Errorf("name %q", h.Name)
	case strings.HasPrefix(h.DialAddress(), "-") || strings.ContainsAny(h.DialAddress(), " \x00\n[]@/"):
		t.Errorf("address %q", h.DialAddress())
	case h.Port < 0 || h.Port > 65535:
		t.Errorf("port %d", h.Port)
	case !slices.Contains(transports, h.Transport) || h.Platform != "" && !slices.Contains(platforms, string(h.Platform)):
		t.Errorf("transport %q, platform %q", h.Transport, h.Platform)
	case strings.ContainsAny(h.User, "\n\x00:") || h.Origin == "":
		t.Errorf("%+v", h)
	}
}

// roundTrip writes hosts as CSV and reads them back.
func roundTrip(t *testing.T, hosts []remediate.Host) {
	t.Helper()
	if len(hosts) == 0 {
		return
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{columnNames}
	for _, h := range hosts {
		port := ""
		if h.Port > 0 {
			port = strconv.Itoa(h.Port)
		}
		rows = append(rows, []string{h.Name, h.Address, port, h.User, string(h.Platform), h.Transport,
			h.Credential, h.Site, h.Zone, h.Owner, strings.Join(h.Tags, " ")})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	inv, err := Load([]string{"-"}, Options{Stdin: &b})
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	want := slices.Clone(hosts)
	for i := range want {
		want[i].Origin, inv.Hosts[i].Origin = "", ""
	}
	if diff := cmp.Diff(want, inv.Hosts); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func FuzzAny(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) { tryText(t, "stdin", text) })
}

func FuzzCSV(f *testing.F) {
	seed(f, ".csv", ".tsv")
	f.Fuzz(func(t *testing.T, text []byte) { tryText(t, "hosts.csv", text) })
}

func FuzzYAML(f *testing.F) {
	seed(f, ".yaml", ".yml")
	f.Fuzz(func(t *testing.T, text []byte) { tryText(t, "hosts.yaml", text) })
}

func FuzzINI(f *testing.F) {
	seed(f, ".ini")
	f.Fuzz(func(t *testing.T, text []byte) { tryText(t, "hosts.ini", text) })
}

func FuzzJSON(f *testing.F) {
	seed(f, ".json")
	f.Fuzz(func(t *testing.T, text []byte) { tryText(t, "hosts.json", text) })
}

func FuzzList(f *testing.F) {
	seed(f, ".txt")
	f.Fuzz(func(t *testing.T, text []byte) {
		l := newLoader(Options{}, small)
		if text, fault := decode(text); fault == nil {
			l.parseList(source{name: "stdin", text: text})
		}
		for i, h := range l.hosts {
			if l.faults() == 0 {
				checkHost(t, h)
			}
			if l.places[i].Line == 0 {
				t.Errorf("%+v has no line", h)
			}
		}
		if l.faults() == 0 {
			roundTrip(t, l.hosts)
		}
	})
}

func FuzzVarsFile(f *testing.F) {
	for _, s := range []string{"ansible_port: 22\n", "ansible_host: !vault x\n", "a: &a {ansible_user: b}\n<<: *a\n", "$ANSIBLE_VAULT;1.1\n", "{\"oust_site\": \"x\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := &report{}
		files := newVarsFiles(r, nil, small)
		for _, v := range files.parse("vars", text) {
			if varNames[v.id] == "" || v.place.Line == 0 {
				t.Errorf("%+v", v)
			}
		}
	})
}

// FuzzWords holds words to be read back when they are written in quotes.
func FuzzWords(f *testing.F) {
	for _, s := range []string{`a b`, `a "b c" d`, `a='b\'`, `a\ b#c`, `"`, `\`, "a\u00a0b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := splitWords(s)
		if err != nil {
			return
		}
		var quotedWords []string
		for _, w := range words {
			quotedWords = append(quotedWords, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w)+`"`)
		}
		again, err := splitWords(strings.Join(quotedWords, " "))
		if err != nil || !slices.Equal(words, again) {
			t.Errorf("%q -> %q -> %q, %v", s, words, again, err)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"web[01:20]", "[a:f]x[0:10:5]", "x[", "[:3]", "[1:2:0]", "[9:1]", "[aa:b]", "[1:999999999]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		names, err := expandRange(s, small.hosts)
		if err == nil && (len(names) == 0 || len(names) > small.hosts) {
			t.Errorf("%q: %d names", s, len(names))
		}
		for _, n := range names {
			if strings.Contains(n, "[") {
				t.Errorf("%q: %q", s, n)
			}
		}
	})
}
