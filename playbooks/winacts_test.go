package playbooks

import (
	"errors"
	"strings"
	"testing"

	"oust/remediate"
)

const widgetOnWindows = `format: 1
name: acme/widget
title: Acme Widget
vendor: Acme
platforms: [windows]
owns: [acmesoft]
detect:
  - uninstall: {names: ["Acme Widget*"]}
  - service: widgetd
STEPS
residue:
  - {path: '%ProgramData%\AcmeSoft\Widget', remove: true}
  - {key: 'HKLM\SOFTWARE\AcmeSoft\Widget', remove: true}
  - {service: widgetflt}
shared: ['%ProgramData%\AcmeSoft']
manual: call Acme
afterwards: nothing
confidence: vendor
sources:
  - {claim: all of it, source: the manual, confidence: vendor}
`

func widget(t *testing.T, steps string) *Library {
	t.Helper()
	p, problems := lint("widget.yaml", []byte(strings.Replace(widgetOnWindows, "STEPS", steps, 1)))
	if err := invalid(problems); err != nil {
		t.Fatal(err)
	}
	l, err := newLibrary([]*Playbook{p}, []string{p.Name})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func exeEntry(quiet, command string) remediate.UninstallEntry {
	return remediate.UninstallEntry{
		Hive: "HKLM", View: remediate.View64, Key: "Acme & Widget 100%", DisplayName: "Acme Widget (x64) & more",
		QuietUninstallString: quiet, UninstallString: command,
	}
}

func TestUninstallerLines(t *testing.T) {
	for _, c := range []struct{ quiet, command, want string }{
		{"", `"C:\Program Files\Acme\u.exe"`, `"C:\Program Files\Acme\u.exe" /S >"%OUST_DIR%\out-%step%" 2>&1 <nul`},
		{"", `C:\Program Files\Acme\u.exe`, `"C:\Program Files\Acme\u.exe" /S >"%OUST_DIR%\out-%step%" 2>&1 <nul`},
		{"", `C:\Program Files\Acme\u.exe /x & del C:\`, `"C:\Program Files\Acme\u.exe" /x ^& del C:\ /S >"%OUST_DIR%\out-%step%" 2>&1 <nul`},
		{"", `C:\Program Files\a.exe.d\u.exe -q`, `"C:\Program Files\a.exe.d\u.exe" -q /S >"%OUST_DIR%\out-%step%" 2>&1 <nul`},
		{`"C:\Program Files\Acme\u.exe" /quiet "a & b" c&d`, `"C:\Acme\other.exe"`, `"C:\Program Files\Acme\u.exe" /quiet "a & b" c^&d >"%OUST_DIR%\out-%step%" 2>&1 <nul`},
		{"", `"%ProgramFiles(x86)%\Acme\u.exe" %x%`, `"%ProgramFiles(x86)%\Acme\u.exe" %%x%% /S >"%OUST_DIR%\out-%step%" 2>&1 <nul`},
	} {
		script, err := renderFacts(widget(t, "steps: [{uninstaller: {arguments: /S}}]"), windowsHost(exeEntry(c.quiet, c.command)))
		if err != nil {
			t.Errorf("%q %q: %v", c.quiet, c.command, err)
			continue
		}
		if !strings.Contains(script.Text, "\r\n"+c.want+"\r\n") {
			t.Errorf("%q %q: want the line %s in\n%s", c.quiet, c.command, c.want, script.Text)
		}
	}
}

func TestUninstallersThatAreNotRun(t *testing.T) {
	user := exeEntry("", `"C:\Program Files\Acme\u.exe"`)
	user.Hive = `HKU\S-1-5-21-1-2-3-1001`
	odd := exeEntry("", `"C:\Program Files\Acme\u.exe"`)
	odd.Key = `a" & del "b`
	msi := kesEntry()
	msi.DisplayName = "Acme Widget"
	for name, c := range map[string]struct {
		steps string
		entry remediate.UninstallEntry
		want  string
	}{
		"a user's":        {"steps: [{uninstaller: {arguments: /S}}]", user, "installed for one user alone"},
		"an odd name":     {"steps: [{uninstaller: {arguments: /S}}]", odd, "no command can be given"},
		"no silent way":   {"steps: [{uninstaller: {}}]", exeEntry("", `"C:\Program Files\Acme\u.exe"`), "has no QuietUninstallString"},
		"cmd":             {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `C:\Windows\System32\cmd.exe /c del`), "a line for cmd.exe"},
		"rundll32":        {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `rundll32.exe a.dll,b`), "a line for rundll32.exe"},
		"no program":      {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `C:\Acme\u.bat`), "names no .exe"},
		"an open quote":   {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `"C:\Acme\u.exe`), "a quote that does not end"},
		"no folder":       {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `u.exe`), "begins neither with a drive"},
		"a user's folder": {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `%APPDATA%\u.exe`), "not one that every user"},
		"half a quote":    {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `"C:\Program Files\x\u.exe" /a "b`), "a quote that does not end"},
		"the users' disk": {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `C:\Acme\u.exe`), "users may be able to write"},
		"a profile":       {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `C:\Users\bob\AppData\Local\x\u.exe`), "users may be able to write"},
		"temporary files": {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", `C:\Windows\Temp\u.exe`), "users may be able to write"},
		"a line end":      {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", "C:\\Acme\\u.exe /a\r\ndel"), "names no .exe"},
		"none":            {"steps: [{uninstaller: {arguments: /S}}]", exeEntry("", ""), "an entry that nothing can uninstall"},
		"an MSI":          {"steps: [{uninstaller: {arguments: /S}}]", msi, "no step removes the entry"},
		"no MSI":          {"steps: [{msi: {}}]", exeEntry("", `"C:\Program Files\Acme\u.exe"`), "no step removes the entry"},
		"only a service":  {"steps: [{service: {names: [widgetd]}}, {uninstaller: {arguments: /S}}]", exeEntry("", `cmd.exe`), "a line for cmd.exe"},
		"reported alone":  {"", exeEntry("", `"C:\Program Files\Acme\u.exe"`), "it only reports"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := renderFacts(widget(t, c.steps), windowsHost(c.entry))
			if bad, ok := errors.AsType[*UnsupportedError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v (%v), want one that says %q", err, bad, c.want)
			}
		})
	}
}

func TestProductCodeOfAnEntry(t *testing.T) {
	for _, c := range []struct {
		command string
		want    string
	}{
		{"MsiExec.exe /X" + kesCode, kesCode}, {"msiexec /x " + kesCode + " /qn", kesCode}, {"MsiExec.exe /I" + strings.ToLower(kesCode), kesCode},
		{`"C:\Windows\System32\msiexec.exe" /x ` + kesCode, kesCode}, {`%SystemRoot%\system32\msiexec.exe /I` + kesCode, kesCode},
		{`C:\Acme\notmsiexec.exe /x ` + kesCode, ""}, {"MsiExec.exe /p " + kesCode, ""}, {"", ""}, {`cmd /c msiexec /x ` + kesCode, ""},
	} {
		if got := productCode(remediate.UninstallEntry{UninstallString: c.command}); got != c.want {
			t.Errorf("productCode(%q) = %q, want %q", c.command, got, c.want)
		}
	}
}

// TestWindowsSteps: what a service alone has proven, other steps may remove; a
// service alone removes nothing.
func TestWindowsSteps(t *testing.T) {
	host := windowsHost()
	host.Services = []remediate.Service{{Manager: "scm", Name: "widgetd"}}
	if _, err := renderFacts(widget(t, "steps: [{service: {names: [widgetd]}}]"), host); err == nil {
		t.Error("a step that stops a service was taken for a removal")
	}
	steps := `steps:
  - service: {names: [widgetd]}
  - process: {names: [widget.exe]}
  - file: {path: '%ProgramFiles%\AcmeSoft\Widget'}
  - key: {key: 'HKLM\SOFTWARE\AcmeSoft\Widget'}
  - script: {what: 'tidy 100% & more', text: "echo 100% & exit /b 3", exit: {0: ok, 3: reboot}}`
	script, err := renderFacts(widget(t, steps), host)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`set "services=widgetd"`, `set "processes=widget.exe"`, `if defined ProgramFiles set "target=%ProgramFiles%\AcmeSoft\Widget"`,
		`set "key=HKLM\SOFTWARE\AcmeSoft\Widget"`, `>"%OUST_DIR%\step-%step%.cmd" echo echo 100%% ^& exit /b 3`,
		`echo 5 %verdict% %code% acme/widget tidy 100%% ^& more%more%`, `if "%code%"=="3" set "verdict=reboot"`,
		":: " + `  5. tidy 100%% & more`, "call :remove_empty",
	} {
		if !strings.Contains(script.Text, want+"\r\n") {
			t.Errorf("the script has no line that ends %s:\n%s", want, script.Text)
		}
	}
	if strings.Contains(script.Text, "widgetflt") {
		t.Error("the driver that is left over is touched")
	}
}
