package remediate

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Bounds of a selection expression.
const (
	maxSelector      = 64 << 10 // bytes
	maxSelectorTerms = 10_000
)

// Selector is a parsed selection of hosts: alternatives, each of which is a
// list of terms that all have to hold. The zero value selects every host.
type Selector struct {
	any [][]selectorTerm
}

// SelectorView is what a selector looks at of a host. Standing, Class and OS
// are needed only by a selector whose NeedsState is true.
type SelectorView struct {
	Host     Host
	Standing Standing
	// Class is the host's last failure that nothing better has followed.
	Class Class
	// OS is what a look found, such as "debian 13"; the platform stands in
	// for it where no look has succeeded.
	OS string
}

type selectorTerm struct {
	not  bool
	key  string // empty: the name
	want string // a glob, in lower case where the key ignores case
}

const (
	keySite     = "site"
	keyTag      = "tag"
	keyOwner    = "owner"
	keyOS       = "os"
	keyStanding = "standing"
	keyClass    = "class"
)

var selectorKeys = []string{keySite, keyTag, keyOwner, keyOS, keyStanding, keyClass}

// ParseSelector reads a selection such as "web*+!tag=gold,site=berlin": names
// and globs (as in path.Match), and site=, tag=, owner=, os=, standing= and
// class= with a value or a glob. A comma means or, a plus means and and binds
// stronger, an exclamation mark before a term means not. An empty text selects
// every host. Errors name the term and what is known in its place.
func ParseSelector(text string) (Selector, error) {
	var s Selector
	if strings.TrimSpace(text) == "" {
		return s, nil
	}
	if len(text) > maxSelector {
		return s, fmt.Errorf("a selection of %d bytes; at most %d", len(text), maxSelector)
	}
	terms := 0
	for alternative := range strings.SplitSeq(text, ",") {
		var all []selectorTerm
		for word := range strings.SplitSeq(alternative, "+") {
			t, err := parseTerm(strings.TrimSpace(word))
			if err != nil {
				return Selector{}, fmt.Errorf("%q: %w", text, err)
			}
			all = append(all, t)
			if terms++; terms > maxSelectorTerms {
				return Selector{}, fmt.Errorf("a selection of more than %d terms", maxSelectorTerms)
			}
		}
		s.any = append(s.any, all)
	}
	return s, nil
}

func parseTerm(word string) (selectorTerm, error) {
	var t selectorTerm
	rest, not := strings.CutPrefix(word, "!")
	t.not, t.want = not, strings.TrimSpace(rest)
	if key, value, ok := strings.Cut(t.want, "="); ok {
		t.key, t.want = strings.TrimSpace(key), strings.TrimSpace(value)
		if !slices.Contains(selectorKeys, t.key) {
			if near := Nearest(t.key, selectorKeys); near != "" {
				return t, fmt.Errorf("hosts cannot be selected by %q; did you mean %s=?", t.key, near)
			}
			return t, fmt.Errorf("hosts cannot be selected by %q; there are %s", t.key, strings.Join(selectorKeys, "=, ")+"=")
		}
	}
	if t.want == "" {
		return t, errors.New("a term is empty; terms are joined by , (or) and + (and)")
	}
	if _, err := path.Match(t.want, ""); err != nil {
		return t, fmt.Errorf("%q is not a glob: %w", t.want, err)
	}
	return t, t.check()
}

// check holds values of closed lists to their list, so that a mistyped one is
// not taken for one that no host has.
func (t *selectorTerm) check() error {
	var known []string
	switch t.key {
	case keyOS:
		t.want = strings.ToLower(t.want)
		return nil
	case keyStanding:
		for _, s := range Standings() {
			known = append(known, string(s))
		}
	case keyClass:
		for _, c := range Classes() {
			known = append(known, string(c))
		}
	default:
		return nil
	}
	for _, k := range known {
		if ok, _ := path.Match(t.want, k); ok {
			return nil
		}
	}
	if near := Nearest(t.want, known); near != "" {
		return fmt.Errorf("there is no %s %q; did you mean %s?", t.key, t.want, near)
	}
	return fmt.Errorf("there is no %s %q; there are %s", t.key, t.want, strings.Join(known, ", "))
}

// Names are the host names that stand in the selection without a glob, for a
// caller that refuses one that the inventory does not have.
func (s Selector) Names() []string {
	var out []string
	for _, all := range s.any {
		for _, t := range all {
			if t.key == "" && !strings.ContainsAny(t.want, `*?[\`) && !slices.Contains(out, t.want) {
				out = append(out, t.want)
			}
		}
	}
	return out
}

// NeedsState reports whether the selection asks for what a scan has found.
func (s Selector) NeedsState() bool {
	for _, all := range s.any {
		for _, t := range all {
			if t.key == keyStanding || t.key == keyClass || t.key == keyOS {
				return true
			}
		}
	}
	return false
}

// Match reports whether the host is selected.
func (s Selector) Match(v SelectorView) bool {
	if len(s.any) == 0 {
		return true
	}
	return slices.ContainsFunc(s.any, func(all []selectorTerm) bool {
		return !slices.ContainsFunc(all, func(t selectorTerm) bool { return t.holds(v) == t.not })
	})
}

func (t selectorTerm) holds(v SelectorView) bool {
	switch t.key {
	case keySite:
		return t.is(v.Host.Site)
	case keyTag:
		return slices.ContainsFunc(v.Host.Tags, t.is)
	case keyOwner:
		return t.is(v.Host.Owner)
	case keyOS:
		return t.isOS(v)
	case keyStanding:
		return t.is(string(v.Standing))
	case keyClass:
		return t.is(string(v.Class))
	}
	return t.is(v.Host.Name)
}

func (t selectorTerm) is(value string) bool {
	ok, _ := path.Match(t.want, value) // the pattern was checked when it was read
	return ok
}

// isOS takes "debian" and "debian 13" for a Debian 13, and "linux" too.
func (t selectorTerm) isOS(v SelectorView) bool {
	os := strings.ToLower(v.OS)
	name, _, _ := strings.Cut(os, " ")
	return t.is(os) || t.is(name) || t.is(string(v.Host.Platform))
}
