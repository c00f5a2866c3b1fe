package playbooks

import (
	"errors"
	"strings"
	"testing"

	"oust/remediate/strictyaml"
)

// TestParseErrors: what a person reads when a playbook does not load.
func TestParseErrors(t *testing.T) {
	cases := []struct{ name, old, new, want string }{
		{"unknown key", "platforms: [linux]", "platform: [linux]",
			`widget.yaml:5:1: unknown key "platform"; did you mean "platforms"?`},
		{"unknown kind of step", "  - file: {path: /opt/acme/widget}", "  - files: {path: /opt/acme/widget}",
			`widget.yaml:18:5: unknown key "files"; did you mean "file"?`},
		{"unknown key in a step", "  - file: {path: /opt/acme/widget}", "  - file: {paht: /opt/acme/widget}",
			`widget.yaml:18:12: unknown key "paht"; did you mean "path"?`},
		{"key of another place", "title: Acme Widget", "path: /opt/acme/widget", `widget.yaml:3:1: unknown key "path"; known here: format, name, title, `},
		{"key of a sign in a residue", "{service: widgetd}", "{service: widgetd, managers: [dpkg]}", `widget.yaml:22:24: unknown key "managers"; known here: path, service, package, key, remove`},
		{"a word for a list", "platforms: [linux]", "platforms: linux", "widget.yaml:5:12: want a list"},
		{"a list for a word", "title: Acme Widget", "title: [Acme]", "widget.yaml:3:8: want one word or line of text"},
		{"a word for keys", "  - file: {path: /opt/acme/widget}", "  - file: /opt/acme/widget", "widget.yaml:18:11: want keys and values, one of path"},
		{"a word for a number", "{0: ok, 3: reboot}", "{zero: ok}", "widget.yaml:17:14: want a whole number"},
		{"a fraction for a number", "{0: ok, 3: reboot}", "{0: ok, 1.5: reboot}", "widget.yaml:17:21: want a whole number"},
		{"an exit code twice", "{0: ok, 3: reboot}", "{0: ok, 0: failed}", "widget.yaml:17:21: "},
		{"an exit code twice, spelt apart", "{0: ok, 3: reboot}", "{0: ok, 00: failed}", "widget.yaml:17:21: want a whole number"},
		{"a format between", "format: 1", "format: 1.9", "widget.yaml:1:9: want a whole number"},
		{"a word for yes", "remove: true}", "remove: perhaps}", "widget.yaml:20:37: want true or false"},
		{"a bad duration", "grace: 5s", "grace: soon", "widget.yaml:13:79: "},
		{"twice", "title: Acme Widget", "title: Acme Widget\ntitle: Acme Gadget", "widget.yaml:4:1: "},
		{"a second document", "reboot: maybe\n", "reboot: maybe\n---\nformat: 1\n", "widget.yaml:26:"},
		{"an alias", "names: [widget-gui, widget]", "names: &n [widget-gui, widget]", "widget.yaml:16:"},
		{"a tab", "platforms: [linux]", "platforms:\n\t- linux", "widget.yaml:6:"},
		{"not closed", "platforms: [linux]", "platforms: [linux", "widget.yaml:"},
		{"a rule", "/var/lib/widget, ", "/var/lib, ",
			"widget.yaml:20:12: /var/lib: the path is a folder of the system [path]\n   20 |   - {path: /var/lib, remove: true}\n      |            ^"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("good does not hold %q", c.old)
			}
			p, err := Parse("widget.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			if err == nil || p != nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatalf("playbook %v, error %v; want one that begins with %s", p, err, c.want)
			}
			_, yaml := errors.AsType[*strictyaml.Error](err)
			_, rule := errors.AsType[*InvalidError](err)
			if yaml == rule {
				t.Errorf("error of type %T", err)
			}
		})
	}
}

// TestParseAll: all problems are reported at once, in the order of the file.
func TestParseAll(t *testing.T) {
	text := strings.NewReplacer("vendor: Acme\n", "", "file: {path: /opt/acme/widget}", "file: {path: /opt}", "reboot: maybe", "reboot: no way").Replace(good)
	_, err := Parse("widget.yaml", []byte(text))
	bad, ok := errors.AsType[*InvalidError](err)
	if !ok || len(bad.Problems) != 3 {
		t.Fatalf("error %v, want three problems", err)
	}
	for i := 1; i < 3; i++ {
		if bad.Problems[i].Line < bad.Problems[i-1].Line {
			t.Errorf("problems are not in the order of the file:\n%v", err)
		}
	}
}

func TestParseBounds(t *testing.T) {
	if _, err := Parse("big.yaml", []byte(good+"#"+strings.Repeat("x", MaxSize))); err == nil || !strings.Contains(err.Error(), "larger than a playbook may be, 262144 bytes") {
		t.Errorf("a big file: error %v", err)
	}
	many := "names: [" + strings.Repeat("widget, ", 101) + "widget-gui]"
	if _, err := Parse("many.yaml", []byte(strings.Replace(good, "names: [widget-gui, widget]", many, 1))); err == nil || !strings.Contains(err.Error(), "at most 100 are allowed") {
		t.Errorf("a long list: error %v", err)
	}
	for _, text := range []string{"", "# nothing\n", "null", "[]", "- a", "x", "{}"} {
		if p, err := Parse("odd.yaml", []byte(text)); err == nil {
			t.Errorf("%q is a playbook: %+v", text, p)
		}
	}
}

// FuzzParse: no text makes the loader, the linter or the renderer panic, and
// what loads keeps the promises that the renderer relies on.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(reportOnly))
	for _, c := range lintCases {
		f.Add([]byte(strings.Replace(good, c.old, c.new, 1)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("fuzz.yaml", data)
		problems := Lint("fuzz.yaml", data)
		if err != nil {
			if len(problems) == 0 {
				t.Fatalf("Parse says %v, and Lint says nothing", err)
			}
			return
		}
		for _, r := range p.Residue {
			if r.Remove && r.Path != "" && (removalProblem(r.Path) != "" || !p.owned(r.Path)) {
				t.Fatalf("it would remove %q", r.Path)
			}
		}
		for _, s := range p.Steps {
			if s.File != nil && (removalProblem(s.File.Path) != "" || !p.owned(s.File.Path)) {
				t.Fatalf("it would remove %q", s.File.Path)
			}
		}
		everything(t, p)
	})
}

// everything renders a playbook as for a host that has all of its product.
func everything(t *testing.T, p *Playbook) {
	t.Helper()
	l, err := newLibrary([]*Playbook{p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := linux()
	f.Platform = p.Platforms[0]
	for _, q := range l.Questions(f.Platform).Paths {
		f.Paths = append(f.Paths, pathFact(q))
	}
	for _, s := range p.Steps {
		if s.Package != nil {
			for _, n := range s.Package.Names {
				f.Packages = append(f.Packages, pkg(s.Package.Managers[0], n))
			}
		}
	}
	findings := l.Match(f)
	if len(findings) == 0 {
		return
	}
	script, err := l.Render(RenderInput{Facts: f, Findings: findings})
	if _, unsupported := errors.AsType[*UnsupportedError](err); err != nil && !unsupported {
		t.Fatalf("render: %v", err)
	}
	if err == nil && !strings.HasSuffix(script.Text, "\nexit 0\n") {
		t.Fatalf("the script ends with %q", script.Text[max(0, len(script.Text)-40):])
	}
}
