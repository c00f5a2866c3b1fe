package probe_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/probe"
)

// FuzzParse: whatever a host prints, a look is refused or its facts are
// bounded, printable, kept by their raw text, and the same through a terminal
// that ends lines with CR LF.
func FuzzParse(f *testing.F) {
	for _, out := range recordings(f) {
		f.Add(short(f, out))
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		facts, raw, err := probe.Parse(out, nonce)
		if err != nil {
			return
		}
		again, err := probe.Reparse(raw)
		if err != nil || !reflect.DeepEqual(facts, again) {
			t.Errorf("the kept look says something else, error %v:\n%s", err, cmp.Diff(facts, again))
		}
		checkBounds(t, facts)
		if bytes.ContainsAny(out, "\r") {
			return
		}
		again, _, err = probe.Parse(bytes.ReplaceAll(out, []byte("\n"), []byte("\r\n")), nonce)
		if err != nil || !reflect.DeepEqual(facts, again) {
			t.Errorf("with CR LF it says something else, error %v:\n%s", err, cmp.Diff(facts, again))
		}
	})
}

// short keeps two lines of each section: a fuzzer spends its time on making
// long inputs shorter.
func short(f *testing.F, out []byte) []byte {
	f.Helper()
	frames, err := remediate.ParseFrames(out, nonce)
	if err != nil {
		f.Fatal(err)
	}
	for i, s := range frames.Sections {
		if lines := bytes.SplitAfterN(s.Data, []byte("\n"), 3); len(lines) == 3 {
			frames.Sections[i].Data = append(lines[0], lines[1]...)
		}
	}
	return bytes.TrimPrefix(build(frames.Kind, frames.Sections), []byte("\n"))
}

func checkBounds(t *testing.T, facts *remediate.Facts) {
	t.Helper()
	if len(facts.Packages) > 100_001 || len(facts.Services) > 20_000 || facts.Uptime < 0 || facts.Privilege.UID < 0 {
		t.Errorf("out of bounds: %d packages, %d services, uptime %v, uid %d",
			len(facts.Packages), len(facts.Services), facts.Uptime, facts.Privilege.UID)
	}
	words := []string{facts.OS.ID, facts.OS.Name, facts.OS.Version, facts.OS.Arch, facts.OS.Kernel, facts.BootID, facts.Privilege.User}
	for _, p := range facts.Packages {
		words = append(words, p.Manager, p.Name, p.Version, p.Arch, p.Vendor, p.Status)
	}
	for _, s := range facts.Services {
		words = append(words, s.Manager, s.Name, s.State)
	}
	for _, l := range facts.Locks {
		words = append(words, l.Path)
	}
	words = append(words, facts.Incomplete...)
	words = append(words, facts.RebootPending...)
	for _, w := range words {
		if !utf8.ValidString(w) || strings.ContainsAny(w, "\x00\x1b\n\r\t") {
			t.Errorf("%q is not fit to be shown", w)
		}
	}
	if _, err := json.Marshal(facts); err != nil {
		t.Error(err)
	}
}

// FuzzReparse: a kept look that somebody altered is refused or read, never
// more than that.
func FuzzReparse(f *testing.F) {
	for _, out := range recordings(f) {
		f.Add(short(f, out))
	}
	f.Add([]byte("@"))
	f.Add([]byte("@" + strings.Repeat("Z", 32) + " begin look-unix 1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if facts, err := probe.Reparse(raw); err == nil {
			checkBounds(t, facts)
		}
	})
}

// FuzzMend: whatever a host prints when it is asked again, the look is read, and
// lacks no more than before.
func FuzzMend(f *testing.F) {
	for _, out := range recordings(f) {
		look := short(f, out)
		f.Add(look, look)
		f.Add(bytes.ReplaceAll(look, []byte("rc 0"), []byte("odd\nrc 1")), look)
		f.Add(bytes.ReplaceAll(look, []byte("-exit\n0"), []byte("-exit\n2")), look)
	}
	f.Fuzz(func(t *testing.T, look, again []byte) {
		facts, raw, err := probe.Parse(look, nonce)
		if err != nil {
			return
		}
		if script, err := probe.Again(raw, remediate.Questions{}); err != nil || (script == nil) != (len(probe.Gaps(raw)) == 0) {
			t.Errorf("%d gaps, a script of %d bytes, %v", len(probe.Gaps(raw)), len(script), err)
		}
		m, err := probe.Mend(raw, again)
		if err != nil {
			t.Fatal(err)
		}
		checkBounds(t, m.Facts)
		kept, err := probe.Reparse(m.Raw)
		if err != nil || !reflect.DeepEqual(kept, m.Facts) {
			t.Errorf("the kept look says something else, error %v:\n%s", err, cmp.Diff(m.Facts, kept))
		}
		if len(probe.Gaps(m.Raw)) > len(probe.Gaps(raw)) && len(m.Facts.Incomplete) >= len(facts.Incomplete) {
			t.Errorf("it lacked %q, and now %q", facts.Incomplete, m.Facts.Incomplete)
		}
	})
}

// FuzzAsk: the path of a question, whatever its bytes, comes back through a
// real sh as it was asked.
func FuzzAsk(f *testing.F) {
	for _, seed := range []string{"/", "/opt/a b", "/it's", "/$(id)`id`", "/a\nb\r\n", "/\\n%s", "/\xff\xfe", "relative", "-n", "", "//", "/*?[a]", "/ä", "'", "\x7f\x1b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if strings.ContainsRune(path, 0) || len(path) > 4096 {
			return // no path holds a NUL, and no playbook's is so long
		}
		script := string(probe.Sh(remediate.Questions{Paths: []string{path}}, nonce))
		before, _, found := strings.Cut(script, "frame 'section uname'")
		_, after, found2 := strings.Cut(script, "frame 'section paths'")
		after, _, found3 := strings.Cut(after, "frame 'section disk'")
		if !found || !found2 || !found3 {
			t.Fatal("the script has other sections")
		}
		script = before + "frame 'section paths'" + after + "frame end\n"
		out := output(t, exec.CommandContext(t.Context(), "/bin/sh"), script)
		frames, err := remediate.ParseFrames(out, nonce)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := frames.Get("paths")
		answer, last, _ := strings.Cut(strings.TrimSuffix(string(data), "\n"), "\n")
		kind, quoted, _ := strings.Cut(answer, " ")
		if got, err := strconv.Unquote(quoted); err != nil || got != path || kind == "" || last != "asked 1" {
			t.Errorf("asked for %q, the answer is %q", path, data)
		}
	})
}
