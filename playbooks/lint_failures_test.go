package playbooks

import (
	"slices"
	"strings"
	"testing"
)

const onWindows, onLinux = "windows", "linux"

// failureCases are steps and signs that have gone wrong elsewhere, each with the
// rule that it breaks, and ones beside them that are well ("").
var failureCases = []struct{ on, text, rule string }{ // text is a script's
	{onWindows, `wmic product where "name like 'Acme%%'" call uninstall`, ruleWin32},
	{onWindows, `powershell -NoProfile -Command "Get-WmiObject Win32_Product"`, ruleWin32},
	{onWindows, `:: never ask win32_product`, ""},
	{onWindows, `reg query "HKLM\SOFTWARE\Microsoft" /s`, ""},

	{onWindows, `shutdown /r /t 0`, ruleReboots},
	{onWindows, `"%SystemRoot%\System32\shutdown.exe" -r -f`, ruleReboots},
	{onWindows, `if errorlevel 1 shutdown -s`, ruleReboots},
	{onWindows, `shutdown /a`, ""},
	{onWindows, `powershell -Command "Restart-Computer -Force"`, ruleReboots},
	{onWindows, `wmic os where primary=true call reboot`, ruleReboots},
	{onWindows, `msiexec /x {B9518725-0B76-4793-A409-C6794442FB50} /qn`, ruleReboots},
	{onWindows, `msiexec.exe /X "{B9518725-0B76-4793-A409-C6794442FB50}" /qn /forcerestart`, ruleReboots},
	{onWindows, `msiexec /x {B9518725-0B76-4793-A409-C6794442FB50} /qn /norestart REBOOT=ReallySuppress`, ""},
	{onWindows, `echo shutdown is not ours to do`, ""},
	{onLinux, `reboot`, ruleReboots},
	{onLinux, `sudo -n shutdown -r now`, ruleReboots},
	{onLinux, `timeout 5 /sbin/reboot`, ruleReboots},
	{onLinux, `systemctl --no-block reboot`, ruleReboots},
	{onLinux, `init 6`, ruleReboots},
	{onLinux, `/opt/acme/widget/remove || telinit 0`, ruleReboots},
	{onLinux, `systemctl stop widgetd`, ""},
	{onLinux, `echo "reboot the host yourself"`, ""},

	{onLinux, `/opt/acme/widget/remove $home`, ruleUnquoted},
	{onLinux, `cat $(ls /opt/acme/widget)`, ruleUnquoted},
	{onLinux, `echo x > $OUST_DIR/out`, ruleUnquoted},
	{onLinux, `/opt/acme/widget/remove "$home" "$(date)" $? ${#x}`, ""},
	{onLinux, `x=$home; for i in $x; do echo "$i"; done`, ""},
	{onWindows, `"C:\Acme\Widget\un.exe" /log %TEMP%\x.log`, ruleUnquoted},
	{onWindows, `%ProgramFiles%\Acme\un.exe /S`, ruleUnquoted},
	{onWindows, `for /f "delims=" %%i in ('dir /b "C:\Acme\Widget"') do call %%i`, ruleUnquoted},
	{onWindows, `for /f "delims=" %%i in ('dir /b "C:\Acme\Widget"') do call "%%i"`, ""},
	{onWindows, `"%ProgramFiles%\Acme\Widget\un.exe" /S`, ""},
	{onWindows, `exit /b %ERRORLEVEL%`, ""},
	{onWindows, `if "%x%"=="" exit /b 1`, ""},

	{onLinux, `rm -rf /opt/*`, ruleWildcard},
	{onLinux, `rm -rf "$HOME"/acme`, ruleWildcard},
	{onLinux, `rm -fr "/opt/acme/widget/$x"`, ruleWildcard},
	{onLinux, `rm --recursive /usr`, ruleWildcard},
	{onLinux, `rm -r /opt/other`, ruleWildcard},
	{onLinux, `sudo rm -R ~/acme`, ruleWildcard},
	{onLinux, `find / -name 'acme*' -delete`, ruleWildcard},
	{onLinux, `find /opt/acme/widget -name '*.log' -delete`, ""},
	{onLinux, `rm -rf /opt/acme/widget/cache "$OUST_DIR/work"`, ""},
	{onLinux, `rm -f /run/widget.pid`, ""},
	{onWindows, `rd /s /q "%ProgramFiles%"`, ruleWildcard},
	{onWindows, `rmdir /S /Q C:\Windows\Acme`, ruleWildcard},
	{onWindows, `rd /s /q "%target%"`, ruleWildcard},
	{onWindows, `del /f /s /q "C:\*.acme"`, ruleWildcard},
	{onWindows, `del /q "C:\Windows\System32\drivers\acme*.sys"`, ruleWildcard},
	{onWindows, `for %%d in (a b) do rd /s /q "%%d"`, ruleWildcard},
	{onWindows, `powershell -Command "Remove-Item -Recurse 'C:\Program Files\*'"`, ruleWildcard},
	{onWindows, `powershell -Command "Remove-Item $path -Force -Recurse"`, ruleWildcard},
	{onWindows, `rd /s /q "%ProgramFiles%\Acme\Widget"`, ""},
	{onWindows, `del /q "%ProgramData%\Acme\Widget\*.log" >nul 2>nul`, ""},
	{onWindows, `rd /s /q "%OUST_DIR%\work"`, ""},
	{onWindows, `del "C:\Acme\Widget\x.txt"`, ""},
}

// hiddenCases are the same, behind a command that runs another, or written in
// another way.
var hiddenCases = []struct{ on, text, rule string }{
	{onLinux, `sh -c 'rm -rf /opt/*'`, ruleWildcard},
	{onLinux, `su root -c "reboot"`, ruleReboots},
	{onLinux, `eval rm -rf "/usr"`, ruleWildcard},
	{onLinux, `trap 'rm -rf /var/lib' EXIT`, ruleWildcard},
	{onLinux, `\rm -rf /usr`, ruleWildcard},
	{onLinux, `'/bin/rm' -rf /usr`, ruleWildcard},
	{onLinux, `rm -f "$home"/*`, ruleWildcard},
	{onLinux, `rm -f /etc/*.conf`, ruleWildcard},
	{onLinux, `rm -f /etc/cron.d/widget-* "$OUST_DIR"/*`, ""},
	{onLinux, `rm -rf "$OUST_DIR/../other"`, ruleWildcard},
	{onLinux, `find -L /opt/acme/widget /srv -name x -delete`, ruleWildcard},
	{onLinux, `find -name x -delete`, ruleWildcard},
	{onLinux, `find /opt/acme/widget /var/lib/widget -name x -exec /bin/rm -rf {} +`, ""},
	{onLinux, `find / -name widget | xargs -r rm -rf`, ruleWildcard},
	{onLinux, `systemctl isolate rescue.target`, ruleReboots},
	{onLinux, `systemctl start reboot.target`, ruleReboots},
	{onLinux, `trap 'rm -rf /opt/acme/widget/tmp' EXIT; sh -c '/opt/acme/widget/remove'`, ""},

	{onLinux, `rpm -e --nodeps widget`, ruleSystem},
	{onLinux, `sudo dpkg --purge --force-all widget`, ruleSystem},
	{onLinux, `apt-get -y autoremove`, ruleSystem},
	{onLinux, `dpkg --purge --force-confdef widget`, ""},

	{onWindows, `sc delete Tcpip`, ruleSystem},
	{onWindows, `net stop "WinRM" /y`, ruleSystem},
	{onWindows, `sc.exe stop "Acme Widget" & net stop widgetd`, ""},
	{onWindows, `taskkill /f /im *`, ruleSystem},
	{onWindows, `taskkill /f /t /im java.exe`, ruleSystem},
	{onWindows, `taskkill /f /t /im "widget tray.exe"`, ""},
	{onWindows, `if exist "C:\Other\x" rd /s /q "C:\Other\x"`, ruleWildcard},
	{onWindows, `if exist "%home%" rd /s /q "%home%"`, ruleWildcard},
	{onWindows, `if "%1"=="" (goto x) else rmdir /s /q "C:\Users"`, ruleWildcard},
	{onWindows, `cmd /c "rd /s /q C:\Users"`, ruleWildcard},
	{onWindows, `call rd /s /q "C:\Other\x"`, ruleWildcard},
	{onWindows, `rd /s /q "%OUST_DIR%\..\..\Microsoft"`, ruleWildcard},
	{onWindows, `if exist "%ProgramFiles(x86)%\Acme\Widget" rd /s /q "%ProgramFiles(x86)%\Acme\Widget"`, ""},
	{onWindows, `echo now del what is left in rd /s /q C:\Users`, ""},
	{onWindows, `powershell -Command "Remove-Item C:\Users -Recurse -Force"`, ruleWildcard},
	{onWindows, `powershell -Command "gci C:\Acme\Widget | ri -r"`, ruleWildcard},
	{onWindows, `powershell -Command "Remove-Item -Force 'C:\Acme\Widget' -Recurse"`, ""},
	{onWindows, `reg delete "HKLM\SOFTWARE\%vendor%" /f`, ruleWildcard},
	{onWindows, `reg delete HKLM\SOFTWARE\Microsoft /f`, ruleWildcard},
	{onWindows, `reg delete "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run" /v WidgetTray /f`, ""},
	{onWindows, `reg delete "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{B9518725-0B76-4793-A409-C6794442FB50}" /f`, ""},
	{onWindows, `reg.exe delete HKLM\SOFTWARE\AcmeSoft\Widget /f`, ""},
	{onWindows, `wmic /node:localhost product get name`, ruleWin32},
	{onWindows, `msiexec -x {B9518725-0B76-4793-A409-C6794442FB50} -qn`, ruleReboots},
	{onWindows, `msiexec /qn /x{B9518725-0B76-4793-A409-C6794442FB50}`, ruleReboots},
	{onWindows, `msiexec -x {B9518725-0B76-4793-A409-C6794442FB50} -qn -norestart`, ""},
	{onWindows, `powershell -Command "(gwmi Win32_OperatingSystem).Reboot()"`, ruleReboots},
}

// scriptOn is a good playbook with a script step of that text.
func scriptOn(on, text string) string {
	lines := strings.ReplaceAll(text, "\n", "\n        ")
	step := "steps:\n  - script:\n      what: run it\n      exit: {0: ok}\n      text: |\n        " + lines + "\nresidue:"
	if on == onWindows {
		return strings.Replace(goodOnWindows, "residue:", step, 1)
	}
	text = strings.Replace(good, "residue:", strings.TrimPrefix(step, "steps:\n"), 1)
	return text
}

// strict are the rules whose breaking failureCases show.
var strict = []string{ruleWin32, ruleReboots, ruleUnquoted, ruleWildcard}

func TestLintFailures(t *testing.T) {
	t.Parallel()
	for _, c := range append(failureCases, hiddenCases...) {
		var got []string
		for _, p := range Lint("x.yaml", []byte(scriptOn(c.on, c.text))) {
			if p.Severity == SeverityError {
				got = append(got, p.Rule)
			}
			if slices.Contains(strict, p.Rule) && !strings.Contains(p.Excerpt, strings.TrimSpace(c.text)) {
				t.Errorf("%s: the place shown is %q", c.text, p.Excerpt)
			}
		}
		if c.rule == "" && len(got) > 0 || c.rule != "" && !slices.Contains(got, c.rule) {
			t.Errorf("%s: rules %v are broken, want %q", c.text, got, c.rule)
		}
	}
}

type failureCase struct{ on, old, new, rule string }

// moreFailures change one place of a good playbook; see lintCases.
var moreFailures = []failureCase{
	{onWindows, "residue:", "steps:\n  - msi: {exit: {1603: ok}}\nresidue:", ruleExit1603},
	{onWindows, "residue:", "steps:\n  - uninstaller: {arguments: /S, exit: {0: ok, 1603: ok}}\nresidue:", ruleExit1603},
	{onWindows, "residue:", "steps:\n  - script: {what: x, text: 'exit /b 0', exit: {0: ok, 1619: absent}}\nresidue:", ruleExit1603},
	{onWindows, "residue:", "steps:\n  - uninstaller: {arguments: /S, exit: {0: ok, 1603: failed, 3010: reboot, 1605: absent, 1: ok}}\nresidue:", ""},
	{onWindows, "residue:", "steps:\n  - uninstaller: {arguments: /S /forcerestart, exit: {0: ok}}\nresidue:", ruleReboots},
	{onWindows, "residue:", "steps:\n  - uninstaller: {arguments: REBOOT=Force, exit: {0: ok}}\nresidue:", ruleReboots},
	{onWindows, "residue:", "steps:\n  - uninstaller: {arguments: REBOOT=ReallySuppress, exit: {0: ok}}\nresidue:", ""},
	{onWindows, "residue:", "steps:\n  - uninstaller: {arguments: /S}\nresidue:", warnExitMap},
	{onWindows, "residue:", `residue:` + "\n" + `  - {path: '%ProgramFiles%\Acme', remove: true}`, ruleWideResidue},
	{onWindows, "residue:", `residue:` + "\n" + `  - {path: '%ProgramData%\Acme Software Inc', remove: true}`, ruleWideResidue},
	{onWindows, "residue:", `residue:` + "\n" + `  - {key: 'HKLM\SOFTWARE\Acme', remove: true}`, ruleWideResidue},
	{onWindows, "residue:", `residue:` + "\n" + `  - {path: '%ProgramFiles%\Acme'}`, ""},
	{onWindows, "residue:", `residue:` + "\n" + `  - {path: '%ProgramFiles%\Acme\Widget', remove: true}`, ""},
	{onLinux, "  - file: {path: /opt/acme/widget}", "  - file: {path: /var/lib/acme}", ruleWideResidue},
	{onLinux, `"widget-gui*"`, `"widget-gui*", "pyt*"`, ruleWide},
	{onLinux, `"widget-gui*"`, `"widget-gui*", "lib*"`, ruleWide},
	{onLinux, "service: widgetd", "service: widgetd\n  - service: docker*", ruleWide},
	{onWindows, "names: [Acme Widget], publishers: [\"*Acme*\"], upgrade_codes: [\"{B9518725-0B76-4793-A409-C6794442FB50}\"]", `names: ["*Agent*"]`, ruleWide},
	{onWindows, "names: [Acme Widget], publishers: [\"*Acme*\"], upgrade_codes: [\"{B9518725-0B76-4793-A409-C6794442FB50}\"]", `names: ["Acme * Agent"]`, ""},
	{onWindows, "names: [Acme Widget], publishers: [\"*Acme*\"], upgrade_codes", `names: ["*Agent*"], upgrade_codes`, ""},
	{onWindows, "  - key:", "  - msix: {names: [\"Microsoft.*\"]}\n  - key:", ruleWide},
}

func (c failureCase) playbook() string {
	if c.on == onWindows {
		return strings.Replace(goodOnWindows, c.old, c.new, 1)
	}
	return strings.Replace(good, c.old, c.new, 1)
}

func TestLintMoreFailures(t *testing.T) {
	t.Parallel()
	for _, c := range moreFailures {
		if !strings.Contains(good, c.old) && !strings.Contains(goodOnWindows, c.old) {
			t.Fatalf("nothing to change: %s", c.old)
		}
		var got []string
		for _, p := range Lint("x.yaml", []byte(c.playbook())) {
			if p.Severity == SeverityError || p.Rule == warnExitMap {
				got = append(got, p.Rule)
			}
		}
		if c.rule == "" && len(got) > 0 || c.rule != "" && !slices.Equal(got, []string{c.rule}) {
			t.Errorf("%s: rules %v are broken, want %q", c.new, got, c.rule)
		}
	}
}

// TestCommonSoftware: the list is read whole, and no maker stands in it twice.
func TestCommonSoftware(t *testing.T) {
	t.Parallel()
	makers := map[string]bool{}
	last := ""
	for _, n := range commonNames() {
		if n.name == "" || n.maker == "" {
			t.Errorf("an entry without a name: %+v", n)
		}
		if n.maker != last && makers[n.maker] {
			t.Errorf("%s stands on two lines", n.maker)
		}
		makers[n.maker], last = true, n.maker
	}
	if len(commonNames()) < 300 || len(makers) < 60 {
		t.Errorf("%d names of %d makers", len(commonNames()), len(makers))
	}
}
