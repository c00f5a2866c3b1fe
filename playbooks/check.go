package playbooks

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

var (
	namePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,63}$`)
	ownPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9 ._-]{2,63}$`)
	packagePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]{0,127}$`)
	servicePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,127}$`)
	processPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,14}$`)
	secretPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	secretUse      = regexp.MustCompile(`\bsecrets/([A-Za-z0-9_.-]+)`)
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
	c.detect()
	c.steps()
	c.residue()
	c.secrets()
	c.sources()
	c.removesOnlyDetected()
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

// line demands one line of text without control characters.
func (c *checker) line(what, value string, at ...any) {
	switch {
	case strings.TrimSpace(value) == "":
		c.err(ruleRequired, what+" is missing", at...)
	case strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) >= 0:
		c.err(ruleValue, what+" must be one line of UTF-8 text", at...)
	case len(value) > 1000:
		c.err(ruleValue, what+" is longer than 1000 bytes", at...)
	}
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
		c.oneOf("platform", string(x), []string{string(remediate.Linux), string(remediate.MacOS)}, "platforms", i)
	}
	c.size("after", len(p.After), false, "after")
	for i, a := range p.After {
		if a == p.Name {
			c.err(ruleAfter, "a playbook cannot come after itself", "after", i)
		}
	}
	for i, o := range p.Owns {
		if !ownPattern.MatchString(o) {
			c.err(ruleValue, fmt.Sprintf("own folder name %q: use three or more lower-case letters, digits, dots or dashes", o), "owns", i)
		}
	}
	if p.Reboot != "" {
		c.oneOf("reboot", p.Reboot, []string{RebootNever, RebootMaybe, RebootNeeded}, "reboot")
	}
	if p.ReportOnly() && strings.TrimSpace(p.Manual) == "" {
		c.err(ruleRequired, "a playbook without steps must say in manual what a person has to do", "name")
	}
}

func (c *checker) detect() {
	c.size("detect", len(c.p.Detect), true, "detect")
	for i, s := range c.p.Detect {
		at := []any{"detect", i}
		if s.Package == nil && s.Service == "" && s.Path == "" {
			c.err(ruleDetect, "a sign without package, service or path would match everything", at...)
		}
		if s.Package != nil {
			c.packageSign(s.Package, append(at, "package"))
		}
		if s.Service != "" {
			c.glob("service", s.Service, append(at, "service")...)
		}
		if s.Path != "" {
			c.signPath(s.Path, append(at, "path"))
		}
	}
}

func (c *checker) signPath(name string, at []any) {
	if bad := pathProblem(name); bad != "" {
		c.err(rulePath, fmt.Sprintf("%s: %s", name, bad), at...)
	} else if namePattern.MatchString(c.p.Name) && !c.p.owned(name) {
		c.err(ruleDetect, fmt.Sprintf("%s: nothing in this path is the product's own; it proves nothing", name), at...)
	}
}

func (c *checker) packageSign(s *PackageSign, at []any) {
	c.managers(s.Managers, []string{remediate.ManagerDpkg, remediate.ManagerRPM, remediate.ManagerApk,
		remediate.ManagerPkgutil, remediate.ManagerApp}, at)
	c.size("names", len(s.Names), true, append(at, "names")...)
	for i, n := range s.Names {
		c.glob("package", n, append(slices.Clone(at), "names", i)...)
	}
}

func (c *checker) managers(have, known []string, at []any) {
	c.size("managers", len(have), true, append(slices.Clone(at), "managers")...)
	for i, m := range have {
		c.oneOf("package manager", m, known, append(slices.Clone(at), "managers", i)...)
	}
}

// glob demands a pattern that cannot match nearly everything.
func (c *checker) glob(what, pattern string, at ...any) {
	if _, err := path.Match(pattern, ""); err != nil {
		c.err(ruleDetect, fmt.Sprintf("%s pattern %q: %v", what, pattern, err), at...)
		return
	}
	if strings.ContainsAny(pattern, "/\x00\n ") && what != "package" {
		c.err(ruleDetect, fmt.Sprintf("%s pattern %q can match nothing", what, pattern), at...)
	}
	if !hasWildcard(pattern) {
		return
	}
	literal := 0
	for _, part := range strings.FieldsFunc(pattern, func(r rune) bool { return strings.ContainsRune("*?[]-", r) }) {
		literal += len(part)
	}
	if literal < 3 {
		c.err(ruleDetect, fmt.Sprintf("%s pattern %q would match anything; give at least three letters", what, pattern), at...)
	} else if pattern[0] == '*' || pattern[0] == '?' {
		c.warn(warnLeading, fmt.Sprintf("%s pattern %q begins with a wildcard and may match what others make", what, pattern), at...)
	}
}

func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

func (c *checker) name(what, value string, pattern *regexp.Regexp, at ...any) {
	if !pattern.MatchString(value) {
		c.err(ruleValue, fmt.Sprintf("%s name %q: wildcards, spaces and signs are not allowed here", what, value), at...)
	}
}

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
			c.err(ruleSecret, fmt.Sprintf("no step reads the secret %q from $OUST_DIR/secrets/%s", s.Name, s.Name), at...)
		}
		seen[s.Name] = true
		if s.Encoding != "" {
			c.oneOf("encoding", s.Encoding, []string{EncodingPlain, EncodingUTF16LEHex}, "secrets", i, "encoding")
		}
	}
	for i, s := range c.p.Steps {
		if s.Script == nil {
			continue
		}
		for _, m := range secretUse.FindAllStringSubmatch(s.Script.Text, -1) {
			if !seen[m[1]] {
				c.err(ruleSecret, fmt.Sprintf("the step reads the secret %q, which is not declared", m[1]), "steps", i, "script", "text")
			}
		}
	}
}

func (c *checker) secretsUsed() map[string]bool {
	used := map[string]bool{}
	for _, s := range c.p.Steps {
		if s.Script == nil {
			continue
		}
		for _, m := range secretUse.FindAllStringSubmatch(s.Script.Text, -1) {
			used[m[1]] = true
		}
	}
	return used
}

func (c *checker) sources() {
	known := []string{ConfidenceVendor, ConfidencePublic, ConfidenceUnverified}
	c.oneOf("confidence", c.p.Confidence, known, "confidence")
	if len(c.p.Sources) == 0 {
		c.err(ruleSource, "a playbook without sources cannot be judged; say where its claims come from", "sources")
	}
	for i, s := range c.p.Sources {
		c.line("claim", s.Claim, "sources", i, "claim")
		c.line("source", s.Source, "sources", i, "source")
		c.oneOf("confidence", s.Confidence, known, "sources", i, "confidence")
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
