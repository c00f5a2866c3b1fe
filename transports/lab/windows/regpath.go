package windows

import "strings"

// Views of the registry, as /reg: names them.
const (
	view64 = 64
	view32 = 32
)

// The root keys, as reg.exe takes and prints them.
const (
	hklm = "HKEY_LOCAL_MACHINE"
	hku  = "HKEY_USERS"
	hkcr = "HKEY_CLASSES_ROOT"
	hkcu = "HKEY_CURRENT_USER"
	hkcc = "HKEY_CURRENT_CONFIG"
)

var roots = map[string]string{
	"HKLM": hklm, hklm: hklm, "HKU": hku, hku: hku, "HKCR": hkcr, hkcr: hkcr, "HKCU": hkcu, hkcu: hkcu, "HKCC": hkcc, hkcc: hkcc,
}

// mostSteps and mostKeyName bound a path: Microsoft, "Registry Element Size
// Limits".
const (
	mostSteps   = 512
	mostKeyName = 255
)

// regPath is a key as it is asked for and as it is stored.
type regPath struct {
	root   string   // the root key's long name
	asked  []string // below root
	stored []string
}

// String is the path as reg.exe prints it.
func (p regPath) String() string { return strings.Join(append([]string{p.root}, p.asked...), `\`) }

// parsePath reads a key's name. sid is whose hive HKEY_CURRENT_USER is. ok is
// false for a root that there is not, or a step that no key can have.
func parsePath(text, sid string, view int) (p regPath, ok bool) {
	steps := strings.Split(strings.TrimSuffix(text, `\`), `\`)
	p.root, ok = roots[strings.ToUpper(steps[0])]
	if !ok || len(steps) > mostSteps {
		return p, false
	}
	p.asked = steps[1:]
	for _, s := range p.asked {
		if s == "" || len(s) > mostKeyName {
			return p, false
		}
	}
	p.stored = stored(p.root, p.asked, sid, view)
	return p, true
}

// stored is where a key is kept: CurrentControlSet is another name of the set
// that started, HKEY_CLASSES_ROOT of a part of the machine's hive.
func stored(root string, asked []string, sid string, view int) []string {
	switch {
	case root == hkcr:
		root, asked = hklm, join([]string{"SOFTWARE", "Classes"}, asked)
	case root == hkcu:
		root, asked = hku, join([]string{sid}, asked)
	case root == hkcc:
		root, asked = hklm, join([]string{"SYSTEM", "ControlSet001", "Hardware Profiles", "0001"}, asked)
	}
	switch {
	case root == hklm && len(asked) > 1 && strings.EqualFold(asked[0], "SYSTEM") && strings.EqualFold(asked[1], "CurrentControlSet"):
		asked = join([]string{"SYSTEM", "ControlSet001"}, asked[2:])
	case view == view32 && root == hklm && len(asked) > 1 && strings.EqualFold(asked[0], "SOFTWARE") && redirected(asked[1:]):
		asked = join([]string{"SOFTWARE", "WOW6432Node"}, asked[1:])
	}
	return join([]string{root}, asked)
}

// redirected reports whether a key below HKLM\SOFTWARE has another one in its
// place for 32-bit programs: Microsoft, "Registry Keys Affected by WOW64".
func redirected(below []string) bool {
	switch strings.ToUpper(below[0]) {
	case "WOW6432NODE", "POLICIES", "REGISTEREDAPPLICATIONS":
		return false
	case "CLASSES":
		if len(below) < 2 {
			return false
		}
		switch strings.ToUpper(below[1]) {
		case "CLSID", "DIRECTSHOW", "INTERFACE", "MEDIA TYPE", "MEDIAFOUNDATION":
			return true
		}
		return false
	}
	return true
}

func join(a, b []string) []string {
	out := make([]string, 0, len(a)+len(b))
	return append(append(out, a...), b...)
}
