package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// named is a small valid playbook.
func named(name string, after ...string) string {
	product := name[strings.Index(name, "/")+1:]
	text := strings.NewReplacer("acme/widget", name, "[widget]", "["+product+"]").Replace(reportOnly)
	if len(after) > 0 {
		text += "after: [" + strings.Join(after, ", ") + "]\n"
	}
	return text
}

// tree writes files below a fresh folder and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSelect(t *testing.T) {
	files := map[string]string{
		"own/widget.yaml":        named("acme/widget", "kaspersky/kesl"),
		"own/deep/gadget.yml":    named("acme/gadget", "acme/widget"),
		"own/.hidden.yaml":       "not read",
		"own/notes.txt":          "not read",
		"twin/widget.yaml":       named("acme/widget"),
		"shadow.yaml":            named("kaspersky/kesl"),
		"lost.yaml":              named("acme/lost", "kaspersky/kels"),
		"circle/a.yaml":          named("acme/aaa", "acme/ccc"),
		"circle/b.yaml":          named("acme/bbb", "acme/aaa"),
		"circle/c.yaml":          named("acme/ccc", "acme/bbb"),
		"broken/a.yaml":          strings.Replace(named("acme/aaa"), "title: Widget", "title: ''", 1),
		"broken/b.yaml":          strings.Replace(named("acme/bbb"), "format: 1", "format: 9", 1),
		"empty/readme.md":        "",
		"kaspersky/private.yaml": named("kaspersky/private"),
	}
	dir := tree(t, files)
	cases := []struct {
		names []string
		want  []string
		err   []string // parts of the message
	}{
		{names: []string{"kaspersky"}, want: []string{"kaspersky/kes-windows", "kaspersky/kesl", "kaspersky/klnagent"}},
		{names: []string{"kaspersky/kesl"}, want: []string{"kaspersky/kesl"}},
		{names: []string{"kaspersky/klnagent", "kaspersky", "kaspersky/kesl"}, want: []string{"kaspersky/kes-windows", "kaspersky/kesl", "kaspersky/klnagent"}},
		{names: []string{"./own"}, want: []string{"acme/gadget", "acme/widget"}},
		{names: []string{"./own/widget.yaml", "./own"}, want: []string{"acme/gadget", "acme/widget"}},
		{names: []string{"kaspersky", "./own/deep/gadget.yml", "./own/widget.yaml"}, want: []string{"acme/gadget", "acme/widget", "kaspersky/kes-windows", "kaspersky/kesl", "kaspersky/klnagent"}},
		{names: []string{filepath.Join(dir, "kaspersky"), "kaspersky/kesl"}, want: []string{"kaspersky/kesl", "kaspersky/private"}},
		{names: nil, err: []string{"no playbooks are named"}},
		{names: []string{"kapsersky"}, err: []string{`playbook "kapsersky" is unknown; did you mean kaspersky?`}},
		{names: []string{"kaspersky/kels"}, err: []string{"did you mean kaspersky/kesl?"}},
		{names: []string{"symantec"}, err: []string{"there are those of kaspersky (a path"}},
		{names: []string{"own"}, err: []string{`playbook "own" is unknown`, "begins with ./"}},
		{names: []string{"./nowhere"}, err: []string{"nowhere", "no such file"}},
		{names: []string{"./empty"}, err: []string{"empty: no .yaml file there"}},
		{names: []string{"./own", "./twin"}, err: []string{"acme/widget is in two places", "own/widget.yaml", "twin/widget.yaml"}},
		{names: []string{"kaspersky", "./shadow.yaml"}, err: []string{"kaspersky/kesl is in two places", "oust:vendors/kaspersky/kesl.yaml", "shadow.yaml"}},
		{names: []string{"./lost.yaml"}, err: []string{`lost.yaml:13:9: after names "kaspersky/kels", which is no playbook; did you mean kaspersky/kesl? [after]`}},
		{names: []string{"./circle"}, err: []string{"circle/b.yaml:13:9: after goes in a circle: acme/aaa after acme/ccc after acme/bbb after acme/aaa"}},
		{names: []string{"./broken"}, err: []string{"broken/a.yaml:4:8: title is missing", "broken/b.yaml:2:9: format is 9"}},
	}
	l := mustThree(t)
	for _, c := range cases {
		t.Run(strings.Join(c.names, " "), func(t *testing.T) {
			got, err := l.Select(dir, c.names)
			if len(c.err) > 0 {
				for _, part := range c.err {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("error %v does not say %q", err, part)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Names()); diff != "" {
				t.Errorf("playbooks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGet(t *testing.T) {
	l := mustThree(t)
	for _, want := range l.List() {
		if got, ok := l.Get(want.Name); !ok || got != want {
			t.Errorf("Get(%s) = %v, %v", want.Name, got, ok)
		}
	}
	if p, ok := l.Get("kaspersky"); ok {
		t.Errorf("a vendor is no playbook, got %s", p.Name)
	}
}

// TestOrdered: the order of removal holds through playbooks that are not
// found on a host.
func TestOrdered(t *testing.T) {
	var list []*Playbook
	for _, text := range []string{named("acme/a11", "acme/m11"), named("acme/m11", "acme/z11"), named("acme/z11"), named("acme/b11")} {
		list = append(list, mustParse(t, text))
	}
	l, err := newLibrary(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := l.Get("acme/a11")
	b, _ := l.Get("acme/b11")
	z, _ := l.Get("acme/z11")
	var got []string
	for _, p := range l.ordered([]*Playbook{a, b, z}) {
		got = append(got, p.Name)
	}
	if diff := cmp.Diff([]string{"acme/z11", "acme/a11", "acme/b11"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestDigest(t *testing.T) {
	p := mustParse(t, reportOnly)
	if want := remediate.Digest([]byte(reportOnly)); p.Digest() != want {
		t.Errorf("digest %s, want that of the text, %s", p.Digest(), want)
	}
	same := map[string]string{
		"CRLF": strings.ReplaceAll(reportOnly, "\n", "\r\n"),
		"BOM":  "\ufeff" + reportOnly,
	}
	for name, text := range same {
		if got := mustParse(t, text).Digest(); got != p.Digest() {
			t.Errorf("%s changes the digest", name)
		}
	}
	if got := mustParse(t, reportOnly+"# a comment\n").Digest(); got == p.Digest() {
		t.Error("a comment does not change the digest; a plan pins the text that was reviewed")
	}
}

func TestRefsAndSecrets(t *testing.T) {
	l := mustThree(t)
	for i, r := range l.Refs() {
		if p := l.List()[i]; r.Name != p.Name || r.Digest != p.Digest() {
			t.Errorf("reference %v of %s", r, p.Name)
		}
	}
}

func TestEncodeSecret(t *testing.T) {
	cases := []struct {
		encoding, value, want string
		fails                 bool
	}{
		{"", "pass", "pass", false},
		{EncodingPlain, "p\xff", "p\xff", false},
		{EncodingUTF16LEHex, "Ab1", "410062003100", false},
		{EncodingUTF16LEHex, "ü€😀", "fc00ac203dd800de", false},
		{EncodingUTF16LEHex, "secret\xff", "", true},
		{"rot13", "secret", "", true},
	}
	for _, c := range cases {
		got, err := Secret{Name: "x", Encoding: c.encoding}.Encode([]byte(c.value))
		if string(got) != c.want || (err != nil) != c.fails {
			t.Errorf("Encode(%s) = %q, %v; want %q", c.encoding, got, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret\xff") {
			t.Errorf("the error holds the value: %v", err)
		}
	}
}
