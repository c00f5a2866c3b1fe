package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// adviseEntries warns of entries of the list of programs that are detected, where
// the playbook removes something from Windows and no step takes these: the
// whole product is then left to a person.
func (c *checker) adviseEntries() {
	var covered []string
	changes := false
	for _, s := range c.p.Steps {
		switch {
		case !s.on(remediate.Windows):
		case s.MSI != nil, s.Uninstaller != nil:
			return // by the kind of the entry, which only a host tells
		case s.Script != nil:
			changes, covered = true, append(covered, s.Script.Covers...)
		case s.File != nil, s.Key != nil:
			changes = true
		}
	}
	if !changes {
		return
	}
	for i, s := range c.p.Detect {
		if s.Uninstall == nil {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(s.Uninstall.Names), func(n string) bool { return slices.Contains(covered, n) })
		switch {
		case len(left) > 0:
			c.warn(warnUnremoved, fmt.Sprintf("no step removes the entries %s, so that a host with one is left to a person; a script step names under covers what it removes",
				strings.Join(left, ", ")), "detect", i, "uninstall", "names")
		case len(s.Uninstall.Names) == 0:
			c.warn(warnUnremoved, "no step removes the entries of these families, so that a host with one is left to a person; add an msi step", "detect", i, "uninstall")
		}
	}
}
