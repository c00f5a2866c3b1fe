package playbooks

import (
	"fmt"
	"slices"
)

// kinds are what kind may say.
var kinds = []string{KindProduct, KindEmbedded, KindPublisher}

// kind demands that a playbook which never removes has nothing that removes.
func (c *checker) kind() {
	p := c.p
	if p.Kind != "" {
		c.oneOf("kind", p.Kind, kinds, "kind")
	}
	if p.Is(KindProduct) || !slices.Contains(kinds, p.Kind) {
		return
	}
	for _, k := range []struct {
		key string
		set bool
	}{
		{"after", len(p.After) > 0}, {"blocks", len(p.Blocks) > 0}, {"steps", len(p.Steps) > 0}, {"residue", len(p.Residue) > 0},
		{"shared", len(p.Shared) > 0}, {"secrets", len(p.Secrets) > 0}, {"reboot", p.Reboot != ""}, {"restart", p.Restart != ""},
		{"protection", len(p.Protection) > 0},
	} {
		if k.set {
			c.err(ruleKind, fmt.Sprintf("%s: a playbook of kind %s finds and reports, and never removes; take it out", k.key, p.Kind), k.key)
		}
	}
	if !p.Is(KindPublisher) {
		return
	}
	for i, s := range p.Detect {
		if s.Service != "" || s.Path != "" || s.Key != "" {
			c.err(ruleKind, "a sign of a playbook of kind publisher has entries and packages alone: others can claim them one by one", "detect", i)
		}
	}
}
