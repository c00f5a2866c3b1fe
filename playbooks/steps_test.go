package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// steps is a playbook with these steps and nothing else; its product is a
// path, so that no package is needed for it to be found.
func steps(text, more string) string {
	return `format: 1
name: acme/widget
title: Widget
vendor: Acme
platforms: [linux]
detect: [{path: /opt/acme/widget}]
steps:
` + text + more + `
confidence: unverified
sources: [{claim: all of it, source: an example, confidence: unverified}]
`
}

// renderSteps renders the playbook as for a host where its path is there.
func (s *sandbox) renderSteps(text string) string {
	s.t.Helper()
	l := s.library(text)
	f := linux()
	for _, p := range l.Questions(remediate.Linux).Paths {
		f.Paths = append(f.Paths, pathFact(p))
	}
	script, err := renderFacts(l, f)
	if err != nil {
		s.t.Fatal(err)
	}
	return script.Text
}

func TestServiceStep(t *testing.T) {
	systemd := func(stop, disable string) string {
		return `echo "$*" >>"$ROOT/calls"; case $* in *\ stop\ *) ` + stop + ` ;; *\ disable\ *) ` + disable + ` ;; esac`
	}
	cases := []struct {
		name, systemctl string
		exit            int
		verdict         string
		calls           []string
	}{
		{"stops and disables", systemd("exit 0", "exit 0"), 0, "ok", []string{"stop a-d", "disable a-d", "stop b-d", "disable b-d"}},
		{"no such unit", systemd("exit 5", "exit 1"), 0, "absent", []string{"stop a-d", "stop b-d"}},
		{"refuses to stop", systemd("exit 1", "exit 0"), 50, "failed", []string{"stop a-d"}},
		{"cannot be disabled", systemd("exit 0", "exit 1"), 50, "failed", []string{"stop a-d", "disable a-d"}},
		{"not booted with systemd, no init script", systemd("echo 'System has not been booted with systemd as init system (PID 1).' >&2; exit 1", ""), 0, "absent",
			[]string{"stop a-d", "stop b-d"}},
		{"no systemctl, no init script", "exit 127", 0, "absent", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, sh shell) {
				s := newSandbox(t)
				s.tool("systemctl", c.systemctl)
				// Names that no machine has: the step also looks into /etc/init.d.
				out := s.run(sh, s.renderSteps(steps("  - service: {names: [oust-test-a-d, oust-test-b-d]}\n  - file: {path: /opt/acme/widget}\n", "")))
				if out.exit != c.exit || out.steps[0].Verdict != c.verdict {
					t.Errorf("exit %d, first step %+v\n%s", out.exit, out.steps[0], out.output)
				}
				var want strings.Builder
				for _, call := range c.calls {
					verb, name, _ := strings.Cut(call, " ")
					want.WriteString("--no-ask-password " + verb + " oust-test-" + name + ".service\n")
				}
				if diff := cmp.Diff(want.String(), s.get("calls")); diff != "" {
					t.Errorf("systemctl calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestScriptStep(t *testing.T) {
	step := func(text string) string {
		return steps("  - script:\n      what: call the tool\n      text: |\n        "+strings.ReplaceAll(text, "\n", "\n        ")+
			"\n      exit: {0: ok, 1: absent, 2: reboot, 3: busy, 4: protected, 5: failed}\n  - file: {path: /opt/acme/widget}\n",
			"secrets: [{name: pass}]\nreboot: needed\n")
	}
	read := `pass=$(cat "$OUST_DIR/secrets/pass")` + "\n"
	cases := []struct {
		name, text string
		exit       int
		verdicts   []string
	}{
		{"ok", "exit 0", 20, []string{"ok", "ok"}},
		{"absent", "exit 1", 20, []string{"absent", "ok"}},
		{"reboot", "exit 2", 20, []string{"reboot", "ok"}},
		{"busy", "exit 3", 30, []string{"busy"}},
		{"protected", "exit 4", 40, []string{"protected"}},
		{"failed", "exit 5", 50, []string{"failed"}},
		{"a code that is not in the table", "exit 77", 50, []string{"failed"}},
		{"a secret", `[ "$pass" = "it's \$HOME" ]`, 20, []string{"ok", "ok"}},
		{"variables, wildcards and functions of its own", "step=9 what=mine\nset -- /*\n[ $# -gt 1 ] && : \"$unset\"", 20, []string{"ok", "ok"}},
		{"no input", "read -r x; [ -z \"$x\" ]", 20, []string{"ok", "ok"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, sh shell) {
				s := newSandbox(t)
				s.file("opt/acme/widget/x")
				if err := os.Mkdir(filepath.Join(s.job, "secrets"), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(s.job, "secrets", "pass"), []byte("it's $HOME"), 0o600); err != nil {
					t.Fatal(err)
				}
				out := s.run(sh, s.renderSteps(step(read+c.text)))
				if diff := cmp.Diff(c.verdicts, out.verdicts()); out.exit != c.exit || diff != "" {
					t.Errorf("exit %d, want %d; verdicts (-want +got):\n%s%s", out.exit, c.exit, diff, out.output)
				}
				if out.steps[0].Step != 1 || out.steps[0].What != "call the tool" {
					t.Errorf("the step's text changed its record: %+v", out.steps[0])
				}
			})
		})
	}
}

// TestFileStep: a step, unlike residue, ends the script when it fails.
func TestFileStep(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		s.file("real/widget/x")
		if err := os.MkdirAll(filepath.Join(s.root, "opt"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(s.root, "real"), filepath.Join(s.root, "opt", "acme")); err != nil {
			t.Fatal(err)
		}
		out := s.run(sh, s.renderSteps(steps("  - file: {path: /opt/acme/widget}\n  - file: {path: /var/lib/widget}\n", "")))
		if out.exit != remediate.ScriptFailed || len(out.steps) != 1 || !s.exists("real/widget/x") {
			t.Errorf("exit %d, steps %+v\n%s", out.exit, out.steps, out.output)
		}
	})
}

// TestFileStepNames: odd names are removed and nothing beside them.
func TestFileStepNames(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		for _, f := range []string{"opt/acme/a widget's $HOME/x", "opt/acme/a", "opt/acme/widget", "opt/acme/-rf/x"} {
			s.file(f)
		}
		out := s.run(sh, s.renderSteps(steps("  - file: {path: /opt/acme/a widget's $HOME}\n  - file: {path: /opt/acme/-rf}\n", "")))
		if out.exit != 0 || s.exists("opt/acme/a widget's $HOME") || s.exists("opt/acme/-rf") {
			t.Errorf("exit %d\n%s", out.exit, out.output)
		}
		if !s.exists("opt/acme/a") || !s.exists("opt/acme/widget") {
			t.Error("a neighbour was removed")
		}
	})
}
