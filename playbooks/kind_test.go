package playbooks

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

const catchAll = `
format: 1
name: acme/other
kind: publisher
title: Other products of Acme
vendor: Acme
platforms: [linux, windows]
detect:
  - uninstall: {publishers: ["Acme*"]}
  - package: {managers: [rpm], vendors: ["Acme *"]}
  - msix: {publishers: ["CN=Acme*"]}
manual: find out what it is
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`

const engine = `
format: 1
name: acme/engine
kind: embedded
title: Acme engine in other products
vendor: Acme
platforms: [linux, windows]
detect:
  - package: {managers: [dpkg, rpm], names: [zone-acme-engine]}
  - uninstall: {names: [Zone with Acme]}
manual: ask the product's maker
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`

const shippedTool = `
format: 1
name: acme/tool
title: Acme Tool
vendor: Acme
platforms: [linux, windows]
detect:
  - package: {managers: [rpm], names: [acme-tool]}
  - uninstall: {names: [Acme Tool]}
    service: acmetool
manual: call Acme
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`

func mustLibrary(t *testing.T, texts ...string) *Library {
	t.Helper()
	var list []*Playbook
	for _, text := range texts {
		list = append(list, mustParse(t, text))
	}
	l, err := newLibrary(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func kindsFound(l *Library, f *remediate.Facts) (out []string) {
	for _, x := range l.Match(f) {
		s := x.Playbook + " " + string(x.Kind)
		for _, e := range x.Evidence {
			s += "; " + e.Value
		}
		out = append(out, s)
	}
	return out
}

func acmeEntry(key, name string) remediate.UninstallEntry {
	return remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: key, DisplayName: name, Publisher: "Acme Inc", UninstallString: "x.exe"}
}

// TestPublisher: the catch-all finds what no other playbook claims, entry by
// entry, and leaves to those that ship what they know.
func TestPublisher(t *testing.T) {
	t.Parallel()
	host := windowsHost(acmeEntry("tool", "Acme Tool"), acmeEntry("zone", "Zone with Acme"), acmeEntry("new", "Acme Newest"))
	host.Windows.Appx = []remediate.AppxPackage{
		{Name: "AcmeInc.Store", Family: "AcmeInc.Store_1", Version: "2.0", Publisher: "CN=Acme Inc, C=US"},
		{Name: "AcmeInc.Runtime", Family: "AcmeInc.Runtime_1", Version: "1.0", Publisher: "CN=Acme Inc, C=US", Framework: true},
		{Name: "Other", Family: "Other_2", Version: "1.0", Publisher: "CN=Somebody"},
	}
	all := mustLibrary(t, catchAll, engine, shippedTool)
	const rest = "HKLM 64 new Acme Newest Acme Inc"
	want := []string{
		"acme/engine embedded; HKLM 64 zone Zone with Acme Acme Inc",
		// The tool's sign wants its service, too: it does not claim the entry.
		"acme/other product; AcmeInc.Store_1 2.0; " + rest + "; HKLM 64 tool Acme Tool Acme Inc",
	}
	if diff := cmp.Diff(want, kindsFound(all, host)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	host.Services = []remediate.Service{{Manager: "scm", Name: "AcmeTool"}}
	want = []string{
		"acme/engine embedded; HKLM 64 zone Zone with Acme Acme Inc",
		"acme/other product; AcmeInc.Store_1 2.0; " + rest,
		"acme/tool product; scm AcmeTool; HKLM 64 tool Acme Tool Acme Inc",
	}
	if diff := cmp.Diff(want, kindsFound(all, host)); diff != "" {
		t.Errorf("findings with the service (-want +got):\n%s", diff)
	}
	alone, err := all.Select(".", []string{"acme/other"})
	if err != nil {
		t.Fatal(err)
	}
	want = []string{"acme/other product; AcmeInc.Store_1 2.0; " + rest}
	if diff := cmp.Diff(want, kindsFound(alone, host)); diff != "" {
		t.Errorf("findings of the catch-all alone (-want +got):\n%s", diff)
	}
	_, err = alone.Render(RenderInput{Facts: host, Findings: alone.Match(host)})
	const reason = "acme/other: no playbook knows it: AcmeInc.Store_1 2.0; HKLM 64 new Acme Newest Acme Inc; find out what it is"
	if u, ok := errors.AsType[*UnsupportedError](err); !ok || u.Error() != reason {
		t.Errorf("Render gives %v, want %q", err, reason)
	}
}

func TestPublisherOfPackages(t *testing.T) {
	t.Parallel()
	of := func(name, vendor string) remediate.Package {
		p := pkg("rpm", name)
		p.Vendor = vendor
		return p
	}
	host := &remediate.Facts{Platform: remediate.Linux, Packages: []remediate.Package{
		of("acme-tool", "Acme Inc"), of("widget", "ACME Inc"), of("other", "Somebody"), of("acme", "Acmeist"), pkg("dpkg", "acme-x"),
	}}
	want := []string{"acme/other product; rpm widget 12.1.0-1508 amd64 installed", "acme/tool product; rpm acme-tool 12.1.0-1508 amd64 installed"}
	if diff := cmp.Diff(want, kindsFound(mustLibrary(t, catchAll, shippedTool), host)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestCountEmbedded: a mandate says whether embedded code is a product.
func TestCountEmbedded(t *testing.T) {
	t.Parallel()
	host := &remediate.Facts{Platform: remediate.Linux, Packages: []remediate.Package{pkg("dpkg", "zone-acme-engine")}}
	l := mustLibrary(t, engine)
	for counts, want := range map[bool]remediate.FindingKind{false: remediate.FindEmbedded, true: remediate.FindProduct} {
		fs := l.CountEmbedded(counts).Match(host)
		if len(fs) != 1 || fs[0].Kind != want || remediate.Counts(fs) != counts {
			t.Errorf("counted: %v, findings %v, want one %s", counts, fs, want)
		}
		_, err := l.Render(RenderInput{Facts: host, Findings: fs})
		if u, ok := errors.AsType[*UnsupportedError](err); !ok || !strings.Contains(u.Error(), "inside another company's product") {
			t.Errorf("Render gives %v", err)
		}
	}
}

const encrypts = `
format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux, windows]
first: |
  Tell the console
  to let the host go.
detect:
  - package: {managers: [dpkg], names: [acme-widget]}
  - uninstall: {names: [Acme Widget]}
blocks:
  - {service: acmecrypt, key: HKLM\SYSTEM\CurrentControlSet\Services\acmecrypt, why: the disk is encrypted}
  - {path: /etc/crypttab.acme, why: the disk may be encrypted}
  - {msix: {names: [Acme.Vault]}, why: the vault is open}
steps:
  - package: {managers: [dpkg], names: [acme-widget]}
  - uninstaller: {arguments: /S}
manual: call Acme
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`

// TestBlocks: a sign that holds, or that the look did not answer, keeps the
// product from being removed.
func TestBlocks(t *testing.T) {
	t.Parallel()
	l := mustLibrary(t, strings.Replace(encrypts, "  - {msix: {names: [Acme.Vault]}, why: the vault is open}\n", "", 1))
	entry := acmeEntry("widget", "Acme Widget")
	entry.UninstallString = `"C:\Program Files\Acme\un.exe"`
	const key = `HKLM\SYSTEM\CurrentControlSet\Services\acmecrypt`
	windows := func(kind remediate.KeyKind, services ...remediate.Service) *remediate.Facts {
		f := windowsHost(entry)
		f.Services = services
		if kind != "" {
			f.Windows.Keys = []remediate.KeyFact{{Key: key, View: remediate.View64, Kind: kind}}
		}
		return f
	}
	linux := func(kind remediate.PathKind) *remediate.Facts {
		f := &remediate.Facts{Platform: remediate.Linux, Packages: []remediate.Package{pkg("dpkg", "acme-widget")}}
		if kind != "" {
			f.Paths = []remediate.PathFact{{Path: "/etc/crypttab.acme", Kind: kind}}
		}
		return f
	}
	crypt := remediate.Service{Manager: "scm", Name: "AcmeCrypt"}
	incomplete := windows(remediate.KeyPresent)
	incomplete.Incomplete = []string{"services: not whole"}
	for name, c := range map[string]struct {
		facts *remediate.Facts
		why   string // part of the reason; "" means that there is a script
	}{
		"nothing in the way":            {windows(remediate.KeyAbsent, crypt), ""},
		"all in the way":                {windows(remediate.KeyPresent, crypt), "acme/widget: the disk is encrypted; call Acme"},
		"the service is not there":      {windows(remediate.KeyPresent), ""},
		"the key was not asked":         {windows("", crypt), "whether the host has service acmecrypt and " + key + " could not be told, so scan again with this playbook; if it has: the disk is encrypted"},
		"the key may not be seen":       {windows(remediate.KeyDenied, crypt), "could not be told"},
		"the services are not whole":    {incomplete, "could not be told"},
		"Linux, nothing in the way":     {linux(remediate.PathAbsent), ""},
		"Linux, the file is there":      {linux(remediate.PathFile), "the disk may be encrypted"},
		"Linux, the file was not asked": {linux(""), "could not be told"},
	} {
		script, err := l.Render(RenderInput{Facts: c.facts, Findings: l.Match(c.facts)})
		u, unsupported := errors.AsType[*UnsupportedError](err)
		switch {
		case c.why == "" && err != nil, c.why != "" && (!unsupported || !strings.Contains(u.Error(), c.why)):
			t.Errorf("%s: Render gives %v, want %q", name, err, c.why)
		case err == nil && !strings.Contains(script.Text, "Before acme/widget is removed, a person must: Tell the console to let the host go."):
			t.Errorf("%s: the script's head does not say what comes first", name)
		}
	}
	if q := l.Questions(remediate.Windows); !cmp.Equal(q.Keys, []string{key}) || len(q.Paths) > 0 {
		t.Errorf("questions to Windows: %+v", q)
	}
}

func TestMSIX(t *testing.T) {
	t.Parallel()
	l := mustLibrary(t, encrypts)
	entry := acmeEntry("widget", "Acme Widget")
	entry.UninstallString = `"C:\Program Files\Acme\un.exe"`
	f := windowsHost(entry)
	reason := func() string {
		_, err := l.Render(RenderInput{Facts: f, Findings: l.Match(f)})
		if err == nil {
			return ""
		}
		return err.Error()
	}
	if why := reason(); !strings.Contains(why, "whether the host has package Acme.Vault could not be told") {
		t.Errorf("without PowerShell: %s", why)
	}
	f.Windows.Answered = []string{"appx"}
	if why := reason(); why != "" {
		t.Errorf("the package is not there: %s", why)
	}
	f.Windows.Appx = []remediate.AppxPackage{{Name: "acme.vault", Family: "acme.vault_8", Version: "1"}}
	if why := reason(); !strings.Contains(why, "the vault is open") {
		t.Errorf("the package is there: %q", why)
	}
}

// TestAlone: what products of one vendor share is residue only where none of
// them is there; what is a product's own is residue beside it.
func TestAlone(t *testing.T) {
	t.Parallel()
	const text = `
format: 1
name: acme/NAME
title: NAME
vendor: Acme
platforms: [windows]
detect: [{uninstall: {names: [Acme NAME]}}]
residue:
  - {service: acmeflt, alone: true}
  - {service: NAMEsvc}
manual: call Acme
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`
	one, two := strings.ReplaceAll(text, "NAME", "one"), strings.ReplaceAll(text, "NAME", "two")
	all := mustLibrary(t, one, two)
	chosen, err := all.Select(".", []string{"acme/two"})
	if err != nil {
		t.Fatal(err)
	}
	flt, own := remediate.Service{Manager: "scm", Name: "acmeflt"}, remediate.Service{Manager: "scm", Name: "twosvc"}
	for name, c := range map[string]struct {
		l        *Library
		entries  []remediate.UninstallEntry
		services []remediate.Service
		want     []string
	}{
		"both are gone":              {all, nil, []remediate.Service{flt}, []string{"acme/one residue; scm acmeflt", "acme/two residue; scm acmeflt"}},
		"one is there":               {all, []remediate.UninstallEntry{acmeEntry("1", "Acme one")}, []remediate.Service{flt}, []string{"acme/one product; HKLM 64 1 Acme one Acme Inc"}},
		"one that nobody chose":      {chosen, []remediate.UninstallEntry{acmeEntry("1", "Acme one")}, []remediate.Service{flt}, nil},
		"something of two's own":     {chosen, []remediate.UninstallEntry{acmeEntry("1", "Acme one")}, []remediate.Service{flt, own}, []string{"acme/two residue; scm acmeflt; scm twosvc"}},
		"another one is there alone": {chosen, []remediate.UninstallEntry{acmeEntry("1", "Other")}, []remediate.Service{flt}, []string{"acme/two residue; scm acmeflt"}},
	} {
		f := windowsHost(c.entries...)
		f.Services = c.services
		if diff := cmp.Diff(c.want, kindsFound(c.l, f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
