package probe

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

// maxCommand is the longest uninstall command that is kept, in bytes; cmd.exe
// runs no longer one. It is not cut short: a command cut short is another one.
const maxCommand = 8191

// splitCode takes the last "rc N" line off and says whether it is "rc 0". ok
// is false where there is none.
func splitCode(lines []string) (rest []string, zero, ok bool) {
	for i, l := range slices.Backward(lines) {
		if strings.HasPrefix(l, "rc ") {
			return lines[:i], l == "rc 0", true
		}
	}
	return lines, false, false
}

// list reads a section that holds what reg query /s says of one key, and its
// exit code. A key that is not there is an empty list.
func (w *winReader) list(section, what string) []regKey {
	lines, zero, ok := splitCode(w.all(section))
	keys, other, cut := parseReg(lines)
	switch {
	case !w.has(section):
	case !ok:
		w.gap(section, "", "%s: the answer has no end", what)
	case !zero && (len(keys) > 0 || !w.isAbsent("list", other)):
		w.saidAgainst(section, "", what, other)
	case cut:
		w.incomplete("%s: more than %d registry keys", what, maxKeys)
	}
	return keys
}

// saidAgainst notes what reg.exe says where it does not list what is there.
func (w *winReader) saidAgainst(section, item, what string, said []string) {
	why := clean(strings.Join(said, " "))
	if refused(why) {
		w.incomplete("%s: reg.exe said %q", what, why)
		return
	}
	w.gap(section, item, "%s: reg.exe said %q", what, why)
}

func (w *winReader) uninstall() error {
	view := remediate.View64
	if w.bits32 {
		view = remediate.View32
	}
	w.entries("HKLM", view, w.list("uninstall64", "the uninstall entries"))
	if keys := w.list("uninstall32", "the uninstall entries of 32-bit programs"); !w.bits32 {
		w.entries("HKLM", remediate.View32, keys)
	}
	if len(w.windows.Uninstall) > maxPackages {
		return fmt.Errorf("the host lists %d uninstall entries; at most %d are read", len(w.windows.Uninstall), maxPackages)
	}
	return nil
}

var hiveLine = regexp.MustCompile(`^hive "HKEY_USERS\\(.+)"$`)

// userUninstall reads the hives of the users one by one. .DEFAULT is another
// name of the hive S-1-5-18, and oust-look-* is a copy that the question to
// PowerShell of another look has mounted.
func (w *winReader) userUninstall() error {
	hive, item, hives := "", "", 0
	var lines []string
	done := func() {
		keys, other, _ := parseReg(lines)
		lines = nil
		switch {
		case hive == "" || strings.EqualFold(hive, ".DEFAULT") || strings.HasPrefix(hive, "oust-look-"):
			return
		case len(keys) == 0 && !w.isAbsent("list", other):
			w.saidAgainst("users", item, `the uninstall entries of HKU\`+hive, other)
		case remediate.UserSID(hive) && len(w.windows.Hives) < maxHives:
			w.windows.Hives = append(w.windows.Hives, remediate.UserHive{SID: hive})
		}
		w.entries(`HKU\`+hive, remediate.ViewBoth, keys)
	}
	for _, l := range w.all("users") {
		if m := hiveLine.FindStringSubmatch(l); m != nil {
			done()
			hive, item = clean(m[1]), l
			hives++
			continue
		}
		lines = append(lines, l)
	}
	done()
	if w.has("users") && hives == 0 {
		w.gap("users", "", "the host names no user hives")
	}
	w.sortEntries()
	return nil
}

// sortEntries puts the uninstall entries in their one order.
func (w *winReader) sortEntries() {
	slices.SortStableFunc(w.windows.Uninstall, func(a, b remediate.UninstallEntry) int {
		return cmp.Or(cmp.Compare(a.Hive, b.Hive), cmp.Compare(b.View, a.View), cmp.Compare(a.Key, b.Key))
	})
}

var uninstallKey = regexp.MustCompile(`(?i)^HKEY_[^\\]+\\(?:[^\\]+\\)??SOFTWARE\\(?:WOW6432Node\\)?Microsoft\\Windows\\CurrentVersion\\Uninstall\\([^\\]+)$`)

// entries keeps the keys that stand right below Uninstall.
func (w *winReader) entries(hive string, view remediate.RegistryView, keys []regKey) {
	for _, k := range keys {
		m := uninstallKey.FindStringSubmatch(k.path)
		if m == nil || len(k.values) == 0 {
			continue
		}
		text := func(name string) string { return clean(k.get(name)) }
		flag := func(name string) bool { n, ok := k.number(name); return ok && n != 0 }
		e := remediate.UninstallEntry{
			Hive: hive, View: view, Key: clean(m[1]), ProductCode: productCode(m[1]),
			DisplayName: text("DisplayName"), DisplayVersion: text("DisplayVersion"), Publisher: text("Publisher"),
			InstallLocation: text("InstallLocation"), ParentKeyName: text("ParentKeyName"),
			WindowsInstaller: flag("WindowsInstaller"), SystemComponent: flag("SystemComponent"),
		}
		e.UninstallString = w.command(k, e, "UninstallString")
		e.QuietUninstallString = w.command(k, e, "QuietUninstallString")
		w.windows.Uninstall = append(w.windows.Uninstall, e)
	}
}

func (w *winReader) command(k regKey, e remediate.UninstallEntry, name string) string {
	s := k.get(name)
	if len(s) > maxCommand {
		w.incomplete("%s of %s is longer than %d bytes", name, e.Key, maxCommand)
		return ""
	}
	return printable(s)
}

var upgradeKey = regexp.MustCompile(`(?i)\\UpgradeCodes\\([0-9A-F]{32})$`)

func (w *winReader) upgradeCodes() error {
	for _, k := range w.list("upgradecodes", "the upgrade codes") {
		m := upgradeKey.FindStringSubmatch(k.path)
		if m == nil {
			continue
		}
		for _, v := range k.values {
			if product := unpackGUID(v.name); product != "" {
				w.windows.UpgradeCodes = append(w.windows.UpgradeCodes,
					remediate.UpgradeCode{UpgradeCode: unpackGUID(m[1]), ProductCode: product})
			}
		}
	}
	if n := len(w.windows.UpgradeCodes); n > maxPackages {
		return fmt.Errorf("the host lists %d upgrade codes; at most %d are read", n, maxPackages)
	}
	return nil
}

var serviceKey = regexp.MustCompile(`(?i)^HKEY_LOCAL_MACHINE\\SYSTEM\\(?:CurrentControlSet|ControlSet\d+)\\Services\\([^\\]+)$`)

// startTypes and the bits of Type: Microsoft, "CreateService function".
var startTypes = []string{"boot", "system", "auto", "manual", "disabled"}

// services joins what reg.exe says of four values. A key without a Type is no
// service, but a place where one keeps its settings.
func (w *winReader) services() error {
	found := map[string]*remediate.Service{}
	each := func(keys []regKey, name string, use func(*remediate.Service, regKey)) {
		for _, k := range keys {
			m := serviceKey.FindStringSubmatch(k.path)
			if m == nil || !k.has(name) {
				continue
			}
			id := strings.ToLower(m[1])
			if found[id] == nil && name == "Type" {
				found[id] = &remediate.Service{Manager: "scm", Name: clean(m[1])}
			}
			if s := found[id]; s != nil {
				use(s, k)
			}
		}
	}
	each(w.list("service-type", "the services"), "Type", func(s *remediate.Service, k regKey) {
		n, _ := k.number("Type")
		switch {
		case n&2 != 0:
			s.Type = "file-system"
		case n&0xd != 0:
			s.Type = "driver"
		default:
			s.Type = "service"
		}
	})
	each(w.registry("service-start"), "Start", func(s *remediate.Service, k regKey) {
		if n, ok := k.number("Start"); ok && n < uint64(len(startTypes)) {
			s.State = startTypes[n]
		}
	})
	each(w.registry("service-image"), "ImagePath", func(s *remediate.Service, k regKey) { s.ImagePath = clean(k.get("ImagePath")) })
	each(w.registry("service-name"), "DisplayName", func(s *remediate.Service, k regKey) { s.DisplayName = clean(k.get("DisplayName")) })
	if len(found) > maxServices {
		return fmt.Errorf("the host lists %d services; at most %d are read", len(found), maxServices)
	}
	if len(found) == 0 && w.has("service-type") {
		w.gap("service-type", "", "the host lists no services")
	}
	for _, s := range found {
		w.facts.Services = append(w.facts.Services, *s)
	}
	slices.SortFunc(w.facts.Services, func(a, b remediate.Service) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// security reads the virus scanners that registered with the Security Center,
// and the values that turn Defender off.
func (w *winReader) security() error {
	for _, k := range w.registry("security") {
		if name := k.get("DISPLAYNAME"); name != "" {
			p := remediate.SecurityProduct{Source: "security-center", Name: clean(name)}
			if n, ok := k.number("STATE"); ok {
				p.State = fmt.Sprintf("STATE=%d", n)
			}
			w.windows.Security = append(w.windows.Security, p)
		}
		for _, name := range []string{"DisableAntiSpyware", "DisableAntiVirus", "PassiveMode", "ForceDefenderPassiveMode", "DisableRealtimeMonitoring"} {
			if n, ok := k.number(name); ok {
				p := remediate.SecurityProduct{Source: "defender", Name: "Microsoft Defender", State: fmt.Sprintf("%s=%d", name, n)}
				if strings.Contains(k.path, `\Policies\`) {
					p.State += " by policy"
				}
				w.windows.Security = append(w.windows.Security, p)
			}
		}
	}
	return nil
}

// lostLetters: where names came as question marks, a product may be among
// them that its name would tell.
func (w *winReader) lostLetters() {
	if w.windows.CodePage == utf8CodePage {
		return
	}
	lost := 0
	for _, e := range w.windows.Uninstall {
		if strings.Contains(e.DisplayName+"\x00"+e.Publisher, "??") {
			lost++
		}
	}
	if lost > 0 {
		w.incomplete("%d uninstall entries have names that code page %d has no letters for", lost, w.windows.CodePage)
	}
}
