package playbooks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"oust/remediate"
)

var (
	namePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,63}$`)
	ownPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9 ._-]{2,63}$`)
	packagePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]{0,127}$`)
	servicePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,127}$`)
	processPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,14}$`)
	secretPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	secretUse      = regexp.MustCompile(`\bsecrets[/\\]([A-Za-z0-9_.-]+)`)
)

// maxList bounds every list of a playbook.
const maxList = 100

// checker gathers the problems of one playbook.
type checker struct {
	p        *Playbook
	problems []Problem
}

// check applies every rule to a decoded playbook.
func check(p *Playbook) []Problem {
	c := &checker{p: p}
	c.head()
	c.kind()
	c.detect()
	c.blocks()
	c.protection()
	c.steps()
	c.residue()
	c.secrets()
	c.sources()
	c.removesOnlyDetected()
	c.sparesSystem()
	c.wideResidue()
	c.wideDetect()
	if invalid(c.problems) == nil {
		c.advise()
	}
	sortProblems(c.problems)
	return c.problems
}

func (c *checker) add(sev Severity, rule, msg string, at []any) {
	p := c.p.problem(rule, msg, at...)
	p.Severity = sev
	c.problems = append(c.problems, p)
}

func (c *checker) err(rule, msg string, at ...any)  { c.add(SeverityError, rule, msg, at) }
func (c *checker) warn(rule, msg string, at ...any) { c.add(SeverityWarning, rule, msg, at) }

// line demands one line of text that a terminal shows as it is.
func (c *checker) line(what, value string, at ...any) {
	if strings.TrimSpace(value) == "" {
		c.err(ruleRequired, what+" is missing", at...)
	} else if !printable(value) {
		c.err(ruleValue, what+" must be one line of text without control characters", at...)
	} else if len(value) > 1000 {
		c.err(ruleValue, what+" is longer than 1000 bytes", at...)
	}
}

// prose demands text of a few lines at most; it may be missing.
func (c *checker) prose(key, value string) {
	if !printable(strings.ReplaceAll(value, "\n", "")) {
		c.err(ruleValue, key+" holds control characters", key)
	} else if len(value) > 4000 {
		c.err(ruleValue, key+" is longer than 4000 bytes", key)
	}
}

// printable is false for text with control characters, with those that turn
// the direction of what follows, and for bytes that are not UTF-8.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0
}

// oneOf demands one of the known words.
func (c *checker) oneOf(what, value string, known []string, at ...any) {
	if value == "" {
		c.err(ruleRequired, fmt.Sprintf("%s is missing; use %s", what, strings.Join(known, ", ")), at...)
	} else if !slices.Contains(known, value) {
		c.err(ruleValue, fmt.Sprintf("%s %q is unknown; use %s", what, value, orNearest(value, known)), at...)
	}
}

// orNearest is the known word that was probably meant, or all of them.
func orNearest(value string, known []string) string {
	if near := remediate.Nearest(value, known); near != "" {
		return near
	}
	return strings.Join(known, ", ")
}

// size demands a list of 1 to maxList entries (0 too, unless required).
func (c *checker) size(what string, n int, required bool, at ...any) {
	if n == 0 && required {
		c.err(ruleRequired, what+" is missing", at...)
	}
	if n > maxList {
		c.err(ruleValue, fmt.Sprintf("%s has %d entries; at most %d are allowed", what, n, maxList), at...)
	}
}

func (c *checker) head() {
	p := c.p
	if p.Format != Format {
		c.err(ruleValue, fmt.Sprintf("format is %d; this program reads format %d", p.Format, Format), "format")
	}
	if p.Name == "" {
		c.err(ruleRequired, "name is missing; write vendor/product")
	} else if !namePattern.MatchString(p.Name) {
		c.err(ruleValue, fmt.Sprintf("name %q is not vendor/product in lower case", p.Name), "name")
	}
	c.line("title", p.Title, "title")
	c.line("vendor", p.Vendor, "vendor")
	c.size("platforms", len(p.Platforms), true, "platforms")
	for i, x := range p.Platforms {
		c.oneOf("platform", string(x), []string{string(remediate.Linux), string(remediate.MacOS), string(remediate.Windows)}, "platforms", i)
	}
	c.size("after", len(p.After), false, "after")
	for i, a := range p.After {
		if a == p.Name {
			c.err(ruleAfter, "a playbook cannot come after itself", "after", i)
		}
	}
	c.owns()
	c.prose("first", p.First)
	c.prose("manual", p.Manual)
	c.prose("afterwards", p.Afterwards)
	if p.Reboot != "" {
		c.oneOf("reboot", p.Reboot, []string{RebootNever, RebootMaybe, RebootNeeded}, "reboot")
	}
	if p.Restart != "" {
		c.oneOf("restart", string(p.Restart), restartPolicies, "restart")
	}
	if p.ReportOnly() && strings.TrimSpace(p.Manual) == "" {
		c.err(ruleRequired, "a playbook without steps must say in manual what a person has to do", "name")
	}
}

func (c *checker) owns() {
	c.size("owns", len(c.p.Owns), false, "owns")
	for i, o := range c.p.Owns {
		if !ownPattern.MatchString(o) {
			c.err(ruleValue, fmt.Sprintf("own folder name %q: use three or more lower-case letters, digits, dots or dashes", o), "owns", i)
		} else if generic(o) {
			c.err(ruleValue, fmt.Sprintf("own folder name %q is one that many products use", o), "owns", i)
		}
	}
}

func (c *checker) name(what, value string, pattern *regexp.Regexp, at ...any) {
	if !pattern.MatchString(value) {
		c.err(ruleValue, fmt.Sprintf("%s name %q: wildcards, spaces and signs are not allowed here", what, value), at...)
	}
}

// count counts what is true.
func count(set ...bool) int {
	n := 0
	for _, s := range set {
		if s {
			n++
		}
	}
	return n
}
