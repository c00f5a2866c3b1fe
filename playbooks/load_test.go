package playbooks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

// TestLoadLinks: a playbook behind a link is read, or said not to be.
func TestLoadLinks(t *testing.T) {
	dir := tree(t, map[string]string{
		"shared/widget.yaml": named("acme/widget"),
		"shared/deep/x.YML":  named("acme/gadget"),
		"mine/own.yaml":      named("acme/own"),
		"mine/readme.md":     "",
	})
	link(t, filepath.Join(dir, "shared"), filepath.Join(dir, "folder"))
	link(t, "../shared/widget.yaml", filepath.Join(dir, "mine", "linked.yaml"))
	link(t, "nowhere", filepath.Join(dir, "mine", "notes"))
	link(t, "../mine/readme.md", filepath.Join(dir, "mine", "text"))
	link(t, "../shared", filepath.Join(dir, "hidden", ".data"))
	link(t, ".data/widget.yaml", filepath.Join(dir, "hidden", "widget.yaml"))
	link(t, "../shared", filepath.Join(dir, "nested", "more"))
	link(t, "nowhere", filepath.Join(dir, "broken", "gone.yaml"))

	l := mustThree(t)
	cases := map[string]struct {
		want []string
		err  string
	}{
		"./folder": {want: []string{"acme/gadget", "acme/widget"}},
		"./mine":   {want: []string{"acme/own", "acme/widget"}},
		"./hidden": {want: []string{"acme/widget"}},
		"./nested": {err: "more: a link to a folder is not followed; name the folder by itself"},
		"./broken": {err: "gone.yaml: no such file"},
	}
	for name, c := range cases {
		got, err := l.Select(dir, []string{name})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %s", name, err, c.err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(c.want, got.Names()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLoadMany(t *testing.T) {
	files := map[string]string{}
	for i := range maxFiles + 1 {
		files[fmt.Sprintf("p%04d.yaml", i)] = ""
	}
	if _, err := LoadDir(tree(t, files)); err == nil || !strings.Contains(err.Error(), "more than 1000 playbooks") {
		t.Errorf("error %.200v", err)
	}
}

func TestLintFiles(t *testing.T) {
	file := func(name, text string) File { return File{Name: name, Data: []byte(text)} }
	cases := []struct {
		name  string
		files []File
		want  []string
	}{
		{"one, after what ships and what is given", []File{
			file("b.yaml", named("acme/bbb", "kaspersky/kesl", "acme/aaa")), file("a.yaml", named("acme/aaa")),
		}, nil},
		{"the same file twice", []File{file("a.yaml", named("acme/aaa")), file("a.yaml", named("acme/aaa"))}, nil},
		{"the same name twice", []File{file("a.yaml", named("acme/aaa")), file("b.yaml", named("acme/aaa"))}, []string{
			"b.yaml:3:7: the name acme/aaa is also in a.yaml [same-name]"}},
		{"the name of one that ships", []File{file("a.yaml", named("kaspersky/kesl"))}, []string{
			"a.yaml:3:7: a playbook kaspersky/kesl ships with oust; a campaign takes one of the two [ships-too]"}},
		{"the very one that ships", []File{file("a.yaml", embeddedText(t, "kesl"))}, nil},
		{"after nothing that exists", []File{file("a.yaml", named("acme/aaa", "acme/none", "kaspersky/kels"))}, []string{
			`a.yaml:13:9: after names "acme/none", which is no playbook [after]`,
			`a.yaml:13:20: after names "kaspersky/kels", which is no playbook; did you mean kaspersky/kesl? [after]`}},
		{"a circle", []File{file("a.yaml", named("acme/aaa", "acme/bbb")), file("b.yaml", named("acme/bbb", "acme/aaa"))}, []string{
			"b.yaml:13:9: after goes in a circle: acme/aaa after acme/bbb after acme/aaa [after]"}},
		{"one that is broken does not hide the others", []File{file("a.yaml", "nme: x\n"), file("b.yaml", named("acme/bbb", "acme/none"))}, []string{
			`a.yaml:1:1: unknown key "nme"; did you mean "name"? [syntax]`, `b.yaml:13:9: after names "acme/none", which is no playbook [after]`}},
	}
	l := mustThree(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, p := range l.LintFiles(c.files) {
				if p.Rule != warnAfterwards {
					got = append(got, p.String())
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestShown: the place is shown with a mark under the column.
func TestShown(t *testing.T) {
	p := Lint("a.yaml", []byte("format: 1\nplatform: [linux]\n"))[0]
	want := []string{"    2 | platform: [linux]", "      | ^"}
	if diff := cmp.Diff(want, p.Shown()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if got := (Problem{Message: "x"}).Shown(); got != nil {
		t.Errorf("a problem of the whole file shows %q", got)
	}
}

// TestUnanswered: a look for other playbooks does not answer for these.
func TestUnanswered(t *testing.T) {
	l := mustThree(t)
	f := linux()
	asked := l.Questions(remediate.Linux).Paths
	for _, p := range asked[1:] {
		f.Paths = append(f.Paths, remediate.PathFact{Path: p, Kind: remediate.PathAbsent})
	}
	if diff := cmp.Diff(asked[:1], l.Unanswered(f)); diff != "" {
		t.Errorf("unanswered (-want +got):\n%s", diff)
	}
	f.Paths = append(f.Paths, remediate.PathFact{Path: asked[0], Kind: remediate.PathDenied})
	if got := l.Unanswered(f); len(got) != 0 {
		t.Errorf("unanswered: %v", got)
	}
	f.Platform, f.Paths = remediate.MacOS, nil
	if got := l.Unanswered(f); len(got) != 0 {
		t.Errorf("unanswered on a platform without playbooks: %v", got)
	}
}
