package probe_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/probe"
)

// asPowerShell prints a text as the script of the second question does: 70
// ASCII characters at a time, after the frames of cmd.exe.
func asPowerShell(said string) []byte {
	var b bytes.Buffer
	line := func(s string) { b.WriteString(s + "\r\n") }
	line("a banner")
	line("@" + string(nonce) + " begin " + probe.KindPowerShell)
	for l := range strings.Lines(strings.ReplaceAll(said, "NONCE", string(nonce))) {
		l = strings.TrimSuffix(l, "\n")
		if strings.HasPrefix(l, "section ") {
			line("@" + string(nonce) + " " + l)
			continue
		}
		l = ascii(l)
		for ; len(l) > 70; l = l[70:] {
			line("+" + l[:70])
		}
		line("." + l)
	}
	line("@" + string(nonce) + " end")
	return b.Bytes()
}

func ascii(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		if u < ' ' || u > '~' || u == '`' {
			fmt.Fprintf(&b, "`%04x", u)
		} else {
			b.WriteByte(byte(u))
		}
	}
	return b.String()
}

// rawLook is what is kept of the look at wine.
func rawLook(t testing.TB) []byte {
	t.Helper()
	_, raw, err := probe.Parse(wineLook(t), nonce)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestSecondAnswers: what hosts say to PowerShell's question, written by hand,
// gives the facts beside it, and is kept together with the first look.
func TestSecondAnswers(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(testdata + "/windows/*.said")
	if err != nil || len(files) < 5 {
		t.Fatalf("there are %d answers, error %v", len(files), err)
	}
	readme := string(read(t, testdata+"/README.md"))
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".said"); !strings.Contains(readme, "| `"+name+"` |") {
			t.Errorf("%s is not in the table of testdata/probes/README.md", name)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			first, _, err := probe.Parse(wineLook(t), nonce)
			if err != nil {
				t.Fatal(err)
			}
			facts, raw, err := probe.Second(rawLook(t), asPowerShell(string(read(t, file))), "")
			if err != nil {
				t.Fatal(err)
			}
			again, err := probe.Reparse(raw)
			if err != nil || !cmp.Equal(facts, again) {
				t.Errorf("the kept look says something else, error %v:\n%s", err, cmp.Diff(facts, again))
			}
			golden(t, strings.TrimSuffix(file, ".said")+".json", secondJSON(t, facts))
			if !cmp.Equal(facts.Incomplete, first.Incomplete) {
				t.Errorf("the second question makes the look incomplete: %q", facts.Incomplete)
			}
			w := facts.Windows
			w.Uninstall = slices.DeleteFunc(w.Uninstall, func(e remediate.UninstallEntry) bool { return e.Offline })
			w.Hives = slices.DeleteFunc(w.Hives, func(h remediate.UserHive) bool { return h.Offline })
			w.Security, w.Appx, w.Answered, w.Warnings = first.Windows.Security, nil, nil, nil
			if diff := cmp.Diff(first, facts); diff != "" {
				t.Errorf("the second question changes what the first one saw:\n%s", diff)
			}
		})
	}
}

// secondJSON is what the second question added.
func secondJSON(t *testing.T, facts *remediate.Facts) []byte {
	t.Helper()
	w := *facts.Windows
	w.Uninstall = slices.DeleteFunc(slices.Clone(w.Uninstall), func(e remediate.UninstallEntry) bool { return !e.Offline })
	w.UpgradeCodes, w.Keys = nil, nil
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(w); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSecondWithoutAnAnswer: a host that does not answer keeps its look, and
// the reason is said, also when the look is read again.
func TestSecondWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	frame := func(s string) []byte {
		return []byte("@" + string(nonce) + " begin " + probe.KindPowerShell + "\r\n" + s + "@" + string(nonce) + " end\r\n")
	}
	for name, c := range map[string]struct {
		out    []byte
		reason string
		want   string
	}{
		"silent":      {nil, "", "the answer has no end"},
		"timeout":     {nil, "it took longer than 1m0s", "it took longer than 1m0s"},
		"two lines":   {nil, "one\n@" + string(nonce) + " end\ntwo", "one?@"},
		"not there":   {frame("The system cannot find the path specified.\r\n"), "", "cannot find the path"},
		"says no":     {frame(""), "", "it did not start"},
		"other kind":  {bytes.ReplaceAll(frame(""), []byte(probe.KindPowerShell), []byte("look-windows 1")), "", "the answer has no end"},
		"other nonce": {bytes.ReplaceAll(frame(""), []byte(nonce), []byte(strings.Repeat("0", 32))), "", "the answer has no end"},
		"old":         {asPowerShell("section host\nversion 2.0\ndone\n"), "", "3.0 is needed"},
		"cut off":     {asPowerShell("section host\nversion 5.1\ndone\nsection appx\nname A\n")[:140], "it took too long", "it took too long"},
	} {
		facts, raw, err := probe.Second(rawLook(t), c.out, c.reason)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if w := facts.Windows; len(w.Warnings) == 0 || !strings.Contains(w.Warnings[0], c.want) || len(facts.Services) == 0 || slices.Contains(w.Answered, "profiles") {
			t.Errorf("%s: warnings %q, answered %q; want one with %q", name, w.Warnings, w.Answered, c.want)
		}
		if again, err := probe.Reparse(raw); err != nil || !cmp.Equal(facts, again) {
			t.Errorf("%s: the kept look says something else, error %v:\n%s", name, err, cmp.Diff(facts, again))
		}
	}
	if _, _, err := probe.Second([]byte("no look"), nil, ""); err == nil {
		t.Error("an answer is joined to what is no look")
	}
	for _, out := range recordings(t) {
		if _, _, err := probe.Second(out, asPowerShell("section host\ndone\n"), ""); err == nil {
			t.Error("an answer of PowerShell is joined to the look at a Unix host")
		}
		break
	}
}

// TestSecondCutShort: an answer without its end answers nothing that it has
// not ended.
func TestSecondCutShort(t *testing.T) {
	t.Parallel()
	whole := asPowerShell(string(read(t, testdata+"/windows/windows-10.said")))
	for at := range len(whole) - 3 {
		facts, _, err := probe.Second(rawLook(t), whole[:at], "")
		if err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		w := facts.Windows
		if len(w.Warnings) == 0 {
			t.Fatalf("cut at %d of %d there is no warning", at, len(whole))
		}
		if slices.Contains(w.Answered, "profiles") && !facts.Windows.SeesHive("S-1-5-21-1111111111-2222222222-3333333333-1003") {
			t.Fatalf("cut at %d the users count as seen, and are not", at)
		}
	}
}

// TestSecondHostile: what no script prints changes nothing, is bounded, and
// stands in no other user's or the machine's place.
func TestSecondHostile(t *testing.T) {
	t.Parallel()
	const entry = "r HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\X\nr     DisplayName    REG_SZ    X\nrc 0\n"
	for name, said := range map[string]string{
		"machine":      "section profiles\nhive HKLM\n" + entry + "done\n",
		"path in sid":  "section profiles\nhive S-1-5-21-1\\..\\x\n" + entry + "done\n",
		"loaded user":  "section profiles\nhive S-1-5-21-0-0-0-1000\n" + entry + "done\n",
		"no hive":      "section profiles\n" + entry + "done\n",
		"long line":    "section profiles\n" + strings.Repeat("x", 200_000) + "\ndone\n",
		"no name":      "section appx\nversion 1\nuser S Installed\ndone\nsection security\nstate 1\npath x\ndone\n",
		"twice":        "section appx\nnone\ndone\nsection appx\nname A\ndone\n",
		"bad escapes":  "section appx\nnone\ndone\nsection other\n`zzzz`d800`\n",
		"only an end":  "done\n",
		"empty escape": "section security\nname \ndone\n",
	} {
		facts, _, err := probe.Second(rawLook(t), asPowerShell(said), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, e := range facts.Windows.Uninstall {
			if e.DisplayName == "X" || e.Offline {
				t.Errorf("%s: it has the entry %+v", name, e)
			}
		}
		if len(facts.Windows.Appx) > 0 {
			t.Errorf("%s: it has packages %+v", name, facts.Windows.Appx)
		}
	}
	many := "section appx\n" + strings.Repeat("name A\nuser S-1 Installed\n", 20_000) + "done\n"
	facts, _, err := probe.Second(rawLook(t), asPowerShell(many), "")
	if err != nil || len(facts.Windows.Appx) != 10_000 || slices.Contains(facts.Windows.Answered, "appx") {
		t.Errorf("%d packages, answered %q, %v", len(facts.Windows.Appx), facts.Windows.Answered, err)
	}
}

// TestPowerShellScript holds the script to what one line for cmd.exe can be.
func TestPowerShellScript(t *testing.T) {
	t.Parallel()
	script := string(probe.PowerShell(nonce))
	if strings.Contains(script, "NONCE") || strings.Count(script, "oust-look-"+string(nonce)) == 0 {
		t.Error("the nonce is not in its places")
	}
	asked := 0
	for line := range strings.Lines(script) {
		if !strings.HasSuffix(line, "\r\n") || len(line) > 8000 || strings.ContainsFunc(strings.TrimRight(line, "\r\n"), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("cmd.exe cannot read %q", line)
		}
		_, command, found := strings.Cut(line, ` -Command "`)
		if !found {
			continue
		}
		asked++
		command, rest, _ := strings.Cut(command, `"`)
		if rest != " 2>&1 <nul\r\n" || strings.ContainsAny(command, "%\t") {
			t.Errorf("quotes and percent signs: %q, %q", command, rest)
		}
		for _, pair := range []string{"()", "{}", "[]"} {
			// The pattern [^ -_a-~] and its like hold each sign once.
			if a, b := strings.Count(command, pair[:1]), strings.Count(command, pair[1:]); a != b {
				t.Errorf("%d %q, %d %q", a, pair[:1], b, pair[1:])
			}
		}
		if strings.Count(command, "'")%2 != 0 {
			t.Error("a quote has no other")
		}
		for _, word := range []string{"'appx'", "'security'", "'profiles'", "'host'", "'unload'", "finally { Forget $name }"} {
			if !strings.Contains(command, word) {
				t.Errorf("it lacks %s", word)
			}
		}
	}
	if asked != 1 {
		t.Errorf("PowerShell is started %d times", asked)
	}
}

// FuzzSecond: whatever a host answers, its first look stays as it is, all is
// bounded and printable, and what is kept reads the same again.
func FuzzSecond(f *testing.F) {
	files, err := filepath.Glob(testdata + "/windows/*.said")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(asPowerShell(string(read(f, file))), "")
	}
	f.Add([]byte("@"+string(nonce)+" begin look-powershell 1\n"), "cut off\n")
	frames, err := remediate.ParseFrames(wineLook(f), nonce)
	if err != nil {
		f.Fatal(err)
	}
	for i, s := range frames.Sections { // these take the time
		if strings.HasPrefix(s.Name, "service-") {
			frames.Sections[i].Data = nil
		}
	}
	first, raw, err := probe.Parse(build(frames.Kind, frames.Sections), nonce)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, out []byte, reason string) {
		facts, joined, err := probe.Second(raw, out, reason)
		if err != nil {
			t.Fatalf("the look is lost: %v", err)
		}
		again, err := probe.Reparse(joined)
		if err != nil || !reflect.DeepEqual(facts, again) {
			t.Errorf("the kept look says something else, error %v:\n%s", err, cmp.Diff(facts, again))
		}
		checkSecond(t, first, facts)
	})
}

func checkSecond(t *testing.T, first, facts *remediate.Facts) {
	t.Helper()
	w := facts.Windows
	if len(w.Appx) > 10_000 || len(w.Uninstall) > 100_000 || len(w.Hives) > 10_000 || len(w.Warnings) > 100_000 {
		t.Error("out of bounds")
	}
	if len(facts.Services) != len(first.Services) || !slices.Equal(facts.Incomplete, first.Incomplete) || facts.BootID != first.BootID {
		t.Error("the first look has changed")
	}
	words := slices.Clone(w.Warnings)
	for _, p := range w.Appx {
		words = append(append(words, p.Name, p.Family, p.Version, p.Publisher), p.Users...)
	}
	for _, e := range w.Uninstall {
		words = append(words, e.Hive, e.Key, e.DisplayName, e.UninstallString)
	}
	for _, p := range w.Security {
		words = append(words, p.Name, p.State, p.Path)
	}
	for _, s := range words {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x1b\n\r\t") {
			t.Errorf("%q is not fit to be shown", s)
		}
	}
}
