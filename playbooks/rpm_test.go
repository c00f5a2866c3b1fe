package playbooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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

// buildRPMs builds packages in one run of rpmbuild. A spec is "NAME VERSION"
// and more lines. It returns the files by spec.
func buildRPMs(t *testing.T, specs map[string]bool) map[string]string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-bb", "--quiet", "--define", "_topdir " + dir, "--define", "_rpmdir " + dir,
		"--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm", "--define", "_binary_payload w0.ufdio"}
	files := map[string]string{}
	for spec := range specs {
		head, more, _ := strings.Cut(spec, "\n")
		name, version, _ := strings.Cut(head, " ")
		release := strconv.Itoa(len(files))
		text := "Name: " + name + "\nVersion: " + version + "\nRelease: " + release + "\nSummary: a test\nLicense: x\nBuildArch: noarch\nAutoReqProv: no\n"
		if strings.HasPrefix(more, "%") {
			text += "%description\na test\n" + more
		} else {
			text += more + "\n%description\na test\n"
		}
		file := filepath.Join(dir, release+".spec")
		if err := os.WriteFile(file, []byte(text+"\n%files\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
		files[spec] = filepath.Join(dir, name+"-"+version+"-"+release+".rpm")
	}
	if out, err := exec.Command("rpmbuild", args...).CombinedOutput(); err != nil {
		t.Fatalf("rpmbuild: %v\n%s", err, out)
	}
	return files
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
	needRoot(t, "rpm", "rpmbuild", "dash")
	specs := map[string]bool{}
	for _, c := range cases {
		for _, spec := range c.specs {
			specs[spec] = true
		}
	}
	files := buildRPMs(t, specs)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := rpmIn(t)
			install := []string{"-i", "--nodeps", "--force", "--nosignature"}
			for _, spec := range c.specs {
				install = append(install, files[spec])
			}
			if out, err := s.do("rpm", install...); err != nil {
				t.Fatalf("rpm -i: %v\n%s", err, out)
			}
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
			have, _ := s.do("rpm", "-qa", "--qf", "%{NAME}\n")
			left := slices.DeleteFunc(strings.Fields(have), func(n string) bool { return n == "widget" })
			slices.Sort(left)
			if got := strings.Join(left, " "); got != c.left {
				t.Errorf("left: %q, want %q\n%s", got, c.left, out.output)
			}
		})
	}
}
