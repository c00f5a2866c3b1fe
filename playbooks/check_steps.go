package playbooks

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"oust/remediate"
)

// stepPlatforms says on which platforms a kind of step can be rendered.
var stepPlatforms = map[string][]remediate.Platform{
	"package":     {remediate.Linux},
	"msi":         {remediate.Windows},
	"uninstaller": {remediate.Windows},
	"service":     {remediate.Linux, remediate.Windows},
	"process":     {remediate.Linux, remediate.Windows},
	"file":        {remediate.Linux, remediate.MacOS, remediate.Windows},
	"key":         {remediate.Windows},
	"script":      {remediate.Linux, remediate.MacOS, remediate.Windows},
}

// stepKinds are the kinds of steps as their keys, for a message.
const stepKinds = "package, msi, uninstaller, service, process, file, key and script"

// verdicts are what an exit code may mean.
var verdicts = []string{remediate.StepOK, remediate.StepAbsent, remediate.StepReboot,
	remediate.StepBusy, remediate.StepProtected, remediate.StepFailed}

// kind names the kind of a step; "" unless exactly one is set.
func (s Step) kind() string {
	set := []struct {
		name string
		is   bool
	}{
		{"package", s.Package != nil}, {"msi", s.MSI != nil}, {"uninstaller", s.Uninstaller != nil},
		{"service", s.Service != nil}, {"process", s.Process != nil}, {"file", s.File != nil}, {"key", s.Key != nil},
		{"script", s.Script != nil},
	}
	found := ""
	for _, k := range set {
		if k.is && found != "" {
			return ""
		}
		if k.is {
			found = k.name
		}
	}
	return found
}

func (c *checker) steps() {
	c.size("steps", len(c.p.Steps), false, "steps")
	for i, s := range c.p.Steps {
		at := []any{"steps", i}
		kind := s.kind()
		if kind == "" {
			c.err(ruleStep, "a step needs exactly one of "+stepKinds, at...)
			continue
		}
		c.stepPlatforms(s, kind, at)
		c.step(s, append(at, kind))
	}
}

// stepPlatforms demands that the step is one of all of the playbook's systems,
// or says of which. Kinds that Windows alone has, or all others, need not.
func (c *checker) stepPlatforms(s Step, kind string, at []any) {
	for i, p := range s.Platforms {
		here := append(slices.Clone(at), "platforms", i)
		if !c.p.On(p) {
			c.err(ruleStep, fmt.Sprintf("%q is not among the playbook's platforms", p), here...)
		} else if !slices.Contains(stepPlatforms[kind], p) {
			c.err(ruleStep, fmt.Sprintf("a %s step cannot be rendered for %s", kind, p), here...)
		}
	}
	if len(s.Platforms) > 0 {
		return
	}
	known := slices.ContainsFunc(c.p.Platforms, s.on)
	windows, others := c.p.On(remediate.Windows), len(c.p.Platforms) > 1 || !c.p.On(remediate.Windows)
	for _, p := range c.p.Platforms {
		foreign := windows && others && s.File == nil && slices.Contains(stepPlatforms[kind], remediate.Windows) != slices.Contains(stepPlatforms[kind], remediate.Linux)
		if !slices.Contains(stepPlatforms[kind], p) && !(foreign && known) {
			c.err(ruleStep, fmt.Sprintf("a %s step cannot be rendered for %s", kind, p), at...)
		}
	}
	if windows && others && (s.Service != nil || s.Process != nil || s.Script != nil) {
		c.err(ruleStep, fmt.Sprintf("Windows and other systems have other names for a %s step; say platforms: [windows], or which", kind), at...)
	}
}

// windowsOnly reports whether the step is for Windows and no other system.
func (c *checker) windowsOnly(s Step) bool {
	platforms := s.Platforms
	if len(platforms) == 0 {
		platforms = c.p.Platforms
	}
	return len(platforms) == 1 && platforms[0] == remediate.Windows
}

func (c *checker) step(s Step, at []any) {
	switch {
	case s.MSI != nil:
		c.msi(s.MSI, at)
	case s.Uninstaller != nil:
		c.uninstaller(s.Uninstaller, at)
	case s.Key != nil:
		c.keyRemoval(s.Key.Key, append(at, "key")...)
	case s.Service != nil && c.windowsOnly(s):
		c.names("service", s.Service.Names, at, func(n string, at ...any) { c.name("service", n, windowsServicePattern, at...) })
	case s.Process != nil && c.windowsOnly(s):
		c.windowsProcess(s.Process, at)
	case s.Script != nil && c.windowsOnly(s):
		c.line("what", s.Script.What, append(slices.Clone(at), "what")...)
		c.batch(s.Script, at)
		c.covers(s.Script.Covers, append(slices.Clone(at), "covers"))
	case s.Package != nil:
		c.managers(s.Package.Managers, []string{remediate.ManagerDpkg, remediate.ManagerRPM}, at)
		c.names("package", s.Package.Names, at, func(n string, at ...any) { c.name("package", n, packagePattern, at...) })
		c.exit(s.Package.Exit, append(at, "exit"))
	case s.Service != nil:
		c.names("service", s.Service.Names, at, func(n string, at ...any) { c.name("service", n, servicePattern, at...) })
	case s.Process != nil:
		c.process(s.Process, at)
	case s.File != nil:
		c.removal(s.File.Path, append(at, "path")...)
	case s.Script != nil:
		c.line("what", s.Script.What, append(slices.Clone(at), "what")...)
		if len(s.Script.Covers) > 0 {
			c.err(ruleStep, "covers is for a script of Windows alone, where the list of programs is; say platforms: [windows]", append(slices.Clone(at), "covers")...)
		}
		c.script(s.Script, at)
	}
}

func (c *checker) names(what string, names []string, at []any, one func(string, ...any)) {
	at = append(slices.Clone(at), "names")
	c.size(what+" names", len(names), true, at...)
	for i, n := range names {
		one(n, append(slices.Clone(at), i)...)
		if slices.Contains(names[:i], n) {
			c.err(ruleValue, fmt.Sprintf("%s name %q is there twice", what, n), append(slices.Clone(at), i)...)
		}
	}
}

func (c *checker) process(s *ProcessStep, at []any) {
	if len(s.Paths)+len(s.Names) == 0 {
		c.err(ruleRequired, "a process step needs paths or names", at...)
	}
	for i, p := range s.Paths {
		here := append(slices.Clone(at), "paths", i)
		if bad := pathProblem(p); bad != "" {
			c.badPath(p, bad, here)
		} else {
			c.owned(p, here...)
		}
	}
	for i, n := range s.Names {
		if !processPattern.MatchString(n) {
			c.err(ruleValue, fmt.Sprintf("process name %q: use at most 15 letters, digits and ._@:+-", n), append(slices.Clone(at), "names", i)...)
		}
	}
	if _, err := s.grace(); err != nil {
		c.err(ruleValue, err.Error(), append(at, "grace")...)
	}
}

// grace is Grace read, or its default.
func (s *ProcessStep) grace() (time.Duration, error) {
	if s.Grace == "" {
		return defaultGrace, nil
	}
	d, err := time.ParseDuration(s.Grace)
	if err != nil || d < 0 || d > 5*time.Minute || d%time.Second != 0 {
		return 0, fmt.Errorf("grace %q: use whole seconds as in 10s, at most 5m", s.Grace)
	}
	return d, nil
}

func (c *checker) exit(codes ExitCodes, at []any) {
	if _, ok := codes[0]; len(codes) > 0 && !ok {
		c.err(ruleExit, "the table does not say what exit code 0 means, so that it would count as failed; write 0: ok", at...)
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		here := append(slices.Clone(at), code)
		if most := c.mostExit(); code < 0 && most == 255 || code > most || code < -1<<31 {
			c.err(ruleExit, fmt.Sprintf("exit code %d is not between 0 and %d", code, most), here...)
		}
		if !slices.Contains(verdicts, codes[code]) {
			c.err(ruleExit, fmt.Sprintf("exit code %d: verdict %q is unknown; use %s", code, codes[code], orNearest(codes[code], verdicts)), here...)
		}
	}
}

// mostExit is the highest exit code that one of the playbook's systems has.
func (c *checker) mostExit() int {
	if c.p.On(remediate.Windows) {
		return 1<<31 - 1
	}
	return 255
}

// removesOnlyDetected: a package that is no sign of the product is not the
// playbook's to remove.
func (c *checker) removesOnlyDetected() {
	for i, s := range c.p.Steps {
		if s.Package == nil {
			continue
		}
		for j, n := range s.Package.Names {
			if !c.p.detectsPackage(n) {
				c.err(ruleUndetected, fmt.Sprintf("package %q is removed, but no sign detects it", n), "steps", i, "package", "names", j)
			}
		}
	}
	for i, r := range c.p.Residue {
		if r.Package != "" && !c.p.detectsPackage(r.Package) {
			c.err(ruleUndetected, fmt.Sprintf("package %q is residue, but no sign detects it", r.Package), "residue", i, "package")
		}
	}
}

func (p *Playbook) detectsPackage(name string) bool {
	for _, s := range p.Detect {
		if s.Package != nil && matchesAny(s.Package.Names, name) {
			return true
		}
	}
	return false
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchesName(p, name) })
}

// matchesName is path.Match, which takes its time even for a plain name.
func matchesName(pattern, name string) bool {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return pattern == name
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
