package playbooks

import (
	"regexp"
	"strings"
)

var (
	// batchRemoves are commands that delete, at the place of a command or behind
	// one that runs another, as if, else, do, call, start and cmd /c are.
	batchRemoves = regexp.MustCompile(`(?i)(?:^|[&|(@"\s])(del|erase|rd|rmdir)\b((?:"[^"]*"|[^&|)"])*)`)
	batchEchoes  = regexp.MustCompile(`(?i)^\s*@?(?:echo|title)\b[^&|]*$`)
	powerRemoves = regexp.MustCompile(`(?i)\b(?:remove-item|ri|rm|rd|rmdir|del|erase)\b[^;|&]*\s-r(?:e(?:c(?:u(?:r(?:s(?:e)?)?)?)?)?)?\b[^;|&]*`)
	powerTarget  = regexp.MustCompile(`(?i)[a-z]:\\[^'";,|&]*`)
	regRemoves   = regexp.MustCompile(`(?i)\breg(?:\.exe)?"?\s+delete\s+("[^"]*"|[^\s&|]+)([^&|]*)`)
	regValue     = regexp.MustCompile(`(?i)\s/ve?\b`)
	batchService = regexp.MustCompile(`(?i)\b(?:sc(?:\.exe)?"?\s+(?:delete|stop|config)|net1?(?:\.exe)?"?\s+stop)\s+("[^"]*"|[^\s&|]+)`)
	batchKills   = regexp.MustCompile(`(?i)\btaskkill(?:\.exe)?"?\s[^&|]*/im\s+("[^"]*"|[^\s&|]+)`)
	batchWord    = regexp.MustCompile(`"[^"]*"|[^\s"]+`)
	regexpDeep   = regexp.MustCompile(`(?i)/s\b`)
)

// batchDelete says what a line deletes that may be more than the product's, or "".
func (c *checker) batchDelete(line string) string {
	if batchEchoes.MatchString(line) {
		return ""
	}
	for _, m := range batchRemoves.FindAllStringSubmatch(line, -1) {
		deep := regexpDeep.MatchString(m[2])
		for _, word := range batchWord.FindAllString(m[2], -1) {
			word = strings.Trim(word, `"`)
			if strings.HasPrefix(word, "/") || ofJob(word, `%OUST_DIR%\`) || strings.HasPrefix(word, ">") || strings.HasPrefix(word, "2>") {
				continue
			}
			if bad := c.batchTarget(word, deep); bad != "" {
				return bad
			}
		}
	}
	for _, m := range powerRemoves.FindAllString(line, -1) {
		if bad := c.powerTarget(m); bad != "" {
			return bad
		}
	}
	for _, m := range regRemoves.FindAllStringSubmatch(line, -1) {
		if bad := c.regTarget(strings.Trim(m[1], `"`)); bad != "" && !regValue.MatchString(m[2]) {
			return bad
		}
	}
	return ""
}

// ofJob reports whether a path lies in the folder of the job, which goes anyway.
func ofJob(path, folder string) bool {
	return len(path) > len(folder) && strings.EqualFold(path[:len(folder)], folder) && !strings.Contains(path, "..")
}

func (c *checker) batchTarget(word string, deep bool) string {
	folder, wild := word, strings.ContainsAny(word, "*?")
	if wild {
		folder = word[:max(strings.LastIndexByte(word, '\\'), 0)]
	}
	switch {
	case deep && wild:
		return word + ": a wildcard below folders may delete more than the product's; name each path in a file step"
	case !wild && !deep:
		return ""
	case !isWindowsPath(folder):
		return word + ": a folder in a variable, or without its drive, may be any; name each path in a file step"
	}
	return c.windowsTarget(folder)
}

// powerTarget judges a Remove-Item that goes into folders.
func (c *checker) powerTarget(command string) string {
	targets := powerTarget.FindAllString(command, -1)
	if len(targets) == 0 || strings.ContainsAny(command, "*$%") {
		return "Remove-Item -Recurse with a wildcard or a variable, or without a whole path, may remove more than the product; use a file step, which checks the path"
	}
	for _, t := range targets {
		t, _, _ = strings.Cut(t, " -") // what follows are the command's switches
		if bad := c.windowsTarget(strings.TrimRight(t, ` \`)); bad != "" {
			return bad
		}
	}
	return ""
}

func (c *checker) windowsTarget(folder string) string {
	if bad := windowsRemovalProblem(folder); bad != "" {
		return folder + ": " + bad
	}
	if !c.p.owned(folder) {
		return folder + ": nothing in this path is the product's own"
	}
	return ""
}

// regTarget judges a key that is deleted with all below it. Windows Installer
// calls keys by a GUID.
func (c *checker) regTarget(key string) string {
	last := key[strings.LastIndexByte(key, '\\')+1:]
	switch {
	case strings.Contains(key, "%") || last == "":
		return key + ": a key with a variable in it, which may be empty, is all that is above; use a key step"
	case !isWindowsPath(key) || !c.p.owned(key) && !guidPattern.MatchString(last):
		return key + ": nothing in this key is the product's own"
	}
	return ""
}

// batchSystem says what of the system a line stops, deletes or ends, or "".
func batchSystem(line string) string {
	for _, m := range batchService.FindAllStringSubmatch(line, -1) {
		if name := strings.Trim(m[1], `"`); ofSystem(systemServices, name) {
			return name + ": a service of the system, not of a product"
		}
	}
	for _, m := range batchKills.FindAllStringSubmatch(line, -1) {
		if name := strings.Trim(m[1], `"`); ofSystem(systemProcesses, name) || strings.HasPrefix(name, "*") {
			return name + ": a program of the system, or any, and not of a product"
		}
	}
	return ""
}
