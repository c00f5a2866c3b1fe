package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
)

// fakeDpkg keeps its packages in $ROOT/db, a line "NAME STATE" each. What it
// does to a purge stands in $ROOT/mode: nothing, fail, keep (exits 0 and does
// nothing), locked (for as long as $ROOT/locked has lines), exit:N.
const fakeQuery = `
while [ $# -gt 3 ]; do
	shift
	[ -f "$ROOT/db" ] && while read -r name state; do
		[ "$name" = "$3" ] && echo "$name deinstall ok $state"
	done <"$ROOT/db"
done
exit 1`

const fakeDpkg = `
echo "dpkg $*" >>"$ROOT/calls"
umask >>"$ROOT/umask"
mode=
[ -f "$ROOT/mode" ] && read -r mode <"$ROOT/mode"
case $mode in
fail) echo 'dpkg: error processing package kesl (--purge):' >&2; exit 1 ;;
keep) exit 0 ;;
exit:*) exit "${mode#*:}" ;;
locked)
	if [ -s "$ROOT/locked" ]; then
		{ read -r _; cat; } <"$ROOT/locked" >"$ROOT/locked.new"; mv "$ROOT/locked.new" "$ROOT/locked"
		echo 'dpkg: error: dpkg frontend lock was locked by another process with pid 4711' >&2
		exit 2
	fi ;;
esac
: >"$ROOT/db"
echo 'Removing kesl'`

const fakeRPM = `
if [ "$1" = -q ]; then
	shift 3
	for want; do
		hit=
		[ -f "$ROOT/db" ] && while read -r name _; do [ "$name" = "$want" ] && { echo "=$name"; hit=1; }; done <"$ROOT/db"
		[ -n "$hit" ] || echo "package $want is not installed"
	done
	[ ! -f "$ROOT/broken" ] || { echo 'error: cannot open Packages database in /var/lib/rpm' >&2; exit 1; }
	exit 0
fi
echo "rpm $*" >>"$ROOT/calls"
mode=
[ -f "$ROOT/mode" ] && read -r mode <"$ROOT/mode"
case $mode in
fail) echo 'error: %preun(kesl) scriptlet failed, exit status 1' >&2; exit 1 ;;
keep) exit 0 ;;
locked)
	if [ -s "$ROOT/locked" ]; then
		{ read -r _; cat; } <"$ROOT/locked" >"$ROOT/locked.new"; mv "$ROOT/locked.new" "$ROOT/locked"
		echo "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)" >&2
		exit 2
	fi ;;
esac
: >"$ROOT/db"`

func (s *sandbox) put(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.root, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sandbox) get(name string) string {
	data, _ := os.ReadFile(filepath.Join(s.root, name))
	return string(data)
}

// managed gives the sandbox a package manager that has packages.
func (s *sandbox) managed(manager, packages string) {
	s.put("db", packages)
	if manager == remediate.ManagerDpkg {
		s.tool("dpkg-query", fakeQuery)
		s.tool("dpkg", fakeDpkg)
	} else {
		s.tool("rpm", fakeRPM)
	}
}

// render renders the built-in playbooks, moved into the sandbox, for a host
// that has the packages.
func (s *sandbox) render(busy time.Duration, packages ...remediate.Package) string {
	s.t.Helper()
	l := s.library(embeddedText(s.t, "kesl"), embeddedText(s.t, "klnagent"))
	f := &remediate.Facts{Platform: remediate.Linux, Packages: packages}
	script, err := l.Render(RenderInput{Facts: f, Findings: l.Match(f), BusyWait: busy})
	if err != nil {
		s.t.Fatal(err)
	}
	return script.Text
}

func embeddedText(t *testing.T, product string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/library/kaspersky/" + product + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func pkg(manager, name string) remediate.Package {
	return remediate.Package{Manager: manager, Name: name, Version: "12.1.0-1508", Arch: "amd64", Status: remediate.PackageInstalled}
}

// TestPackageVerdicts drives the package step of kesl, followed by the
// agent's, through all that a package manager can do.
func TestPackageVerdicts(t *testing.T) {
	cases := []struct {
		name, db, mode string
		locked         int // how many tries find the lock held
		busy           time.Duration
		exit           int
		verdict        string // of the product's step
		tool           int
		agent          bool // the agent's step ran
		calls          int
		more           string // part of the result line
	}{
		{name: "removed", db: "kesl installed\nkesl-gui installed\n", exit: 0, verdict: "ok", agent: true, calls: 1},
		{name: "already gone", db: "", exit: 0, verdict: "absent", agent: true, calls: 0},
		{name: "fails", db: "kesl installed\n", mode: "fail", exit: 50, verdict: "failed", tool: 1, calls: 1},
		{name: "says ok and keeps it", db: "kesl installed\n", mode: "keep", exit: 0, verdict: "failed", tool: 0, calls: 1, more: "still there: kesl"},
		{name: "busy, then free", db: "kesl installed\n", mode: "locked", locked: 1, busy: time.Second, exit: 0, verdict: "ok", agent: true, calls: 2},
		{name: "busy for ever", db: "kesl installed\n", mode: "locked", locked: 99, busy: time.Second, exit: 30, verdict: "busy", tool: 2, calls: 2, more: "for 1 s"},
		{name: "busy, no wait", db: "kesl installed\n", mode: "locked", locked: 99, exit: 30, verdict: "busy", tool: 2, calls: 1},
	}
	for _, manager := range []string{remediate.ManagerDpkg, remediate.ManagerRPM} {
		for _, c := range cases {
			t.Run(manager+" "+c.name, func(t *testing.T) {
				each(t, func(t *testing.T, sh shell) {
					s := newSandbox(t)
					s.managed(manager, c.db)
					s.put("mode", c.mode+"\n")
					s.put("locked", strings.Repeat("x\n", c.locked))
					out := s.run(sh, s.render(c.busy, pkg(manager, "kesl"), pkg(manager, "klnagent64")))
					if out.exit != c.exit {
						t.Fatalf("exit %d, want %d\n%s", out.exit, c.exit, out.output)
					}
					first := out.steps[0]
					if first.Step != 1 || first.Verdict != c.verdict || first.Exit != c.tool || first.Playbook != "kaspersky/kesl" {
						t.Errorf("first step %+v, want %s with exit %d", first, c.verdict, c.tool)
					}
					if !strings.Contains(first.What, c.more) {
						t.Errorf("result %q does not say %q", first.What, c.more)
					}
					agent := false
					for _, r := range out.steps {
						agent = agent || r.Playbook == "kaspersky/klnagent"
					}
					if agent != c.agent {
						t.Errorf("the agent's steps ran: %v, want %v\n%s", agent, c.agent, out.output)
					}
					if n := strings.Count(s.get("calls"), "\n"); n != c.calls {
						t.Errorf("the uninstaller ran %d times, want %d:\n%s", n, c.calls, s.get("calls"))
					}
				})
			})
		}
	}
}

func TestToolMissing(t *testing.T) {
	for _, manager := range []string{remediate.ManagerDpkg, remediate.ManagerRPM} {
		t.Run(manager, func(t *testing.T) {
			each(t, func(t *testing.T, sh shell) {
				s := newSandbox(t) // every stand-in exits 127, as a shell does for a tool that is not there
				out := s.run(sh, s.render(0, pkg(manager, "kesl")))
				if out.exit != remediate.ScriptUnsupported || out.steps[0].Verdict != remediate.StepUnsupported || out.steps[0].Exit != 127 {
					t.Errorf("exit %d, steps %+v", out.exit, out.steps)
				}
			})
		})
	}
}

func TestQueryFails(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		s.managed(remediate.ManagerRPM, "kesl installed\n")
		s.put("broken", "")
		out := s.run(sh, s.render(0, pkg(remediate.ManagerRPM, "kesl")))
		if out.exit != remediate.ScriptFailed || s.exists("calls") {
			t.Errorf("a database that cannot be read: exit %d, calls %q", out.exit, s.get("calls"))
		}
		if !strings.Contains(out.output, "cannot open Packages database") {
			t.Errorf("the tool's own words are lost: %s", out.output)
		}
	})
}

func TestPurgeArguments(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		s.managed(remediate.ManagerDpkg, "kesl config-files\nkesl-gui not-installed\nkesl-tools-of-someone installed\n")
		out := s.run(sh, s.render(0, pkg(remediate.ManagerDpkg, "kesl")))
		if got := s.get("calls"); got != "dpkg --purge kesl\n" {
			t.Errorf("dpkg was called as %q", got)
		}
		if got := strings.TrimLeft(s.get("umask"), "0"); got != "22\n" && sh.name != "mvdan" {
			t.Errorf("the uninstaller ran with umask %q, want 22", got)
		}
		if !strings.Contains(out.output, "Removing kesl") {
			t.Errorf("the uninstaller's output is lost: %s", out.output)
		}
	})
}

// TestResidue: what an uninstaller leaves is removed, other products' files
// are not, and shared folders go only when they are empty.
func TestResidue(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		s.managed(remediate.ManagerDpkg, "kesl installed\n")
		for _, f := range []string{
			"var/opt/kaspersky/kesl/private/storage.db", "var/log/kaspersky/kesl/a b.log",
			"etc/opt/kaspersky/other/settings", "opt/kaspersky/kesl/lib64/lib.so",
		} {
			s.file(f)
		}
		out := s.run(sh, s.render(0, pkg(remediate.ManagerDpkg, "kesl")))
		want := []string{"ok", "ok", "absent", "absent", "ok", "absent", "ok"}
		if diff := cmp.Diff(want, out.verdicts()); out.exit != 0 || diff != "" {
			t.Errorf("exit %d, verdicts (-want +got):\n%s%s", out.exit, diff, out.output)
		}
		for f, want := range map[string]bool{
			"var/opt/kaspersky": false, "var/log/kaspersky": false, "var/opt": true,
			"etc/opt/kaspersky/other/settings": true, "opt/kaspersky/kesl/lib64/lib.so": true,
		} {
			if s.exists(f) != want {
				t.Errorf("%s exists: %v, want %v", f, !want, want)
			}
		}
	})
}

// TestLinks: a link is removed and not what it points to; nothing is removed
// through a folder that is a link.
func TestLinks(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		s.managed(remediate.ManagerDpkg, "kesl installed\n")
		for _, f := range []string{"precious/data", "elsewhere/kesl/log", "var/opt/kaspersky/x"} {
			s.file(f)
		}
		for link, to := range map[string]string{"var/opt/kaspersky/kesl": "precious", "var/log/kaspersky": "elsewhere"} {
			full := filepath.Join(s.root, link)
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(s.root, to), full); err != nil {
				t.Fatal(err)
			}
		}
		out := s.run(sh, s.render(0, pkg(remediate.ManagerDpkg, "kesl")))
		if s.exists("var/opt/kaspersky/kesl") || !s.exists("precious/data") {
			t.Errorf("the link must go and what it points to must stay\n%s", out.output)
		}
		if !s.exists("elsewhere/kesl/log") || !s.exists("var/log/kaspersky") {
			t.Errorf("something was removed through a link\n%s", out.output)
		}
		log := out.steps[4]
		if log.Verdict != remediate.StepFailed || !strings.Contains(log.What, "is a link") || out.exit != 0 {
			t.Errorf("exit %d, step %+v; want a failed step that says why, and the script to go on", out.exit, log)
		}
	})
}

func TestNoJobFolder(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		s.managed(remediate.ManagerDpkg, "kesl installed\n")
		script := s.render(0, pkg(remediate.ManagerDpkg, "kesl"))
		s.job = filepath.Join(s.root, "nowhere")
		if out := s.run(sh, script); out.exit != remediate.ScriptFailed || s.exists("calls") {
			t.Errorf("exit %d, calls %q: without a job folder nothing may happen", out.exit, s.get("calls"))
		}
	})
}
