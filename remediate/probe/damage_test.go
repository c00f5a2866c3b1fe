package probe_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/probe"
)

// TestNoiseAround: what a host prints before and after a look changes no fact.
func TestNoiseAround(t *testing.T) {
	t.Parallel()
	other := strings.Repeat("f", 32)
	for name, noise := range map[string]func(out string) string{
		"banner":            func(out string) string { return "*** Authorised use only ***\n\n" + out },
		"no last newline":   func(out string) string { return "a last line without its newline\n" + out },
		"words about looks": func(out string) string { return "begin look-unix 1\n@ begin section end\n" + out },
		"another nonce":     func(out string) string { return strings.ReplaceAll(out, string(nonce), other) + out },
		"nonce in a line":   func(out string) string { return "motd: @" + string(nonce) + " begin look-unix 1\n" + out },
		"after the end":     func(out string) string { return out + "logout\n@" + string(nonce) + " section dpkg\nx\ty\n" },
		"CRLF":              func(out string) string { return strings.ReplaceAll(out, "\n", "\r\n") },
		"escapes":           func(out string) string { return "\x1b[2J\x1b[1;1H\xff\x00\n" + out },
	} {
		for system, out := range recordings(t) {
			want, _, err := probe.Parse(out, nonce)
			if err != nil {
				t.Fatal(err)
			}
			got, raw, err := probe.Parse([]byte(noise(string(out))), nonce)
			if err != nil {
				t.Errorf("%s: %s: %v", system, name, err)
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s changes facts (-want +got):\n%s", system, name, diff)
			}
			if again, err := probe.Reparse(raw); err != nil || !cmp.Equal(want, again) {
				t.Errorf("%s: %s: the kept look says something else, error %v", system, name, err)
			}
		}
	}
}

// TestNoiseInside puts a line of noise at each place of each look. The look
// is refused, or incomplete, or it still has every fact.
func TestNoiseInside(t *testing.T) {
	t.Parallel()
	for system, out := range recordings(t) {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			whole, _, err := probe.Parse(out, nonce)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.SplitAfter(out, []byte("\n"))
			for i := range lines {
				noisy := bytes.Join(slices.Insert(slices.Clone(lines), i, []byte("Broadcast message from root@host\n")), nil)
				facts, _, err := probe.Parse(noisy, nonce)
				if err == nil && hides(facts, whole) {
					t.Errorf("noise in line %d hides facts", i+1)
				}
			}
		})
	}
}

// TestCutOff ends looks early: at each byte of the short ones, after each
// line of the others. Only the very last line end may be missing.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for system, out := range recordings(t) {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			for n := range len(out) - 1 {
				if len(out) > 2500 && out[n] != '\n' {
					continue
				}
				facts, _, err := probe.Parse(out[:n], nonce)
				if !errors.Is(err, remediate.ErrCutOff) && !errors.Is(err, remediate.ErrNoFrame) {
					t.Fatalf("cut off after %d of %d bytes: facts %+v, error %v", n, len(out), facts, err)
				}
			}
			if _, _, err := probe.Parse(out[:len(out)-1], nonce); err != nil {
				t.Errorf("without its last line end: %v", err)
			}
		})
	}
}

// TestLostSections takes each section out of each look, and then each answer
// about a path. A look that lost what it says of running services is complete:
// it knows of none that runs, see TestRunning.
func TestLostSections(t *testing.T) {
	t.Parallel()
	for system, out := range recordings(t) {
		whole, _, err := probe.Parse(out, nonce)
		if err != nil {
			t.Fatal(err)
		}
		frames, err := remediate.ParseFrames(out, nonce)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range frames.Sections {
			lost := build(frames.Kind, slices.Delete(slices.Clone(frames.Sections), i, i+1))
			if facts, _, err := probe.Parse(lost, nonce); err == nil && s.Name != "running" && !lacks(whole.Incomplete, facts.Incomplete) {
				t.Errorf("%s: without %s the look seems complete", system, s.Name)
			}
			twice := build(frames.Kind, slices.Insert(slices.Clone(frames.Sections), i, s))
			if _, _, err := probe.Parse(twice, nonce); err == nil || !strings.Contains(err.Error(), "twice") {
				t.Errorf("%s: with %s twice: %v", system, s.Name, err)
			}
			if s.Name != "paths" {
				continue
			}
			lines := bytes.SplitAfter(s.Data, []byte("\n"))
			for j := range lines[:len(lines)-1] {
				sections := slices.Clone(frames.Sections)
				sections[i].Data = bytes.Join(slices.Delete(slices.Clone(lines), j, j+1), nil)
				if facts, _, err := probe.Parse(build(frames.Kind, sections), nonce); err == nil && len(facts.Incomplete) == 0 {
					t.Errorf("%s: without %q the look seems complete", system, lines[j])
				}
			}
		}
	}
}

// build prints sections as a script does.
func build(kind string, sections []remediate.Frame) []byte {
	var b bytes.Buffer
	b.WriteString("\n@" + string(nonce) + " begin " + kind + "\n")
	for _, s := range sections {
		b.WriteString("\n@" + string(nonce) + " section " + s.Name + "\n")
		b.Write(s.Data)
	}
	b.WriteString("\n@" + string(nonce) + " end\n")
	return b.Bytes()
}

// hides reports whether facts seem complete and lack one of the whole's.
func hides(facts, whole *remediate.Facts) bool {
	if len(facts.Incomplete) > len(whole.Incomplete) {
		return false
	}
	return lacks(facts.Packages, whole.Packages) || lacks(facts.Services, whole.Services) || lacks(facts.Paths, whole.Paths)
}

func lacks[T comparable](some, all []T) bool {
	there := map[T]bool{}
	for _, x := range some {
		there[x] = true
	}
	return slices.ContainsFunc(all, func(x T) bool { return !there[x] })
}
