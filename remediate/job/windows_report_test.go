package job

import (
	"strings"
	"testing"
	"time"

	"oust/remediate"
)

// printedByCmd makes what a Windows host prints, with its line ends, from sections
// that are written with LF.
func printedByCmd(n remediate.Nonce, sections ...string) string {
	var b strings.Builder
	b.WriteString("Microsoft Windows [Version 10.0.20348.1]\n(c) Microsoft\n\n@" + string(n) + " begin " + cmdKind + "\n")
	for _, s := range sections {
		b.WriteString("@" + string(n) + " section " + s)
	}
	b.WriteString("@" + string(n) + " end\n")
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}

const bootSeven = "\nHKEY_LOCAL_MACHINE\\X\n    BootId    REG_DWORD    0x7\n\n\nHKEY_LOCAL_MACHINE\\Y\n    ShutdownTime    REG_BINARY    00aabbccddeeff11\n\n"

func TestWindowsReports(t *testing.T) {
	n := remediate.NewNonce()
	const owner = "06h0x4sprd3qagt9c0t5k6fvtw"
	state := func(s string) string { return "state\n" + s }
	boot, began := "boot\n"+bootSeven, "began\n"+bootSeven
	other := strings.Replace(began, "0x7", "0x6", 1)
	for name, c := range map[string]struct {
		sections []string
		want     Report
		err      string
	}{
		"absent":      {[]string{state("alive no\n"), boot}, Report{State: StateAbsent}, ""},
		"prepared":    {[]string{state("folder\nalive no\n"), boot}, Report{State: StatePrepared}, ""},
		"not started": {[]string{"accepted\n", state("folder\nalive no\n"), boot, "why\n"}, Report{State: StatePrepared, Detail: "the job did not start"}, ""},
		"no scheduler": {[]string{state("folder\nalive no\n"), boot, "why\nERROR: Access is\ndenied.\n"},
			Report{State: StateRefused, Refusal: RefusedScheduler, Detail: "the task could not be made or started: ERROR: Access is denied."}, ""},
		"before its claim": {[]string{state("folder\nalive yes\n"), boot}, Report{State: StateAccepted}, ""},
		"a task of an earlier boot": {[]string{state("folder\nclaim l-1\nalive yes\n"), boot, other},
			Report{State: StateDied, Detail: "the host was started again before the job ended"}, ""},
		"running": {[]string{state("folder\nclaim l-1\nalive yes\n"), boot, began, "result\n1 ok 0 a/b x\n"}, Report{State: StateRunning, Result: "1 ok 0 a/b x"}, ""},
		"ended":   {[]string{state("folder\nclaim l-1\nalive no\n"), "end\nstate ended\nexit 20\nwhole\n", boot, began, "log\nhello\n\n"}, Report{State: StateEnded, Exit: 20}, ""},
		"ended with a status of Windows": {[]string{state("folder\nclaim l-1\nalive no\n"), "end\nstate ended\nexit -1073741510\nwhole\n", boot, began},
			Report{State: StateEnded, Exit: -1073741510}, ""},
		"ended, and its task has not":  {[]string{state("folder\nclaim l-1\nalive yes\n"), "end\nstate ended\nexit 0\nwhole\n", boot, began}, Report{State: StateEnded}, ""},
		"an end that is being written": {[]string{state("folder\nclaim l-1\nalive yes\n"), "end\nstate ended\n", boot, began}, Report{State: StateRunning}, ""},
		"died":                         {[]string{state("folder\nclaim l-1\nalive no\n"), boot, began}, Report{State: StateDied, Detail: "the job is gone and left no exit code"}, ""},
		"died in an earlier boot":      {[]string{state("folder\nclaim l-1\nalive no\n"), boot, other}, Report{State: StateDied, Detail: "the host was started again before the job ended"}, ""},
		"locked": {[]string{state("folder\nclaim l-1\nalive no\n"), "end\nstate locked\nexit 0\nwhole\n", "holder\nlaunch l-9\nowner " + owner + "\ncampaign a & b\n", boot, began},
			Report{State: StateLocked, LockOwner: owner, LockedBy: "attempt " + owner + " of campaign a & b"}, ""},
		"locked by nobody": {[]string{state("claim l-1\n"), "end\nstate locked\nexit 0\nwhole\n", "holder\nowner x y\n"}, Report{}, "not by whom"},
		"no lock": {[]string{state("folder\nclaim l-1\nalive no\n"), "end\nstate refused\nexit 0\nwhole\n", boot, began},
			Report{State: StateRefused, Refusal: RefusedStorage, Detail: `the lock in %ProgramFiles%\oust could not be taken`}, ""},
		"no rights":   {[]string{state("refusal privilege\n")}, Report{State: StateRefused, Refusal: RefusedPrivilege, Detail: winRefusals[RefusedPrivilege]}, ""},
		"no exit":     {[]string{state("claim l-1\n"), "end\nstate ended\nexit x\nwhole\n"}, Report{}, "not a number"},
		"another end": {[]string{state("claim l-1\n"), "end\nstate gone\nexit 0\nwhole\n"}, Report{}, "unknown end"},
		"no state":    {[]string{boot}, Report{}, "no state"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseReport([]byte(printedByCmd(n, c.sections...)), n)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one that says %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(strings.Join(c.sections, ""), "BootId") && got.BootID != "boot-7,shutdown-00AABBCCDDEEFF11" {
				t.Errorf("boot id %q", got.BootID)
			}
			got.BootID, got.BeganIn, got.Log = "", "", nil
			if got.State != c.want.State || got.Refusal != c.want.Refusal || got.Exit != c.want.Exit || got.Detail != c.want.Detail ||
				got.Result != c.want.Result || got.LockedBy != c.want.LockedBy || got.LockOwner != c.want.LockOwner {
				t.Errorf("report %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestWindowsOutputThatBreaksOff: what comes after "accepted" may run; a log
// that is cut is a report all the same.
func TestWindowsOutputThatBreaksOff(t *testing.T) {
	n := remediate.NewNonce()
	whole := printedByCmd(n, "accepted\n", "state\nfolder\nclaim l-1\nalive no\n", "end\nstate ended\nexit 3\nwhole\n", "log\nline one\nline two\n")
	at := func(word string) string {
		before, _, _ := strings.Cut(whole, word)
		return before
	}
	for _, c := range []struct {
		out  string
		want State
	}{
		{at("section accepted"), ""}, {at("section state"), StateAccepted}, {at("alive"), StateAccepted}, {at("section log"), StateAccepted},
		{at("line two"), StateEnded}, {whole, StateEnded},
	} {
		r, err := ParseReport([]byte(c.out), n)
		if r.State != c.want || (err == nil) != (c.want != "") {
			t.Errorf("after %d bytes: %q, %v; want %q", len(c.out), r.State, err, c.want)
		}
	}
}

func TestWindowsCleaned(t *testing.T) {
	n := remediate.NewNonce()
	for _, c := range []struct {
		sections []string
		want     string
	}{
		{[]string{"state\nalive no\n", "clean\n"}, ""},
		{[]string{"state\nfolder\nalive no\n", "clean\nC:\\x - Access is denied.\nleft\n"}, "still there: C:\\x - Access is denied."},
		{[]string{"state\nfolder\nclaim l-1\nalive yes\n", "clean\n"}, "still runs"},
		{[]string{"state\nrefusal privilege\n"}, "needs an administrator"},
		{[]string{"state\nalive no\n"}, "did not say"},
	} {
		err := ParseCleaned([]byte(printedByCmd(n, c.sections...)), n)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.sections, err, c.want)
		}
	}
}

// TestWindowsScripts: every line fits into cmd, the secret stands in the lines
// alone that write its own file, and every placeholder is filled in.
func TestWindowsScripts(t *testing.T) {
	n, id := remediate.NewNonce(), remediate.NewID(time.Unix(1_800_000_000, 0))
	const secret = "plainsecret"
	spec := Spec{
		ID: id, Campaign: "a & b (c) 100%", Controller: `x"y`, Wait: 20 * time.Second, Script: []byte("@echo off\r\nexit /b 0\r\n"),
		Secrets: map[string]string{"pw": secret},
	}
	launch, err := Windows{}.Launch(spec, n)
	if err != nil {
		t.Fatal(err)
	}
	join, err := Windows{}.Join(id, n)
	if err != nil {
		t.Fatal(err)
	}
	clean, err := Windows{}.Clean(id, n)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for name, text := range map[string][]byte{"launch": launch, "join": join, "clean": clean} {
		for line := range strings.Lines(string(text)) {
			body, crlf := strings.CutSuffix(line, "\r\n")
			if !crlf || len(body) > mostTyped || strings.ContainsAny(body, "\r\n") {
				t.Errorf("%s: bad line %q", name, line)
			}
			for _, word := range []string{"SECTION ", "MAXTYPE", "TAILLINES", `LAUNCH"`, "LAUNCH.", "QUERYBOOT", "REFUSE", "PATHS", "STAGE", "BOOT", "oust-ID", "dead-ID", `\ID"`} {
				if strings.Contains(strings.ReplaceAll(line, "LAUNCH%OUSTP%", ""), word) {
					t.Errorf("%s: %s is not filled in: %s", name, word, line)
				}
			}
			if strings.Contains(line, secret) {
				held++
				if !strings.HasPrefix(line, `if not exist "%DIR%\claim" >>"%RUN%\secrets\pw.cmd" echo `) {
					t.Errorf("%s: the secret stands in another line than those that write its file: %s", name, line)
				}
			}
		}
	}
	if held != 2 {
		t.Errorf("the secret stands in %d lines, want 2", held)
	}
	if strings.Contains(string(join)+string(clean), ">>") {
		t.Error("a join or a clean writes a file")
	}
}

func TestWindowsLaunchRefuses(t *testing.T) {
	good := Spec{ID: remediate.NewID(time.Unix(1_800_000_000, 0)), Campaign: "c", Controller: "m", Script: []byte("exit /b 0\r\n")}
	for name, change := range map[string]func(*Spec){
		"an id":               func(s *Spec) { s.ID = `a" & del "b` },
		"no script":           func(s *Spec) { s.Script = nil },
		"a control character": func(s *Spec) { s.Script = []byte("echo \x1a") },
		"not UTF-8":           func(s *Spec) { s.Script = []byte("echo \xff") },
		"a long line":         func(s *Spec) { s.Script = []byte("echo " + strings.Repeat("%", 4000)) },
		"a secret's line end": func(s *Spec) { s.Secrets = map[string]string{"pw": "top\nsecret"} },
		"a long secret":       func(s *Spec) { s.Secrets = map[string]string{"pw": strings.Repeat("secret", 2000)} },
	} {
		spec := good
		change(&spec)
		out, err := Windows{}.Launch(spec, remediate.NewNonce())
		if err == nil || out != nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "secretsecret") || strings.Contains(err.Error(), "top") {
			t.Errorf("%s: the error holds the secret: %v", name, err)
		}
	}
	if _, err := (Windows{}).Launch(good, "bad nonce"); err == nil {
		t.Error("a bad nonce was taken")
	}
}

func FuzzWindowsReport(f *testing.F) {
	n := remediate.Nonce("0123456789abcdef0123456789abcdef")
	f.Add([]byte(printedByCmd(n, "state\nfolder\nclaim l-1\nalive no\n", "end\nstate ended\nexit 3\nwhole\n", "boot\n"+bootSeven, "log\nx\n")))
	f.Add([]byte(printedByCmd(n, "state\nrefusal privilege\n")))
	f.Fuzz(func(t *testing.T, out []byte) {
		r, err := ParseReport(out, n)
		if err == nil && r.State == "" {
			t.Error("neither a state nor an error")
		}
		if len(r.Log) > MaxLog+1024 || len(r.Result) > maxResult {
			t.Errorf("a log of %d bytes, a result of %d", len(r.Log), len(r.Result))
		}
		_ = ParseCleaned(out, n)
	})
}
