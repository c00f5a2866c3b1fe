package playbooks

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/transports/lab/cmdexe"
)

const coveringSteps = `steps: [{script: {what: its own tool, text: "widgetrm", covers: ["Acme Widget*"], exit: {0: ok, 2: absent, 7: protected}}}]`

// runCmd runs a whole script with stand-ins for programs, and returns its result
// file and its exit code.
func runCmd(t *testing.T, script remediate.Script, programs map[string]cmdexe.Program) (string, int) {
	t.Helper()
	m := cmdexe.NewMemory()
	for name, text := range map[string]string{`C:\job\t.cmd`: script.Text, `C:\job\temp\x`: "x"} {
		if err := m.WriteFile(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	quiet := func(context.Context, *cmdexe.Call) int { return 0 }
	lookup := func(name string) cmdexe.Program {
		name = strings.TrimSuffix(strings.ToLower(name), ".exe")
		if p, ok := programs[name]; ok {
			return p
		}
		if name == "ping" || name == "tasklist" || name == "chcp" {
			return quiet
		}
		return nil
	}
	var out bytes.Buffer
	code := cmdexe.Run(t.Context(), cmdexe.Config{Files: m, Lookup: lookup, Dir: `C:\job`, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Env: []string{`OUST_DIR=C:\job`, "SystemDrive=C:"}, Now: time.Now, Version: "Microsoft Windows [Version 10.0.19045.3803]", CodePage: 437}, `/d /s /c "C:\job\t.cmd"`)
	r, err := m.Open(`C:\job\result`)
	if err != nil {
		t.Fatalf("the script left no result: %v; it printed %s", err, out.String())
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), code
}

// TestCovers: a script that removes an entry has not ended well while the entry
// is there.
func TestCovers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		exit   int
		stays  bool
		result string
		code   int
	}{
		"gone":                     {0, false, "1 ok 0 acme/widget its own tool\n", remediate.ScriptDone},
		"still there":              {0, true, "1 failed 0 acme/widget its own tool: it ended well, and its entry is still there\n", remediate.ScriptDone},
		"nothing to do, it says":   {2, true, "1 failed 2 acme/widget its own tool: it ended well, and its entry is still there\n", remediate.ScriptDone},
		"a failure keeps its name": {7, true, "1 protected 7 acme/widget its own tool\n", remediate.ScriptProtected},
	} {
		f := windowsHost(exeEntry("", `"C:\Program Files\Acme\u.exe"`))
		script, err := renderFacts(widget(t, coveringSteps), f)
		if err != nil {
			t.Fatal(name, err)
		}
		there := true
		programs := map[string]cmdexe.Program{
			"widgetrm": func(context.Context, *cmdexe.Call) int { there = c.stays; return c.exit },
			"reg": func(_ context.Context, call *cmdexe.Call) int {
				if strings.Contains(call.Line, `\Uninstall\Acme & Widget 100%`) && there {
					return 0
				}
				return 1
			},
		}
		result, code := runCmd(t, script, programs)
		first, _, _ := strings.Cut(result, "\n")
		if first+"\n" != c.result || code != c.code {
			t.Errorf("%s: %q and %d, want %q and %d", name, first, code, c.result, c.code)
		}
	}
}

// TestCoversOrder: steps take entries in their order, each once.
func TestCoversOrder(t *testing.T) {
	t.Parallel()
	msi := kesEntry()
	msi.DisplayName = "Acme Widget"
	exe := exeEntry("", `"C:\Program Files\Acme\u.exe"`)
	covering := strings.TrimSuffix(strings.TrimPrefix(coveringSteps, "steps: ["), "]")
	for name, c := range map[string]struct {
		steps   string
		entries []remediate.UninstallEntry
		calls   []string
		reason  string
	}{
		"both kinds":           {"steps: [{msi: {}}, " + covering + "]", []remediate.UninstallEntry{msi, exe}, []string{"msi", "covering"}, ""},
		"the script first":     {"steps: [" + covering + ", {msi: {}}]", []remediate.UninstallEntry{msi, exe}, []string{"covering"}, ""},
		"nothing left for it":  {"steps: [{msi: {}}, " + covering + "]", []remediate.UninstallEntry{msi}, []string{"msi", "script"}, ""},
		"without covers":       {"steps: [" + strings.Replace(covering, `covers: ["Acme Widget*"], `, "", 1) + "]", []remediate.UninstallEntry{exe}, nil, "no step removes the entry"},
		"a user's entry stays": {coveringSteps, []remediate.UninstallEntry{{Hive: `HKU\S-1-5-21-1-2-3-1001`, Key: "w", DisplayName: "Acme Widget", UninstallString: "x"}}, nil, "installed for one user alone"},
	} {
		script, err := renderFacts(widget(t, c.steps), windowsHost(c.entries...))
		if c.reason != "" {
			if err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%s: error %v, want one that says %q", name, err, c.reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var calls []string
		for line := range strings.Lines(script.Text) {
			if what, ok := strings.CutPrefix(strings.TrimSpace(line), "call :"); ok && slices.Contains([]string{"msi", "covering", "script"}, what) {
				calls = append(calls, what)
			}
		}
		if !slices.Equal(calls, c.calls) {
			t.Errorf("%s: the script calls %v, want %v", name, calls, c.calls)
		}
	}
}

// TestUncoveredEntries: lint tells of entries that no step removes.
func TestUncoveredEntries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ steps, want string }{
		"a script without covers": {`steps: [{script: {what: x, text: x, exit: {0: ok}}}]`, "no step removes the entries Acme Widget*"},
		"one with covers":         {coveringSteps, ""},
		"a folder":                {`steps: [{file: {path: '%ProgramFiles%\AcmeSoft\Widget'}}]`, "no step removes the entries Acme Widget*"},
		"an uninstaller":          {`steps: [{uninstaller: {arguments: /S}}]`, ""},
		"none":                    {"", ""},
	} {
		got := ""
		for _, p := range Lint("widget.yaml", []byte(strings.Replace(widgetOnWindows, "STEPS", c.steps, 1))) {
			if p.Severity == SeverityError {
				t.Fatalf("%s: %v", name, p)
			}
			if p.Rule == warnUnremoved {
				got += p.Message
			}
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	families := strings.Replace(strings.Replace(widgetOnWindows, `names: ["Acme Widget*"]`, `upgrade_codes: ["{B9518725-0B76-4793-A409-C6794442FB50}"]`, 1),
		"STEPS", `steps: [{script: {what: x, text: x, exit: {0: ok}}}]`, 1)
	if got := Lint("widget.yaml", []byte(families)); !strings.Contains(fmt.Sprint(got), "of these families") {
		t.Errorf("%v", got)
	}
}

// TestServicesWithBlanks: Windows has them, and cmd parts words at blanks.
func TestServicesWithBlanks(t *testing.T) {
	t.Parallel()
	f := windowsHost(exeEntry("", `"C:\Program Files\Acme\u.exe"`))
	script, err := renderFacts(widget(t, `steps: [{service: {names: [widgetd, Acme Widget Service]}}, {uninstaller: {arguments: /S}}]`), f)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	there := true
	result, _ := runCmd(t, script, map[string]cmdexe.Program{
		"sc": func(_ context.Context, call *cmdexe.Call) int {
			asked = append(asked, strings.Join(call.Args, "|"))
			if slices.Contains(call.Args, "stop") {
				return 1062
			}
			return 0
		},
		"reg": func(context.Context, *cmdexe.Call) int {
			if there {
				return 0
			}
			return 1
		},
		`c:\program files\acme\u`: func(context.Context, *cmdexe.Call) int { there = false; return 0 },
	})
	if !strings.HasPrefix(result, "1 ok 0 acme/widget stop and disable the services widgetd \"Acme Widget Service\"\n") {
		t.Errorf("result %q", result)
	}
	for _, want := range []string{"stop|widgetd", "stop|Acme Widget Service"} {
		if !slices.ContainsFunc(asked, func(a string) bool { return strings.HasSuffix(a, want) }) {
			t.Errorf("sc was called with %q, and not to %q", asked, want)
		}
	}
}
