package playbooks

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

// plain matches every playbook in full, as Match does without its screens.
func plain(l *Library, f *remediate.Facts) (out []remediate.Finding) {
	for _, p := range l.list {
		if !p.On(f.Platform) {
			continue
		}
		if finding, ok := l.find(p, f); ok {
			out = append(out, finding)
		}
	}
	out = l.withoutShared(out, f)
	remediate.SortFindings(out)
	return out
}

// TestScreenLetsThrough: Match finds what matching in full finds, on hosts made
// of words that the signs have in them, whole, cut off and in other letters.
func TestScreenLetsThrough(t *testing.T) {
	t.Parallel()
	const wide = `
format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux, windows]
owns: [acmecorp]
detect:
  - package: {managers: [dpkg, rpm], names: ["acme-[ab]*", acme, "a?me-x"]}
    service: acmed
  - service: "ACME*svc"
  - uninstall: {names: ["ACME ?idget*", Äcme Tool], publishers: ["acme*"]}
  - uninstall: {upgrade_codes: ["{aaaaaaaa-0000-0000-0000-000000000001}"]}
  - msix: {names: ["Acme.*"]}
  - key: HKLM\SOFTWARE\Acme\Widget
  - path: /opt/acme/widget
residue:
  - {path: /opt/acme/left}
  - {service: acme-left}
  - {package: acme}
  - {key: HKLM\SOFTWARE\Acme\Left}
manual: call Acme
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`
	l := mustLibrary(t, wide, catchAll, engine, shippedTool)
	words := rapid.SampledFrom([]string{"", "acme", "ACME", "acme-a", "acme-ab", "acme-c", "axme-x", "acmed", "acme-left", "AcmeXsvc", "acmesv",
		"Acme Widget", "ACME widget 3", "ÄCME TOOL", "äcme tool", "Acme Tool", "Acme.Store", "acme.", "Acme Inc", "zone-acme-engine", "Zone with Acme", "zzz"})
	rapid.Check(t, func(r *rapid.T) {
		f := &remediate.Facts{Platform: rapid.SampledFrom([]remediate.Platform{remediate.Linux, remediate.Windows}).Draw(r, "platform")}
		for range rapid.IntRange(0, 4).Draw(r, "packages") {
			f.Packages = append(f.Packages, remediate.Package{Manager: rapid.SampledFrom([]string{"dpkg", "rpm"}).Draw(r, "manager"), Name: words.Draw(r, "name"),
				Vendor: words.Draw(r, "vendor"), Status: rapid.SampledFrom([]string{"installed", "config-files"}).Draw(r, "status")})
		}
		for range rapid.IntRange(0, 4).Draw(r, "services") {
			f.Services = append(f.Services, remediate.Service{Manager: "x", Name: words.Draw(r, "service")})
		}
		kind := rapid.SampledFrom([]remediate.PathKind{remediate.PathAbsent, remediate.PathDir, remediate.PathDenied})
		f.Paths = []remediate.PathFact{{Path: "/opt/acme/widget", Kind: kind.Draw(r, "widget")}, {Path: "/opt/acme/left", Kind: kind.Draw(r, "left")}}
		if f.Platform == remediate.Windows {
			f.Windows = windowsWords(r, words)
		}
		if diff := cmp.Diff(plain(l, f), l.Match(f)); diff != "" {
			r.Fatalf("Match does not find what is there (-want +got):\n%s", diff)
		}
	})
}

func windowsWords(r *rapid.T, words *rapid.Generator[string]) *remediate.WindowsFacts {
	w := &remediate.WindowsFacts{}
	code := rapid.SampledFrom([]string{"", "{BBBBBBBB-0000-0000-0000-000000000001}", "{BBBBBBBB-0000-0000-0000-000000000002}"})
	for i := range rapid.IntRange(0, 3).Draw(r, "entries") {
		w.Uninstall = append(w.Uninstall, remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: fmt.Sprint(i), ProductCode: code.Draw(r, "code"),
			DisplayName: words.Draw(r, "entry"), Publisher: words.Draw(r, "publisher"), UninstallString: "x"})
	}
	w.UpgradeCodes = []remediate.UpgradeCode{{UpgradeCode: "{AAAAAAAA-0000-0000-0000-000000000001}", ProductCode: code.Draw(r, "of the family")}}
	w.Appx = []remediate.AppxPackage{{Name: words.Draw(r, "appx"), Family: "f", Publisher: words.Draw(r, "subject")}}
	key := rapid.SampledFrom([]remediate.KeyKind{remediate.KeyAbsent, remediate.KeyPresent, remediate.KeyDenied})
	w.Keys = []remediate.KeyFact{{Key: `HKLM\SOFTWARE\Acme\Widget`, View: remediate.View32, Kind: key.Draw(r, "key")},
		{Key: `HKLM\SOFTWARE\Acme\Left`, View: remediate.View64, Kind: key.Draw(r, "left key")}}
	return w
}

// ordinary is a host without a product that a playbook knows: a desktop of
// Windows with 120 programs and 350 services, or a server of Linux with 600
// packages and 250 services. What the library asks about is not there.
func ordinary(l *Library, i int) *remediate.Facts {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	f := &remediate.Facts{Platform: remediate.Linux}
	windows := i%2 == 0
	if windows {
		f.Platform = remediate.Windows
		f.Windows = &remediate.WindowsFacts{}
	}
	q := l.Questions(f.Platform)
	for _, p := range q.Paths {
		f.Paths = append(f.Paths, remediate.PathFact{Path: p, Kind: remediate.PathAbsent})
	}
	for n := range 250 + 100*(1-i%2) {
		f.Services = append(f.Services, remediate.Service{Manager: "x", Name: fmt.Sprintf("Svc%c%d-%d", 'a'+rune(r.IntN(26)), n, r.IntN(1000)), State: "auto"})
	}
	if !windows {
		for n := range 600 {
			f.Packages = append(f.Packages, remediate.Package{Manager: "dpkg", Name: fmt.Sprintf("lib%c%d-%d", 'a'+rune(r.IntN(26)), n, r.IntN(1000)),
				Version: "1.2.3-4", Arch: "amd64", Status: "installed"})
		}
		return f
	}
	for _, k := range q.Keys {
		for _, view := range []remediate.RegistryView{remediate.View64, remediate.View32} {
			f.Windows.Keys = append(f.Windows.Keys, remediate.KeyFact{Key: k, View: view, Kind: remediate.KeyAbsent})
		}
	}
	for n := range 120 {
		code := fmt.Sprintf("{%08X-0000-0000-0000-%012X}", r.Uint32(), n)
		f.Windows.Uninstall = append(f.Windows.Uninstall, remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: code, ProductCode: code,
			DisplayName: fmt.Sprintf("%c Program %d for Windows (x64)", 'A'+rune(r.IntN(26)), n), Publisher: fmt.Sprintf("Publisher %d", r.IntN(40)), UninstallString: "msiexec /x " + code})
		f.Windows.UpgradeCodes = append(f.Windows.UpgradeCodes, remediate.UpgradeCode{UpgradeCode: fmt.Sprintf("{%08X-1111-0000-0000-%012X}", r.Uint32(), n), ProductCode: code})
	}
	return f
}

// BenchmarkMatch matches all playbooks that ship over stored facts, and beside
// it every sign over every entry. Hosts a second are what counts.
func BenchmarkMatch(b *testing.B) {
	l, err := Embedded()
	if err != nil {
		b.Fatal(err)
	}
	const hosts = 10_000
	facts := make([]*remediate.Facts, 500)
	for i := range facts {
		facts[i] = ordinary(l, i)
	}
	for name, match := range map[string]func(*remediate.Facts) []remediate.Finding{
		"screened": l.Match,
		"plain":    func(f *remediate.Facts) []remediate.Finding { return plain(l, f) },
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				for i := range hosts {
					if found := match(facts[i%len(facts)]); len(found) > 0 {
						b.Fatalf("found on an ordinary host: %v", found)
					}
				}
			}
			b.ReportMetric(float64(hosts)*float64(b.N)/b.Elapsed().Seconds(), "hosts/s")
			b.ReportMetric(float64(len(l.list)), "playbooks")
		})
	}
}
