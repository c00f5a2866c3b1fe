package probe

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"oust/remediate"
)

// Bounds of what is taken from one look. More than that is no honest host.
const (
	maxPackages = 100_000
	maxServices = 20_000
	maxField    = 1024 // bytes of one name or version
)

// always are the sections that every look prints, whatever the host. Which
// package managers have sections of their own stands in "managers".
var always = []string{
	"uname", "release", "boot", "clock", "who", "managers", "units", "services", "paths", "disk", "locks", "pids", "reboot",
}

// Parse reads the output of the script of Sh or Cmd. raw is the framed part of out,
// which is what is worth keeping: Reparse reads it again. Errors wrap
// remediate.ErrNoFrame or remediate.ErrCutOff, or say what the host printed
// that no look prints.
func Parse(out []byte, nonce remediate.Nonce) (facts *remediate.Facts, raw []byte, err error) {
	f, err := remediate.ParseFrames(out, nonce)
	if err != nil {
		return nil, nil, fmt.Errorf("read the look: %w", err)
	}
	facts, err = read(f)
	return facts, f.Raw, err
}

// Reparse reads what Parse gave as raw, or Second.
func Reparse(raw []byte) (*remediate.Facts, error) {
	f, err := remediate.ParseKept(raw)
	if err != nil {
		return nil, fmt.Errorf("read the kept look: %w", err)
	}
	facts, err := read(f)
	if err != nil {
		return nil, err
	}
	if err := (&reader{frames: f, facts: facts}).readSecond(raw); err != nil {
		return nil, fmt.Errorf("read the kept look: %w", err)
	}
	return facts, nil
}

// reader turns sections into facts.
type reader struct {
	frames remediate.Frames
	facts  *remediate.Facts
	gaps   []Gap
	// asked counts the answers about single registry keys and paths.
	asked int
}

func read(f remediate.Frames) (*remediate.Facts, error) {
	r, err := readAll(f)
	if err != nil {
		return nil, err
	}
	return r.facts, nil
}

func readAll(f remediate.Frames) (*reader, error) {
	r := &reader{frames: f, facts: &remediate.Facts{}}
	switch f.Kind {
	case Kind:
	case KindWindows:
		err := r.each(alwaysWindows)
		if err == nil {
			err = readWindows(r)
		}
		if err != nil {
			return nil, fmt.Errorf("read the look: %w", err)
		}
		return r, nil
	default:
		return nil, fmt.Errorf("read the look: it is of kind %q, this program reads %q and %q", clean(f.Kind), Kind, KindWindows)
	}
	if err := r.sections(); err != nil {
		return nil, fmt.Errorf("read the look: %w", err)
	}
	for _, step := range []func() error{
		r.system, r.boot, r.clock, r.who, r.packages, r.services, r.running, r.paths, r.disk, r.locks, r.reboot,
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("read the look: %w", err)
		}
	}
	return r, nil
}

// sections holds the look to what its script prints: each section once, and
// none left out. A section that is not there answers nothing, and nothing is
// not "none".
func (r *reader) sections() error {
	wanted := slices.Concat(always, strings.Fields(strings.Join(r.lines("managers"), " ")))
	if r.has(remediate.ManagerPkgutil) {
		wanted = append(wanted, "pkgutil-info", "apps")
	}
	return r.each(wanted)
}

// each looks for the wanted sections.
func (r *reader) each(wanted []string) error {
	seen := map[string]bool{}
	for _, s := range r.frames.Sections {
		if seen[s.Name] {
			return fmt.Errorf("its section %q is there twice", clean(s.Name))
		}
		seen[s.Name] = true
	}
	for _, name := range wanted {
		if !seen[name] {
			r.incomplete("the look lacks its section %q", clean(name))
		}
	}
	return nil
}

// lines gives the lines of a section that are not empty; none if it is not
// there.
func (r *reader) lines(section string) []string {
	data, _ := r.frames.Get(section)
	var out []string
	for line := range strings.SplitSeq(string(data), "\n") {
		if line = strings.TrimRight(line, "\r"); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func (r *reader) has(section string) bool {
	_, ok := r.frames.Get(section)
	return ok
}

func (r *reader) incomplete(format string, args ...any) {
	r.facts.Incomplete = append(r.facts.Incomplete, fmt.Sprintf(format, args...))
}

// clean makes a word from a host safe to show and bounded.
func clean(s string) string {
	s = printable(s)
	if len(s) > maxField {
		s = strings.ToValidUTF8(s[:maxField], "")
	}
	return s
}

// printable makes a text safe to show.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
}
