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
	const names, path, key = "names: [Acme Widget], ", `'%ProgramFiles%\Acme\Widget'`, `'HKLM\SOFTWARE\AcmeSoft\Widget'`
	for name, c := range map[string]struct{ old, new, want string }{
		"a publisher alone":      {names + `publishers: ["*Acme*"], upgrade_codes: ["{B9518725-0B76-4793-A409-C6794442FB50}"]`, `publishers: [Acme]`, "a publisher alone makes many products"},
		"a name of anything":     {"[Acme Widget]", `["*a?"]`, "would match anything"},
		"a blank at the end":     {"[Acme Widget]", `["Acme "]`, "begins or ends with a blank"},
		"not a GUID":             {"{B9518725-", "{B951872-", "write {XXXXXXXX-"},
		"a package":              {"uninstall: {" + names, "package: {managers: [dpkg], names: [acme]}\n    uninstall: {" + names, "can hold on neither"},
		"a path of Unix":         {path, "/opt/acme/widget", "cannot hold on Windows"},
		"Windows alone":          {"platforms: [windows]", "platforms: [linux]", "the sign is of Windows, which is not among the platforms"},
		"an unknown variable":    {"%ProgramFiles%", "%ProgramFile%", "use %ProgramFiles%"},
		"a user's variable":      {"%ProgramFiles%", "%AppData%", "not one that every user of a host has alike"},
		"no drive":               {path, `'Program Files\Acme'`, "begins neither with a drive"},
		"a wildcard":             {path, `'C:\Acme\*'`, "holds a wildcard"},
		"a stream":               {path, `'C:\Acme\a:b'`, "holds one of"},
		"a variable in a path":   {path, `'C:\Acme\%x%'`, "holds one of"},
		"a step up":              {path, `'C:\Acme\..\x'`, "a . or .. step"},
		"a backslash at the end": {path, `'C:\Acme\'`, "ends in a backslash"},
		"a dot at the end":       {path, `'C:\Acme.\x'`, "which Windows drops"},
		"a long path":            {path, `'C:\Acme\` + strings.Repeat("x", 240) + `'`, "longer than 240"},
		"a foreign path":         {path, `'C:\Windows\System32'`, "it proves nothing"},
		"another hive":           {key + "\nresidue", `'HKCU\SOFTWARE\AcmeSoft'` + "\nresidue", `begins with HKLM\`},
		"a key of every host":    {key + "\nresidue", `'HKLM\SOFTWARE'` + "\nresidue", "every host has"},
		"a view in a key":        {key + "\nresidue", `'HKLM\SOFTWARE\Wow6432Node\AcmeSoft'` + "\nresidue", "both registry views"},
		"a wildcard in a key":    {key + "\nresidue", `'HKLM\SOFTWARE\AcmeSoft\*'` + "\nresidue", "holds one of"},
		"a foreign key":          {key + "\nresidue", `'HKLM\SOFTWARE\Microsoft\Windows'` + "\nresidue", "it proves nothing"},
		"residue to remove":      {`{path: 'C:\Acme\Widget'}`, `{path: 'C:\Acme\Widget', remove: true}`, "reported and not removed"},
		"a key to remove":        {`{key: ` + key + `}`, `{key: ` + key + `, remove: true}`, "reported and not removed"},
		"a step":                 {"residue:", "steps:\n  - service: {names: [widgetd]}\nresidue:", "a service step cannot be rendered for windows"},
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
