package playbooks

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

var update = flag.Bool("update", false, "write the golden scripts anew")

func linux(packages ...remediate.Package) *remediate.Facts {
	return &remediate.Facts{Platform: remediate.Linux, Packages: packages}
}

func renderFacts(l *Library, f *remediate.Facts) (remediate.Script, error) {
	return l.Render(RenderInput{Facts: f, Findings: l.Match(f), BusyWait: time.Minute})
}

func TestRenderGolden(t *testing.T) {
	l := mustThree(t)
	config := pkg("dpkg", "kesl")
	config.Status = remediate.PackageConfigFiles
	cases := map[string]*remediate.Facts{
		"dpkg-all.sh":     linux(pkg("dpkg", "kesl"), pkg("dpkg", "kesl-gui"), pkg("dpkg", "klnagent64")),
		"rpm-kesl.sh":     linux(pkg("rpm", "kesl")),
		"dpkg-and-rpm.sh": linux(pkg("dpkg", "kesl"), pkg("rpm", "kesl"), pkg("rpm", "klnagent")),
		"residue.sh":      linux(config),
		"kes-agent.cmd":   windowsHost(kesEntry(), agentEntry()),
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			script, err := renderFacts(l, f)
			if err != nil {
				t.Fatal(err)
			}
			if script.Digest != remediate.Digest([]byte(script.Text)) || script.Shell != strings.TrimPrefix(filepath.Ext(name), ".") {
				t.Errorf("digest %s, shell %s", script.Digest, script.Shell)
			}
			file := filepath.Join("testdata", "scripts", name)
			if *update {
				if err := os.WriteFile(file, []byte(script.Text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), script.Text); diff != "" {
				t.Errorf("script (-want +got); go test -update writes it anew:\n%s", diff)
			}
		})
	}
}

// TestRenderOrder: the agent's uninstaller stands after the product's.
func TestRenderOrder(t *testing.T) {
	l := mustThree(t)
	script, err := renderFacts(l, linux(pkg("dpkg", "klnagent64"), pkg("dpkg", "kesl")))
	if err != nil {
		t.Fatal(err)
	}
	product := strings.Index(script.Text, "\npackages on_dpkg purge '0=ok' kesl-gui")
	agent := strings.Index(script.Text, "\npackages on_dpkg purge '0=ok' klnagent64")
	if product < 0 || agent < product {
		t.Errorf("product at %d, agent at %d", product, agent)
	}
}

const reportOnly = `
format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux]
detect: [{package: {managers: [dpkg], names: [widget]}}]
manual: |
  Call Acme
  and wait.
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`

func TestUnsupported(t *testing.T) {
	l := mustThree(t)
	acme, err := newLibrary([]*Playbook{mustParse(t, reportOnly)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := linux()
	folder.Paths = []remediate.PathFact{{Path: "/opt/kaspersky/kesl", Kind: remediate.PathDir}}
	mac := linux(pkg("dpkg", "kesl"))
	findings := l.Match(mac)
	mac.Platform = remediate.MacOS
	cases := []struct {
		name     string
		library  *Library
		facts    *remediate.Facts
		findings []remediate.Finding
		want     string
	}{
		{"report only", acme, linux(pkg("dpkg", "widget")), nil, "acme/widget: it only reports; Call Acme and wait."},
		{"another platform", l, mac, findings, `kaspersky/kesl: it does not know the platform "macos"`},
		{"residue for a person", l, folder, nil, "needs a person's judgement: /opt/kaspersky/kesl dir; Look at the host"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.findings == nil {
				c.findings = c.library.Match(c.facts)
			}
			script, err := c.library.Render(RenderInput{Facts: c.facts, Findings: c.findings})
			unsupported, ok := errors.AsType[*UnsupportedError](err)
			if !ok {
				t.Fatalf("error %v, script %q", err, script.Text)
			}
			if got := unsupported.Error(); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
				t.Errorf("error %q does not say %q in one line", got, c.want)
			}
		})
	}
}

// blocked are two products, the first of which is also found as a package
// that no step removes; the second must go after it.
func blocked(t *testing.T) *Library {
	first := `
format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux]
detect: [{package: {managers: [dpkg, rpm], names: [widget]}}]
steps: [{package: {managers: [dpkg], names: [widget]}}]
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`
	agent := strings.NewReplacer("widget", "agent", "dpkg, rpm", "rpm", "[dpkg]", "[rpm]").Replace(first) + "after: [acme/middle]\n"
	middle := strings.ReplaceAll(first, "widget", "middle") + "after: [acme/widget]\n"
	other := strings.NewReplacer("widget", "other", "[dpkg]", "[rpm]").Replace(first)
	var list []*Playbook
	for _, text := range []string{first, agent, middle, other} {
		list = append(list, mustParse(t, text))
	}
	l, err := newLibrary(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestUncoveredBesideWindows: a script for Windows covers no package.
func TestUncoveredBesideWindows(t *testing.T) {
	t.Parallel()
	l := mustLibrary(t, `format: 1
name: acme/widget
title: Acme Widget
vendor: Acme
platforms: [linux, windows]
detect: [{package: {managers: [dpkg], names: [widget, widget-gui]}}]
steps:
  - package: {managers: [dpkg], names: [widget]}
  - script: {what: remove it, text: exit /b 0, exit: {0: ok}}
    platforms: [windows]
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`)
	_, err := renderFacts(l, linux(pkg("dpkg", "widget"), pkg("dpkg", "widget-gui")))
	if want := "no step removes the dpkg package widget-gui"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestAgentStays: when a product cannot be removed here, what must go after
// it, even by way of a third, stays as well; the rest is removed.
func TestAgentStays(t *testing.T) {
	l := blocked(t)
	_, err := renderFacts(l, linux(pkg("rpm", "widget"), pkg("rpm", "agent")))
	want := "acme/widget: no step removes the rpm package widget; acme/agent: it must go after acme/widget, which stays"
	if unsupported, ok := errors.AsType[*UnsupportedError](err); !ok || unsupported.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	script, err := renderFacts(l, linux(pkg("rpm", "widget"), pkg("rpm", "agent"), pkg("rpm", "other")))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(script.Text, "\n#   acme/agent: it must go after acme/widget, which stays\n") {
		t.Errorf("the head does not say what is left alone:\n%s", script.Text)
	}
	if strings.Contains(script.Text, "'0=ok' agent") || !strings.Contains(script.Text, "'0=ok' other") {
		t.Errorf("the agent must stay and the other must go:\n%s", script.Text)
	}
}

func TestRenderRefuses(t *testing.T) {
	l := mustThree(t)
	f := linux(pkg("dpkg", "kesl"))
	for name, findings := range map[string][]remediate.Finding{
		"no findings":      nil,
		"unknown playbook": {{Playbook: "acme/none", Kind: remediate.FindProduct}},
	} {
		_, err := l.Render(RenderInput{Facts: f, Findings: findings})
		if _, unsupported := errors.AsType[*UnsupportedError](err); err == nil || unsupported {
			t.Errorf("%s: error %v, want one that is no UnsupportedError", name, err)
		}
	}
}

// TestHostWordsStayInComments: what a host says can be read in the script's
// head, on one line of comment, and nowhere else.
func TestHostWordsStayInComments(t *testing.T) {
	f := linux(pkg("dpkg", "klnagent64"))
	f.Services = []remediate.Service{{Manager: "systemd", Name: "kesl", State: "off\nrm -rf /\r\n$(reboot)"}}
	script, err := renderFacts(mustThree(t), f)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(script.Text) {
		if strings.Contains(line, "rm -rf / ") || strings.Contains(line, "$(reboot)") {
			found++
			if !strings.HasPrefix(line, "#") || strings.Contains(line, "\r") {
				t.Errorf("a host's words stand outside of a comment: %q", line)
			}
		}
	}
	if found != 1 {
		t.Errorf("the host's words stand in %d lines, want one", found)
	}
}

// TestRenderDeterministic: the order in which a host lists its facts, and
// what differs between hosts without need, make no difference.
func TestRenderDeterministic(t *testing.T) {
	l := mustThree(t)
	names := []string{"kesl", "kesl-gui", "kesl-astra", "kesl-gui-astra", "klnagent64", "klnagent", "bash"}
	rapid.Check(t, func(t *rapid.T) {
		packages := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) remediate.Package {
			return remediate.Package{
				Manager: rapid.SampledFrom([]string{"dpkg", "rpm"}).Draw(t, "manager"),
				Name:    rapid.SampledFrom(names).Draw(t, "name"),
				Version: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "version"),
				Status:  rapid.SampledFrom([]string{"installed", "broken", "config-files"}).Draw(t, "status"),
			}
		}), 1, 8).Draw(t, "packages")
		f := linux(packages...)
		findings := l.Match(f)
		g := linux(rapid.Permutation(packages).Draw(t, "order")...)
		if again := l.Match(g); !remediate.SameFindings(findings, again) {
			t.Fatalf("findings differ:\n%v\n%v", findings, again)
		}
		script, err := renderFacts(l, f)
		other, otherErr := renderFacts(l, g)
		if script.Text != other.Text || (err == nil) != (otherErr == nil) {
			t.Fatalf("scripts differ:\n%s", cmp.Diff(script.Text, other.Text))
		}
		for i := range g.Packages {
			g.Packages[i].Version, g.Packages[i].Arch = "9.9", "riscv64"
		}
		if other, _ = renderFacts(l, g); script.Text != other.Text {
			t.Fatalf("the version is in the script:\n%s", cmp.Diff(script.Text, other.Text))
		}
		if len(findings) > 0 && err != nil {
			t.Fatalf("findings %v: %v", findings, err)
		}
	})
}
