package playbooks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"oust/remediate"
)

var (
	userFolder  = regexp.MustCompile(`(?i)([a-z]:\\users\\)[^\\"]+`)
	plainYAML   = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9 ./_+()@-]*$`)
	yamlWords   = regexp.MustCompile(`(?i)^(?:true|false|yes|no|on|off|null|y|n)$`)
	programDirs = regexp.MustCompile(`(?i)^c:\\(program files \(x86\)|program files|programdata)\\`)
)

// clean is a text that YAML holds on one line as it is; what does not print
// becomes _.
func clean(s string) string { return unprinted(s, '_') }

// pattern is a name as a sign has it; what no sign can say becomes ?.
func pattern(name string) string {
	p := strings.ReplaceAll(unprinted(name, '?'), "*", "?")
	middle := strings.TrimSpace(p)
	i := strings.Index(p, middle)
	return strings.Repeat("?", i) + middle + strings.Repeat("?", len(p)-i-len(middle))
}

func unprinted(s string, instead rune) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return instead
		}
		return r
	}, s)
}

// scalar writes a text as one value of YAML.
func scalar(s string) string {
	s = clean(s)
	if plainYAML.MatchString(s) && !yamlWords.MatchString(s) && strings.TrimSpace(s) == s && !strings.Contains(s, "  ") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func flowList(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		if out[i] = scalar(s); strings.ContainsAny(out[i], "(),") && out[i][0] != '\'' {
			out[i] = "'" + out[i] + "'"
		}
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// text is the playbook.
func (d *drafted) text(name string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("format: 1")
	line("name: %s", name)
	line("title: %s", scalar(d.title()))
	vendor := d.vendor()
	if vendor == "" {
		vendor = fillIn + ": who makes it"
	}
	line("vendor: %s", scalar(vendor))
	line("platforms: [%s]", d.platform)
	line("# What a person must do before the removal; take it out if there is nothing.")
	line("first: '%s: such as switching off its protection in a console'", fillIn)
	line("\ndetect:")
	d.detect(line)
	d.steps(line)
	d.residue(line)
	line("\nreboot: maybe")
	line("manual: '%s: what a person does where the steps cannot'", fillIn)
	line("afterwards: '%s: what protects the host, or does its work, once it is gone'", fillIn)
	line("confidence: unverified")
	line("\nsources:")
	line("  - claim: names, publishers, codes, packages and services")
	line("    source: %s", scalar(d.in.Seen))
	line("    confidence: public-scripts")
	line("  - claim: the steps remove it")
	line("    source: '%s: the page that says so, or the test host on which it was tried'", fillIn)
	line("    confidence: unverified")
	return b.String()
}

func (d *drafted) title() string {
	for _, e := range d.entries {
		title := oneLine(strings.Trim(strings.ReplaceAll(e.DisplayName, e.DisplayVersion, " "), " -"))
		if e.DisplayVersion != "" && d.is(e.DisplayName) && d.is(title) {
			return title
		}
	}
	return oneLine(d.in.Product)
}

func (d *drafted) detect(line func(string, ...any)) {
	for _, m := range d.managers() {
		line("  - package: {managers: [%s], names: %s}", m, flowList(d.packageNames(m)))
	}
	if codes := distinct(d.codes, func(u remediate.UpgradeCode) string { return u.UpgradeCode }); len(codes) > 0 {
		line("  # The family of Windows Installer stays the same in every language and version.")
		line("  - uninstall: {upgrade_codes: %s}", flowList(codes))
	}
	if names := d.entryNames(); len(names) > 0 {
		publishers := distinct(d.entries, func(e remediate.UninstallEntry) string { return pattern(e.Publisher) })
		with := ""
		if !slices.ContainsFunc(d.entries, func(e remediate.UninstallEntry) bool { return !fixed(pattern(e.Publisher)) }) {
			with = ", publishers: " + flowList(publishers)
		}
		line("  - uninstall: {names: %s%s}", flowList(names), with)
	}
	if names := distinct(d.appx, func(a remediate.AppxPackage) string { return pattern(a.Name) }); len(names) > 0 {
		line("  - msix: {names: %s}", flowList(names))
	}
	for _, s := range d.serviceNames() {
		line("  - service: %s", scalar(s))
	}
}

// entryNames are the names of entries, with a wildcard for the version in them.
func (d *drafted) entryNames() []string {
	return distinct(d.entries, func(e remediate.UninstallEntry) string {
		name := pattern(e.DisplayName)
		if v := pattern(e.DisplayVersion); len(v) > 1 {
			name = strings.ReplaceAll(name, v, "*")
		}
		if !fixed(name) || name[0] == '*' {
			name = pattern(e.DisplayName)
		}
		if !fixed(name) {
			return ""
		}
		return name
	})
}

// serviceNames are those that a sign can name.
func (d *drafted) serviceNames() []string {
	pattern := servicePattern
	if d.platform == remediate.Windows {
		pattern = windowsServicePattern
	}
	return slices.DeleteFunc(distinct(d.services, func(s remediate.Service) string { return s.Name }),
		func(s string) bool { return !pattern.MatchString(s) || ofSystem(systemServices, s) })
}

func (d *drafted) managers() []string {
	return distinct(d.packages, func(p remediate.Package) string { return p.Manager })
}

func (d *drafted) packageNames(manager string) []string {
	return distinct(d.packages, func(p remediate.Package) string {
		if p.Manager != manager {
			return ""
		}
		return p.Name
	})
}

// distinct are the values of a list, each once, in their order, but empty ones.
func distinct[T any](list []T, value func(T) string) []string {
	var out []string
	for _, x := range list {
		if v := value(x); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out[:min(len(out), maxList)]
}

// steps are those that fit what is there, and none where none is known.
func (d *drafted) steps(line func(string, ...any)) {
	var out []string
	for _, m := range d.managers() {
		names := slices.DeleteFunc(d.packageNames(m), func(n string) bool { return ofSystem(systemPackages, n) || !packagePattern.MatchString(n) })
		if (m == remediate.ManagerDpkg || m == remediate.ManagerRPM) && len(names) > 0 {
			out = append(out, fmt.Sprintf("  - package: {managers: [%s], names: %s}", m, flowList(names)))
		}
	}
	byMSI := func(e remediate.UninstallEntry) bool { return productCode(e) != "" }
	if slices.ContainsFunc(d.entries, byMSI) {
		out = append(out, "  - msi: {}")
	}
	if slices.ContainsFunc(d.entries, func(e remediate.UninstallEntry) bool { return !byMSI(e) }) {
		if slices.ContainsFunc(d.entries, func(e remediate.UninstallEntry) bool { return !byMSI(e) && e.QuietUninstallString == "" }) {
			out = append(out, "  # It has no QuietUninstallString. "+fillIn+": arguments that keep it from asking, from the maker's page,",
				"  # such as arguments: /S. Without them the host is left to a person.")
		}
		out = append(out, "  - uninstaller: {exit: {0: ok}}")
	}
	if len(out) > 0 {
		line("\nsteps:\n%s", strings.Join(out, "\n"))
	}
}

// residue are candidates: reported, and not removed before a person has made
// sure.
func (d *drafted) residue(line func(string, ...any)) {
	var out []string
	for _, p := range d.packages {
		if p.Manager == remediate.ManagerDpkg && packagePattern.MatchString(p.Name) {
			out = append(out, "{package: "+p.Name+"}")
		}
	}
	for _, place := range d.places() {
		out = append(out, "{path: "+flowList([]string{place})[1:len(flowList([]string{place}))-1]+"}")
	}
	for _, s := range d.serviceNames() {
		out = append(out, "{service: "+s+"}")
	}
	if len(out) == 0 {
		return
	}
	line("\n# Candidates, which are reported. Look at a host after a removal: take out what goes by itself, and give")
	line("# remove: true to what is the product's own and stays.")
	line("residue:")
	for _, r := range out[:min(len(out), maxList)] {
		line("  - %s", r)
	}
}

// places are folders that the host named as the product's.
func (d *drafted) places() []string {
	out := distinct(d.paths, func(p remediate.PathFact) string { return p.Path })
	for _, e := range d.entries {
		folder := strings.TrimRight(strings.Trim(e.InstallLocation, `"`), `\`)
		if m := programDirs.FindStringSubmatch(folder); m != nil {
			v := map[string]string{"program files": "%ProgramFiles%", "program files (x86)": "%ProgramFiles(x86)%", "programdata": "%ProgramData%"}[strings.ToLower(m[1])]
			folder = v + folder[len(m[0])-1:]
		}
		// A user's name is taken away already; see withoutUser.
		if below, ok := cutFold(folder, `C:\Users\user\`); ok {
			folder = `%SystemDrive%\Users\*\` + below
		}
		if folder != "" && lookProblem(folder) == "" && !everyHost(folder) && !slices.Contains(out, folder) {
			out = append(out, folder)
		}
	}
	return slices.DeleteFunc(out, func(p string) bool { return lookProblem(p) != "" })
}

// everyHost reports whether a folder that an entry calls its own is one that
// every Windows host has: some say that they are installed in C:\Program Files.
func everyHost(folder string) bool {
	root, below, _ := strings.Cut(strings.ToLower(folder), `\`)
	names := strings.Split(below, `\`)
	if names[0] == "users" && len(names) > 2 {
		return false
	}
	return below == "" || root == "%systemroot%" || ofWindows(names)
}

func cutFold(s, prefix string) (after string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
