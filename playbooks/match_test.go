package playbooks

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

func TestMatch(t *testing.T) {
	l := mustThree(t)
	with := func(p remediate.Package, status string) remediate.Package { p.Status = status; return p }
	kesl, rpmKesl := pkg("dpkg", "kesl"), pkg("rpm", "kesl")
	kesl32 := kesl
	kesl32.Arch, kesl32.Version = "i386", "11.4.0-1096"
	ev := func(kind, value string) remediate.Evidence { return remediate.Evidence{Kind: kind, Value: value} }
	product := func(version string, e ...remediate.Evidence) remediate.Finding {
		return remediate.Finding{Playbook: "kaspersky/kesl", Kind: remediate.FindProduct,
			Product: "Kaspersky Endpoint Security for Linux", Version: version, Evidence: e}
	}
	residue := func(e ...remediate.Evidence) remediate.Finding {
		f := product("", e...)
		f.Kind = remediate.FindResidue
		return f
	}
	cases := []struct {
		name  string
		facts remediate.Facts
		want  []remediate.Finding
	}{
		{"nothing", remediate.Facts{}, nil},
		{"near misses", remediate.Facts{
			Packages: []remediate.Package{pkg("dpkg", "kesl-tools-of-someone"), pkg("rpm", "libkesl"), pkg("dpkg", "KESL"),
				pkg("apk", "kesl"), pkg("dpkg", "klnagent64-doc")},
			Services: []remediate.Service{{Manager: "systemd", Name: "kesl-exporter"}, {Manager: "systemd", Name: "kesl@"}},
			Paths: []remediate.PathFact{{Path: "/opt/kaspersky", Kind: remediate.PathDir}, {Path: "/opt/kaspersky/kesl", Kind: remediate.PathAbsent},
				{Path: "/var/opt/kaspersky/kesl", Kind: remediate.PathDenied}},
		}, nil},
		{"dpkg", remediate.Facts{Packages: []remediate.Package{kesl}}, []remediate.Finding{
			product("12.1.0-1508", ev("package", "dpkg kesl 12.1.0-1508 amd64 installed")),
		}},
		{"broken counts as there", remediate.Facts{Packages: []remediate.Package{with(kesl, "broken")}}, []remediate.Finding{
			product("12.1.0-1508", ev("package", "dpkg kesl 12.1.0-1508 amd64 broken")),
		}},
		{"configuration only is residue", remediate.Facts{Packages: []remediate.Package{with(kesl, "config-files")}}, []remediate.Finding{
			residue(ev("package", "dpkg kesl 12.1.0-1508 amd64 config-files")),
		}},
		{"dpkg and rpm, two architectures, the product's version first", remediate.Facts{
			Packages: []remediate.Package{pkg("dpkg", "kesl-gui"), rpmKesl, kesl32, kesl, with(pkg("dpkg", "kesl-astra"), "config-files")},
		}, []remediate.Finding{
			product("11.4.0-1096",
				ev("package", "dpkg kesl 11.4.0-1096 i386 installed"), ev("package", "dpkg kesl 12.1.0-1508 amd64 installed"),
				ev("package", "dpkg kesl-gui 12.1.0-1508 amd64 installed"), ev("package", "rpm kesl 12.1.0-1508 amd64 installed")),
		}},
		{"only the graphical interface is left", remediate.Facts{Packages: []remediate.Package{pkg("rpm", "kesl-gui")}}, []remediate.Finding{
			product("12.1.0-1508", ev("package", "rpm kesl-gui 12.1.0-1508 amd64 installed")),
		}},
		{"residue of every kind", remediate.Facts{
			Packages: []remediate.Package{with(kesl, "config-files")},
			Services: []remediate.Service{{Manager: "systemd", Name: "kesl", State: "enabled"}, {Manager: "sysv", Name: "kesl"}},
			Paths: []remediate.PathFact{{Path: "/opt/kaspersky/kesl", Kind: remediate.PathLink}, {Path: "/var/opt/kaspersky/kesl", Kind: remediate.PathDir},
				{Path: "/etc/opt/kaspersky/kesl", Kind: remediate.PathAbsent}},
		}, []remediate.Finding{residue(
			ev("package", "dpkg kesl 12.1.0-1508 amd64 config-files"),
			ev("path", "/opt/kaspersky/kesl link"), ev("path", "/var/opt/kaspersky/kesl dir"),
			ev("service", "systemd kesl enabled"), ev("service", "sysv kesl"),
		)}},
		{"a product that is there has no residue", remediate.Facts{
			Packages: []remediate.Package{kesl},
			Paths:    []remediate.PathFact{{Path: "/opt/kaspersky/kesl", Kind: remediate.PathDir}},
		}, []remediate.Finding{product("12.1.0-1508", ev("package", "dpkg kesl 12.1.0-1508 amd64 installed"))}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.facts.Platform = remediate.Linux
			if diff := cmp.Diff(c.want, l.Match(&c.facts)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			c.facts.Platform = remediate.MacOS
			if got := l.Match(&c.facts); len(got) != 0 {
				t.Errorf("on a platform that the playbooks do not have: %v", got)
			}
		})
	}
}

// TestSign: within a sign all must hold, between signs any.
func TestSign(t *testing.T) {
	p := mustParse(t, `
format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux, macos]
detect:
  - package: {managers: [dpkg], names: ["widget-[0-9]*", widget]}
    service: widgetd
  - path: /opt/acme/widget/bin/widget
manual: call Acme
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`)
	l, err := newLibrary([]*Playbook{p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	widget := []remediate.Package{pkg("dpkg", "widget-12")}
	service := []remediate.Service{{Manager: "systemd", Name: "widgetd", State: "enabled"}}
	path := []remediate.PathFact{{Path: "/opt/acme/widget/bin/widget", Kind: remediate.PathFile}}
	cases := []struct {
		name  string
		facts remediate.Facts
		found bool
	}{
		{"package without its service", remediate.Facts{Packages: widget}, false},
		{"service without its package", remediate.Facts{Services: service}, false},
		{"both", remediate.Facts{Packages: widget, Services: service}, true},
		{"the other sign", remediate.Facts{Paths: path}, true},
		{"another manager", remediate.Facts{Packages: []remediate.Package{pkg("rpm", "widget")}, Services: service}, false},
		{"a name that only begins alike", remediate.Facts{Packages: []remediate.Package{pkg("dpkg", "widget-tools")}, Services: service}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.facts.Platform = remediate.MacOS
			if got := l.Match(&c.facts); (len(got) == 1) != c.found {
				t.Errorf("findings %v, want found: %v", got, c.found)
			}
		})
	}
}

func TestQuestions(t *testing.T) {
	l := mustThree(t)
	asked := map[string]bool{}
	for _, platform := range []remediate.Platform{remediate.Linux, remediate.Windows} {
		q := l.Questions(platform)
		for _, list := range [][]string{q.Paths, q.Keys} {
			if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
				t.Errorf("%s: not sorted and distinct: %q", platform, list)
			}
			for _, s := range list {
				asked[s] = true
			}
		}
		for _, p := range q.Paths {
			if strings.HasPrefix(p, "/") != (platform == remediate.Linux) {
				t.Errorf("a host with %s is asked about %s", platform, p)
			}
		}
		if platform == remediate.Linux && len(q.Keys) > 0 {
			t.Errorf("a host with Linux is asked about %q", q.Keys)
		}
	}
	for _, p := range l.List() {
		for _, r := range p.Residue {
			if r.Path+r.Key != "" && !asked[r.Path+r.Key] {
				t.Errorf("%s: nobody asks about %s", p.Name, r.Path+r.Key)
			}
		}
	}
	if got := l.Questions(remediate.MacOS); len(got.Paths)+len(got.Keys) != 0 {
		t.Errorf("questions for a platform without playbooks: %+v", got)
	}
}
