package report

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"oust/remediate"
)

// maxText bounds what a host said about one thing, in runes; the JSON has all.
const maxText = 300

var htmlFuncs = template.FuncMap{
	"n":        thousands,
	"n64":      func(n int64) string { return thousands(int(n)) },
	"count":    func(n int, noun string) string { return count(n, noun, noun+"s") },
	"share":    share,
	"clip":     clip,
	"ref":      itemRef,
	"capital":  capital,
	"platform": platformName,
	"standing": func(s remediate.Standing) standingText { return standingTexts[s] },
	"due":      MilestoneState.Words,
	"days":     daysLeft,
	"outcome":  func(o remediate.OutcomeKind) string { return outcomeTexts[o] },
	"why":      whyNext,
	"rest":     func(all, shown int) int { return all - shown },
	"minute":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
	"stamp":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"day":      day,
	"grounds":  grounds,
	"wavebar":  waveBarOf,
	"versions": shownVersions,
	"more":     moreVersions,
	"pieces":   pieces,
	"list":     func(names []string) []string { return names[:min(len(names), maxListed)] },
}

// visible shows characters that steer how text looks instead of being part of
// it, such as those that reverse the direction of what follows: a host could
// make a line read as another with them. It relies on html/template writing
// each value whole.
type visible struct{ w io.Writer }

func (v visible) Write(p []byte) (int, error) {
	out := p
	if bytes.IndexFunc(p, steers) >= 0 {
		out = []byte(showControls(string(p)))
	}
	if _, err := v.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func showControls(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case steers(r) && r != utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// steers reports control characters, those of Unicode's bidirectional
// formatting, and bytes that are no text.
func steers(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029:
		return true
	}
	return r == utf8.RuneError
}

// share is n of all in percent. It says 0% and 100% only where that is exact.
func share(n, all int) string {
	switch {
	case all == 0:
		return "–"
	case n == 0:
		return "0%"
	case n == all:
		return "100%"
	}
	switch p := strconv.FormatFloat(100*float64(n)/float64(all), 'f', 1, 64); p {
	case "0.0":
		return "<0.1%"
	case "100.0":
		return ">99.9%"
	default:
		return p + "%"
	}
}

// clip shortens what a host said, and says so.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	seen := 0
	for i := range s {
		if seen == maxText {
			return s[:i] + "… (shortened; the JSON has all of it)"
		}
		seen++
	}
	return s
}

// itemRef is a mandate's own number as it is cited: (a), 2(b).
func itemRef(ref string) string {
	if ref == "" || strings.ContainsAny(ref, "(). ") {
		return ref
	}
	return "(" + ref + ")"
}

// capital begins with a capital.
func capital(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:size]) + s[size:]
}

func platformName(p remediate.Platform) string {
	switch p {
	case remediate.Linux:
		return "Linux"
	case remediate.MacOS:
		return "macOS"
	case remediate.Windows:
		return "Windows"
	case remediate.PlatformUnknown:
		return "not known"
	}
	return string(p)
}

func daysLeft(days int) string {
	switch {
	case days == 0:
		return "today"
	case days < 0:
		return "since " + count(-days, "day", "days")
	}
	return "in " + count(days, "day", "days")
}

// outcomeTexts say what an outcome means whose name does not.
var outcomeTexts = map[remediate.OutcomeKind]string{
	remediate.OutcomeNothingToDo:   "nothing was there any more",
	remediate.OutcomeRebootPending: "gone only after a restart",
	remediate.OutcomeStale:         "the host differed from the plan, and was not touched",
	remediate.OutcomeDeferred:      "its window was not open",
	remediate.OutcomeNotStarted:    "the run ended before its turn",
}

// whyNext is why something comes next, without what stands above it.
func whyNext(r HostRow) string {
	if r.Bare != "" {
		return strings.TrimSuffix(r.Why, ": "+r.Bare)
	}
	return r.Why
}

// grounds says what exemptions a mandate allows.
func grounds(r remediate.ExemptionRule) string {
	if r.None {
		return "The mandate knows no exemptions."
	}
	var say []string
	if len(r.Grounds) > 0 {
		names := make([]string, len(r.Grounds))
		for i, g := range r.Grounds {
			names[i] = g.Name
		}
		say = append(say, "only for "+strings.Join(names, ", "))
	}
	if r.MaxDays > 0 {
		say = append(say, "for at most "+count(r.MaxDays, "day", "days")+" a host, renewals included")
	}
	if r.Mitigations {
		say = append(say, "with a statement of what is done instead")
	}
	if len(say) == 0 {
		return ""
	}
	return "The mandate allows exemptions " + strings.Join(say, ", ") + "."
}

// maxVersions bounds the versions of a product in its line.
const maxVersions = 12

func shownVersions(vs []Version) []Version { return vs[:min(len(vs), maxVersions)] }

// moreVersions counts those that are not shown, and their hosts.
func moreVersions(vs []Version) string {
	if len(vs) <= maxVersions {
		return ""
	}
	n := 0
	for _, v := range vs[maxVersions:] {
		n += v.Hosts
	}
	return count(len(vs)-maxVersions, "more version", "more versions") + " on " + hosts(n)
}

// isoDate is a date, alone or with a time, that should stand on one line.
var isoDate = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}( \d{2}:\d{2}( UTC)?)?\b`)

// piece is a part of a text.
type piece struct {
	Text string
	Date bool
}

func pieces(s string) []piece {
	var out []piece
	last := 0
	for _, at := range isoDate.FindAllStringIndex(s, -1) {
		if at[0] > last {
			out = append(out, piece{Text: s[last:at[0]]})
		}
		out = append(out, piece{Text: s[at[0]:at[1]], Date: true})
		last = at[1]
	}
	if last < len(s) {
		out = append(out, piece{Text: s[last:]})
	}
	return out
}
