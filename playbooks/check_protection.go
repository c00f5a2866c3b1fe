package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// restartPolicies are what restart may say.
var restartPolicies = []string{string(remediate.RebootNever), string(remediate.RebootInWindow), string(remediate.RebootAlways)}

// protection demands signs that can hold and that a look can answer.
func (c *checker) protection() {
	c.size("protection", len(c.p.Protection), false, "protection")
	for i, s := range c.p.Protection {
		at := []any{"protection", i}
		if s.Defender == "" && s.Package == nil && s.Uninstall == nil && s.Service == "" && s.Path == "" && s.Key == "" {
			c.err(ruleProtection, "a sign without defender, package, uninstall, service, path or key would hold everywhere", at...)
			continue
		}
		if s.Defender != "" {
			c.oneOf("defender", s.Defender, []string{DefenderRunning}, append(slices.Clone(at), "defender")...)
		}
		c.protectionPlatforms(s, at)
		c.protectionSigns(s, at)
	}
}

// protectionPlatforms demands that the sign can hold on one of the playbook's
// systems, and that the name of a service is of one.
func (c *checker) protectionPlatforms(s Protection, at []any) {
	for i, p := range s.Platforms {
		if !c.p.On(p) {
			c.err(ruleProtection, fmt.Sprintf("%q is not among the playbook's platforms", p), append(slices.Clone(at), "platforms", i)...)
		}
	}
	windows, others := s.systems()
	on := slices.DeleteFunc(slices.Clone(c.p.Platforms), func(p remediate.Platform) bool { return !s.on(c.p, p) })
	switch {
	case windows && others:
		c.err(ruleProtection, "the sign names things of Windows and of other systems, and can hold on neither", at...)
	case len(on) == 0 && len(c.p.Platforms) > 0:
		c.err(ruleProtection, "the sign can hold on none of the platforms", at...)
	case s.Service != "" && slices.Contains(on, remediate.MacOS):
		c.err(ruleProtection, "whether a service runs is not asked on macOS; name a path there", append(slices.Clone(at), "service")...)
	case s.Service != "" && len(s.Platforms) == 0 && len(on) > 1:
		c.err(ruleProtection, "services have other names on Windows; say in platforms where this one is meant", at...)
	}
}

func (c *checker) protectionSigns(s Protection, at []any) {
	under := func(key string) []any { return append(slices.Clone(at), key) }
	if s.Package != nil {
		c.packageSign(s.Package, under("package"))
	}
	if s.Uninstall != nil {
		c.uninstallSign(s.Uninstall, under("uninstall"))
	}
	if s.Service != "" {
		c.name("service", s.Service, servicePattern, under("service")...)
	}
	if bad := lookProblem(s.Path); s.Path != "" && bad != "" {
		c.badPath(s.Path, bad, under("path"))
	}
	if bad := keyProblem(s.Key); s.Key != "" && bad != "" {
		c.err(rulePath, s.Key+": "+bad, under("key")...)
	}
}

// words says for a person what the sign means.
func (s Protection) words() string {
	var out []string
	if s.Defender != "" {
		out = append(out, "Microsoft Defender running")
	}
	if s.Service != "" {
		out = append(out, "service "+s.Service+" running")
	}
	if s.Package != nil {
		out = append(out, "package "+strings.Join(s.Package.Names, " or ")+" installed")
	}
	if s.Uninstall != nil {
		names := s.Uninstall.Names
		if len(names) == 0 {
			names = s.Uninstall.UpgradeCodes
		}
		out = append(out, strings.Join(names, " or ")+" installed")
	}
	for _, place := range []string{s.Path, s.Key} {
		if place != "" {
			out = append(out, place+" there")
		}
	}
	return strings.Join(out, " and ")
}
