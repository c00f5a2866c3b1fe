package playbooks

import (
	"errors"
	"strings"
	"testing"

	"oust/remediate"
)

const leavesThings = `
format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux]
after: [acme/console]
detect:
  - package: {managers: [dpkg], names: [acme-widget]}
blocks:
  - {path: /etc/crypttab.acme, why: the disk may be encrypted}
steps:
  - package: {managers: [dpkg], names: [acme-widget]}
residue:
  - {path: /var/lib/acme/widget, remove: true}
manual: call Acme
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`

const staysThere = `
format: 1
name: acme/console
title: Console
vendor: Acme
platforms: [linux]
detect:
  - package: {managers: [dpkg], names: [acme-console]}
manual: call Acme
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`

// TestResidueIsHeld: what is left of a product stays where a block holds, or
// where a product stays that must go first.
func TestResidueIsHeld(t *testing.T) {
	t.Parallel()
	l := mustLibrary(t, leavesThings, staysThere)
	facts := func(crypt remediate.PathKind, packages ...remediate.Package) *remediate.Facts {
		return &remediate.Facts{Platform: remediate.Linux, Packages: packages, Paths: []remediate.PathFact{
			{Path: "/var/lib/acme/widget", Kind: remediate.PathDir}, {Path: "/etc/crypttab.acme", Kind: crypt}}}
	}
	for name, c := range map[string]struct {
		facts *remediate.Facts
		why   string // "" means that there is a script
	}{
		"alone":             {facts(remediate.PathAbsent), ""},
		"a block":           {facts(remediate.PathFile), "acme/widget: the disk may be encrypted"},
		"the console stays": {facts(remediate.PathAbsent, pkg("dpkg", "acme-console")), "acme/widget: it must go after acme/console, which stays"},
	} {
		_, err := l.Render(RenderInput{Facts: c.facts, Findings: l.Match(c.facts)})
		u, unsupported := errors.AsType[*UnsupportedError](err)
		if c.why == "" && err != nil || c.why != "" && (!unsupported || !strings.Contains(u.Error(), c.why)) {
			t.Errorf("%s: Render gives %v, want %q", name, err, c.why)
		}
	}
}
