package probe_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"oust/remediate"
	"oust/remediate/probe"
)

// replaced is a text with one part of it changed.
func replaced(t *testing.T, text []byte, from, to string) []byte {
	t.Helper()
	from, to = strings.ReplaceAll(from, "\n", "\r\n"), strings.ReplaceAll(to, "\n", "\r\n")
	if !bytes.Contains(text, []byte(from)) {
		t.Fatalf("the look has no %q", from)
	}
	return bytes.Replace(text, []byte(from), []byte(to), 1)
}

// only is what a host prints of a whole look for a script that asks for a part.
func only(t *testing.T, look, script []byte) []byte {
	t.Helper()
	f, err := remediate.ParseFrames(look, nonce)
	if err != nil {
		t.Fatal(err)
	}
	out := "@" + string(nonce) + " begin " + f.Kind + "\r\n"
	for _, s := range f.Sections {
		if bytes.Contains(script, []byte(nonce.CmdSection(s.Name)+"\r\n")) {
			out += "@" + string(nonce) + " section " + s.Name + "\r\n" + string(s.Data) + "\r\n"
		}
	}
	return []byte(out + "@" + string(nonce) + " end\r\n")
}

const (
	rebootKey    = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootInProgress`
	protectedKey = `HKLM\SOFTWARE\KasperskyLab\protected\KES`
	notStarted   = "Can't recognize 'reg query' as an internal or external command, or batch script.\n"
)

// wineQuestions are those of the recorded look.
var wineQuestions = remediate.Questions{
	Keys:  []string{`HKLM\SOFTWARE\KasperskyLab\Components\34\1103`, protectedKey},
	Paths: []string{`%ProgramData%\Kaspersky Lab\KES`, `%ProgramFiles(x86)%\Kaspersky Lab\NetworkAgent`},
}

// TestAskedAgain: one query of a look at Windows that fails is asked again, and
// it alone; its answer makes the look whole, and only an answer does.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to string
		asks     []string // sections
	}{
		"a mark of a reboot": {rebootKey + "\"\nrc 1", rebootKey + "\"\n" + notStarted + "rc 1", []string{"reboot-keys"}},
		"a key that is there": {
			"key 64 " + hexOf(protectedKey) + ` "` + protectedKey + "\"\nrc 0",
			"key 64 " + hexOf(protectedKey) + ` "` + protectedKey + "\"\n" + notStarted + "rc 1", []string{"keys"},
		},
		"a key of which nothing is said": {
			"key 64 " + hexOf(protectedKey) + ` "` + protectedKey + "\"\nrc 0",
			"key 64 " + hexOf(protectedKey) + ` "` + protectedKey + "\"\nrc -1073741502", []string{"keys"},
		},
		"a path": {
			"is  \"C:\\Program Files (x86)\\Kaspersky Lab\\NetworkAgent\"\nFile not found.",
			"is  \"C:\\Program Files (x86)\\Kaspersky Lab\\NetworkAgent\"\nNot enough memory.", []string{"paths"},
		},
		"a list":        {"section upgradecodes\n", notStarted + "rc 1\n", []string{"upgradecodes"}},
		"the services":  {"section service-type\n", notStarted + "rc 1\n", []string{"service-type"}},
		"a user's hive": {"hive \"HKEY_USERS\\S-1-5-21-0-0-0-1000\"\n", notStarted, []string{"users"}},
		"all the hives": {"section users\n", notStarted, []string{"users"}},
		"an odd end":    {rebootKey + "\"\nrc 1\n", rebootKey + "\"\nrc 7\n", []string{"reboot-keys"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := wineLook(t)
			if strings.HasPrefix(c.to, notStarted) { // in place of all that follows
				c.from, c.to = block(t, whole, c.from), c.from+c.to
			}
			askedAgain(t, whole, replaced(t, whole, c.from, c.to), c.asks)
		})
	}
}

// block is a part of the recorded look from its head to the next one.
func block(t *testing.T, look []byte, head string) string {
	t.Helper()
	text := strings.ReplaceAll(string(look), "\r\n", "\n")
	_, rest, ok := strings.Cut(text, head)
	if !ok {
		t.Fatalf("the look has no %q", head)
	}
	at := strings.Index(rest, "\n@")
	if next := strings.Index(rest, "\nhive "); strings.HasPrefix(head, "hive ") && next >= 0 && next < at {
		at = next
	}
	return head + rest[:at+1]
}

func hexOf(s string) string { return hex.EncodeToString([]byte(s)) }

func askedAgain(t *testing.T, whole, broken []byte, asks []string) {
	t.Helper()
	want, _, err := probe.Parse(whole, nonce)
	if err != nil {
		t.Fatal(err)
	}
	facts, raw, err := probe.Parse(broken, nonce)
	if err != nil || len(facts.Incomplete) == 0 || len(probe.Gaps(raw)) != len(facts.Incomplete) {
		t.Fatalf("incomplete %q, gaps %+v, %v", facts.Incomplete, probe.Gaps(raw), err)
	}
	script, err := probe.Again(raw, wineQuestions)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for l := range strings.Lines(string(script)) {
		if section, ok := strings.CutPrefix(strings.TrimSpace(l), "echo @"+string(nonce)+" section "); ok {
			asked = append(asked, section)
		}
	}
	if !slices.Equal(asked, asks) {
		t.Errorf("asked again: %q, want %q", asked, asks)
	}
	for _, out := range [][]byte{only(t, broken, script), nil, only(t, whole, script)[:100]} {
		same, err := probe.Mend(raw, out)
		if err != nil || !bytes.Equal(same.Raw, raw) || !cmp.Equal(same.Facts, facts) || !slices.Equal(same.Left, probe.Gaps(raw)) {
			t.Errorf("mended by an answer that says nothing new: %+v %v", same.Left, err)
		}
	}
	mended, err := probe.Mend(raw, only(t, whole, script))
	if err != nil || len(mended.Left) > 0 {
		t.Fatalf("%+v, %v", mended.Left, err)
	}
	if diff := cmp.Diff(want, mended.Facts, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("a mended look differs from a whole one (-want +got):\n%s", diff)
	}
	kept, err := probe.Reparse(mended.Raw)
	if err != nil || !cmp.Equal(kept, mended.Facts) || len(probe.Gaps(mended.Raw)) > 0 {
		t.Errorf("what is kept says something else: %v", err)
	}
	if !bytes.Contains(mended.Raw, []byte(facts.Incomplete[0])) {
		t.Error("what was missing at first is not kept")
	}
}

// failsOnce is a host whose program fails the first time, and says why.
func failsOnce(t *testing.T, program, there, list string) *standin {
	t.Helper()
	return parseStandin(t, plain+"-- root"+there+" --\n-- root/opt/x/y --\n-- ask --\n/opt/x\n-- bin/"+program+` --
#!/bin/sh
if [ -e "$0.once" ]; then
cat "$0.list"
else
: > "$0.once"
echo "error: the database is locked"
exit 2
fi
-- bin/`+program+".list --\n"+list)
}

// TestPackagesAskedAgain: a package manager that fails once is asked again, and
// it alone; one that is not there, or did not list anything, is not.
func TestPackagesAskedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ program, there, list string }{
		"dpkg": {"dpkg-query", "/var/lib/dpkg/status", "kesl\t12.1\tamd64\tinstall ok installed\n"},
		"rpm":  {"rpm", "/var/lib/rpm/rpmdb.sqlite", "kesl\t12.1\tx86_64\tKaspersky\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := failsOnce(t, c.program, c.there, c.list)
			facts, raw, err := probe.Parse(h.look(t), nonce)
			if err != nil || len(facts.Packages) > 0 || len(probe.Gaps(raw)) == 0 {
				t.Fatalf("%+v, %+v, %v", facts.Packages, probe.Gaps(raw), err)
			}
			script, err := probe.Again(raw, h.questions())
			if err != nil {
				t.Fatal(err)
			}
			out := h.run(t, string(script))
			if f, err := remediate.ParseFrames(out, nonce); err != nil || len(f.Sections) != 3 {
				t.Errorf("%d sections were asked for again, want those of %s and uname: %v", len(f.Sections), name, err)
			}
			m, err := probe.Mend(raw, out)
			if err != nil || len(m.Left) > 0 {
				t.Fatalf("%+v, %v", m.Left, err)
			}
			want, _, err := probe.Parse(h.look(t), nonce)
			if err != nil || len(m.Facts.Packages) != 1 || len(want.Incomplete) > 0 {
				t.Fatalf("%+v, %v", m.Facts, err)
			}
			if diff := cmp.Diff(want, m.Facts, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("a mended look differs from a whole one (-want +got):\n%s", diff)
			}
		})
	}
	for name, exit := range map[string]string{"absent": "127", "no program": "126"} {
		h := parseStandin(t, plain+"-- root/var/lib/rpm/Packages --\n-- bin/rpm --\n#!/bin/sh\nexit "+exit+"\n")
		if _, raw, err := probe.Parse(h.look(t), nonce); err != nil || len(probe.Gaps(raw)) > 0 {
			t.Errorf("%s: %+v, %v", name, probe.Gaps(raw), err)
		}
	}
}

// TestNotAskedAgain: what a host refuses is not asked again, nor is a whole look.
func TestNotAskedAgain(t *testing.T) {
	t.Parallel()
	user := replaced(t, wineLook(t), rebootKey+"\"\nrc 1", rebootKey+"\"\n"+notStarted+"rc 1")
	for name, look := range map[string][]byte{
		"whole":   wineLook(t),
		"refused": replaced(t, wineLook(t), rebootKey+"\"\nrc 1", rebootKey+"\"\nERROR: Access is denied.\nrc 1"),
		"misread": replaced(t, wineLook(t), hexOf(protectedKey)+` "`+protectedKey, hexOf(protectedKey)+` "HKLM\?`),
		"user":    replaced(t, user, "root\"\nrc 0", "root\"\nrc 1"),
	} {
		facts, raw, err := probe.Parse(look, nonce)
		if err != nil || (name == "whole") != (len(facts.Incomplete) == 0) {
			t.Errorf("%s: %q, %v", name, facts.Incomplete, err)
		}
		if script, err := probe.Again(raw, wineQuestions); script != nil || err != nil {
			t.Errorf("%s: it is asked again: %v", name, err)
		}
	}
	if _, err := probe.Mend([]byte("no look"), nil); !errors.Is(err, remediate.ErrNoFrame) {
		t.Errorf("mended what is no look: %v", err)
	}
}

// TestLookedAtAnew: where the host did not even say what it says of things that
// are not there, its later words are not taken for that: the whole look is
// repeated.
func TestLookedAtAnew(t *testing.T) {
	t.Parallel()
	f, err := remediate.ParseFrames(wineLook(t), nonce)
	if err != nil {
		t.Fatal(err)
	}
	absent, _ := f.Get("absent")
	broken := bytes.Replace(wineLook(t), absent, []byte("list\r\nNo memory.\r\nkey\r\nNo memory.\r\npath\r\nNo memory.\r\npath\r\nNo memory."), 1)
	facts, raw, err := probe.Parse(broken, nonce)
	if err != nil || len(facts.Incomplete) == 0 {
		t.Fatalf("%+v, %v", facts, err)
	}
	script, err := probe.Again(raw, wineQuestions)
	if err != nil || !bytes.Contains(script, []byte(nonce.CmdSection("who"))) || !bytes.Contains(script, []byte(nonce.CmdSection("absent"))) {
		t.Fatalf("not all is asked again: %v", err)
	}
	mended, err := probe.Mend(raw, wineLook(t))
	if err != nil || len(mended.Facts.Incomplete) > 0 {
		t.Errorf("%q, %v", mended.Facts.Incomplete, err)
	}
	if same, err := probe.Mend(raw, broken); err != nil || !cmp.Equal(same.Facts, facts) {
		t.Errorf("%q, %v", same.Facts.Incomplete, err)
	}
}
