package playbooks

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"oust/remediate"
)

// signPlatforms demands that a sign can hold on one of the platforms.
func (c *checker) signPlatforms(s Sign, at []any) {
	windows, others := s.systems()
	switch {
	case windows && others:
		c.err(ruleDetect, "the sign names things of Windows and of other systems, and can hold on neither", at...)
	case windows && !c.p.On(remediate.Windows):
		c.err(ruleDetect, "the sign is of Windows, which is not among the platforms", at...)
	case others && len(c.p.Platforms) > 0 && !slices.ContainsFunc(c.p.Platforms, func(p remediate.Platform) bool { return p != remediate.Windows }):
		c.err(ruleDetect, "the sign cannot hold on Windows", at...)
	}
}

func (c *checker) uninstallSign(s *UninstallSign, at []any) {
	under := func(key string, i int) []any { return append(slices.Clone(at), key, i) }
	if alone := len(s.Names) == 0 && len(s.UpgradeCodes) == 0; alone && (len(s.Publishers) == 0 || !c.p.Is(KindPublisher)) {
		c.err(ruleDetect, "an uninstall sign needs names or upgrade_codes; a publisher alone makes many products", at...)
	}
	for key, list := range map[string][]string{"names": s.Names, "publishers": s.Publishers, "upgrade_codes": s.UpgradeCodes} {
		c.size(key, len(list), false, append(slices.Clone(at), key)...)
	}
	for i, n := range s.Names {
		c.wildcard("product name", n, under("names", i))
	}
	for i, n := range s.Publishers {
		c.wildcard("publisher", n, under("publishers", i))
	}
	for i, u := range s.UpgradeCodes {
		if !guidPattern.MatchString(u) {
			c.err(ruleValue, fmt.Sprintf("upgrade code %q: write {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}", u), under("upgrade_codes", i)...)
		}
	}
}

// wildcard demands a pattern that cannot match nearly everything.
func (c *checker) wildcard(what, pattern string, at []any) {
	switch {
	case !printable(pattern) || strings.TrimSpace(pattern) != pattern:
		c.err(ruleDetect, fmt.Sprintf("%s %q holds control characters or begins or ends with a blank", what, pattern), at...)
	case !fixed(pattern):
		c.err(ruleDetect, fmt.Sprintf("%s %q would match anything; give at least three letters, of Chinese, Japanese and Korean two without wildcards", what, pattern), at...)
	case pattern[0] == '*' || pattern[0] == '?':
		c.warn(warnLeading, fmt.Sprintf("%s %q begins with a wildcard and may match what others make", what, pattern), at...)
	}
}

// syllables are scripts of which one letter says as much as two of others.
var syllables = []*unicode.RangeTable{unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana}

// fixed reports whether a pattern has letters enough to mean something. A whole
// name of two syllables is a word; with a wildcard it would begin many.
func fixed(pattern string) bool {
	n := 0
	for _, r := range pattern {
		switch {
		case unicode.In(r, syllables...) && !strings.ContainsAny(pattern, "*?"):
			n += 2
		case unicode.IsLetter(r):
			n++
		}
	}
	return n >= 3
}

func (c *checker) signKey(key string, at []any) {
	if bad := keyProblem(key); bad != "" {
		c.err(rulePath, key+": "+bad, at...)
	} else if namePattern.MatchString(c.p.Name) && !c.p.owned(key) {
		c.err(ruleDetect, fmt.Sprintf("%s: nothing in this key is the product's own; it proves nothing", key), at...)
	}
}
