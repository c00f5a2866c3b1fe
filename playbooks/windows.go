package playbooks

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"oust/remediate"
)

// match returns the entries that the sign means, in the order of their keys.
func (s *UninstallSign) match(f *remediate.Facts) []remediate.UninstallEntry {
	return s.entries(f, false)
}

// entries returns those that are orphans, or those that are not.
func (s *UninstallSign) entries(f *remediate.Facts, orphans bool) []remediate.UninstallEntry {
	if f.Windows == nil {
		return nil
	}
	var out []remediate.UninstallEntry
	for _, e := range f.Windows.Uninstall {
		if orphan(e) == orphans && s.means(f.Windows, e) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b remediate.UninstallEntry) int {
		return cmp.Or(cmp.Compare(a.Hive, b.Hive), cmp.Compare(b.View, a.View), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// orphan reports whether nothing can remove what the entry names: it has no
// command, and Windows Installer does not know it. Windows itself shows no such
// entry, which is what a removal that broke off leaves.
func orphan(e remediate.UninstallEntry) bool {
	return strings.TrimSpace(e.UninstallString) == "" && strings.TrimSpace(e.QuietUninstallString) == "" && productCode(e) == ""
}

// orphans are entries left over that the playbook's signs mean by themselves.
func (p *Playbook) orphans(f *remediate.Facts) (out []remediate.Evidence) {
	for _, s := range p.Detect {
		if s.Uninstall == nil || s.Service != "" || s.Path != "" || s.Key != "" || s.MSIX != nil {
			continue
		}
		for _, e := range s.Uninstall.entries(f, true) {
			out = append(out, uninstallEvidence(e))
		}
	}
	return out
}

// means reports whether all that the sign names holds for an entry. The
// entry of an update belongs to another one; one without a name has nothing
// by which a person would know it, but its UpgradeCode still tells what it is.
func (s *UninstallSign) means(w *remediate.WindowsFacts, e remediate.UninstallEntry) bool {
	if e.ParentKeyName != "" || e.DisplayName == "" && e.UninstallString == "" {
		return false
	}
	return (len(s.Names) == 0 || anyWild(s.Names, e.DisplayName)) &&
		(len(s.Publishers) == 0 || anyWild(s.Publishers, e.Publisher)) &&
		(len(s.UpgradeCodes) == 0 || ofFamily(w, s.UpgradeCodes, e.ProductCode))
}

// ofFamily reports whether one of the UpgradeCodes is the product's.
func ofFamily(w *remediate.WindowsFacts, upgradeCodes []string, productCode string) bool {
	return productCode != "" && slices.ContainsFunc(w.UpgradeCodes, func(u remediate.UpgradeCode) bool {
		return strings.EqualFold(u.ProductCode, productCode) &&
			slices.ContainsFunc(upgradeCodes, func(c string) bool { return strings.EqualFold(c, u.UpgradeCode) })
	})
}

func anyWild(patterns []string, text string) bool {
	t := []rune(strings.ToLower(text))
	return slices.ContainsFunc(patterns, func(p string) bool { return wildIn(folded(p), t) })
}

// foldedPatterns keeps the patterns of playbooks as wildIn takes them, since
// each is asked of every entry of every host.
var foldedPatterns sync.Map // string -> []rune

func folded(pattern string) []rune {
	if p, ok := foldedPatterns.Load(pattern); ok {
		return p.([]rune)
	}
	p := []rune(strings.ToLower(pattern))
	foldedPatterns.Store(pattern, p)
	return p
}

// wild matches a pattern with * and ?; all else stands for itself, also the
// brackets and slashes that names of products have. It goes back no further
// than to the last *.
func wild(pattern, text string) bool { return wildIn([]rune(pattern), []rune(text)) }

func wildIn(p, t []rune) bool {
	star, mark, i, j := -1, 0, 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

func uninstallEvidence(e remediate.UninstallEntry) remediate.Evidence {
	return evidence(remediate.EvidenceUninstall, e.Hive, string(e.View), e.Key, oneLine(e.DisplayName), oneLine(e.DisplayVersion), oneLine(e.Publisher))
}

func keyEvidence(f *remediate.Facts, key string) (out []remediate.Evidence) {
	for _, k := range f.Key(key) {
		if k.Kind == remediate.KeyPresent {
			out = append(out, evidence(remediate.EvidenceKey, k.Key, string(k.View)))
		}
	}
	return out
}

// windowsVariables may begin a path. The host says what they are.
var windowsVariables = []string{
	"ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "CommonProgramFiles", "CommonProgramFiles(x86)", "ProgramData",
	"SystemRoot", "SystemDrive", "Public",
}

var (
	drivePattern    = regexp.MustCompile(`^[A-Za-z]:$`)
	variablePattern = regexp.MustCompile(`^%([^%]+)%$`)
	guidPattern     = regexp.MustCompile(`^\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$`)
)

// isWindowsPath tells paths and registry keys of Windows from paths of other
// systems, which begin with a slash.
func isWindowsPath(p string) bool { return p != "" && p[0] != '/' && strings.Contains(p, `\`) }

// lookProblem says what is wrong with a path that is only looked at, or "". It may
// mean one below the folder of each user.
func lookProblem(p string) string {
	if users, below, ok := remediate.PerUserPath(p); ok {
		return windowsPathProblem(users + `\user\` + below)
	}
	if isWindowsPath(p) {
		return windowsPathProblem(p)
	}
	return pathProblem(p)
}

// windowsPathProblem is pathProblem for Windows. Source of what names may
// hold: Microsoft, "Naming Files, Paths, and Namespaces".
func windowsPathProblem(p string) string {
	root, rest, _ := strings.Cut(p, `\`)
	variable := variablePattern.FindStringSubmatch(root)
	switch {
	case variable != nil && !slices.ContainsFunc(windowsVariables, func(v string) bool { return strings.EqualFold(v, variable[1]) }):
		return fmt.Sprintf("the variable %%%s%% is not one that every user of a host has alike; use %%%s%%", variable[1],
			strings.ReplaceAll(orNearest(variable[1], windowsVariables), ", ", "%, %"))
	case variable == nil && !drivePattern.MatchString(root):
		return `the path begins neither with a drive such as C:\ nor with a variable such as %ProgramFiles%\`
	case !printable(p):
		return "the path holds a control character or is not UTF-8"
	case strings.ContainsAny(rest, "*?"):
		return `the path holds a wildcard; name each path (one that is only looked at may begin with %SystemDrive%\Users\*\)`
	case strings.ContainsAny(rest, `/:"<>|%`):
		return `the path holds one of / : " < > | %`
	case utf16Len(p) > 240:
		return "the path is longer than 240 characters"
	}
	return badParts(rest)
}

// badParts says what is wrong with the names between backslashes, or "".
func badParts(names string) string {
	for _, n := range strings.Split(names, `\`) {
		switch {
		case n == "":
			return "the path ends in a backslash, or has two of them together"
		case n == "." || n == "..":
			return "the path holds a . or .. step"
		case strings.TrimRight(n, " .") != n || strings.TrimLeft(n, " ") != n:
			return "a name in the path begins with a blank, or ends in a blank or dot, which Windows drops"
		}
	}
	return ""
}

// keyProblem says what is wrong with a registry key, or "". Source of the
// bound: Microsoft, "Registry Element Size Limits".
func keyProblem(key string) string {
	hive, rest, _ := strings.Cut(key, `\`)
	switch {
	case hive != "HKLM":
		return `a key begins with HKLM\`
	case !strings.Contains(rest, `\`):
		return "the key is one that every host has"
	case !printable(key):
		return "the key holds a control character or is not UTF-8"
	case strings.ContainsAny(key, `*?%"`):
		return `the key holds one of * ? % "`
	case strings.Contains(strings.ToLower(rest), `wow6432node`):
		return "leave WOW6432Node out: both registry views are asked"
	}
	for _, n := range strings.Split(rest, `\`) {
		if n == "" || utf16Len(n) > 255 {
			return "a name in the key is empty or longer than 255 characters"
		}
	}
	return ""
}

// utf16Len is the length of a text in UTF-16 units, in which Windows counts.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
