package playbooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"oust/remediate"
)

// CaseFacts are facts as a person writes them. What the playbooks ask about and
// the facts do not name is not there, unless it stands in Unasked.
type CaseFacts struct {
	Platform remediate.Platform `yaml:"platform"`
	OS       CaseOS             `yaml:"os"`
	Packages []CasePackage      `yaml:"packages"`
	Services []CaseService      `yaml:"services"`
	// Running are services by name, with their run state.
	Running map[string]string `yaml:"running"`
	// Paths are paths as playbooks write them, with what stands there.
	Paths map[string]string `yaml:"paths"`
	// Keys are registry keys as playbooks write them, with the view that has
	// them: 64, 32 or both; or denied.
	Keys      map[string]string    `yaml:"keys"`
	Uninstall []CaseUninstallEntry `yaml:"uninstall"`
	// UpgradeCodes are the ProductCodes of each family of Windows Installer.
	UpgradeCodes map[string][]string `yaml:"upgrade_codes"`
	// Appx are packages; a list, even an empty one, means that PowerShell was
	// asked.
	Appx       []CaseAppx     `yaml:"appx"`
	Security   []CaseSecurity `yaml:"security"`
	Incomplete []string       `yaml:"incomplete"`
	// Unasked are paths and keys that the look was not asked about.
	Unasked []string `yaml:"unasked"`
}

// CaseOS is remediate.OS; what is left out is that of a common system.
type CaseOS struct {
	ID      string `yaml:"id"`
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Arch    string `yaml:"arch"`
}

// CasePackage is remediate.Package; Status is installed where it is left out.
type CasePackage struct {
	Manager string `yaml:"manager"`
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Arch    string `yaml:"arch"`
	Vendor  string `yaml:"vendor"`
	Status  string `yaml:"status"`
}

// CaseService is remediate.Service; Manager is that of the platform where it is
// left out: systemd, launchd, scm.
type CaseService struct {
	Manager     string `yaml:"manager"`
	Name        string `yaml:"name"`
	State       string `yaml:"state"`
	Type        string `yaml:"type"`
	DisplayName string `yaml:"display_name"`
	ImagePath   string `yaml:"image_path"`
}

// CaseUninstallEntry is remediate.UninstallEntry. Hive is HKLM and View 64 where
// they are left out; ProductCode is the key where that is one.
type CaseUninstallEntry struct {
	Hive                 string `yaml:"hive"`
	View                 string `yaml:"view"`
	Key                  string `yaml:"key"`
	DisplayName          string `yaml:"display_name"`
	DisplayVersion       string `yaml:"display_version"`
	Publisher            string `yaml:"publisher"`
	UninstallString      string `yaml:"uninstall_string"`
	QuietUninstallString string `yaml:"quiet_uninstall_string"`
	InstallLocation      string `yaml:"install_location"`
	ParentKeyName        string `yaml:"parent_key_name"`
	WindowsInstaller     bool   `yaml:"windows_installer"`
	SystemComponent      bool   `yaml:"system_component"`
}

// CaseAppx is remediate.AppxPackage.
type CaseAppx struct {
	Name      string   `yaml:"name"`
	Family    string   `yaml:"family"`
	Version   string   `yaml:"version"`
	Publisher string   `yaml:"publisher"`
	Framework bool     `yaml:"framework"`
	Users     []string `yaml:"users"`
}

// CaseSecurity is remediate.SecurityProduct.
type CaseSecurity struct {
	Source string `yaml:"source"`
	Name   string `yaml:"name"`
	State  string `yaml:"state"`
}

var (
	casePlatforms = []string{string(remediate.Linux), string(remediate.MacOS), string(remediate.Windows)}
	casePaths     = []string{string(remediate.PathFile), string(remediate.PathDir), string(remediate.PathLink), string(remediate.PathOther),
		string(remediate.PathAbsent), string(remediate.PathDenied)}
	caseViews    = []string{string(remediate.View64), string(remediate.View32), string(remediate.ViewBoth)}
	caseKeys     = append(slices.Clone(caseViews), string(remediate.KeyDenied))
	caseRuns     = []string{string(remediate.ServiceRunning), string(remediate.ServiceStopped), string(remediate.ServiceAbsent), string(remediate.ServiceUnknown)}
	caseStatuses = []string{remediate.PackageInstalled, remediate.PackageConfigFiles, remediate.PackageBroken}
)

// check refuses words that no look gives: such a case would prove nothing.
func (f *CaseFacts) check() *caseError {
	var bad *caseError
	word := func(what, value string, known []string, at ...any) {
		if bad == nil && !slices.Contains(known, value) {
			bad = badCase(fmt.Sprintf("facts: %s %q is unknown; use %s", what, value, orNearest(value, known)), append([]any{"facts"}, at...)...)
		}
	}
	word("platform", string(f.Platform), casePlatforms, "platform")
	for _, p := range slices.Sorted(maps.Keys(f.Paths)) {
		word("what stands at "+p, f.Paths[p], casePaths, "paths", p)
	}
	for _, k := range slices.Sorted(maps.Keys(f.Keys)) {
		word("the view of "+k, f.Keys[k], caseKeys, "keys", k)
	}
	for _, s := range slices.Sorted(maps.Keys(f.Running)) {
		word("the state of "+s, f.Running[s], caseRuns, "running", s)
	}
	for i, p := range f.Packages {
		word("the status of "+p.Name, orElse(p.Status, remediate.PackageInstalled), caseStatuses, "packages", i, "status")
	}
	for i, e := range f.Uninstall {
		word("the view of "+e.Key, orElse(e.View, string(remediate.View64)), caseViews, "uninstall", i, "view")
	}
	if bad == nil && f.Platform != remediate.Windows && len(f.Keys)+len(f.Uninstall)+len(f.UpgradeCodes)+len(f.Appx) > 0 {
		bad = badCase(fmt.Sprintf("facts: %s has no registry and no entries", f.Platform), "facts")
	}
	return bad
}

// unknownTo are the paths and keys of the facts that none of the questions is
// about.
func (f *CaseFacts) unknownTo(q remediate.Questions) (out []string) {
	for _, p := range slices.Sorted(maps.Keys(f.Paths)) {
		if !slices.Contains(q.Paths, p) {
			out = append(out, p)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(f.Keys)) {
		if !slices.Contains(q.Keys, k) {
			out = append(out, k)
		}
	}
	return out
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// facts makes the facts that a look which was asked these questions would give.
func (f *CaseFacts) facts(q remediate.Questions) *remediate.Facts {
	out := &remediate.Facts{Platform: f.Platform, OS: f.os(), Incomplete: f.Incomplete,
		Privilege: remediate.Privilege{User: "root", Root: true}}
	for _, p := range f.Packages {
		out.Packages = append(out.Packages, remediate.Package{Manager: p.Manager, Name: p.Name, Version: p.Version, Arch: p.Arch,
			Vendor: p.Vendor, Status: orElse(p.Status, remediate.PackageInstalled)})
	}
	manager := map[remediate.Platform]string{remediate.Linux: "systemd", remediate.MacOS: "launchd", remediate.Windows: "scm"}[f.Platform]
	for _, s := range f.Services {
		out.Services = append(out.Services, remediate.Service{Manager: orElse(s.Manager, manager), Name: s.Name, State: s.State,
			Type: s.Type, DisplayName: s.DisplayName, ImagePath: s.ImagePath})
	}
	for _, s := range slices.Sorted(maps.Keys(f.Running)) {
		out.Running = append(out.Running, remediate.RunningFact{Service: s, State: remediate.RunState(f.Running[s])})
	}
	for _, p := range f.asked(slices.Collect(maps.Keys(f.Paths)), q.Paths) {
		out.Paths = append(out.Paths, remediate.PathFact{Path: p, Kind: remediate.PathKind(orElse(f.Paths[p], string(remediate.PathAbsent)))})
	}
	if f.Platform == remediate.Windows {
		out.Windows = f.windows(q.Keys)
	}
	return out
}

// asked are the names that were asked about, sorted.
func (f *CaseFacts) asked(named, asked []string) []string {
	all := slices.Concat(named, asked)
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return slices.Contains(f.Unasked, s) })
}

func (f *CaseFacts) os() remediate.OS {
	out := map[remediate.Platform]remediate.OS{
		remediate.Linux:   {ID: "debian", Name: "Debian GNU/Linux 12 (bookworm)", Version: "12", Arch: "x86_64"},
		remediate.MacOS:   {ID: "macos", Name: "macOS 14.5", Version: "14.5", Arch: "arm64"},
		remediate.Windows: {ID: "windows", Name: "Windows 11 Pro", Version: "10.0", Arch: "AMD64"},
	}[f.Platform]
	out.ID, out.Name = orElse(f.OS.ID, out.ID), orElse(f.OS.Name, out.Name)
	out.Version, out.Arch = orElse(f.OS.Version, out.Version), orElse(f.OS.Arch, out.Arch)
	return out
}

func (f *CaseFacts) windows(keys []string) *remediate.WindowsFacts {
	w := &remediate.WindowsFacts{CodePage: 65001}
	for _, e := range f.Uninstall {
		code := ""
		if guidPattern.MatchString(e.Key) {
			code = strings.ToUpper(e.Key)
		}
		w.Uninstall = append(w.Uninstall, remediate.UninstallEntry{
			Hive: orElse(e.Hive, "HKLM"), View: remediate.RegistryView(orElse(e.View, string(remediate.View64))), Key: e.Key, ProductCode: code,
			DisplayName: e.DisplayName, DisplayVersion: e.DisplayVersion, Publisher: e.Publisher, UninstallString: e.UninstallString,
			QuietUninstallString: e.QuietUninstallString, InstallLocation: e.InstallLocation, ParentKeyName: e.ParentKeyName,
			WindowsInstaller: e.WindowsInstaller, SystemComponent: e.SystemComponent,
		})
	}
	for _, u := range slices.Sorted(maps.Keys(f.UpgradeCodes)) {
		for _, p := range f.UpgradeCodes[u] {
			w.UpgradeCodes = append(w.UpgradeCodes, remediate.UpgradeCode{UpgradeCode: strings.ToUpper(u), ProductCode: strings.ToUpper(p)})
		}
	}
	for _, k := range f.asked(slices.Collect(maps.Keys(f.Keys)), keys) {
		w.Keys = append(w.Keys, keyFacts(k, f.Keys[k])...)
	}
	if f.Appx != nil {
		w.Answered = []string{"appx", "host", "profiles", "security"}
	}
	for _, a := range f.Appx {
		w.Appx = append(w.Appx, remediate.AppxPackage{Name: a.Name, Family: orElse(a.Family, a.Name), Version: a.Version,
			Publisher: a.Publisher, Framework: a.Framework, Users: a.Users})
	}
	for _, s := range f.Security {
		w.Security = append(w.Security, remediate.SecurityProduct{Source: s.Source, Name: s.Name, State: s.State})
	}
	return w
}

// keyFacts are the answers of both views about a key that is in one, in both,
// or in none.
func keyFacts(key, where string) (out []remediate.KeyFact) {
	for _, view := range []remediate.RegistryView{remediate.View64, remediate.View32} {
		kind := remediate.KeyAbsent
		switch where {
		case string(remediate.KeyDenied):
			kind = remediate.KeyDenied
		case string(view), string(remediate.ViewBoth):
			kind = remediate.KeyPresent
		}
		out = append(out, remediate.KeyFact{Key: key, View: view, Kind: kind})
	}
	return out
}
