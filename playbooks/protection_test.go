package playbooks

import (
	"strings"
	"testing"

	"oust/remediate"
)

// guarding is a playbook for two systems with signs of each kind.
const guarding = `format: 1
name: acme/guard
title: Acme Guard
vendor: Acme
platforms: [linux, windows]
detect:
  - package: {managers: [dpkg], names: [acme-guard]}
  - uninstall: {names: [Acme Guard]}
protection:
  - {defender: running}
  - {service: ekrn, uninstall: {names: ["ESET Endpoint*"]}, platforms: [windows]}
  - {path: 'C:\Program Files\Other\other.exe', key: 'HKLM\SOFTWARE\Other\Guard'}
  - {service: clamav-daemon, package: {managers: [dpkg], names: [clamav-daemon]}, platforms: [linux]}
  - {path: /opt/other/guard}
restart: in-window
reboot: maybe
manual: call Acme
afterwards: nothing
confidence: vendor
sources:
  - {claim: all of it, source: the manual, confidence: vendor}
`

// guardLibrary has the playbook guarding; one that asks for nothing, tool; and
// one that asks for Defender alone and forbids restarts, shield.
func guardLibrary(t testing.TB) *Library {
	t.Helper()
	var list []*Playbook
	head, rest, _ := strings.Cut(guarding, "protection:\n")
	_, tail, _ := strings.Cut(rest, "restart: in-window\n")
	tool := strings.NewReplacer("acme/guard", "acme/tool", "Acme Guard", "Acme Tool", "acme-guard", "acme-tool").Replace(head + tail)
	shield := strings.NewReplacer("acme/tool", "acme/shield", "Acme Tool", "Acme Shield", "acme-tool", "acme-shield",
		"reboot:", "restart: never\nprotection: [{defender: running}]\nreboot:").Replace(tool)
	for _, text := range []string{guarding, tool, shield} {
		p, err := Parse("guard.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	l, err := newLibrary(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func running(f *remediate.Facts, state remediate.RunState, names ...string) {
	for _, n := range names {
		f.Running = append(f.Running, remediate.RunningFact{Service: n, State: state})
	}
}

const (
	otherPath = `C:\Program Files\Other\other.exe`
	otherKey  = `HKLM\SOFTWARE\Other\Guard`
)

// bareWindows is a Windows 10 that answers all that is asked: nothing is
// there.
func bareWindows(entries ...remediate.UninstallEntry) *remediate.Facts {
	f := windowsHost(entries...)
	f.OS.Version = "10.0"
	running(f, remediate.ServiceStopped, "WinDefend")
	running(f, remediate.ServiceAbsent, "ekrn")
	f.Paths = []remediate.PathFact{{Path: otherPath, Kind: remediate.PathAbsent}}
	f.Windows.Keys = []remediate.KeyFact{
		{Key: otherKey, View: remediate.View64, Kind: remediate.KeyAbsent}, {Key: otherKey, View: remediate.View32, Kind: remediate.KeyAbsent},
	}
	return f
}

func entry(name string) remediate.UninstallEntry {
	return remediate.UninstallEntry{Hive: "HKLM", View: remediate.View64, Key: name, DisplayName: name, UninstallString: "x"}
}

func defender(f *remediate.Facts, state string) {
	f.Windows.Security = append(f.Windows.Security, remediate.SecurityProduct{Source: "defender", Name: "Microsoft Defender", State: state})
}

const (
	besideDefender = ", or service ekrn running and ESET Endpoint* installed (there is no such service), or " + otherPath + " there and " + otherKey + " there"
	allBare        = "nothing of what should protect it is there: Microsoft Defender running (its service does not run)" + besideDefender
)

func TestBareWindows(t *testing.T) {
	l := guardLibrary(t)
	for name, c := range map[string]struct {
		facts   *remediate.Facts
		change  func(f *remediate.Facts)
		removed []string
		want    string
	}{
		"nothing there":           {nil, nil, nil, allBare},
		"nothing was removed":     {nil, nil, []string{}, ""},
		"a tool was removed":      {nil, nil, []string{"acme/tool"}, ""},
		"an unknown one":          {nil, nil, []string{"none/such"}, ""},
		"two were removed":        {nil, nil, []string{"acme/guard", "acme/shield", "acme/tool"}, allBare},
		"one that is there again": {bareWindows(entry("Acme Guard")), nil, nil, ""},
		"another that asks, too":  {bareWindows(entry("Acme Shield")), nil, nil, ""},
		"a tool is there":         {bareWindows(entry("Acme Tool")), nil, nil, allBare},
		"the replacement":         {bareWindows(entry("ESET Endpoint Security")), func(f *remediate.Facts) { f.Running[1].State = remediate.ServiceRunning }, nil, ""},
		"it does not run":         {bareWindows(entry("ESET Endpoint Security")), nil, nil, allBare},
		"its service alone":       {nil, func(f *remediate.Facts) { f.Running[1].State = remediate.ServiceRunning }, nil, strings.Replace(allBare, " (there is no such service)", "", 1)},
		"a path alone":            {nil, func(f *remediate.Facts) { f.Paths[0].Kind = remediate.PathFile }, nil, allBare},
		"a path and a key": {nil, func(f *remediate.Facts) {
			f.Paths[0].Kind, f.Windows.Keys[1].Kind = remediate.PathFile, remediate.KeyPresent
		}, nil, ""},
		"Defender runs": {nil, func(f *remediate.Facts) { f.Running[0].State = remediate.ServiceRunning }, nil, ""},
		"the name in capitals": {nil, func(f *remediate.Facts) {
			f.Running[0] = remediate.RunningFact{Service: "WINDEFEND", State: remediate.ServiceRunning}
		}, nil, ""},
		"Defender is switched off": {nil, func(f *remediate.Facts) {
			f.Running[0].State = remediate.ServiceRunning
			defender(f, "DisableRealtimeMonitoring=1")
		}, nil, strings.Replace(allBare, "its service does not run", "DisableRealtimeMonitoring=1", 1)},
		"Defender is passive": {nil, func(f *remediate.Facts) {
			f.Running[0].State = remediate.ServiceRunning
			defender(f, "ForceDefenderPassiveMode=1 by policy")
		}, nil, strings.Replace(allBare, "its service does not run", "ForceDefenderPassiveMode=1 by policy", 1)},
		"Defender is not passive": {nil, func(f *remediate.Facts) {
			f.Running[0].State = remediate.ServiceRunning
			defender(f, "PassiveMode=0")
			defender(f, "DisableAntiSpyware=0 by policy")
		}, nil, ""},
		"Defender is not installed": {nil, func(f *remediate.Facts) { f.Running[0].State = remediate.ServiceAbsent }, nil, strings.Replace(allBare, "its service does not run", "it is not installed", 1)},
		"Windows 7": {nil, func(f *remediate.Facts) { f.OS.Version, f.Running[0].State = "6.1", remediate.ServiceRunning }, nil,
			strings.Replace(allBare, "its service does not run", "that of Windows 6.1 is no virus scanner", 1)},
		"sc.exe does not say": {nil, func(f *remediate.Facts) { f.Running[0].State = remediate.ServiceUnknown }, nil,
			"nothing of what should protect it was seen: Microsoft Defender running (could not be told)" + besideDefender},
		"an older look": {nil, func(f *remediate.Facts) { f.Running, f.Paths, f.Windows.Keys = nil, nil, nil }, []string{"acme/shield"},
			"nothing of what should protect it was seen: Microsoft Defender running (could not be told)"},
		"a list that is not whole": {nil, func(f *remediate.Facts) {
			f.Running[1].State, f.Incomplete = remediate.ServiceRunning, []string{"the uninstall entries"}
		}, nil,
			strings.NewReplacer("is there", "was seen", "there is no such service", "could not be told").Replace(allBare)},
		"a key that may not be read": {nil, func(f *remediate.Facts) {
			f.Paths[0].Kind, f.Windows.Keys[0].Kind = remediate.PathFile, remediate.KeyDenied
		}, nil,
			strings.Replace(allBare, "is there", "was seen", 1) + " (could not be told)"},
		"a path that may not be, and no key": {nil, func(f *remediate.Facts) { f.Paths[0].Kind = remediate.PathDenied }, nil, allBare},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.facts
			if f == nil {
				f = bareWindows()
			}
			if c.change != nil {
				c.change(f)
			}
			removed := c.removed
			if removed == nil {
				removed = []string{"acme/guard"}
			}
			if got := l.Bare(f, removed); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestBareLinux(t *testing.T) {
	l := guardLibrary(t)
	host := func(state remediate.RunState, pkgStatus string, kind remediate.PathKind) *remediate.Facts {
		f := &remediate.Facts{Platform: remediate.Linux, Paths: []remediate.PathFact{{Path: "/opt/other/guard", Kind: kind}}}
		running(f, state, "clamav-daemon")
		if pkgStatus != "" {
			f.Packages = []remediate.Package{{Manager: remediate.ManagerDpkg, Name: "clamav-daemon", Status: pkgStatus}}
		}
		return f
	}
	const line = "nothing of what should protect it is there: service clamav-daemon running and package clamav-daemon installed, or /opt/other/guard there"
	for name, c := range map[string]struct {
		facts *remediate.Facts
		want  string
	}{
		"both":             {host(remediate.ServiceRunning, remediate.PackageInstalled, remediate.PathAbsent), ""},
		"a path":           {host(remediate.ServiceAbsent, "", remediate.PathDir), ""},
		"no package":       {host(remediate.ServiceRunning, "", remediate.PathAbsent), line},
		"a broken package": {host(remediate.ServiceRunning, remediate.PackageBroken, remediate.PathAbsent), line},
		"it does not run":  {host(remediate.ServiceStopped, remediate.PackageInstalled, remediate.PathAbsent), strings.Replace(line, "installed,", "installed (it does not run),", 1)},
		"nobody knows":     {host(remediate.ServiceUnknown, remediate.PackageInstalled, remediate.PathAbsent), strings.NewReplacer("is there", "was seen", "installed,", "installed (could not be told),").Replace(line)},
		"capitals count": {&remediate.Facts{Platform: remediate.Linux, Running: []remediate.RunningFact{{Service: "Clamav-Daemon", State: remediate.ServiceRunning}}},
			strings.Replace(line, "is there", "was seen", 1) + " (could not be told)"},
		"macOS is not meant": {&remediate.Facts{Platform: remediate.MacOS}, ""},
	} {
		if got := l.Bare(c.facts, []string{"acme/guard", "acme/shield"}); got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}

// TestProtectionQuestions: what Bare reads is asked, of each system its own;
// it does not count among what Match must know.
func TestProtectionQuestions(t *testing.T) {
	l := guardLibrary(t)
	for platform, want := range map[remediate.Platform][3]string{
		remediate.Windows: {otherPath, otherKey, "WinDefend ekrn"},
		remediate.Linux:   {"/opt/other/guard", "", "clamav-daemon"},
		remediate.MacOS:   {},
	} {
		q := l.Questions(platform)
		if got := [3]string{strings.Join(q.Paths, " "), strings.Join(q.Keys, " "), strings.Join(q.Services, " ")}; got != want {
			t.Errorf("%s: asked %q, want %q", platform, got, want)
		}
		if un := l.Unanswered(&remediate.Facts{Platform: platform}); len(un) != 0 {
			t.Errorf("%s: without answers about protection, Match lacks %q", platform, un)
		}
	}
}

func TestRestart(t *testing.T) {
	l := guardLibrary(t)
	for want, lists := range map[remediate.RebootPolicy][][]string{
		remediate.RebootAlways:   {nil, {"acme/tool"}, {"none/such"}},
		remediate.RebootInWindow: {{"acme/guard"}, {"acme/tool", "acme/guard"}, {"acme/guard", "none/such"}},
		remediate.RebootNever:    {{"acme/shield"}, {"acme/guard", "acme/shield"}, {"acme/shield", "acme/guard", "acme/tool"}},
	} {
		for _, names := range lists {
			if got := l.Restart(names); got != want {
				t.Errorf("%q: %s, want %s", names, got, want)
			}
		}
	}
}

// TestShippedProtection: Windows hosts need Defender after KES; the agent and
// Linux need nothing.
func TestShippedProtection(t *testing.T) {
	l := mustThree(t)
	if q := l.Questions(remediate.Windows); strings.Join(q.Services, " ") != "WinDefend" {
		t.Errorf("asked on Windows: %q", q.Services)
	}
	f := bareWindows()
	if got := l.Bare(f, []string{"kaspersky/kes-windows", "kaspersky/klnagent"}); got != "nothing of what should protect it is there: Microsoft Defender running (its service does not run)" {
		t.Errorf("after KES: %q", got)
	}
	if got := l.Bare(f, []string{"kaspersky/klnagent"}); got != "" {
		t.Errorf("after the agent: %q", got)
	}
	if got := l.Bare(&remediate.Facts{Platform: remediate.Linux}, l.Names()); got != "" {
		t.Errorf("on Linux: %q", got)
	}
}

// TestLintProtection: each changes a sign of guarding.
func TestLintProtection(t *testing.T) {
	if got := Lint("good.yaml", []byte(guarding)); len(got) != 0 {
		t.Errorf("problems of a good playbook: %v", got)
	}
	const service = "{service: clamav-daemon, package: {managers: [dpkg], names: [clamav-daemon]}, platforms: [linux]}"
	for name, c := range map[string]struct{ old, new, want string }{
		"empty":                 {"{defender: running}", "{}", "would hold everywhere"},
		"only platforms":        {"{defender: running}", "{platforms: [linux]}", "would hold everywhere"},
		"another word":          {"{defender: running}", "{defender: run}", `defender "run" is unknown; use running`},
		"Defender on Linux":     {"{defender: running}", "{defender: running, platforms: [linux]}", "can hold on none of the platforms"},
		"mixed":                 {"{defender: running}", "{defender: running, path: /opt/x}", "can hold on neither"},
		"a foreign platform":    {"platforms: [linux]}", "platforms: [macos]}", `"macos" is not among the playbook's platforms`},
		"a service of which":    {service, "{service: clamd}", "services have other names on Windows"},
		"a service on macOS":    {"platforms: [linux, windows]", "platforms: [linux, windows, macos]", ""},
		"services of macOS":     {"platforms: [linux, windows]\n", "platforms: [macos]\n", "whether a service runs is not asked on macOS"},
		"a wildcard":            {"service: ekrn", "service: ekr*", "wildcards, spaces and signs are not allowed here"},
		"a pattern of all":      {`names: ["ESET Endpoint*"]`, `names: ["*"]`, "would match anything"},
		"a relative path":       {"/opt/other/guard", "opt/other", "[path]"},
		"a key of the system":   {otherKey, `HKLM\SOFTWARE`, "the key is one that every host has"},
		"a package of anything": {"names: [clamav-daemon]", `names: ["*"]`, "would match anything"},
		"restart":               {"restart: in-window", "restart: in-windows", `restart "in-windows" is unknown; use in-window`},
	} {
		text := strings.Replace(guarding, c.old, c.new, 1)
		if name == "services of macOS" {
			text = strings.NewReplacer("platforms: [linux, windows]\n", "platforms: [macos]\n", ", platforms: [linux]}", "}", "managers: [dpkg]", "managers: [app]").Replace(guarding)
		}
		var got []string
		for _, p := range Lint("bad.yaml", []byte(text)) {
			if p.Severity == SeverityError {
				got = append(got, p.String())
			}
		}
		if all := strings.Join(got, "\n"); c.want == "" && all != "" || !strings.Contains(all, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestGuideProtection: a site adds its replacement as the guide says, in a
// copy of a playbook that ships, which the campaign takes instead.
func TestGuideProtection(t *testing.T) {
	text := guide(t)
	signs := between(t, text, "```yaml\nprotection:\n", "```")
	shipped, _ := mustThree(t).Get("kaspersky/kes-windows")
	own := strings.Replace(string(shipped.Text()), "protection:\n  - {defender: running}\n", "protection:\n"+signs, 1)
	dir := tree(t, map[string]string{"own/kes-windows.yaml": own})
	named := strings.Split(strings.TrimSuffix(between(t, text, "playbooks: [./own/kes-windows.yaml", "\n"), "]"), ", ")
	l, err := mustThree(t).Select(dir, append([]string{"./own/kes-windows.yaml"}, named[1:]...))
	if err != nil {
		t.Fatal(err)
	}
	f := bareWindows(entry("ESET Endpoint Security"))
	if got := l.Bare(f, []string{"kaspersky/kes-windows"}); !strings.Contains(got, ", or service ekrn running and ESET Endpoint * installed (there is no such service)") {
		t.Errorf("without its service: %q", got)
	}
	f.Running[1].State = remediate.ServiceRunning
	if got := l.Bare(f, []string{"kaspersky/kes-windows"}); got != "" || strings.Join(l.Questions(remediate.Windows).Services, " ") != "WinDefend ekrn" {
		t.Errorf("with the replacement: %q", got)
	}
}
