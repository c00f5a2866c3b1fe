package playbooks

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"
)

//go:embed common_software.txt
var commonText string

// commonName is a name of software that is on many hosts.
type commonName struct{ maker, name string }

var commonNames = sync.OnceValue(func() (out []commonName) {
	for line := range strings.Lines(commonText) {
		maker, names, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for name := range strings.SplitSeq(names, ";") {
			out = append(out, commonName{maker, strings.TrimSpace(name)})
		}
	}
	return out
})

// letters are the letters and digits of a name, in lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// sameMaker reports whether two names are of one maker: one begins the other.
func sameMaker(a, b string) bool {
	a, b = letters(a), letters(b)
	return a != "" && b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// wideDetect refuses patterns with wildcards that mean common software of
// somebody else. A name that is written out is meant.
func (c *checker) wideDetect() {
	for i, s := range c.p.Detect {
		if s.Package != nil {
			c.wideNames(s.Package.Names, matchesName, "detect", i, "package", "names")
		}
		if s.Uninstall != nil && len(s.Uninstall.UpgradeCodes) == 0 && len(s.Uninstall.Publishers) == 0 {
			c.wideNames(s.Uninstall.Names, wildFold, "detect", i, "uninstall", "names")
		}
		if s.MSIX != nil {
			c.wideNames(s.MSIX.Names, wildFold, "detect", i, "msix", "names")
		}
		if s.Service != "" && s.Path == "" && s.Key == "" {
			c.wideName(s.Service, func(pattern, name string) bool {
				return matchesName(strings.ToLower(pattern), strings.ToLower(name))
			}, "detect", i, "service")
		}
	}
}

func wildFold(pattern, name string) bool { return anyWild([]string{pattern}, name) }

func (c *checker) wideNames(patterns []string, match func(pattern, name string) bool, at ...any) {
	for i, p := range patterns {
		c.wideName(p, match, append(at[:len(at):len(at)], i)...)
	}
}

func (c *checker) wideName(pattern string, match func(pattern, name string) bool, at ...any) {
	if !hasWildcard(pattern) || len(letters(pattern)) < 3 {
		return // meant, or too short in any case
	}
	for _, common := range commonNames() {
		if match(pattern, common.name) && !sameMaker(common.maker, c.p.Vendor) {
			c.err(ruleWide, fmt.Sprintf("%q is too wide: it means %s of %s, too", pattern, common.name, common.maker), at...)
			return
		}
	}
}
