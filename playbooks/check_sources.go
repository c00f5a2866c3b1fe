package playbooks

import (
	"fmt"
	"slices"
	"strings"
)

func (c *checker) secrets() {
	c.size("secrets", len(c.p.Secrets), false, "secrets")
	used := c.secretsUsed()
	seen := map[string]bool{}
	for i, s := range c.p.Secrets {
		at := []any{"secrets", i, "name"}
		if !secretPattern.MatchString(s.Name) {
			c.err(ruleValue, fmt.Sprintf("secret name %q: use lower-case letters, digits and underscores", s.Name), at...)
		} else if seen[s.Name] {
			c.err(ruleValue, fmt.Sprintf("secret %q is there twice", s.Name), at...)
		} else if !used[s.Name] {
			c.err(ruleSecret, fmt.Sprintf("no step reads the secret %q from $OUST_DIR/secrets/%s, and none passes it as a password", s.Name, s.Name), at...)
		}
		seen[s.Name] = true
		if s.What != "" {
			c.line("what", s.What, "secrets", i, "what")
		}
		if s.Encoding != "" {
			c.oneOf("encoding", s.Encoding, []string{EncodingPlain, EncodingUTF16LEHex}, "secrets", i, "encoding")
		}
	}
	for i, s := range c.p.Steps {
		if s.Script == nil {
			continue
		}
		for _, m := range secretUse.FindAllStringSubmatch(s.Script.Text, -1) {
			if !seen[strings.TrimSuffix(m[1], ".cmd")] {
				c.err(ruleSecret, fmt.Sprintf("the step reads the secret %q, which is not declared", m[1]), "steps", i, "script", "text")
			}
		}
	}
}

func (c *checker) secretsUsed() map[string]bool {
	used := map[string]bool{}
	for _, s := range c.p.Steps {
		if s.MSI != nil && s.MSI.Password != nil {
			used[s.MSI.Password.Secret] = true
		}
		if s.Script == nil {
			continue
		}
		for _, m := range secretUse.FindAllStringSubmatch(s.Script.Text, -1) {
			used[strings.TrimSuffix(m[1], ".cmd")] = true
		}
	}
	return used
}

func (c *checker) sources() {
	known := []string{ConfidenceVendor, ConfidencePublic, ConfidenceUnverified}
	c.oneOf("confidence", c.p.Confidence, known, "confidence")
	if len(c.p.Sources) == 0 {
		c.err(ruleSource, "a playbook without sources cannot be judged; say where its claims come from", "sources")
	} else if c.p.Confidence == ConfidenceVendor && !slices.ContainsFunc(c.p.Sources, func(s Source) bool { return s.Confidence == ConfidenceVendor }) {
		c.err(ruleSource, "confidence is vendor, but no source is the vendor's", "confidence")
	}
	c.size("sources", len(c.p.Sources), false, "sources")
	for i, s := range c.p.Sources {
		c.line("claim", s.Claim, "sources", i, "claim")
		c.line("source", s.Source, "sources", i, "source")
		c.oneOf("confidence", s.Confidence, known, "sources", i, "confidence")
	}
}
