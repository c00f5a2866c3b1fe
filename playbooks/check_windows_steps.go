package playbooks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

var (
	windowsServicePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.$ -]{0,78}[A-Za-z0-9_.$-])?$`)
	imagePattern          = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,20}\.(?i:exe|tmp|com)$`)
	propertyPattern       = regexp.MustCompile(`^[A-Z_][A-Z0-9_.]{0,71}$`)
)

// ownProperties are what the renderer itself passes to msiexec.
var ownProperties = []string{"REBOOT", "REMOVE", "ACTION", "TRANSFORMS", "INSTALL", "ADDLOCAL", "REINSTALL"}

func (c *checker) msi(s *MSIStep, at []any) {
	under := func(keys ...any) []any { return append(slices.Clone(at), keys...) }
	c.properties(s.Properties, under("properties"))
	if p := s.Password; p != nil {
		c.property(p.Property, under("password", "property"))
		c.properties(p.With, under("password", "with"))
		if !slices.ContainsFunc(c.p.Secrets, func(x Secret) bool { return x.Name == p.Secret }) {
			c.err(ruleSecret, fmt.Sprintf("the step passes the secret %q, which is not declared under secrets", p.Secret), under("password", "secret")...)
		}
	}
	c.size("denied", len(s.Denied), false, under("denied")...)
	for i, text := range s.Denied {
		if len(strings.TrimSpace(text)) < 5 || !printable(text) || !ascii(text) || strings.ContainsAny(text, `"%`) {
			c.err(ruleValue, fmt.Sprintf("denied text %q: use at least five ASCII letters without quotes and percent signs", text), under("denied", i)...)
		}
	}
	c.msiExit(s.Exit, under("exit"))
	c.needsEntries("an msi step", at)
}

// msiExit: what Microsoft says of a code is not a playbook's to change into a
// success.
func (c *checker) msiExit(codes ExitCodes, at []any) {
	known := msiExit()
	for code, verdict := range codes {
		here := append(slices.Clone(at), code)
		if !slices.Contains(verdicts, verdict) {
			c.err(ruleExit, fmt.Sprintf("exit code %d: verdict %q is unknown; use %s", code, verdict, orNearest(verdict, verdicts)), here...)
		} else if installerFailure(code) && known[code] == "" && verdict == remediate.StepOK {
			c.err(ruleExit1603, fmt.Sprintf("exit code %d is a failure of Windows Installer, and no playbook's to call %s", code, verdict), here...)
		} else if known[code] != "" && known[code] != verdict || verdict == remediate.StepOK && code != 0 {
			c.err(ruleExit, fmt.Sprintf("Windows Installer's exit code %d does not mean %s", code, verdict), here...)
		}
	}
}

func (c *checker) properties(values map[string]string, at []any) {
	for name, value := range values {
		c.property(name, at)
		if !printable(value) || !ascii(value) || len(value) > 500 {
			c.err(ruleValue, fmt.Sprintf("the value of the property %s must be one line of at most 500 ASCII characters", name), append(slices.Clone(at), name)...)
		}
	}
}

func (c *checker) property(name string, at []any) {
	switch {
	case !propertyPattern.MatchString(name):
		c.err(ruleValue, fmt.Sprintf("property %q: msiexec passes names of capital letters, digits, _ and . alone", name), at...)
	case slices.Contains(ownProperties, name):
		c.err(ruleValue, fmt.Sprintf("property %s is not a playbook's to set", name), at...)
	}
}

func (c *checker) uninstaller(s *UninstallerStep, at []any) {
	under := func(keys ...any) []any { return append(slices.Clone(at), keys...) }
	if s.Arguments != "" {
		if !printable(s.Arguments) || !ascii(s.Arguments) || len(s.Arguments) > 500 || strings.Count(s.Arguments, `"`)%2 != 0 {
			c.err(ruleValue, "arguments must be one line of at most 500 ASCII characters, with quotes in pairs", under("arguments")...)
		}
		if asksRestart.MatchString(s.Arguments) {
			c.err(ruleReboots, "a step restarts no host; say reboot: needed, and the campaign decides when", under("arguments")...)
		}
	}
	if _, err := s.wait(); err != nil {
		c.err(ruleValue, err.Error(), under("wait")...)
	}
	for i, n := range s.Children {
		c.image(n, under("children", i))
	}
	c.exit(s.Exit, under("exit"))
	c.notSuccess(s.Exit, under("exit"))
	c.needsEntries("an uninstaller step", at)
}

// covers demands names that an uninstall sign has, too: what no sign means, no
// script is given.
func (c *checker) covers(names []string, at []any) {
	c.size("covers", len(names), false, at...)
	for i, n := range names {
		if !slices.ContainsFunc(c.p.Detect, func(s Sign) bool { return s.Uninstall != nil && slices.Contains(s.Uninstall.Names, n) }) {
			c.err(ruleUndetected, fmt.Sprintf("covers %q, which is no name of an uninstall sign under detect", n), append(slices.Clone(at), i)...)
		}
	}
}

func (c *checker) needsEntries(what string, at []any) {
	if !slices.ContainsFunc(c.p.Detect, func(s Sign) bool { return s.Uninstall != nil }) {
		c.err(ruleStep, what+" removes what uninstall signs detect, and there is none", at...)
	}
}

// image demands the name of a program as tasklist prints it, whole.
func (c *checker) image(name string, at []any) {
	if !imagePattern.MatchString(name) {
		c.err(ruleValue, fmt.Sprintf("program %q: use a file name such as agent.exe, of at most 25 characters", name), at...)
	}
}

func (c *checker) windowsProcess(s *ProcessStep, at []any) {
	if len(s.Paths) > 0 || s.Grace != "" {
		c.err(ruleStep, "on Windows a process step has names alone", at...)
	}
	c.names("program", s.Names, at, func(n string, at ...any) { c.image(n, at) })
}

// batch demands text that a file of cmd can hold.
func (c *checker) batch(s *ScriptStep, at []any) {
	text := append(slices.Clone(at), "text")
	if strings.TrimSpace(s.Text) == "" {
		c.err(ruleRequired, "text is missing", text...)
	}
	n := 0
	for line := range strings.Lines(s.Text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if _, err := remediate.EchoCmd(line, remediate.CmdBatch); err != nil || utf16Len(line) > 2000 {
			c.err(ruleStep, fmt.Sprintf("line %d of the text has control characters or more than 2000 characters", n), text...)
		}
	}
	c.batchFailures(s.Text, text)
	if len(s.Exit) == 0 {
		c.err(ruleExit, "a script step must say what its exit codes mean; write exit: {0: ok}", at...)
	}
	c.exit(s.Exit, append(slices.Clone(at), "exit"))
	c.notSuccess(s.Exit, append(at, "exit"))
}

// windowsRoots are the variables below which folders of products lie, with
// how many names a removed path must have below them.
var windowsRoots = map[string]int{
	"programfiles": 1, "programfiles(x86)": 1, "programw6432": 1, "programdata": 1,
	"commonprogramfiles": 1, "commonprogramfiles(x86)": 1, "systemdrive": 2,
}

// windowsSystem are folders below the roots that belong to Windows.
var windowsSystem = []string{
	"common files", "internet explorer", "microsoft", "modifiablewindowsapps", "package cache", "windows", "windows defender",
	"windows defender advanced threat protection", "windows nt", "windowsapps", "windowspowershell", "reference assemblies",
	"documents and settings", "program files", "program files (x86)", "programdata", "users", "recovery", "system volume information",
	"perflogs", "boot", "efi", "windows.old", "$recycle.bin", "msocache", "uninstall information", "microsoft update health tools",
	"windows mail", "windows media player", "windows multimedia platform", "windows photo viewer", "windows portable devices",
	"windows security", "windows sidebar", "desktop", "start menu", "microsoft shared", "system", "services", "ssh", "oust",
}

// windowsRemovalProblem says why a path must not be removed, or "".
func windowsRemovalProblem(p string) string {
	if bad := windowsPathProblem(p); bad != "" {
		return bad
	}
	root, rest, _ := strings.Cut(p, `\`)
	names := strings.Split(strings.ToLower(rest), `\`)
	least := 2
	if m := variablePattern.FindStringSubmatch(root); m != nil {
		var known bool
		if least, known = windowsRoots[strings.ToLower(m[1])]; !known {
			return fmt.Sprintf("nothing below %s is removed", root)
		}
	}
	switch {
	case len(names) < least:
		return "the path is a top-level folder; what is removed lies deeper"
	case ofWindows(names):
		return "the path is a folder of the system, or in one"
	case slices.ContainsFunc(names, shortName.MatchString):
		return "the path holds a short name, which may mean another folder on another host; write the name out"
	}
	return ""
}

// shortName is what Windows calls a long name beside it, such as PROGRA~1.
var shortName = regexp.MustCompile(`~[0-9]`)

// ofWindows reports whether the names below a drive or a variable, in lower case,
// are a folder of the system, or lie in one that is the system's alone.
func ofWindows(names []string) bool {
	if len(names) == 2 && slices.Contains(windowsSystem, names[1]) {
		return true
	}
	return slices.Contains(windowsSystem, names[0]) &&
		(len(names) == 1 || !slices.Contains([]string{"common files", "program files", "program files (x86)", "programdata"}, names[0]))
}

// windowsKeys are keys below HKLM\SOFTWARE that are Windows' own.
var windowsKeys = []string{"classes", "clients", "microsoft", "odbc", "openssh", "policies", "registeredapplications"}

// keyRemoval demands a key that is the product's or its vendor's, below
// SOFTWARE: the keys of services, drivers and Windows are not touched.
func (c *checker) keyRemoval(key string, at ...any) {
	if bad := keyProblem(key); bad != "" {
		c.err(rulePath, key+": "+bad, at...)
		return
	}
	names := strings.Split(strings.ToLower(key), `\`)
	if names[1] != "software" || len(names) < 3 || slices.Contains(windowsKeys, names[2]) {
		c.err(rulePath, key+": only keys below HKLM\\SOFTWARE\\VENDOR are removed, none of Windows' own", at...)
		return
	}
	c.owned(key, at...)
}
