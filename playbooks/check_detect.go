package playbooks

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"oust/remediate"
)

func (c *checker) detect() {
	c.size("detect", len(c.p.Detect), true, "detect")
	for i, s := range c.p.Detect {
		at := []any{"detect", i}
		c.sign(s, at)
		if s.Key != "" {
			c.signKey(s.Key, append(at, "key"))
		}
		if s.Path != "" {
			c.signPath(s.Path, append(at, "path"))
		}
	}
}

// sign demands a sign that can hold, and not on nearly every host. Its path and
// key are for the caller to check.
func (c *checker) sign(s Sign, at []any) {
	under := func(key string) []any { return append(slices.Clone(at), key) }
	if s.Package == nil && s.Uninstall == nil && s.Service == "" && s.Path == "" && s.Key == "" && s.MSIX == nil {
		c.err(ruleDetect, "a sign without package, uninstall, service, path, key or msix would match everything", at...)
	}
	c.signPlatforms(s, at)
	if s.Uninstall != nil {
		c.uninstallSign(s.Uninstall, under("uninstall"))
	}
	if s.Package != nil {
		c.packageSign(s.Package, under("package"))
	}
	if s.MSIX != nil {
		c.msixSign(s.MSIX, under("msix"))
	}
	if s.Service != "" {
		c.glob("service", s.Service, under("service")...)
	}
}

func (c *checker) signPath(name string, at []any) {
	if bad := lookProblem(name); bad != "" {
		c.badPath(name, bad, at)
	} else if namePattern.MatchString(c.p.Name) && !c.p.owned(name) {
		c.err(ruleDetect, fmt.Sprintf("%s: nothing in this path is the product's own; it proves nothing", name), at...)
	}
}

func (c *checker) packageSign(s *PackageSign, at []any) {
	c.managers(s.Managers, []string{remediate.ManagerDpkg, remediate.ManagerRPM, remediate.ManagerApk,
		remediate.ManagerPkgutil, remediate.ManagerApp}, at)
	c.size("names", len(s.Names), len(s.Vendors) == 0, append(slices.Clone(at), "names")...)
	for i, n := range s.Names {
		c.glob("package", n, append(slices.Clone(at), "names", i)...)
	}
	c.size("vendors", len(s.Vendors), false, append(slices.Clone(at), "vendors")...)
	if len(s.Vendors) > 0 && !c.p.Is(KindPublisher) {
		c.err(ruleDetect, "vendors are for a playbook of kind publisher alone", append(slices.Clone(at), "vendors")...)
	}
	for i, n := range s.Vendors {
		c.wildcard("vendor", n, append(slices.Clone(at), "vendors", i))
	}
}

func (c *checker) managers(have, known []string, at []any) {
	c.size("managers", len(have), true, append(slices.Clone(at), "managers")...)
	for i, m := range have {
		c.oneOf("package manager", m, known, append(slices.Clone(at), "managers", i)...)
	}
}

// glob demands a pattern that cannot match nearly everything.
func (c *checker) glob(what, pattern string, at ...any) {
	if _, err := path.Match(pattern, ""); err != nil {
		c.err(ruleDetect, fmt.Sprintf("%s pattern %q: %v", what, pattern, err), at...)
		return
	}
	if what != "package" && c.matchesNothing(pattern) {
		c.err(ruleDetect, fmt.Sprintf("%s pattern %q can match nothing", what, pattern), at...)
	}
	if !hasWildcard(pattern) {
		return
	}
	literal := 0
	for _, part := range strings.FieldsFunc(pattern, func(r rune) bool { return strings.ContainsRune("*?[]-", r) }) {
		literal += len(part)
	}
	if literal < 3 {
		c.err(ruleDetect, fmt.Sprintf("%s pattern %q would match anything; give at least three letters", what, pattern), at...)
	} else if pattern[0] == '*' || pattern[0] == '?' {
		c.warn(warnLeading, fmt.Sprintf("%s pattern %q begins with a wildcard and may match what others make", what, pattern), at...)
	}
}

// matchesNothing reports whether no service has such a name. Windows alone has
// services with blanks in their names.
func (c *checker) matchesNothing(pattern string) bool {
	blank := strings.Contains(pattern, " ") && !c.p.On(remediate.Windows)
	return blank || strings.TrimSpace(pattern) != pattern || strings.Contains(pattern, "/") || !printable(pattern)
}

func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }
