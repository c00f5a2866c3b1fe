package remediate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// WindowsFacts are what only Windows has. What every look asks comes from the
// registry: it never asks Win32_Product, which would repair every product that it
// lists (Microsoft, KB974524).
type WindowsFacts struct {
	// Uninstall are the entries of "Apps and features": both registry views
	// of the machine, and the user hives that are loaded. What a user who is
	// not logged on installed for himself alone is seen only where PowerShell
	// was asked too.
	Uninstall []UninstallEntry `json:"uninstall,omitempty"`
	// Hives are the users whose entries are among them, if they have any.
	Hives []UserHive `json:"hives,omitempty"`
	// UpgradeCodes tie the products of Windows Installer to their families.
	UpgradeCodes []UpgradeCode `json:"upgrade_codes,omitempty"`
	// Keys answer Questions.Keys, one fact for each key and registry view.
	Keys []KeyFact `json:"keys,omitempty"`
	// Security are the virus scanners known to Windows, and what the registry
	// says of Defender where a value may switch it off, or a part of it.
	Security []SecurityProduct `json:"security,omitempty"`
	// Appx are the packages of the Store's kind, of all users. They and what
	// follows come from PowerShell, which is asked only where the campaign says
	// so.
	Appx []AppxPackage `json:"appx,omitempty"`
	// Answered are the parts of the question to PowerShell that were answered
	// whole: host, appx, security, profiles. It is nil if nobody asked.
	Answered []string `json:"answered,omitempty"`
	// Warnings say what PowerShell could not answer, and what it left behind.
	// Unlike Facts.Incomplete they do not keep a host from being clear.
	Warnings []string `json:"warnings,omitempty"`
	// CodePage is the one the host printed in, 65001 for UTF-8. Another one
	// has no letters for some names; they come as question marks.
	CodePage int `json:"code_page,omitempty"`
}

// RegistryView is the part of the registry that 64-bit or 32-bit programs see
// on 64-bit Windows. 32-bit Windows has one part alone: View32.
type RegistryView string

// Registry views. A user hive has one for uninstall entries: ViewBoth.
const (
	View64   RegistryView = "64"
	View32   RegistryView = "32"
	ViewBoth RegistryView = "both"
)

// UninstallEntry is a key below Software\Microsoft\Windows\CurrentVersion\
// Uninstall. Its values are as the product wrote them: any may be missing, and
// DisplayName may be in any language.
type UninstallEntry struct {
	// Hive is HKLM, or HKU\SID for a user.
	Hive string       `json:"hive"`
	View RegistryView `json:"view"`
	// Key is the name of the key, without what is above it.
	Key string `json:"key"`
	// ProductCode is the one of Windows Installer, {8-4-4-4-12} with capital
	// letters: the key's name where that is one, or "".
	ProductCode          string `json:"product_code,omitempty"`
	DisplayName          string `json:"display_name,omitempty"`
	DisplayVersion       string `json:"display_version,omitempty"`
	Publisher            string `json:"publisher,omitempty"`
	UninstallString      string `json:"uninstall_string,omitempty"`
	QuietUninstallString string `json:"quiet_uninstall_string,omitempty"`
	InstallLocation      string `json:"install_location,omitempty"`
	// ParentKeyName names the entry that this one is an update of.
	ParentKeyName string `json:"parent_key_name,omitempty"`
	// WindowsInstaller: msiexec removes it. SystemComponent: the entry is
	// hidden from people.
	WindowsInstaller bool `json:"windows_installer,omitempty"`
	SystemComponent  bool `json:"system_component,omitempty"`
	// Offline: the user was not logged on, and a copy of the hive was read.
	Offline bool `json:"offline,omitempty"`
}

// UserHive is the part of the registry of one user.
type UserHive struct {
	SID string `json:"sid"`
	// Offline: the user was not logged on, and a copy of the hive was read.
	Offline bool `json:"offline,omitempty"`
}

// AppxPackage is an Appx or MSIX package, as Get-AppxPackage names it.
type AppxPackage struct {
	Name    string `json:"name"`
	Family  string `json:"family"` // PackageFamilyName: name and publisher's hash
	Version string `json:"version"`
	// Publisher is the subject of the certificate, such as "CN=...".
	Publisher string `json:"publisher"`
	// Framework: other packages need it, and no person chose it.
	Framework bool `json:"framework,omitempty"`
	// Users are the SIDs for which it is installed. A package without any is
	// staged: it waits for its first user.
	Users []string `json:"users,omitempty"`
}

// UpgradeCode is one product of a family, as HKLM\SOFTWARE\Classes\Installer\
// UpgradeCodes names it. Both are {8-4-4-4-12} with capital letters.
type UpgradeCode struct {
	UpgradeCode string `json:"upgrade_code"`
	ProductCode string `json:"product_code"`
}

// KeyKind says whether a registry key is there.
type KeyKind string

// Key kinds. KeyDenied: it may be there, but the host refused to say.
const (
	KeyAbsent  KeyKind = "absent"
	KeyPresent KeyKind = "present"
	KeyDenied  KeyKind = "denied"
)

// KeyFact answers a question about one registry key.
type KeyFact struct {
	Key  string       `json:"key"` // as the playbook wrote it
	View RegistryView `json:"view"`
	Kind KeyKind      `json:"kind"`
}

// SecurityProduct is a virus scanner as Windows knows it.
type SecurityProduct struct {
	// Source is "security-center" for what registered itself there (clients
	// only), "security-center-wmi" for what PowerShell was told of it, or
	// "defender".
	Source string `json:"source"`
	Name   string `json:"name"`
	// State is the host's own numbers, such as "STATE=266240" or
	// "productState=397568", or for Defender "DisableAntiSpyware=1", with " by
	// policy" after it where that is so.
	State string `json:"state,omitempty"`
	// Path is the product's program, from PowerShell alone.
	Path string `json:"path,omitempty"`
}

var userSID = regexp.MustCompile(`^S-1-(?:5-21|12-1)-[0-9-]{1,100}(?:\.bak)?$`)

// UserSID reports whether a SID is that of a person's account, of the host, a
// domain or Entra ID. One that ends in .bak is that of a profile that Windows
// set aside. Source: Microsoft, "Well-known SIDs" and "Security identifiers".
func UserSID(sid string) bool { return userSID.MatchString(sid) }

// SeesHive reports whether the uninstall entries of a user were looked at.
func (w *WindowsFacts) SeesHive(sid string) bool {
	return slices.ContainsFunc(w.Hives, func(h UserHive) bool { return strings.EqualFold(h.SID, sid) })
}

// Key returns the answers for a registry key that a playbook asked, one for
// each registry view that the host has.
func (f *Facts) Key(key string) []KeyFact {
	var out []KeyFact
	if f.Windows == nil {
		return nil
	}
	for _, k := range f.Windows.Keys {
		if k.Key == key {
			out = append(out, k)
		}
	}
	return out
}

// WindowsBootID makes a boot id of what reg.exe printed of two values that
// change between two boots and at no other time, as far as is known: BootId of
// the prefetcher, which counts boots, and ShutdownTime, which a shutdown writes
// (see WindowsBootKeys). A crash changes the first alone; on a host whose
// prefetcher does not count, the id stays the same after one. Windows' fast
// startup, where a shutdown only hibernates the kernel, counts as a boot here;
// a restart is never one. It is "" where the text has neither.
func WindowsBootID(regQuery string) string {
	var boot, shutdown string
	for line := range strings.Lines(regQuery) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		switch {
		case f[0] == "BootId" && f[1] == "REG_DWORD":
			if n, err := strconv.ParseUint(f[2], 0, 32); err == nil {
				boot = fmt.Sprintf("boot-%d", n)
			}
		case f[0] == "ShutdownTime" && len(f[2]) == 16 && strings.Trim(f[2], "0123456789abcdefABCDEF") == "":
			shutdown = "shutdown-" + strings.ToUpper(f[2])
		}
	}
	return strings.Trim(boot+","+shutdown, ",")
}

// WindowsBootKeys are the registry keys and values that WindowsBootID reads.
var WindowsBootKeys = [2][2]string{
	{`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`, "BootId"},
	{`HKLM\SYSTEM\CurrentControlSet\Control\Windows`, "ShutdownTime"},
}
