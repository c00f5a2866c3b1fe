package playbooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// caseHead is what a case says beside its facts.
type caseHead struct {
	title, kind, source, found, unsupported string
	also                                    []string
}

// caseFacts are the facts of the product alone: nothing else of the host.
func (d *drafted) caseFacts() *CaseFacts {
	f := &CaseFacts{Platform: d.platform}
	defer f.clean()
	for _, p := range d.packages {
		f.Packages = append(f.Packages, CasePackage{Manager: p.Manager, Name: p.Name, Version: p.Version, Arch: p.Arch, Vendor: p.Vendor})
	}
	for _, s := range d.services {
		f.Services = append(f.Services, CaseService{Manager: s.Manager, Name: s.Name, State: s.State, Type: s.Type,
			DisplayName: s.DisplayName, ImagePath: userFolder.ReplaceAllString(s.ImagePath, `${1}user`)})
	}
	for _, e := range d.entries {
		f.Uninstall = append(f.Uninstall, CaseUninstallEntry{Hive: e.Hive, View: string(e.View), Key: e.Key, DisplayName: e.DisplayName,
			DisplayVersion: e.DisplayVersion, Publisher: e.Publisher, UninstallString: e.UninstallString, QuietUninstallString: e.QuietUninstallString,
			InstallLocation: e.InstallLocation, WindowsInstaller: e.WindowsInstaller, SystemComponent: e.SystemComponent})
	}
	for _, u := range d.codes {
		if f.UpgradeCodes == nil {
			f.UpgradeCodes = map[string][]string{}
		}
		f.UpgradeCodes[u.UpgradeCode] = append(f.UpgradeCodes[u.UpgradeCode], u.ProductCode)
	}
	for _, a := range d.appx {
		f.Appx = append(f.Appx, CaseAppx{Name: a.Name, Family: a.Family, Version: a.Version, Publisher: a.Publisher, Framework: a.Framework})
	}
	return f
}

// nearMiss is something else on another host: names around the product's, by
// another maker.
func (d *drafted) nearMiss() *CaseFacts {
	f := &CaseFacts{Platform: d.platform}
	defer f.clean()
	for _, p := range d.packages[:min(1, len(d.packages))] {
		f.Packages = []CasePackage{{Manager: p.Manager, Name: "for-" + p.Name, Version: "1.0", Arch: p.Arch}}
	}
	for _, e := range d.entries[:min(1, len(d.entries))] {
		f.Uninstall = []CaseUninstallEntry{{Key: "Companion", DisplayName: "Companion for " + e.DisplayName, DisplayVersion: "1.0",
			Publisher: "Somebody Else", UninstallString: `"C:\Program Files\Companion\uninstall.exe"`}}
	}
	for _, s := range d.services[:min(1, len(d.services))] {
		f.Services = []CaseService{{Manager: s.Manager, Name: "for-" + s.Name, State: s.State, Type: s.Type}}
	}
	for _, a := range d.appx[:min(1, len(d.appx))] {
		f.Appx = []CaseAppx{{Name: "Companion.For" + a.Name, Version: "1.0", Publisher: "CN=Somebody Else"}}
	}
	return f
}

// clean makes of the facts what a file can hold.
func (f *CaseFacts) clean() {
	var all []*string
	for i := range f.Packages {
		p := &f.Packages[i]
		all = append(all, &p.Name, &p.Version, &p.Arch, &p.Vendor)
	}
	for i := range f.Services {
		s := &f.Services[i]
		all = append(all, &s.Manager, &s.Name, &s.State, &s.Type, &s.DisplayName, &s.ImagePath)
	}
	for i := range f.Uninstall {
		e := &f.Uninstall[i]
		all = append(all, &e.Key, &e.DisplayName, &e.DisplayVersion, &e.Publisher, &e.UninstallString, &e.QuietUninstallString, &e.InstallLocation)
	}
	for i := range f.Appx {
		a := &f.Appx[i]
		all = append(all, &a.Name, &a.Family, &a.Version, &a.Publisher)
	}
	for _, s := range all {
		*s = clean(*s)
	}
}

// text is the case as a file.
func (h caseHead) text(f *CaseFacts) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("case: %s", scalar(h.title))
	line("kind: %s", h.kind)
	line("source: %s", scalar(h.source))
	line("found: %s", h.found)
	if h.unsupported != "" {
		line("unsupported: %s", scalar(h.unsupported))
	}
	if len(h.also) > 0 {
		line("also: %s", flowList(h.also))
	}
	line("facts:\n  platform: %s", f.Platform)
	list := func(key string, n int, item func(i int) [][2]string) {
		if n == 0 {
			return
		}
		line("  %s:", key)
		for i := range n {
			lead := "    - "
			for _, kv := range item(i) {
				if kv[1] != "" {
					line("%s%s: %s", lead, kv[0], caseValue(kv[1]))
					lead = "      "
				}
			}
		}
	}
	list("packages", len(f.Packages), func(i int) [][2]string {
		p := f.Packages[i]
		return [][2]string{{"manager", p.Manager}, {"name", p.Name}, {"version", p.Version}, {"arch", p.Arch}, {"vendor", p.Vendor}}
	})
	list("services", len(f.Services), func(i int) [][2]string {
		s := f.Services[i]
		return [][2]string{{"name", s.Name}, {"manager", s.Manager}, {"state", s.State}, {"type", s.Type}, {"display_name", s.DisplayName}, {"image_path", s.ImagePath}}
	})
	list("uninstall", len(f.Uninstall), func(i int) [][2]string { return f.Uninstall[i].values() })
	if len(f.UpgradeCodes) > 0 {
		line("  upgrade_codes:")
		for _, code := range slices.Sorted(maps.Keys(f.UpgradeCodes)) {
			line("    '%s': %s", code, flowList(f.UpgradeCodes[code]))
		}
	}
	list("appx", len(f.Appx), func(i int) [][2]string {
		a := f.Appx[i]
		return [][2]string{{"name", a.Name}, {"family", a.Family}, {"version", a.Version}, {"publisher", a.Publisher}, {"framework", yes(a.Framework)}}
	})
	return b.String()
}

func (e CaseUninstallEntry) values() [][2]string {
	return [][2]string{{"key", e.Key}, {"hive", e.Hive}, {"view", e.View}, {"display_name", e.DisplayName}, {"display_version", e.DisplayVersion},
		{"publisher", e.Publisher}, {"uninstall_string", e.UninstallString}, {"quiet_uninstall_string", e.QuietUninstallString},
		{"install_location", e.InstallLocation}, {"windows_installer", yes(e.WindowsInstaller)}, {"system_component", yes(e.SystemComponent)}}
}

func yes(is bool) string {
	if is {
		return "true"
	}
	return ""
}

// caseValue writes a value; true is the only one that is no text.
func caseValue(v string) string {
	if v == "true" {
		return v
	}
	return scalar(v)
}
