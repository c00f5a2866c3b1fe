package playbooks

import (
	"fmt"
	"strings"

	"oust/remediate"
)

// advise adds warnings to a playbook that is valid.
func (c *checker) advise() {
	p := c.p
	c.adviseRemoval()
	c.adviseEntries()
	c.adviseFillIn()
	for i, s := range p.Steps {
		if s.Uninstaller != nil && len(s.Uninstaller.Exit) == 0 {
			c.warn(warnExitMap, "exit does not say what the uninstaller's exit codes mean; every one but 0 counts as failed", "steps", i, "uninstaller")
		}
		if s.Script != nil {
			c.warn(warnScript, "a script step is the last way out; it is shown in previews, and nobody checks what it does", "steps", i, "script")
		}
	}
	if !p.ReportOnly() && len(p.Residue) == 0 {
		c.warn(warnResidue, "no residue is listed: a removal that leaves files behind will count as clean", "name")
	}
	if p.Manual == "" && c.reportsResidue() {
		c.warn(warnManual, "residue is reported that no step removes, and manual does not say what to do about it", "residue")
	}
	if strings.TrimSpace(p.Afterwards) == "" && p.Is(KindProduct) {
		c.warn(warnAfterwards, "afterwards does not say what protects the host once the product is gone", "name")
	}
	if !p.ReportOnly() && p.Confidence == ConfidenceUnverified {
		c.warn(warnUnverified, "the removal is unverified: try it on a test host before a campaign", "confidence")
	}
}

// adviseFillIn warns of what a draft has left to a person.
func (c *checker) adviseFillIn() {
	c.problems = append(c.problems, c.p.unwritten()...)
}

// unwritten are the places at which a person has still something to write.
func (p *Playbook) unwritten() (out []Problem) {
	n := 0
	for line := range strings.Lines(string(p.text)) {
		n++
		if i := strings.Index(line, fillIn); i >= 0 {
			x := Problem{File: p.file, Line: n, Column: len([]rune(line[:i])) + 1, Severity: SeverityWarning, Rule: warnFillIn,
				Message: "this is still to be written"}
			x.Excerpt = excerpt(p.text, x.Line, x.Column)
			out = append(out, x)
		}
	}
	return out
}

// Unwritten are the places of the library's playbooks that a draft has left to a
// person: such a playbook may find its product, and is not ready to remove it.
func (l *Library) Unwritten() (out []Problem) {
	for _, p := range l.list {
		out = append(out, p.unwritten()...)
	}
	return out
}

func (c *checker) reportsResidue() bool {
	for _, r := range c.p.Residue {
		if !r.Remove {
			return true
		}
	}
	return false
}

// adviseRemoval warns of packages that are detected and that no step removes.
func (c *checker) adviseRemoval() {
	if c.p.ReportOnly() {
		return
	}
	for i, s := range c.p.Detect {
		if s.Package == nil {
			continue
		}
		for j, n := range s.Package.Names {
			if !c.removes(s.Package.Managers, n) {
				c.warn(warnUnremoved, fmt.Sprintf("package %q is detected, but no step removes it with %s", n,
					strings.Join(s.Package.Managers, " and ")), "detect", i, "package", "names", j)
			}
		}
	}
}

// removes reports whether the package steps cover a pattern with each manager.
func (c *checker) removes(managers []string, pattern string) bool {
	for _, m := range managers {
		if m != remediate.ManagerDpkg && m != remediate.ManagerRPM {
			continue
		}
		covered := false
		for _, s := range c.p.Steps {
			covered = covered || s.Package != nil && s.Package.covers(m, pattern)
		}
		if !covered {
			return false
		}
	}
	return true
}

// covers reports whether the step removes, with the manager, a package that
// the pattern matches.
func (s *PackageStep) covers(manager, pattern string) bool {
	for _, m := range s.Managers {
		if m != manager {
			continue
		}
		for _, n := range s.Names {
			if matchesAny([]string{pattern}, n) {
				return true
			}
		}
	}
	return false
}
