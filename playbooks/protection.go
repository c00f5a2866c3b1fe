package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// Protection is a sign of what protects a host. All that it names must hold.
// Unlike a Sign it means what is at work: a service must run, a package must
// be whole, and paths and keys need not be the product's own.
type Protection struct {
	// Platforms narrows a sign of a playbook for several systems to some of
	// them; none means all that know what it names.
	Platforms []remediate.Platform `yaml:"platforms"`
	// Defender is DefenderRunning or "".
	Defender  string         `yaml:"defender"`
	Package   *PackageSign   `yaml:"package"`
	Uninstall *UninstallSign `yaml:"uninstall"`
	// Service is the exact name of a service, which the look asks for by name.
	Service string `yaml:"service"`
	Path    string `yaml:"path"`
	Key     string `yaml:"key"`
}

// DefenderRunning: Microsoft Defender's service runs, and no value of the
// registry turns Defender or its real-time protection off, or makes it passive.
const DefenderRunning = "running"

// defenderService is what runs Microsoft Defender Antivirus. Source:
// Microsoft, "Microsoft Defender Antivirus compatibility with other security
// products".
const defenderService = "WinDefend"

// A standing is whether something holds.
type standing int

// Standings, from what is surely not so to what is.
const (
	holdsNot standing = iota
	holdsUnknown
	holds
)

const untold = "could not be told"

// on reports whether a sign of the playbook can hold on the platform.
func (s Protection) on(p *Playbook, platform remediate.Platform) bool {
	windows, others := s.systems()
	switch {
	case !p.On(platform), len(s.Platforms) > 0 && !slices.Contains(s.Platforms, platform):
		return false
	case platform == remediate.Windows:
		return !others
	}
	return !windows
}

// systems reports whether the sign names things of Windows alone, or of other
// systems.
func (s Protection) systems() (windows, others bool) {
	return s.Defender != "" || s.Uninstall != nil || s.Key != "" || isWindowsPath(s.Path),
		s.Package != nil || s.Path != "" && !isWindowsPath(s.Path)
}

// protections are the playbook's signs on a platform.
func (p *Playbook) protections(platform remediate.Platform) (out []Protection) {
	for _, s := range p.Protection {
		if s.on(p, platform) {
			out = append(out, s)
		}
	}
	return out
}

// askProtection adds what a look must answer so that Bare can decide.
func (p *Playbook) askProtection(q *remediate.Questions, platform remediate.Platform) {
	for _, s := range p.protections(platform) {
		ask(q, platform, s.Path, s.Key)
		if s.Service != "" {
			q.Services = append(q.Services, s.Service)
		}
		if s.Defender != "" {
			q.Services = append(q.Services, defenderService)
		}
	}
}

// Bare says, in one line for a person, that nothing protects a host from which
// products are gone. removed are the names of the playbooks whose products
// were removed from the host, or found there, before this look; those that the
// library does not have are passed over.
//
// The line has at most remediate.MaxText bytes.
//
// It is "" where one of the signs of protection of these playbooks holds; where
// none of them asks for protection on the host's platform; and where a product
// that asks for protection after it is still there, for it protects the host
// itself. What the look could not answer does not protect, and the line says
// that it could not be told.
func (l *Library) Bare(f *remediate.Facts, removed []string) string {
	var wanted []string
	unsure := false
	for _, p := range l.list {
		signs := p.protections(f.Platform)
		if len(signs) == 0 {
			continue
		}
		if slices.ContainsFunc(p.Detect, func(s Sign) bool { _, _, ok := s.match(f); return ok }) {
			return ""
		}
		if !slices.Contains(removed, p.Name) {
			continue
		}
		for _, s := range signs {
			is, why := s.holds(f)
			if is == holds {
				return ""
			}
			unsure = unsure || is == holdsUnknown
			if what := s.words() + why; !slices.Contains(wanted, what) {
				wanted = append(wanted, what)
			}
		}
	}
	if len(wanted) == 0 {
		return ""
	}
	seen := "is there"
	if unsure {
		seen = "was seen"
	}
	return remediate.ClipText(fmt.Sprintf("nothing of what should protect it %s: %s", seen, strings.Join(wanted, ", or ")))
}

// Restart is what the playbooks of these names say about restarts: the
// strictest of their policies, RebootAlways where none says anything. Names
// that the library does not have are passed over.
func (l *Library) Restart(names []string) remediate.RebootPolicy {
	policy := remediate.RebootAlways
	for _, name := range names {
		if p, ok := l.Get(name); ok && p.Restart != "" {
			policy = policy.Stricter(p.Restart)
		}
	}
	return policy
}

// holds reports whether all that the sign names holds, and why not, in
// brackets where there is more to say than that it does not.
func (s Protection) holds(f *remediate.Facts) (standing, string) {
	is, why := holds, ""
	for _, part := range []struct {
		named bool
		ask   func() (standing, string)
	}{
		{s.Defender != "", func() (standing, string) { return defenderHolds(f) }},
		{s.Service != "", func() (standing, string) { return serviceHolds(f, s.Service) }},
		{s.Package != nil, func() (standing, string) { return listed(f, s.Package.whole(f)) }},
		{s.Uninstall != nil, func() (standing, string) { return listed(f, len(s.Uninstall.match(f)) > 0) }},
		{s.Path != "", func() (standing, string) { return pathHolds(f, s.Path) }},
		{s.Key != "", func() (standing, string) { return keyHolds(f, s.Key) }},
	} {
		if !part.named {
			continue
		}
		if now, reason := part.ask(); now < is {
			is, why = now, reason
		}
	}
	if why != "" {
		why = " (" + why + ")"
	}
	return is, why
}

// whole reports whether the host has one of the packages, not merely a part
// of it.
func (s *PackageSign) whole(f *remediate.Facts) bool {
	return slices.ContainsFunc(s.match(f), func(p remediate.Package) bool { return p.Status == remediate.PackageInstalled })
}

// listed is for what a list of the host has or has not: a list that is not
// whole proves nothing.
func listed(f *remediate.Facts, there bool) (standing, string) {
	switch {
	case there:
		return holds, ""
	case len(f.Incomplete) > 0:
		return holdsUnknown, untold
	}
	return holdsNot, ""
}

func serviceHolds(f *remediate.Facts, name string) (standing, string) {
	switch f.Runs(name) {
	case remediate.ServiceRunning:
		return holds, ""
	case remediate.ServiceStopped:
		return holdsNot, "it does not run"
	case remediate.ServiceAbsent:
		return holdsNot, "there is no such service"
	}
	return holdsUnknown, untold
}

func pathHolds(f *remediate.Facts, path string) (standing, string) {
	switch p, asked := f.Path(path); {
	case !asked || p.Kind == remediate.PathDenied:
		return holdsUnknown, untold
	case p.Kind == remediate.PathAbsent:
		return holdsNot, ""
	}
	return holds, ""
}

func keyHolds(f *remediate.Facts, key string) (standing, string) {
	answers := f.Key(key)
	is := func(kind remediate.KeyKind) bool {
		return slices.ContainsFunc(answers, func(k remediate.KeyFact) bool { return k.Kind == kind })
	}
	switch {
	case is(remediate.KeyPresent):
		return holds, ""
	case len(answers) == 0 || is(remediate.KeyDenied):
		return holdsUnknown, untold
	}
	return holdsNot, ""
}
