package playbooks

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"oust/remediate"
)

// FuzzMatch: whatever a host says, matching and rendering do not panic, do
// not depend on the order of its facts, and let no word of the host into a
// script but in comments.
func FuzzMatch(f *testing.F) {
	f.Add("", "1.0", "installed", "", "enabled", "dir", byte(0))
	f.Add("\n$(reboot)", "'; reboot; '", "broken", "\r\nreboot", "off\x00\xff", "file", byte(1))
	f.Add("*[", "\u2028\u202e\u009b", "config-files", "*", "#", "link", byte(6))
	f.Add("/", "`id`", "", "]", "\\", "other", byte(7))
	var list []*Playbook
	for _, text := range []string{good, strings.ReplaceAll(good, "widget", "gizmo")} {
		p, err := Parse("fuzz.yaml", []byte(text))
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, p)
	}
	e, err := Embedded()
	if err != nil {
		f.Fatal(err)
	}
	l, err := newLibrary(append(list, e.List()...), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, version, status, service, state, kind string, which byte) {
		const mark = "HOSTWORD"
		facts := hostile(name+mark, version+mark, status, service+mark, state+mark, kind, which)
		findings := l.Match(facts)
		for _, x := range findings {
			if len(x.Evidence) == 0 {
				t.Fatalf("a finding without evidence: %+v", x)
			}
		}
		slices.Reverse(facts.Packages)
		slices.Reverse(facts.Services)
		slices.Reverse(facts.Paths)
		if again := l.Match(facts); !remediate.SameFindings(findings, again) {
			t.Fatalf("the order of the facts matters:\n%v\n%v", findings, again)
		}
		if len(findings) == 0 {
			return
		}
		script, err := l.Render(RenderInput{Facts: facts, Findings: findings})
		if _, unsupported := errors.AsType[*UnsupportedError](err); unsupported {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script.Text), "script"); err != nil {
			t.Fatalf("the script is not sh: %v", err)
		}
		for line := range strings.Lines(script.Text) {
			if strings.Contains(line, mark) && !strings.HasPrefix(line, "#") {
				t.Fatalf("a word of the host: %q", line)
			}
			if !printable(strings.NewReplacer("\t", "", "\n", "").Replace(line)) {
				t.Fatalf("not fit for a terminal: %q", line)
			}
		}
	})
}

// hostile are facts in which a host's own words stand wherever they can.
func hostile(name, version, status, service, state, kind string, which byte) *remediate.Facts {
	f := linux(
		remediate.Package{Manager: "dpkg", Name: "widget-gui" + name, Version: version, Arch: version, Status: status},
		remediate.Package{Manager: "rpm", Name: "kesl", Version: version, Vendor: version, Status: status},
		remediate.Package{Manager: "dpkg", Name: "klnagent64", Version: version, Status: remediate.PackageConfigFiles},
		remediate.Package{Manager: name, Name: "widget", Version: version, Status: status},
	)
	f.Packages = f.Packages[which&3:]
	f.Services = []remediate.Service{{Manager: state, Name: "widgetd", State: state}, {Manager: "systemd", Name: service, State: state}, {Name: "kesl", State: state}}
	if which&4 != 0 {
		for _, p := range []string{"/opt/acme/widget/bin/widgetd", "/opt/kaspersky/klnagent", name} {
			f.Paths = append(f.Paths, remediate.PathFact{Path: p, Kind: remediate.PathKind(kind)})
		}
	}
	return f
}
