package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

func acmeDesktop() *remediate.Facts {
	const code = "{B9518725-0B76-4793-A409-C6794442FB51}"
	f := windowsHost(
		remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: code, ProductCode: code, WindowsInstaller: true, DisplayName: "Acme Widget 7.2.1 (x64)",
			DisplayVersion: "7.2.1", Publisher: "Acme, Inc.", UninstallString: "MsiExec.exe /X" + code, InstallLocation: `C:\Program Files\Acme\Widget\`},
		remediate.UninstallEntry{Hive: "HKLM", View: remediate.View32, Key: "Widget Viewer", DisplayName: "Widget Viewer", DisplayVersion: "2",
			Publisher: "Acme, Inc.", UninstallString: `"C:\Program Files (x86)\Viewer\unins000.exe"`, InstallLocation: `C:\Program Files (x86)\Viewer`},
		remediate.UninstallEntry{Hive: "HKU\\S-1-5-21-9-8-7-1001", View: remediate.ViewBoth, Key: "wt", DisplayName: "Widget's tray", Publisher: "Acme, Inc.",
			UninstallString: `C:\Users\alice\AppData\un.exe`, QuietUninstallString: `C:\Users\alice\AppData\un.exe /S`},
		remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: "Other", DisplayName: "Other", Publisher: "Somebody"},
	)
	f.Windows.UpgradeCodes = []remediate.UpgradeCode{{UpgradeCode: "{11111111-2222-3333-4444-555555555555}", ProductCode: code}}
	f.Services = []remediate.Service{
		{Manager: "scm", Name: "AcmeSvc", State: "auto", Type: "service", DisplayName: "Acme Service", ImagePath: `"C:\Program Files\Acme\Widget\svc.exe" -k`},
		{Manager: "scm", Name: "Spooler", State: "auto", Type: "service", ImagePath: `C:\Windows\System32\spoolsv.exe`},
	}
	return f
}

func acmeServer() *remediate.Facts {
	return &remediate.Facts{Platform: remediate.Linux,
		Packages: []remediate.Package{pkg("dpkg", "acme-widget"), pkg("dpkg", "libc6"), pkg("dpkg", "python3-widget")},
		Services: []remediate.Service{{Manager: "systemd", Name: "widgetd", State: "enabled"}, {Manager: "systemd", Name: "ssh"}},
		Paths:    []remediate.PathFact{{Path: "/opt/acme/widget", Kind: remediate.PathDir}, {Path: "/opt/other", Kind: remediate.PathDir}},
	}
}

// tryDraft fails the test if the draft has errors, or its cases do.
func tryDraft(t interface {
	Helper()
	Fatalf(string, ...any)
	Errorf(string, ...any)
}, base *Library, d *Draft) {
	t.Helper()
	for _, p := range Lint("draft.yaml", d.Text) {
		if p.Severity == SeverityError {
			t.Errorf("the draft: %s\n%s", p, d.Text)
		}
	}
	p, err := Parse("draft.yaml", d.Text)
	if err != nil {
		t.Fatalf("the draft does not load: %v\n%s", err, d.Text)
	}
	own, err := newLibrary([]*Playbook{p}, nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	all, err := own.Over(base)
	if err != nil {
		t.Fatalf("%v", err)
	}
	folder := fstest.MapFS{}
	for name, text := range d.Cases {
		folder["cases/"+p.productKey()+"/"+name] = &fstest.MapFile{Data: text}
	}
	cases, err := p.Cases(folder)
	if err != nil || len(cases) != 2 {
		t.Fatalf("%d cases, %v\n%s", len(cases), err, d.Cases)
	}
	for _, c := range cases {
		r, err := all.RunCase(c, nil)
		if err != nil || len(r.Problems) > 0 {
			t.Errorf("case %s: %v, %v\n%s", c.Title, r.Problems, err, d.Cases)
		}
	}
}

func TestDraft(t *testing.T) {
	t.Parallel()
	base := mustThree(t)
	for name, f := range map[string]*remediate.Facts{"windows": acmeDesktop(), "linux": acmeServer()} {
		d, err := base.NewDraft(DraftInput{Facts: f, Product: "widget", Seen: "seen on ws01 on 2026-11-29"})
		if err != nil {
			t.Fatal(err)
		}
		tryDraft(t, base, d)
		files := map[string][]byte{"playbook.yaml": d.Text}
		for n, text := range d.Cases {
			files[n] = text
		}
		for n, text := range files {
			file := filepath.Join("testdata", "draft", name+"-"+n)
			if *update {
				if err := os.WriteFile(file, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(text)); diff != "" {
				t.Errorf("%s (-want +got; -update writes it anew):\n%s", file, diff)
			}
		}
		if s := string(d.Text); strings.Contains(s, "alice") || strings.Contains(s, "S-1-5-21-9") || !strings.Contains(s, fillIn) {
			t.Errorf("%s names a person, or leaves nothing open:\n%s", name, s)
		}
	}
}

func TestDraftOfNothing(t *testing.T) {
	t.Parallel()
	for product, want := range map[string]string{"xy": "at least three letters", "gadget": `nothing on this host has "gadget" in its name or publisher`} {
		_, err := mustThree(t).NewDraft(DraftInput{Facts: acmeServer(), Product: product, Seen: "here"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", product, err, want)
		}
	}
}

// TestDraftOfAnything: whatever a host calls its software, the draft loads, and
// its cases hold.
func TestDraftOfAnything(t *testing.T) {
	t.Parallel()
	base := mustThree(t)
	rapid.Check(t, func(r *rapid.T) {
		word := rapid.Custom(func(r *rapid.T) string {
			return rapid.StringN(0, 8, -1).Draw(r, "before") + rapid.SampledFrom([]string{"widget", "Wid-get", "", "widget*?", "'widget: #\n- x"}).Draw(r, "word") + rapid.StringN(0, 8, -1).Draw(r, "after")
		})
		f := &remediate.Facts{Platform: remediate.Linux}
		f.Packages = []remediate.Package{{Manager: rapid.SampledFrom([]string{"dpkg", "rpm", "apk"}).Draw(r, "manager"),
			Name: rapid.StringMatching(`[a-z0-9][a-z0-9+.-]{0,8}widget[a-z0-9+.-]{0,8}`).Draw(r, "package"), Version: word.Draw(r, "version"), Status: "installed"}}
		if rapid.Bool().Draw(r, "windows") {
			f = windowsHost()
			for range rapid.IntRange(1, 3).Draw(r, "entries") {
				f.Windows.Uninstall = append(f.Windows.Uninstall, remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: word.Draw(r, "key") + "k",
					DisplayName: word.Draw(r, "name"), DisplayVersion: word.Draw(r, "version"), Publisher: word.Draw(r, "publisher"),
					UninstallString: word.Draw(r, "uninstall") + "x", InstallLocation: `C:\Program Files\` + word.Draw(r, "folder")})
			}
		}
		f.Services = []remediate.Service{{Manager: "x", Name: word.Draw(r, "service"), State: word.Draw(r, "state")}}
		d, err := base.NewDraft(DraftInput{Facts: f, Product: "widget", Seen: "here"})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "nothing on this host") {
				r.Fatalf("%v", err)
			}
			return
		}
		tryDraft(r, base, d)
	})
}
