package playbooks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

// What is checked here has gone wrong in the removal scripts of others.

// at is a problem at a line of a script step's text, from 1.
func (c *checker) atLine(rule, msg string, line, col int, at []any) {
	p := c.p.problem(rule, msg, at...)
	if l, cl, ok := c.p.pos.within(c.p.text, line, max(col, 1), at...); ok {
		p.Line, p.Column, p.Excerpt = l, cl, excerpt(c.p.text, l, cl)
	} else {
		p.Message += fmt.Sprintf(" (line %d of the text)", line)
	}
	c.problems = append(c.problems, p)
}

// installerFailures are codes by which Windows Installer says that it has not
// done its work (Microsoft, "MsiExec.exe and InstMsi.exe error messages"); 1605
// and 1614, that there was nothing to do, 1641 and 3010 are not among them.
func installerFailure(code int) bool {
	return code >= 1601 && code <= 1654 && !slices.Contains([]int{1605, 1614, 1641}, code)
}

// notSuccess refuses an exit code of Windows Installer's failures as a success.
func (c *checker) notSuccess(codes ExitCodes, at []any) {
	for code, verdict := range codes {
		if installerFailure(code) && (verdict == remediate.StepOK || verdict == remediate.StepAbsent || verdict == remediate.StepReboot) {
			c.err(ruleExit1603, fmt.Sprintf("exit code %d is a failure of Windows Installer, and no playbook's to call %s", code, verdict), append(slices.Clone(at), code)...)
		}
	}
}

var (
	askWin32Product = regexp.MustCompile(`(?i)win32_product|\bwmic(?:\.exe)?"?\s(?:[^&|"]*\s)?product\b`)
	// restartsWindows are ways to restart or stop Windows, at the place of a
	// command; shutdown /a ends one that was begun.
	restartsWindows = regexp.MustCompile(`(?i)(?:^|[&|(@"\\\s])(?:ps|ts)?shutdown(?:\.exe)?"?\s+[/-][^a]|restart-computer|stop-computer|exitwindowsex|win32shutdown|\bwmic(?:\.exe)?\s+os\b.*\b(?:reboot|shutdown)|\)\.reboot\(`)
	asksRestart     = regexp.MustCompile(`(?i)[/-](?:force|prompt)restart\b|\breboot=("?f(?:orce)?\b)`)
	runsInstaller   = regexp.MustCompile(`(?i)\bmsiexec(?:\.exe)?"?\s(?:.*\s)?[/-](?:x|i|f[a-z]*|uninstall|package)(?:\b|\{)`)
	keepsRunning    = regexp.MustCompile(`(?i)[/-]norestart\b|\breboot="?r`)
	batchComment    = regexp.MustCompile(`(?i)^\s*(?:@?rem\b|::)`)
	batchVariable   = regexp.MustCompile(`%[A-Za-z_][^%]*%|%~?[a-z]*[0-9]|%%~?[A-Za-z]+`)
)

// batchFailures looks for them in the text of a batch file.
func (c *checker) batchFailures(text string, at []any) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if batchComment.MatchString(line) {
			continue
		}
		line = strings.TrimRight(line, "\r\n")
		say := func(rule, msg string) { c.atLine(rule, msg, n, len(line)-len(strings.TrimLeft(line, " \t"))+1, at) }
		if askWin32Product.MatchString(line) {
			say(ruleWin32, "Win32_Product repairs every product that it lists; ask the list of programs in the registry")
		}
		switch {
		case restartsWindows.MatchString(line), asksRestart.MatchString(line):
			say(ruleReboots, "a step restarts no host; say reboot: needed, and the campaign decides when")
		case runsInstaller.MatchString(line) && !keepsRunning.MatchString(line):
			say(ruleReboots, "msiexec without /norestart and REBOOT=ReallySuppress may restart the host")
		}
		if v := unquotedVariable(line); v != "" {
			say(ruleUnquoted, v+" stands outside quotes, and its value may hold blanks or signs of cmd")
		}
		if bad := c.batchDelete(line); bad != "" {
			say(ruleWildcard, bad)
		}
		if bad := batchSystem(line); bad != "" {
			say(ruleSystem, bad)
		}
	}
}

var (
	harmless    = regexp.MustCompile(`(?i)^\s*@?(?:echo\b|exit\b|goto\b|set\s+/a\b|title\b|if\s+(?:not\s+)?(?:errorlevel|defined)\b)`)
	harmlessVar = regexp.MustCompile(`(?i)^%(?:errorlevel|random|cd:~.*|date|time)%$`)
)

// unquotedVariable is a variable of a batch line that stands outside quotes
// where a command reads it, or "".
func unquotedVariable(line string) string {
	if harmless.MatchString(line) {
		return ""
	}
	loop := regexpFor.MatchString(line)
	for _, span := range batchVariable.FindAllStringIndex(line, -1) {
		v := line[span[0]:span[1]]
		if strings.Count(line[:span[0]], `"`)%2 == 1 || harmlessVar.MatchString(v) || loop && strings.HasPrefix(v, "%%") && !strings.Contains(line[:span[0]], " do ") {
			continue
		}
		return v
	}
	return ""
}

var regexpFor = regexp.MustCompile(`(?i)^\s*@?for\s`)

// wideResidue refuses to remove a vendor's whole folder or key: other products
// of the vendor live there, too.
func (c *checker) wideResidue() {
	check := func(place string, at ...any) {
		if place == "" || slices.Contains(c.p.Shared, place) || !c.vendors(place) || !isWindowsPath(place) && removalProblem(place) != "" {
			return
		}
		c.err(ruleWideResidue, place+": this is all of the vendor's, and other products may live there; name the product's own, or list it under shared", at...)
	}
	for i, s := range c.p.Steps {
		if s.File != nil {
			check(s.File.Path, "steps", i, "file", "path")
		}
		if s.Key != nil {
			check(s.Key.Key, "steps", i, "key", "key")
		}
	}
	for i, r := range c.p.Residue {
		if r.Remove {
			check(r.Path, "residue", i, "path")
			check(r.Key, "residue", i, "key")
		}
	}
}

var company = regexp.MustCompile(`(?:lab|labs|inc|ltd|llc|gmbh|ag|corp|corporation|software|technologies|technology|systems|co)+$`)

// vendors reports whether the last name of a path or key is the vendor's, with
// or without the word for a company.
func (c *checker) vendors(place string) bool {
	last := place[strings.LastIndexAny(place, `/\`)+1:]
	if strings.HasPrefix(place, "/Applications/") || c.p.vendorKey() == c.p.productKey() {
		return false
	}
	plain := func(s string) string { return company.ReplaceAllString(letters(s), "") }
	return plain(last) != "" && (plain(last) == plain(c.p.vendorKey()) || plain(last) == plain(c.p.Vendor))
}
