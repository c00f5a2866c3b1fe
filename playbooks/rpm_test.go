package playbooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oust/remediate"
)

// rpmIn puts the real rpm into the sandbox, with a database of its own. Its
// scriptlets are in Lua, which rpm runs itself: there is no shell inside.
func rpmIn(t *testing.T) *sandbox {
	t.Helper()
	needRoot(t, "rpm", "rpmbuild", "dash")
	s := newSandbox(t)
	s.tool("rpm", `case $1 in -e) echo "$*" >>"$ROOT/calls" ;; esac; exec `+which(t, "rpm")+` --root="$ROOT" --dbpath /var/lib/rpm "$@"`)
	return s
}

// rpms builds packages of these names, versions and more lines of a spec, in
// one run of rpmbuild, and installs them.
func (s *sandbox) rpms(specs ...string) {
	s.t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(s.root), "rpm-")
	if err != nil {
		s.t.Fatal(err)
	}
	args := []string{"-bb", "--quiet", "--define", "_topdir " + dir, "--define", "_rpmdir " + dir + "/out"}
	for i, spec := range specs {
		head, more, _ := strings.Cut(spec, "\n")
		name, version, _ := strings.Cut(head, " ")
		file := filepath.Join(dir, string(rune('a'+i))+".spec")
		text := "Name: " + name + "\nVersion: " + version + "\nRelease: 1\nSummary: a test\nLicense: x\nBuildArch: noarch\nAutoReqProv: no\n" +
			strings.Replace(more, "%preun", "%description\na test\n%preun", 1)
		if !strings.Contains(text, "%description") {
			text += "\n%description\na test\n"
		}
		if err := os.WriteFile(file, []byte(text+"\n%files\n"), 0o644); err != nil {
			s.t.Fatal(err)
		}
		args = append(args, file)
	}
	if out, err := exec.Command("rpmbuild", args...).CombinedOutput(); err != nil {
		s.t.Fatalf("rpmbuild: %v\n%s", err, out)
	}
	packages, err := filepath.Glob(dir + "/out/*/*.rpm")
	if err != nil || len(packages) != len(specs) {
		s.t.Fatalf("packages %v, %v", packages, err)
	}
	if out, err := s.do("rpm", append([]string{"-i", "--nodeps", "--force", "--nosignature"}, packages...)...); err != nil {
		s.t.Fatalf("rpm -i: %v\n%s", err, out)
	}
}

// TestRealRPM drives the built-in playbooks with the real rpm.
func TestRealRPM(t *testing.T) {
	cases := []struct {
		name    string
		specs   []string
		before  func(s *sandbox)
		exit    int
		verdict string
		more    string
		left    string // what rpm still has of ours
	}{
		{name: "all three", specs: []string{"kesl 12.1", "kesl-gui 12.1\nRequires: kesl", "klnagent64 15"}, verdict: "ok"},
		{name: "two versions", specs: []string{"kesl 11.4", "kesl 12.1"}, verdict: "ok"},
		{name: "preun fails", specs: []string{"kesl 12.1\n%preun -p <lua>\nerror('no')", "klnagent64 15"}, exit: 50, verdict: "failed",
			more: "erase failed", left: "kesl klnagent64"},
		{name: "another package needs it", specs: []string{"kesl 12.1", "widget 1\nRequires: kesl"}, exit: 50, verdict: "failed",
			more: "is needed by", left: "kesl"},
		{name: "locked", specs: []string{"kesl 12.1", "klnagent64 15"}, before: func(s *sandbox) { s.hold("var/lib/rpm/.rpm.lock") },
			exit: 30, verdict: "busy", more: "another installer held the lock for 1 s", left: "kesl klnagent64"},
		{name: "database unreadable", specs: []string{"kesl 12.1"}, before: func(s *sandbox) { s.put("var/lib/rpm/rpmdb.sqlite", "no database") },
			exit: 50, verdict: "failed", more: "could not say what is installed", left: "-"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := rpmIn(t)
			s.rpms(c.specs...)
			if c.before != nil {
				c.before(s)
			}
			l := s.library(embeddedText(t, "kesl"), embeddedText(t, "klnagent"))
			facts := linux()
			for _, spec := range c.specs {
				name, _, _ := strings.Cut(spec, " ")
				facts.Packages = append(facts.Packages, pkg(remediate.ManagerRPM, name))
			}
			script, err := l.Render(RenderInput{Facts: facts, Findings: l.Match(facts), BusyWait: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			out := s.run(allShells()[0], script.Text)
			if out.exit != c.exit || out.steps[0].Verdict != c.verdict || !strings.Contains(out.output+out.steps[0].What, c.more) {
				t.Errorf("exit %d, first step %+v, want exit %d, %s and %q\n%s", out.exit, out.steps[0], c.exit, c.verdict, c.more, out.output)
			}
			if calls := s.get("calls"); strings.Contains(calls, "--force") || strings.Contains(calls, "--no") {
				t.Errorf("rpm was forced: %s", calls)
			}
			if c.left == "-" {
				return
			}
			var left []string
			for _, name := range []string{"kesl", "kesl-gui", "klnagent64"} {
				if _, err := s.do("rpm", "-q", name); err == nil {
					left = append(left, name)
				}
			}
			if got := strings.Join(left, " "); got != c.left {
				t.Errorf("left: %q, want %q\n%s", got, c.left, out.output)
			}
		})
	}
}
