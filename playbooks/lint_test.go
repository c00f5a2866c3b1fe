package playbooks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// good is a playbook without any problem; the cases change one place of it.
const good = `format: 1
name: acme/widget
title: Acme Widget
vendor: Acme
platforms: [linux]
after: [acme/gadget]
detect:
  - package: {managers: [dpkg, rpm], names: [widget, "widget-gui*"]}
  - path: /opt/acme/widget/bin/widgetd
    service: widgetd
steps:
  - service: {names: [widgetd]}
  - process: {paths: [/opt/acme/widget/bin/widgetd], names: [widgetd], grace: 5s}
  - package:
      managers: [dpkg, rpm]
      names: [widget-gui, widget]
      exit: {0: ok, 3: reboot}
  - file: {path: /opt/acme/widget}
residue:
  - {path: /var/lib/widget, remove: true}
  - {package: widget, remove: true}
  - {service: widgetd}
shared: [/opt/acme]
reboot: maybe
manual: call Acme
afterwards: nothing
confidence: vendor
sources:
  - {claim: all of it, source: the manual, confidence: vendor}
`

const scriptStep = `  - script:
      what: run the tool
      text: exec /opt/acme/widget/bin/remove --password-file "$OUST_DIR/secrets/acme_uninstall"
      exit: {0: ok, 7: protected}
`

func TestGoodIsGood(t *testing.T) {
	if got := Lint("good.yaml", []byte(good)); len(got) != 0 {
		t.Errorf("problems: %v", got)
	}
}

// lintCases: each changes old to new in good and expects these problems, in
// the order of the file, as "line:column rule message".
var lintCases = []struct {
	name, old, new string
	want           []string
}{
	{"format", "format: 1", "format: 2", []string{"1:9 value format is 2; this program reads format 1"}},
	{"no format", "format: 1", "#", []string{"1:1 value format is 0; this program reads format 1"}},
	{"no name", "name: acme/widget\n", "", []string{"1:1 required name is missing; write vendor/product"}},
	{"name", "name: acme/widget", "name: Acme Widget", []string{`2:7 value name "Acme Widget" is not vendor/product in lower case`}},
	{"title of two lines", "title: Acme Widget", `title: "Acme\nWidget"`, []string{"3:8 value title must be one line of text without control characters"}},
	{"no vendor", "vendor: Acme", "vendor: ' '", []string{"4:9 required vendor is missing"}},
	{"no platform", "platforms: [linux]", "platforms: []", []string{"5:1 required platforms is missing"}},
	{"unknown platform", "platforms: [linux]", "platforms: [linus]", []string{
		`5:13 value platform "linus" is unknown; use linux`,
		"12:5 step a service step cannot be rendered for linus",
		"13:5 step a process step cannot be rendered for linus",
		"14:5 step a package step cannot be rendered for linus",
		"18:5 step a file step cannot be rendered for linus",
	}},
	{"step that a platform lacks", "platforms: [linux]", "platforms: [linux, macos]", []string{
		"12:5 step a service step cannot be rendered for macos",
		"13:5 step a process step cannot be rendered for macos",
		"14:5 step a package step cannot be rendered for macos",
	}},
	{"after itself", "after: [acme/gadget]", "after: [acme/widget]", []string{"6:9 after a playbook cannot come after itself"}},
	{"owns", "after: [acme/gadget]", "owns: [a/b]", []string{`6:8 value own folder name "a/b": use three or more lower-case letters, digits, dots or dashes`}},
	{"reboot", "reboot: maybe", "reboot: perhaps", []string{`24:9 value reboot "perhaps" is unknown; use never, maybe, needed`}},

	{"sign of nothing", "  - path: /opt/acme/widget/bin/widgetd\n    service: widgetd\n", "  - {}\n", []string{"9:5 detect a sign without package, uninstall, service, path, key or msix would match everything"}},
	{"no detect", "detect:\n", "after2:\n", []string{"syntax"}},
	{"pattern for anything", `"widget-gui*"`, `"*"`, []string{`8:54 detect package pattern "*" would match anything; give at least three letters`}},
	{"pattern too short", `"widget-gui*"`, `"wi*"`, []string{`8:54 detect package pattern "wi*" would match anything; give at least three letters`}},
	{"bad pattern", `"widget-gui*"`, `"widget-gui*[", widget-gui`, []string{`8:54 detect package pattern "widget-gui*[": syntax error in pattern`}},
	{"service of blanks", "    service: widgetd\n", "    service: widget d\n", []string{`10:14 detect service pattern "widget d" can match nothing`}},
	{"service pattern for nothing", "    service: widgetd\n", "    service: a/b\n", []string{`10:14 detect service pattern "a/b" can match nothing`}},
	{"path of everybody", "  - path: /opt/acme/widget/bin/widgetd", "  - path: /usr/bin/env", []string{
		"9:11 detect /usr/bin/env: nothing in this path is the product's own; it proves nothing"}},
	{"relative sign", "  - path: /opt/acme/widget/bin/widgetd", "  - path: opt/acme", []string{"9:11 path opt/acme: the path is not absolute"}},
	{"manager", "  - package: {managers: [dpkg, rpm]", "  - package: {managers: [dpgk, rpm]", []string{`8:26 value package manager "dpgk" is unknown; use dpkg`}},
	{"manager that steps lack", "      managers: [dpkg, rpm]", "      managers: [dpkg, apk]", []string{`15:24 value package manager "apk" is unknown; use dpkg, rpm`}},

	{"step of two kinds", "  - file: {path: /opt/acme/widget}", "  - file: {path: /opt/acme/widget}\n    service: {names: [a]}", []string{
		"18:5 step a step needs exactly one of package, msi, uninstaller, service, process, file, key and script"}},
	{"step of no kind", "  - file: {path: /opt/acme/widget}", "  - {}", []string{
		"18:5 step a step needs exactly one of package, msi, uninstaller, service, process, file, key and script"}},
	{"wildcard in a removal", "names: [widget-gui, widget]", "names: [widget-gui, 'widget*']", []string{
		`16:27 value package name "widget*": wildcards, spaces and signs are not allowed here`,
		`16:27 removes-undetected package "widget*" is removed, but no sign detects it`}},
	{"package that would be an option", "names: [widget-gui, widget]", "names: [--force-all, widget]", []string{
		`16:15 value package name "--force-all": wildcards, spaces and signs are not allowed here`,
		`16:15 removes-undetected package "--force-all" is removed, but no sign detects it`}},
	{"service that would be an option", "service: {names: [widgetd]}", "service: {names: [--now]}", []string{
		`12:23 value service name "--now": wildcards, spaces and signs are not allowed here`}},
	{"service in another folder", "service: {names: [widgetd]}", "service: {names: [../rc.local]}", []string{
		`12:23 value service name "../rc.local": wildcards, spaces and signs are not allowed here`}},
	{"process that would be an option", "names: [widgetd], grace", "names: [--], grace", []string{
		`13:62 value process name "--": use at most 15 letters, digits and ._@:+-`}},
	{"removes what it does not detect", "names: [widget-gui, widget]", "names: [widget-gui, widget, openssl]", []string{
		`16:35 removes-undetected package "openssl" is removed, but no sign detects it`}},
	{"twice", "names: [widget-gui, widget]", "names: [widget-gui, widget, widget]", []string{`16:35 value package name "widget" is there twice`}},
	{"exit verdict", "3: reboot", "3: rebooted", []string{`17:24 exit exit code 3: verdict "rebooted" is unknown; use reboot`}},
	{"exit code", "3: reboot", "300: reboot", []string{"17:26 exit exit code 300 is not between 0 and 255"}},
	{"process of others", "paths: [/opt/acme/widget/bin/widgetd]", "paths: [/usr/sbin/sshd]", []string{
		"13:23 foreign-path /usr/sbin/sshd: no folder in this path has a name of acme/widget; list the product's own folder names in owns"}},
	{"process name too long", "names: [widgetd], grace", "names: [widget-daemon-64], grace", []string{
		`13:62 value process name "widget-daemon-64": use at most 15 letters, digits and ._@:+-`}},
	{"grace", "grace: 5s", "grace: 10m", []string{"13:79 value grace \"10m\": use whole seconds as in 10s, at most 5m"}},
	{"process of nothing", "{paths: [/opt/acme/widget/bin/widgetd], names: [widgetd], grace: 5s}", "{grace: 5s}", []string{
		"13:5 required a process step needs paths or names"}},
	{"script without exit codes", "residue:\n", strings.Replace(scriptStep, "      exit: {0: ok, 7: protected}\n", "", 1) + "secrets: [{name: acme_uninstall}]\nresidue:\n", []string{
		"19:5 exit a script step must say what its exit codes mean; write exit: {0: ok}"}},
	{"script without text", "residue:\n", "  - script: {what: x, text: ' ', exit: {0: ok}}\nresidue:\n", []string{"19:29 required text is missing"}},
	{"script that is none", "residue:\n", "  - script: {what: x, text: 'if then (', exit: {0: ok}}\nresidue:\n", []string{
		"19:29 step the script is not POSIX sh: `if` must be followed by a statement list (line 1 of the text)"}},
	{"script for bash only", "residue:\n", "  - script: {what: x, text: 'a=(1 2)', exit: {0: ok}}\nresidue:\n", []string{
		"19:29 step the script is not POSIX sh: found arrays (line 1 of the text)"}},
	{"script with a test of bash", "residue:\n", "  - script:\n      what: x\n      text: |\n        cd /opt/acme/widget || exit 1\n        if [[ -x bin/remove ]]; then bin/remove; fi\n      exit: {0: ok}\nresidue:\n", []string{
		"23:12 step the script is not POSIX sh: [[ is of bash; use ["}},
	{"script with an error in a block", "residue:\n", "  - script:\n      what: x\n      exit: {0: ok}\n      text: |\n\n        exit 0\n        cat <<<x\nresidue:\n", []string{
		"25:13 step the script is not POSIX sh: found herestrings"}},
	{"script folded", "residue:\n", "  - script:\n      what: x\n      exit: {0: ok}\n      text: >\n        x+=1\nresidue:\n", []string{
		"22:13 step the script is not POSIX sh: += is of bash; write x=$x... (line 1 of the text)"}},
	{"script with == in a test", "residue:\n", "  - script: {what: x, text: '[ a == b ]', exit: {0: ok}}\nresidue:\n", []string{
		"19:29 step the script is not POSIX sh: == in a test is of bash; use = (line 1 of the text)"}},
	{"table without success", "{0: ok, 3: reboot}", "{3: reboot}", []string{
		"17:7 exit the table does not say what exit code 0 means, so that it would count as failed; write 0: ok"}},
	{"control character for a terminal", "title: Acme Widget", `title: "Acme\u009b Widget"`, []string{"3:8 value title must be one line of text without control characters"}},
	{"text turned around", "manual: call Acme", `manual: "call\u202e Acme"`, []string{"25:9 value manual holds control characters"}},
	{"prose of several lines", "manual: call Acme", "manual: |\n  call Acme\n  and wait", nil},
	{"endless prose", "afterwards: nothing", "afterwards: " + strings.Repeat("nothing.", 501), []string{"26:13 value afterwards is longer than 4000 bytes"}},
	{"package of the system", "names: [widget-gui, widget]", "names: [widget-gui, widget, sudo]", []string{
		`16:35 removes-undetected package "sudo" is removed, but no sign detects it`,
		`16:35 system package "sudo" belongs to the system, not to a product`}},
	{"service of the system", "service: {names: [widgetd]}", "service: {names: [widgetd, systemd-logind]}", []string{
		`12:32 system service "systemd-logind" belongs to the system, not to a product`}},
	{"process of the system", "names: [widgetd], grace", "names: [sshd], grace", []string{
		`13:62 system process "sshd" belongs to the system, not to a product`}},
	{"residue service of the system", "{service: widgetd}", "{service: sshd, remove: true}", []string{
		`22:15 system service "sshd" belongs to the system, not to a product`}},
	{"vendor without a vendor's source", "source: the manual, confidence: vendor", "source: the manual, confidence: unverified", []string{
		"27:13 source confidence is vendor, but no source is the vendor's"}},
	{"secret not declared", "residue:\n", scriptStep + "residue:\n", []string{
		`21:13 secret the step reads the secret "acme_uninstall", which is not declared`}},
	{"secret not read", "reboot: maybe", "secrets: [{name: pass}]\nreboot: maybe", []string{
		`24:18 secret no step reads the secret "pass" from $OUST_DIR/secrets/pass, and none passes it as a password`}},
	{"secret name", "reboot: maybe", "secrets: [{name: A-b}]\nreboot: maybe", []string{
		`24:18 value secret name "A-b": use lower-case letters, digits and underscores`}},
	{"secret encoding", "residue:\n", scriptStep + "secrets: [{name: acme_uninstall, encoding: utf16}]\nresidue:\n", []string{
		`23:44 value encoding "utf16" is unknown; use plain, utf16le-hex`}},

	{"no path", "file: {path: /opt/acme/widget}", "file: {}", []string{"18:5 path the path is empty"}},
	{"blank at the end", "/var/lib/widget, ", "'/var/lib/widget ', ", []string{"20:12 path /var/lib/widget : the path ends in a blank"}},
	{"system folder in capitals", "/var/lib/widget, ", "/LIBRARY/caches, ", []string{"20:12 path /LIBRARY/caches: the path is a folder of the system"}},
	{"own name as part of a word", "/var/lib/widget, ", "/var/lib/widgetry, ", []string{
		"20:12 foreign-path /var/lib/widgetry: no folder in this path has a name of acme/widget; list the product's own folder names in owns"}},
	{"own name that anybody has", "after: [acme/gadget]", "owns: [common]", []string{`6:8 value own folder name "common" is one that many products use`}},
	{"root", "file: {path: /opt/acme/widget}", "file: {path: /}", []string{"18:18 path /: the path is a top-level folder; what is removed lies at least two levels deep"}},
	{"top level", "file: {path: /opt/acme/widget}", "file: {path: /acme}", []string{"18:18 path /acme: the path is a top-level folder; what is removed lies at least two levels deep"}},
	{"system folder", "/var/lib/widget, ", "/var/lib, ", []string{"20:12 path /var/lib: the path is a folder of the system"}},
	{"above a system folder", "/var/lib/widget, ", "/usr/local, ", []string{"20:12 path /usr/local: the path is above /usr/local/bin, a folder of the system"}},
	{"of others", "/var/lib/widget, ", "/var/lib/mysql, ", []string{
		"20:12 foreign-path /var/lib/mysql: no folder in this path has a name of acme/widget; list the product's own folder names in owns"}},
	{"dots", "/var/lib/widget, ", "/var/lib/widget/../mysql, ", []string{"20:12 path /var/lib/widget/../mysql: the path holds a . or .. step"}},
	{"slash at the end", "/var/lib/widget, ", "/var/lib/widget/, ", []string{"20:12 path /var/lib/widget/: the path is not clean; write /var/lib/widget"}},
	{"wildcard in a path", "/var/lib/widget, ", "'/var/lib/widget*', ", []string{"20:12 path /var/lib/widget*: the path holds a wildcard; name each path"}},
	{"above what is shared", "/var/lib/widget, ", "/opt/acme, ", []string{
		"20:12 path /opt/acme: the path is shared; it is removed only when it is empty"}},
	{"folder above what is shared", "shared: [/opt/acme]", "shared: [/opt/acme, /var/lib/widget/common]", []string{
		"20:12 path /var/lib/widget: the path is above /var/lib/widget/common, which is shared"}},
	{"residue of two kinds", "{package: widget, remove: true}", "{package: widget, service: x}", []string{"21:6 step residue needs exactly one of path, service, package and key"}},
	{"residue package", "{package: widget, remove: true}", "{package: gadget, remove: true}", []string{
		`21:15 removes-undetected package "gadget" is residue, but no sign detects it`}},
	{"residue service", "{service: widgetd}", "{service: 'w*'}", []string{`22:15 detect service pattern "w*" would match anything; give at least three letters`}},
	{"residue service that is removed", "{service: widgetd}", "{service: 'widget*', remove: true}", []string{`22:15 value service name "widget*": wildcards, spaces and signs are not allowed here`}},
	{"residue path to look at", "{service: widgetd}", "{path: ./x}", []string{"22:12 path ./x: the path is not absolute"}},

	{"protection of nothing", "reboot: maybe", "protection: [{}]\nreboot: maybe", []string{
		"24:14 protection a sign without defender, package, uninstall, service, path or key would hold everywhere"}},
	{"protection of Windows", "reboot: maybe", "protection: [{defender: running}]\nreboot: maybe", []string{
		"24:15 protection the sign can hold on none of the platforms"}},
	{"restart", "reboot: maybe", "restart: maybe\nreboot: maybe", []string{`24:10 value restart "maybe" is unknown; use never, in-window, always`}},

	{"no sources", "sources:\n  - {claim: all of it, source: the manual, confidence: vendor}\n", "", []string{
		"1:1 source a playbook without sources cannot be judged; say where its claims come from"}},
	{"source of nothing", "source: the manual", "source: ''", []string{"29:32 required source is missing"}},
	{"confidence", "confidence: vendor\n", "confidence: sure\n", []string{`27:13 value confidence "sure" is unknown; use vendor, public-scripts, unverified`}},

	{"unknown kind", "title:", "kind: thing\ntitle:", []string{`3:7 value kind "thing" is unknown; use product, embedded, publisher`}},
	{"embedded, with what removes", "name: acme/widget\n", "name: acme/widget\nkind: embedded\n", []string{
		"7:1 kind after: a playbook of kind embedded finds and reports, and never removes; take it out",
		"12:1 kind steps: a playbook of kind embedded finds and reports, and never removes; take it out",
		"20:1 kind residue: a playbook of kind embedded finds and reports, and never removes; take it out",
		"24:1 kind shared: a playbook of kind embedded finds and reports, and never removes; take it out",
		"25:9 kind reboot: a playbook of kind embedded finds and reports, and never removes; take it out"}},
	{"vendors of a product", "names: [widget, ", "vendors: [Acme Inc], names: [widget, ", []string{
		"8:38 detect vendors are for a playbook of kind publisher alone"}},
	{"block of nothing", "steps:\n", "blocks: [{why: for nothing}]\nsteps:\n", []string{
		"11:11 detect a sign without package, uninstall, service, path, key or msix would match everything"}},
	{"block without why", "steps:\n", "blocks: [{service: widgetcrypt}]\nsteps:\n", []string{"11:11 required why is missing"}},
	{"block on no platform", "steps:\n", "blocks: [{key: HKLM\\SOFTWARE\\Acme, why: it is old}]\nsteps:\n", []string{
		"11:11 detect the sign is of Windows, which is not among the platforms"}},

	{"alone, and removed", "{path: /var/lib/widget, remove: true}", "{path: /var/lib/widget, remove: true, alone: true}", []string{
		"20:6 step alone: what several products have by one name is reported and not removed; take remove out"}},
	{"warn: fill in", "call Acme", "'FILL IN: what to do'", []string{"25:10 fill-in this is still to be written"}},
	{"warn: leading wildcard", `"widget-gui*"`, `"*widget-gui"`, []string{`8:54 leading-wildcard package pattern "*widget-gui" begins with a wildcard and may match what others make`}},
	{"warn: detected, not removed", "names: [widget-gui, widget]", "names: [widget]", []string{
		`8:54 detected-not-removed package "widget-gui*" is detected, but no step removes it with dpkg and rpm`}},
	{"warn: script", "residue:\n", scriptStep + "secrets: [{name: acme_uninstall}]\nresidue:\n", []string{
		"19:5 script-step a script step is the last way out; it is shown in previews, and nobody checks what it does"}},
	{"warn: no residue", "residue:\n  - {path: /var/lib/widget, remove: true}\n  - {package: widget, remove: true}\n  - {service: widgetd}\n", "", []string{
		"2:7 no-residue no residue is listed: a removal that leaves files behind will count as clean"}},
	{"warn: no manual", "manual: call Acme\n", "", []string{
		"19:1 no-manual residue is reported that no step removes, and manual does not say what to do about it"}},
	{"warn: no afterwards", "afterwards: nothing\n", "", []string{
		"2:7 no-afterwards afterwards does not say what protects the host once the product is gone"}},
	{"warn: unverified", "confidence: vendor\n", "confidence: unverified\n", []string{
		"27:13 unverified the removal is unverified: try it on a test host before a campaign"}},
}

func TestLint(t *testing.T) {
	for _, c := range lintCases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(good, c.old) == 0 {
				t.Fatalf("good does not hold %q", c.old)
			}
			problems := Lint("bad.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			if len(c.want) == 1 && c.want[0] == ruleSyntax {
				if len(problems) != 1 || problems[0].Rule != ruleSyntax {
					t.Errorf("problems %v, want one of syntax", problems)
				}
				return
			}
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Rule, p.Message))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRules: every rule has an example that breaks it, and every problem is
// of a rule that is listed, with its severity.
func TestRules(t *testing.T) {
	broken := map[string]bool{ruleAfter: true, ruleName: true, warnShips: true} // see TestSelect and TestLintFiles
	severity := map[string]Severity{}
	for _, r := range Rules() {
		severity[r.Name] = r.Severity
		if r.Meaning == "" {
			t.Errorf("rule %s does not say what it means", r.Name)
		}
	}
	bad := map[string]string{}
	for _, c := range lintCases {
		bad[c.name] = strings.Replace(good, c.old, c.new, 1)
	}
	for _, c := range failureCases {
		bad[c.text] = scriptOn(c.on, c.text)
	}
	for _, c := range moreFailures {
		bad[c.new] = c.playbook()
	}
	for name, text := range bad {
		problems := Lint("bad.yaml", []byte(text))
		for _, p := range problems {
			broken[p.Rule] = true
			if severity[p.Rule] != p.Severity {
				t.Errorf("%s: rule %s gives %s, and is listed as %q", name, p.Rule, p.Severity, severity[p.Rule])
			}
		}
		_, err := Parse("bad.yaml", []byte(text))
		if wrong := slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == SeverityError }); (err != nil) != wrong {
			t.Errorf("%s: problems %v, and Parse says %v", name, problems, err)
		}
	}
	for _, r := range Rules() {
		if !broken[r.Name] {
			t.Errorf("no example breaks the rule %s", r.Name)
		}
	}
}

// TestShippedAreClean: what ships has no problem, and no warning but those that
// tell its reader how far to trust it.
func TestShippedAreClean(t *testing.T) {
	for _, p := range mustEmbedded(t).List() {
		for _, problem := range Lint(p.File(), p.Text()) {
			if problem.Rule != warnScript && problem.Rule != warnUnverified {
				t.Error(problem)
			}
		}
		checked, err := Parse(p.File(), p.Text())
		if err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(checked, p, cmp.Comparer(func(a, b positions) bool { return true }), cmp.AllowUnexported(Playbook{})); diff != "" {
			t.Errorf("%s is read otherwise than it is checked (-checked +read):\n%s", p.Name, diff)
		}
		if want := "oust:vendors/" + p.Name + ".yaml"; p.File() != want {
			t.Errorf("playbook %s is in %s, want %s", p.Name, p.File(), want)
		}
	}
}
