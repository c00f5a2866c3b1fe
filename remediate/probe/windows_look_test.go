package probe_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"oust/remediate"
	"oust/remediate/probe"
)

// wineLook is a look at wine 8.0 with entries of Kaspersky's products, as
// testdata/probes/README.md says.
func wineLook(t testing.TB) []byte {
	t.Helper()
	return read(t, testdata+"/windows/wine-8.0.look")
}

func TestLookAtWine(t *testing.T) {
	t.Parallel()
	golden(t, testdata+"/windows/wine-8.0.json", factsJSON(t, wineLook(t)))
	facts, raw, err := probe.Parse(wineLook(t), nonce)
	if err != nil {
		t.Fatal(err)
	}
	again, err := probe.Reparse(raw)
	if err != nil || again.Platform != remediate.Windows || len(again.Services) != len(facts.Services) {
		t.Errorf("read again: %+v, %v", again, err)
	}
}

// TestLookAtWindowsInOtherLetters: names in Cyrillic letters, as they come in
// UTF-8 and as they come in the host's own code page.
func TestLookAtWindowsInOtherLetters(t *testing.T) {
	t.Parallel()
	const name, russian = "Network Agent in no known language", "Агент администрирования Kaspersky Security Center"
	utf8 := bytes.ReplaceAll(wineLook(t), []byte(name), []byte(russian))
	utf8 = bytes.ReplaceAll(utf8, []byte("Active code page: 0"), []byte("Активная кодовая страница: 65001"))
	facts, _, err := probe.Parse(utf8, nonce)
	if err != nil {
		t.Fatal(err)
	}
	if got := entryOf(facts, "{ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}").DisplayName; got != russian || facts.Windows.CodePage != 65001 {
		t.Errorf("name %q in code page %d", got, facts.Windows.CodePage)
	}
	own := bytes.ReplaceAll(wineLook(t), []byte(name), []byte("\x80\xa3\xa5\xad\xe2")) // "Агент" in 866
	own = bytes.ReplaceAll(own, []byte("Active code page: 0"), []byte("code page: 866"))
	if facts, _, err = probe.Parse(own, nonce); err != nil {
		t.Fatal(err)
	}
	if got := entryOf(facts, "{ED1C2D7E-5C7A-48D8-A697-57D1C080ABA7}").DisplayName; got != "Агент" || facts.Windows.CodePage != 866 {
		t.Errorf("name %q in code page %d", got, facts.Windows.CodePage)
	}
}

func entryOf(f *remediate.Facts, code string) remediate.UninstallEntry {
	for _, e := range f.Windows.Uninstall {
		if e.ProductCode == code {
			return e
		}
	}
	return remediate.UninstallEntry{}
}

// TestLookAtWindowsCutShort: whatever is missing, a look is an error or says
// that it is not whole; it is never a clean host.
func TestLookAtWindowsCutShort(t *testing.T) {
	t.Parallel()
	whole := wineLook(t)
	for at := 0; at < len(whole)-40; at += 97 {
		if _, _, err := probe.Parse(whole[:at], nonce); err == nil {
			t.Errorf("cut at %d of %d, it is read without an error", at, len(whole))
		}
	}
	mark := "@" + string(nonce) + " section "
	parts := strings.Split(string(whole), mark)
	for i := 1; i < len(parts); i++ {
		name, _, _ := strings.Cut(parts[i], "\r\n")
		without := strings.Join(append(append([]string{}, parts[:i]...), parts[i+1:]...), mark)
		if i == len(parts)-1 { // the end stands in the last one
			without += "@" + string(nonce) + " end\r\n"
		}
		facts, _, err := probe.Parse([]byte(without), nonce)
		if err == nil && len(facts.Incomplete) == 0 {
			t.Errorf("without its section %q the look counts as whole", name)
		}
	}
}

func TestCmdRefuses(t *testing.T) {
	t.Parallel()
	for _, q := range []remediate.Questions{
		{Paths: []string{"/opt/x"}}, {Paths: []string{`C:\a"b`}}, {Paths: []string{"C:\\a\nb"}}, {Paths: []string{`C:\a*`}},
		{Paths: []string{`C:\Users\*\x`}}, {Paths: []string{`%SystemDrive%\Users\*\*\x`}}, {Paths: []string{`%SystemDrive%\Users\*\a"b`}}, {Paths: []string{`%SystemDrive%\Users\*`}},
		{Paths: []string{`%HOME%\x`}}, {Paths: []string{`C:\` + strings.Repeat("x", 1100)}}, {Paths: []string{"C:\\\xff"}},
		{Keys: []string{`HKLM`}}, {Keys: []string{`HKCU\x`}}, {Keys: []string{`HKLM\a"b`}}, {Keys: []string{`HKLM\a\\b`}},
	} {
		if script, err := probe.Cmd(q, nonce); !errors.Is(err, probe.ErrCannotAsk) {
			t.Errorf("%q: %v, a script of %d bytes", q, err, len(script))
		}
	}
	script, err := probe.Cmd(remediate.Questions{Paths: []string{`%ProgramFiles(x86)%\A & B\100%`}, Keys: []string{`HKLM\SOFTWARE\A ^ (B)`}}, nonce)
	if err != nil || bytes.Contains(script, []byte(`100%"`)) || !bytes.Contains(script, []byte(`"HKLM\SOFTWARE\A ^ (B)"`)) {
		t.Errorf("%v\n%s", err, script)
	}
	for line := range strings.Lines(string(script)) {
		if !strings.HasSuffix(line, "\r\n") || len(line) > 8191 {
			t.Errorf("line %q", line)
		}
	}
}

// FuzzLookAtWindows: no output of a host makes the reader fail, or gives facts
// without bounds; what is kept reads the same again.
func FuzzLookAtWindows(f *testing.F) {
	whole := wineLook(f)
	f.Add(whole)
	f.Add(bytes.ReplaceAll(whole, []byte("REG_SZ"), []byte("REG_MULTI_SZ")))
	f.Add(bytes.ReplaceAll(whole, []byte("\r\n"), []byte("\n")))
	f.Fuzz(func(t *testing.T, out []byte) {
		facts, raw, err := probe.Parse(out, nonce)
		if err != nil {
			return
		}
		if len(facts.Services) > 20_000 || facts.Uptime < 0 {
			t.Errorf("%d services, up for %v", len(facts.Services), facts.Uptime)
		}
		if _, err := probe.Reparse(raw); err != nil {
			t.Errorf("read once, and not again: %v", err)
		}
	})
}
