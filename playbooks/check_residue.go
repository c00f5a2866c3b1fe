package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

func (c *checker) residue() {
	c.size("residue", len(c.p.Residue), false, "residue")
	for i, r := range c.p.Residue {
		at := []any{"residue", i}
		switch {
		case count(r.Path != "", r.Service != "", r.Package != "", r.Key != "") != 1:
			c.err(ruleStep, "residue needs exactly one of path, service, package and key", at...)
		case r.Alone && r.Remove:
			c.err(ruleStep, "alone: what several products have by one name is reported and not removed; take remove out", at...)
		case r.Remove && r.Service != "" && !slices.ContainsFunc(c.p.Platforms, func(p remediate.Platform) bool { return p != remediate.Windows }):
			c.err(ruleStep, "a service of Windows that is left over is reported and not removed, for it may be a driver; take remove out", at...)
		case r.Key != "" && r.Remove:
			c.keyRemoval(r.Key, append(at, "key")...)
		case r.Key != "":
			c.signKey(r.Key, append(at, "key"))
		case r.Path != "":
			c.residuePath(r, append(at, "path"))
		case r.Service != "" && !r.Remove && hasWildcard(r.Service):
			c.glob("service", r.Service, append(at, "service")...)
		case r.Service != "":
			c.residueService(r.Service, append(at, "service"))
		default:
			c.name("package", r.Package, packagePattern, append(at, "package")...)
		}
	}
	for i, s := range c.p.Shared {
		c.own(s, "shared", i)
	}
}

func (c *checker) residueService(name string, at []any) {
	if c.p.On(remediate.Windows) && windowsServicePattern.MatchString(name) {
		return
	}
	c.name("service", name, servicePattern, at...)
}

func (c *checker) residuePath(r Residue, at []any) {
	if r.Remove {
		c.removal(r.Path, at...)
	} else if bad := lookProblem(r.Path); bad != "" {
		c.badPath(r.Path, bad, at)
	}
}

// removal demands a path that may be removed with all that is in it.
func (c *checker) removal(name string, at ...any) {
	if !c.own(name, at...) {
		return
	}
	for _, s := range c.p.Shared {
		if sep := separator(s); sep != separator(name) {
			continue
		}
		if s == name {
			c.err(rulePath, fmt.Sprintf("%s: the path is shared; it is removed only when it is empty", name), at...)
		} else if strings.HasPrefix(s, name+separator(s)) {
			c.err(rulePath, fmt.Sprintf("%s: the path is above %s, which is shared", name, s), at...)
		}
	}
}

// own demands a path that is the product's or its vendor's.
func (c *checker) own(name string, at ...any) bool {
	problem := removalProblem
	if isWindowsPath(name) {
		problem = windowsRemovalProblem
	}
	if bad := problem(name); bad != "" {
		c.badPath(name, bad, at)
		return false
	}
	return c.owned(name, at...)
}

// separator is what parts the names of a path.
func separator(p string) string {
	if isWindowsPath(p) {
		return `\`
	}
	return "/"
}

func (c *checker) badPath(name, bad string, at []any) {
	if name != "" {
		bad = name + ": " + bad
	}
	c.err(rulePath, bad, at...)
}

// owned demands that a name in the path is the product's or its vendor's.
func (c *checker) owned(name string, at ...any) bool {
	if !namePattern.MatchString(c.p.Name) || c.p.owned(name) {
		return true
	}
	c.err(ruleForeign, fmt.Sprintf("%s: no folder in this path has a name of %s; list the product's own folder names in owns",
		name, c.p.Name), at...)
	return false
}
