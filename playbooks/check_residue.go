package playbooks

import (
	"fmt"
	"strings"
)

func (c *checker) residue() {
	c.size("residue", len(c.p.Residue), false, "residue")
	for i, r := range c.p.Residue {
		at := []any{"residue", i}
		switch {
		case count(r.Path != "", r.Service != "", r.Package != "") != 1:
			c.err(ruleStep, "residue needs exactly one of path, service and package", at...)
		case r.Path != "":
			c.residuePath(r, append(at, "path"))
		case r.Service != "":
			c.name("service", r.Service, servicePattern, append(at, "service")...)
		default:
			c.name("package", r.Package, packagePattern, append(at, "package")...)
		}
	}
	for i, s := range c.p.Shared {
		c.removal(s, "shared", i)
		for j, r := range c.p.Residue {
			if r.Remove && r.Path == s {
				c.err(rulePath, fmt.Sprintf("%s is shared; it cannot be residue that is removed with what is in it", s), "residue", j, "path")
			}
		}
	}
}

func (c *checker) residuePath(r Residue, at []any) {
	if r.Remove {
		c.removal(r.Path, at...)
	} else if bad := pathProblem(r.Path); bad != "" {
		c.err(rulePath, fmt.Sprintf("%s: %s", r.Path, bad), at...)
	}
}

// removal demands a path that may be removed with all that is in it.
func (c *checker) removal(name string, at ...any) {
	if bad := removalProblem(name); bad != "" {
		c.err(rulePath, fmt.Sprintf("%s: %s", name, bad), at...)
		return
	}
	if !c.p.owned(name) {
		c.err(ruleForeign, fmt.Sprintf("%s: no folder in this path has a name of %s; list the product's own folder names in owns",
			name, c.p.Name), at...)
		return
	}
	for _, s := range c.p.Shared {
		if strings.HasPrefix(s, name+"/") {
			c.err(rulePath, fmt.Sprintf("%s: the path is above %s, which is shared", name, s), at...)
		}
	}
}
