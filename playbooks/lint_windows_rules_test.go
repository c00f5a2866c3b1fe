package playbooks

import (
	"fmt"
	"strings"
	"testing"
)

const goodOnWindows = `format: 1
name: acme/widget
title: Acme Widget
vendor: Acme
platforms: [windows]
owns: [acmesoft]
detect:
  - uninstall: {names: [Acme Widget], publishers: ["*Acme*"], upgrade_codes: ["{B9518725-0B76-4793-A409-C6794442FB50}"]}
  - service: widgetd
    path: '%ProgramFiles%\Acme\Widget'
  - key: 'HKLM\SOFTWARE\AcmeSoft\Widget'
residue:
  - {path: 'C:\Acme\Widget'}
  - {key: 'HKLM\SOFTWARE\AcmeSoft\Widget'}
manual: call Acme
afterwards: nothing
confidence: vendor
sources:
  - {claim: all of it, source: the manual, confidence: vendor}
`

func TestLintOnWindows(t *testing.T) {
	if got := Lint("good.yaml", []byte(goodOnWindows)); len(got) != 1 || got[0].Rule != warnLeading {
		t.Errorf("problems of a good playbook: %v", got)
	}
	for _, ok := range []string{
		strings.Replace(goodOnWindows, "service: widgetd\n", "service: Acme Widget Service\n", 1),
		strings.Replace(goodOnWindows, `{path: 'C:\Acme\Widget'}`, "{service: Acme Widget Service}", 1),
		strings.Replace(goodOnWindows, "[Acme Widget]", "[微信, 360杀毒, ソフト]", 1),
		strings.Replace(goodOnWindows, `{path: 'C:\Acme\Widget'}`, `{path: '%SystemDrive%\Users\*\AppData\Local\Acme'}`, 1),
		strings.Replace(goodOnWindows, `'%ProgramFiles%\Acme\Widget'`, `'%systemdrive%\users\*\AppData\Local\Acme\widget.exe'`, 1),
	} {
		if got := Lint("good.yaml", []byte(ok)); len(got) != 1 {
			t.Errorf("problems of a good playbook: %v", got)
		}
	}
	const names, path, key = "names: [Acme Widget], ", `'%ProgramFiles%\Acme\Widget'`, `'HKLM\SOFTWARE\AcmeSoft\Widget'`
	for name, c := range map[string]struct{ old, new, want string }{
		"a publisher alone":       {names + `publishers: ["*Acme*"], upgrade_codes: ["{B9518725-0B76-4793-A409-C6794442FB50}"]`, `publishers: [Acme]`, "a publisher alone makes many products"},
		"a name of anything":      {"[Acme Widget]", `["*a?"]`, "would match anything"},
		"a blank at the end":      {"[Acme Widget]", `["Acme "]`, "begins or ends with a blank"},
		"not a GUID":              {"{B9518725-", "{B951872-", "write {XXXXXXXX-"},
		"a package":               {"uninstall: {" + names, "package: {managers: [dpkg], names: [acme]}\n    uninstall: {" + names, "can hold on neither"},
		"a path of Unix":          {path, "/opt/acme/widget", "cannot hold on Windows"},
		"Windows alone":           {"platforms: [windows]", "platforms: [linux]", "the sign is of Windows, which is not among the platforms"},
		"an unknown variable":     {"%ProgramFiles%", "%ProgramFile%", "use %ProgramFiles%"},
		"a user's variable":       {"%ProgramFiles%", "%AppData%", "not one that every user of a host has alike"},
		"no drive":                {path, `'Program Files\Acme'`, "begins neither with a drive"},
		"a wildcard":              {path, `'C:\Acme\*'`, "holds a wildcard"},
		"a stream":                {path, `'C:\Acme\a:b'`, "holds one of"},
		"a variable in a path":    {path, `'C:\Acme\%x%'`, "holds one of"},
		"a step up":               {path, `'C:\Acme\..\x'`, "a . or .. step"},
		"a backslash at the end":  {path, `'C:\Acme\'`, "ends in a backslash"},
		"a dot at the end":        {path, `'C:\Acme.\x'`, "which Windows drops"},
		"a long path":             {path, `'C:\Acme\` + strings.Repeat("x", 240) + `'`, "longer than 240"},
		"a foreign path":          {path, `'C:\Windows\System32'`, "it proves nothing"},
		"another hive":            {key + "\nresidue", `'HKCU\SOFTWARE\AcmeSoft'` + "\nresidue", `begins with HKLM\`},
		"a key of every host":     {key + "\nresidue", `'HKLM\SOFTWARE'` + "\nresidue", "every host has"},
		"a view in a key":         {key + "\nresidue", `'HKLM\SOFTWARE\Wow6432Node\AcmeSoft'` + "\nresidue", "both registry views"},
		"a wildcard in a key":     {key + "\nresidue", `'HKLM\SOFTWARE\AcmeSoft\*'` + "\nresidue", "holds one of"},
		"a foreign key":           {key + "\nresidue", `'HKLM\SOFTWARE\Microsoft\Windows'` + "\nresidue", "it proves nothing"},
		"residue of the system":   {`{path: 'C:\Acme\Widget'}`, `{path: 'C:\Windows\Acme\Widget', remove: true}`, "a folder of the system"},
		"residue at the top":      {`{path: 'C:\Acme\Widget'}`, `{path: 'C:\Acme', remove: true}`, "lies deeper"},
		"residue of Windows":      {`{path: 'C:\Acme\Widget'}`, `{path: '%SystemRoot%\Acme\Widget', remove: true}`, "nothing below %SystemRoot% is removed"},
		"residue of Microsoft":    {`{path: 'C:\Acme\Widget'}`, `{path: '%ProgramData%\Microsoft\AcmeSoft', remove: true}`, "a folder of the system"},
		"another's residue":       {`{path: 'C:\Acme\Widget'}`, `{path: '%ProgramData%\Other', remove: true}`, "no folder in this path has a name of"},
		"a driver":                {`{path: 'C:\Acme\Widget'}`, `{service: widgetd, remove: true}`, "it may be a driver"},
		"another's key":           {`{key: ` + key + `}`, `{key: 'HKLM\SOFTWARE\Other\Widgets', remove: true}`, "no folder in this path"},
		"a key of Windows":        {`{key: ` + key + `}`, `{key: 'HKLM\SOFTWARE\Microsoft\AcmeSoft', remove: true}`, "none of Windows' own"},
		"a key of a service":      {`{key: ` + key + `}`, `{key: 'HKLM\SYSTEM\CurrentControlSet\Services\AcmeSoft', remove: true}`, "only keys below"},
		"a package step":          {"residue:", "steps:\n  - package: {managers: [dpkg], names: [acme]}\nresidue:", "a package step cannot be rendered for windows"},
		"a service of Windows":    {"residue:", "steps:\n  - service: {names: [WinRM]}\nresidue:", "belongs to the system"},
		"a process of Windows":    {"residue:", "steps:\n  - process: {names: [svchost.exe]}\nresidue:", "belongs to the system"},
		"paths of processes":      {"residue:", "steps:\n  - process: {paths: [/x/y], names: [a.exe]}\nresidue:", "names alone"},
		"not a program":           {"residue:", "steps:\n  - process: {names: [agent]}\nresidue:", "use a file name such as"},
		"a success of 1603":       {"residue:", "steps:\n  - msi: {exit: {1603: ok}}\nresidue:", "1603 is a failure of Windows Installer"},
		"another 1618":            {"residue:", "steps:\n  - msi: {exit: {1618: failed}}\nresidue:", "1618 does not mean failed"},
		"a private property":      {"residue:", "steps:\n  - msi: {properties: {password: x}}\nresidue:", "capital letters"},
		"the reboot":              {"residue:", "steps:\n  - msi: {properties: {REBOOT: Force}}\nresidue:", "not a playbook's to set"},
		"no such secret":          {"residue:", "steps:\n  - msi: {password: {secret: pw, property: PW}}\nresidue:", "not declared under secrets"},
		"a short denial":          {"residue:", "steps:\n  - msi: {denied: [no]}\nresidue:", "at least five"},
		"a long wait":             {"residue:", "steps:\n  - uninstaller: {wait: 2h}\nresidue:", "at most 1h"},
		"half a quote":            {"residue:", "steps:\n  - uninstaller: {arguments: '/S \"x'}\nresidue:", "quotes in pairs"},
		"Win32_Product":           {"residue:", "steps:\n  - script: {what: x, text: 'wmic product call uninstall', exit: {0: ok}}\nresidue:", "repairs every product"},
		"of each user, removed":   {`{path: 'C:\Acme\Widget'}`, `{path: '%SystemDrive%\Users\*\AppData\Local\Acme', remove: true}`, "holds a wildcard"},
		"a step of each user":     {"residue:", "steps:\n  - file: {path: '%SystemDrive%\\Users\\*\\AppData\\Local\\Acme'}\nresidue:", "holds a wildcard"},
		"two wildcards":           {path, `'%SystemDrive%\Users\*\AppData\*\Acme'`, "holds a wildcard"},
		"a wildcard elsewhere":    {path, `'%ProgramFiles%\*\Acme'`, "holds a wildcard"},
		"a foreign one of a user": {path, `'%SystemDrive%\Users\*\AppData\Local\Other'`, "it proves nothing"},
		"a bad one of a user":     {path, `'%SystemDrive%\Users\*\Acme\..\x'`, "a . or .. step"},
		"covers what is no sign":  {"residue:", "steps:\n  - script: {what: x, text: 'exit /b 0', covers: [Acme Gadget], exit: {0: ok}}\nresidue:", "no name of an uninstall sign"},
		"a blank service's end":   {"service: widgetd\n", "service: 'widget d '\n", "can match nothing"},
		"residue of blanks":       {`{path: 'C:\Acme\Widget'}`, `{service: ' widgetd'}`, "service name"},
		"one letter of Chinese":   {"[Acme Widget]", "[微]", "two without wildcards"},
		"the beginning of a word": {"[Acme Widget]", `["微信*"]`, "two without wildcards"},
		"a script of no codes":    {"residue:", "steps:\n  - script: {what: x, text: 'exit /b 0'}\nresidue:", "what its exit codes mean"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(goodOnWindows, c.old) {
				t.Fatalf("nothing to change: %s", c.old)
			}
			got := Lint("bad.yaml", []byte(strings.Replace(goodOnWindows, c.old, c.new, 1)))
			if !strings.Contains(fmt.Sprint(got), c.want) {
				t.Errorf("problems %v, want one that says %q", got, c.want)
			}
		})
	}
}
