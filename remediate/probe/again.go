package probe

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"oust/remediate"
)

// secAgain holds what a mended look lacked at first, a line each: of many the
// first few.
const secAgain = "asked-again"

// Again makes the script that asks a host again for the gaps of a look, which
// raw keeps, in one round trip: for them alone, or where there are many for all.
// q are the questions of that look; the script has its nonce, and runs as it
// did. It is nil if there is nothing to ask.
func Again(raw []byte, q remediate.Questions) ([]byte, error) {
	r, err := kept(raw)
	if err != nil {
		return nil, err
	}
	gaps := r.open()
	if len(gaps) == 0 {
		return nil, nil
	}
	want := func(string) bool { return true }
	if !r.anew() {
		want = func(section string) bool {
			return slices.ContainsFunc(gaps, func(g Gap) bool { return g.Section == section })
		}
		q = remediate.Questions{Paths: left(q.Paths, gaps, "paths", "path "), Keys: left(q.Keys, gaps, "keys", "key "), Services: q.Services}
	}
	nonce := remediate.Nonce(raw[1:33])
	if r.frames.Kind == KindWindows {
		return cmd(q, nonce, want)
	}
	return sh(q, nonce, want), nil
}

// left are the questions that belong to gaps of a section.
func left(questions []string, gaps []Gap, section, word string) []string {
	if within(gaps, Gap{Section: section}) {
		return questions
	}
	open := map[string]bool{}
	for _, g := range gaps {
		if item, ok := strings.CutPrefix(g.Item, word); ok && g.Section == section {
			text, _ := hex.DecodeString(item[strings.LastIndexByte(item, ' ')+1:])
			open[string(text)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(questions), func(s string) bool { return !open[s] })
}

// Mended is a look after it was asked again.
type Mended struct {
	Facts *remediate.Facts
	// Raw is what is worth keeping, as Parse gives it.
	Raw []byte
	// Left are the gaps that are still there, in the host's last words.
	Left []Gap
}

// Mend fills gaps of a look, which raw keeps, from what the script of Again
// printed. An answer counts where it closes its gap, and nowhere else: what was
// read stays as it was, and what was not read stays a gap. What was missing at
// first is kept too. Output that is not whole changes nothing; the error is that
// of raw.
func Mend(raw, out []byte) (Mended, error) {
	first, err := kept(raw)
	if err != nil {
		return Mended{}, err
	}
	same := Mended{Facts: first.facts, Raw: raw, Left: first.open()}
	again, err := remediate.ParseFrames(out, remediate.Nonce(raw[1:33]))
	if err != nil || again.Kind != first.frames.Kind {
		return same, nil //nolint:nilerr // the gaps stay
	}
	_, all := again.Get("who")
	if first.anew() && !all {
		return same, nil
	}
	closed := same.Left
	for try := 0; len(closed) > 0; try++ {
		r, err := kept(first.with(again, closed))
		if err != nil {
			return same, nil //nolint:nilerr // the gaps stay
		}
		if try == 0 {
			same.Left = r.gaps
		}
		open := func(g Gap) bool { return within(r.gaps, g) }
		switch {
		case all && len(r.facts.Incomplete) >= len(first.facts.Incomplete):
			return same, nil
		case all || !slices.ContainsFunc(closed, open):
			return Mended{Facts: r.facts, Raw: r.frames.Raw, Left: same.Left}, nil
		}
		closed = slices.DeleteFunc(slices.Clone(closed), open)
	}
	return same, nil
}

// with is the look's text with the answers to gaps from a later one. One that
// answers everything takes the look's place.
func (r *reader) with(again remediate.Frames, gaps []Gap) []byte {
	sections := r.frames.Sections
	if _, all := again.Get("who"); all {
		sections = again.Sections
	} else {
		sections = slices.Clone(sections)
		for _, g := range gaps {
			for i, s := range sections {
				if data, ok := again.Get(s.Name); ok && (s.Name == g.Section || slices.Contains(besides[g.Section], s.Name)) {
					sections[i].Data = patched(s.Name, s.Data, data, g.Item)
				}
			}
		}
	}
	return compose(r.frames.Kind, remediate.Nonce(r.frames.Raw[1:33]), r.noted(sections, gaps))
}

// besides are the sections that belong to another one.
var besides = map[string][]string{
	remediate.ManagerDpkg:    {"dpkg-exit"},
	remediate.ManagerRPM:     {"rpm-exit"},
	remediate.ManagerApk:     {"apk-exit"},
	remediate.ManagerPkgutil: {"pkgutil-exit", "pkgutil-info", "apps"},
}

// noted adds what was missing.
func (r *reader) noted(sections []remediate.Frame, gaps []Gap) []remediate.Frame {
	data, _ := r.frames.Get(secAgain)
	var lines []string
	for l := range strings.Lines(string(data)) {
		lines = append(lines, strings.TrimRight(l, "\n"))
	}
	for _, g := range gaps[:min(len(gaps), mostPieces)] {
		lines = append(lines, g.Why)
	}
	sections = slices.DeleteFunc(slices.Clone(sections), func(s remediate.Frame) bool { return s.Name == secAgain })
	return append(sections, remediate.Frame{Name: secAgain, Data: []byte(strings.Join(lines, "\n"))})
}

// compose is the text that ParseFrames reads as these sections.
func compose(kind string, nonce remediate.Nonce, sections []remediate.Frame) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "@%s begin %s\n", nonce, kind)
	for _, s := range sections {
		fmt.Fprintf(&b, "@%s section %s\n%s\n", nonce, s.Name, s.Data)
	}
	fmt.Fprintf(&b, "@%s end\n", nonce)
	return b.Bytes()
}

// patched is a section with one answer from a later text of it, or with all of
// them where item is "".
func patched(section string, data, later []byte, item string) []byte {
	if item == "" {
		return later
	}
	fresh := answers(section, later)
	at := slices.IndexFunc(fresh, func(a answer) bool { return a.head == item })
	if at < 0 {
		return data
	}
	var out []byte
	for _, a := range answers(section, data) {
		if a.head == item {
			a = fresh[at]
		}
		out = append(out, a.text...)
	}
	return bytes.TrimSuffix(out, []byte("\n"))
}

// An answer is the lines of a section that belong to one question. Lines that
// belong to none have a head of their own.
type answer struct {
	head string
	text []byte
}

// heads are how answers begin, and with them the item of a gap.
var heads = map[string]*regexp.Regexp{
	"keys": keyHead, "reboot-keys": keyHead, "installer": keyHead,
	"paths": regexp.MustCompile(`^path [0-9a-f]+$`),
	"users": regexp.MustCompile(`^hive "HKEY_USERS\\.+"$`),
}

var (
	keyHead   = regexp.MustCompile(`^key (?:64|32) [0-9a-f]+`)
	askedLine = regexp.MustCompile(`^asked \d+$`)
)

func answers(section string, data []byte) []answer {
	head := heads[section]
	out := []answer{{}}
	for l := range bytes.Lines(data) {
		l = append(bytes.TrimRight(l, "\n"), '\n')
		text := strings.TrimRight(string(l), "\r\n")
		name := askedLine.FindString(text)
		if head != nil && name == "" {
			name = head.FindString(text)
		}
		if name != "" {
			out = append(out, answer{head: name})
		}
		a := &out[len(out)-1]
		a.text = append(a.text, l...)
	}
	return out
}
