package probe

import (
	"fmt"
	"slices"
	"strings"

	"oust/remediate"
)

// A Gap is a question of a look that the host has not answered, for a reason
// that may pass: a program that could not be started, or not in time. What the
// host refuses, or has no program for, is none.
type Gap struct {
	// Section is the part of the look, and Item the line that begins the answer
	// in it; "" for the whole section.
	Section, Item string
	// Why is how Facts.Incomplete has it.
	Why string
	// Late: the host was asked, and had not answered in time.
	Late bool
}

// gap notes what was not answered, and might be another time.
func (r *reader) gap(section, item, format string, args ...any) {
	r.incomplete(format, args...)
	r.gaps = append(r.gaps, Gap{Section: section, Item: item, Why: r.facts.Incomplete[len(r.facts.Incomplete)-1]})
}

// refused reports whether a host's words say that something may not be read,
// which asking again does not change. In other languages than English it is
// not known, and asked once more.
func refused(words string) bool { return strings.Contains(strings.ToLower(words), "access is denied") }

// Gaps are the gaps of a look, as Parse or Mend keeps it: what is worth asking
// again. A look without an administrator's rights has none, for it lacks those.
func Gaps(raw []byte) []Gap {
	r, err := kept(raw)
	if err != nil {
		return nil
	}
	return r.open()
}

func kept(raw []byte) (*reader, error) {
	f, err := remediate.ParseKept(raw)
	if err != nil {
		return nil, fmt.Errorf("read the kept look: %w", err)
	}
	return readAll(f)
}

func (r *reader) open() []Gap {
	if !r.facts.Privilege.Root {
		return nil
	}
	return r.gaps
}

// mostPieces is how many gaps are asked about one by one.
const mostPieces = 16

// anew reports whether the whole look has to be repeated: so much is missing
// that what it learned of the host's words for absent things is in doubt too.
func (r *reader) anew() bool {
	single := 0
	for _, g := range r.gaps {
		if g.Item != "" && g.Section != "users" {
			single++
		}
	}
	return len(r.gaps) > mostPieces || 2*single > r.asked
}

// within reports whether the gap at that place is among gaps.
func within(gaps []Gap, g Gap) bool {
	return slices.ContainsFunc(gaps, func(o Gap) bool { return o.Section == g.Section && o.Item == g.Item })
}
