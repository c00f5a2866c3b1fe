package playbooks

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"oust/remediate"
)

// deb is a package for the real dpkg. Its scripts run without chroot, with
// the sandbox in $ROOT.
type deb struct {
	name    string
	control string            // more lines of control
	scripts map[string]string // preinst, postinst, prerm, postrm
	files   []string
}

// dpkgIn puts the real dpkg into the sandbox, with a database of its own.
func dpkgIn(t *testing.T) *sandbox {
	t.Helper()
	needRoot(t, "dpkg", "dpkg-deb", "dash")
	s := newSandbox(t)
	for _, d := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(s.root, "var/lib/dpkg", d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.put("var/lib/dpkg/status", "")
	s.tool("dpkg", `echo "$*" >>"$ROOT/calls"; export ROOT; exec `+which(t, "dpkg")+` --root="$ROOT" --force-script-chrootless --force-unsafe-io --log=/dev/null "$@"`)
	s.tool("dpkg-query", `exec `+which(t, "dpkg-query")+` --admindir="$ROOT/var/lib/dpkg" "$@"`)
	return s
}

// needRoot skips a test without root or without the tools; see need.
func needRoot(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		need(t, tool)
	}
	if os.Geteuid() != 0 {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal("needs root (and OUST_NO_SKIP=1 forbids to skip)")
		}
		t.Skip("needs root")
	}
}

func which(t *testing.T, tool string) string {
	t.Helper()
	full, err := exec.LookPath(tool)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// do runs a stand-in of the sandbox and returns what it printed.
func (s *sandbox) do(tool string, args ...string) (string, error) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, tool), args...)
	cmd.Env = append(s.env(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// shelf keeps packages that were built, for tests that want the same ones.
type shelf struct {
	dir   string
	built map[string]string // file by name and content
}

// install installs packages. It does not look at dpkg's exit code: a broken
// package is one that some tests want.
func (s *sandbox) install(from *shelf, debs ...deb) {
	s.t.Helper()
	args := []string{"-i", "--force-depends"}
	for _, d := range debs {
		args = append(args, from.get(s.t, d))
	}
	out, _ := s.do("dpkg", args...)
	s.put("calls", "")
	states := s.states()
	for _, d := range debs {
		if states[d.name] == "" {
			s.t.Fatalf("%s was not installed:\n%s", d.name, out)
		}
	}
}

// get builds a package, unless there is one. It is for one goroutine.
func (sh *shelf) get(t *testing.T, d deb) string {
	t.Helper()
	key := fmt.Sprint(d)
	if file, ok := sh.built[key]; ok {
		return file
	}
	if sh.built == nil {
		sh.built = map[string]string{}
	}
	dir := filepath.Join(sh.dir, strconv.Itoa(len(sh.built)))
	write := func(name, text string, mode os.FileMode) {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("DEBIAN/control", fmt.Sprintf("Package: %s\nVersion: 12.1.0-1508\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a test\n%s",
		d.name, d.control), 0o644)
	write("DEBIAN/conffiles", "/etc/opt/"+d.name+".conf\n", 0o644)
	write("etc/opt/"+d.name+".conf", "a = b\n", 0o644)
	for name, text := range d.scripts {
		write("DEBIAN/"+name, "#!/bin/sh\n"+text+"\n", 0o755)
	}
	for _, f := range d.files {
		write(f, "x", 0o644)
	}
	if out, err := exec.Command("dpkg-deb", "--build", "--root-owner-group", "-Znone", dir, dir+".deb").CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	sh.built[key] = dir + ".deb"
	return dir + ".deb"
}

// states is what dpkg says of our packages; nothing where it knows none.
func (s *sandbox) states() map[string]string {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, "dpkg-query"), "-W", "-f", "${Package} ${Status}\n", "kesl", "kesl-gui", "klnagent64", "widget")
	cmd.Env = s.env()
	out, _ := cmd.Output() // fails where it does not know one of them
	states := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, state, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasSuffix(state, " not-installed") {
			states[name] = state
		}
	}
	return states
}

// look is what a look at the sandbox finds, as far as these tests need it.
func (s *sandbox) look(l *Library) *remediate.Facts {
	f := linux()
	for name, state := range s.states() {
		p := pkg(remediate.ManagerDpkg, name)
		switch words := strings.Fields(state); {
		case words[1] == "ok" && words[2] == "installed":
		case words[1] == "ok" && words[2] == "config-files":
			p.Status = remediate.PackageConfigFiles
		default:
			p.Status = remediate.PackageBroken
		}
		f.Packages = append(f.Packages, p)
	}
	for _, p := range l.Questions(remediate.Linux).Paths {
		kind := remediate.PathAbsent
		if _, err := os.Lstat(p); err == nil {
			kind = remediate.PathDir
		}
		f.Paths = append(f.Paths, remediate.PathFact{Path: p, Kind: kind})
	}
	return f
}

// hold takes a lock as dpkg, apt and rpm do, until the test ends.
func (s *sandbox) hold(name string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.root, name), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = f.Close() })
	whole := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &whole); err != nil {
		s.t.Fatalf("lock %s: %v", name, err)
	}
}

var (
	keslDeb  = deb{name: "kesl", files: []string{"opt/kaspersky/kesl/bin/kesl"}}
	guiDeb   = deb{name: "kesl-gui", control: "Depends: kesl\n", files: []string{"opt/kaspersky/kesl-gui/gui"}}
	agentDeb = deb{name: "klnagent64", files: []string{"opt/kaspersky/klnagent64/bin/klnagent"}}
)

func keslWith(script, text string) deb {
	d := keslDeb
	d.scripts = map[string]string{script: text}
	return d
}

// TestRealDpkg drives the built-in playbooks with the real dpkg through what
// packages do. After says what is found then: the second look decides, and no
// exit code.
func TestRealDpkg(t *testing.T) {
	needRoot(t, "dpkg", "dpkg-deb", "dash")
	from := &shelf{dir: t.TempDir()}
	cases := []struct {
		name    string
		debs    []deb
		before  func(s *sandbox)
		env     []string
		exit    int
		verdict string
		more    string // part of the output
		state   string // of kesl, afterwards
		after   string // what is found
		agent   bool   // klnagent64 is still there
	}{
		{name: "all three", debs: []deb{keslDeb, guiDeb, agentDeb}, verdict: "ok"},
		{name: "prerm fails", debs: []deb{keslWith("prerm", "exit 3"), guiDeb, agentDeb}, exit: 50, verdict: "failed",
			more: "exit status 3", state: "purge ok installed", after: "kaspersky/kesl product kaspersky/klnagent product", agent: true},
		{name: "postrm fails when it is removed", debs: []deb{keslWith("postrm", `[ "$1" != remove ] || exit 4`), agentDeb}, exit: 50, verdict: "failed",
			more: "exit status 4", state: "purge ok half-installed", after: "kaspersky/kesl product kaspersky/klnagent product", agent: true},
		{name: "postrm fails when it is purged", debs: []deb{keslWith("postrm", `[ "$1" != purge ] || exit 5`), agentDeb}, exit: 50, verdict: "failed",
			more: "exit status 5", state: "purge ok config-files", after: "kaspersky/kesl residue kaspersky/klnagent product", agent: true},
		{name: "postrm pretends and leaves its files", debs: []deb{keslWith("postrm", `mkdir -p "$ROOT/opt/kaspersky/kesl/lib64"`)}, verdict: "ok",
			after: "kaspersky/kesl residue"},
		{name: "prerm asks a question", debs: []deb{keslWith("prerm", `read -r answer && exit 6; [ "$DEBIAN_FRONTEND" = noninteractive ]`)}, verdict: "ok"},
		{name: "prerm is told of no home", debs: []deb{keslWith("prerm", `set -u; [ -n "$HOME" ]`)}, env: []string{"HOME="}, verdict: "ok"},
		{name: "another package needs it", debs: []deb{keslDeb, {name: "widget", control: "Depends: kesl\n"}, agentDeb}, exit: 50, verdict: "failed",
			more: "widget depends on kesl", state: "purge ok installed", after: "kaspersky/kesl product kaspersky/klnagent product", agent: true},
		{name: "another package needs it, and root's environment forces", debs: []deb{keslDeb, {name: "widget", control: "Depends: kesl\n"}},
			env: []string{"DPKG_FORCE=depends"}, exit: 50, verdict: "failed", state: "purge ok installed", after: "kaspersky/kesl product"},
		{name: "on hold", debs: []deb{keslDeb}, before: func(s *sandbox) { s.rewrite("install ok installed", "hold ok installed") }, verdict: "ok"},
		{name: "configuration only", debs: []deb{keslDeb}, before: func(s *sandbox) { _, _ = s.do("dpkg", "--remove", "kesl") }, verdict: "ok"},
		{name: "configuration changed by hand", debs: []deb{keslDeb}, before: func(s *sandbox) { s.put("etc/opt/kesl.conf", "mine = yes\n") }, verdict: "ok"},
		{name: "half-configured", debs: []deb{keslWith("postinst", "exit 1")}, verdict: "ok"},
		{name: "must be reinstalled", debs: []deb{keslDeb}, before: func(s *sandbox) { s.rewrite("install ok installed", "install reinstreq half-installed") },
			exit: 50, verdict: "failed", more: "reinstall it before attempting a removal", state: "purge reinstreq half-installed", after: "kaspersky/kesl product"},
		{name: "locked by apt", debs: []deb{keslDeb, agentDeb}, before: func(s *sandbox) { s.hold("var/lib/dpkg/lock-frontend") }, exit: 30, verdict: "busy",
			more: "another installer held the lock for 1 s", state: "install ok installed", after: "kaspersky/kesl product kaspersky/klnagent product", agent: true},
		{name: "locked by dpkg", debs: []deb{keslDeb}, before: func(s *sandbox) { s.hold("var/lib/dpkg/lock") }, exit: 30, verdict: "busy",
			state: "install ok installed", after: "kaspersky/kesl product"},
		{name: "database unreadable", debs: []deb{keslDeb}, before: func(s *sandbox) { s.rewrite("Package: kesl", "Packa") }, exit: 50, verdict: "failed",
			more: "could not say what is installed", after: "-"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, d := range c.debs {
				from.get(t, d)
			}
			t.Parallel()
			s := dpkgIn(t)
			s.install(from, c.debs...)
			l := s.library(embeddedText(t, "kesl"), embeddedText(t, "klnagent"))
			facts := s.look(l)
			if c.before != nil {
				c.before(s)
				if facts = s.look(l); len(facts.Packages) == 0 {
					facts = linux(pkg(remediate.ManagerDpkg, "kesl"))
				}
			}
			s.put("calls", "")
			script, err := l.Render(RenderInput{Facts: facts, Findings: l.Match(facts), BusyWait: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			s.extra = c.env
			out := s.run(allShells()[0], script.Text)
			if out.exit != c.exit || out.steps[0].Verdict != c.verdict || !strings.Contains(out.output+out.steps[0].What, c.more) {
				t.Errorf("exit %d, first step %+v, want exit %d, %s and %q\n%s", out.exit, out.steps[0], c.exit, c.verdict, c.more, out.output)
			}
			if strings.Contains(s.get("calls"), "--force") {
				t.Errorf("dpkg was forced: %s", s.get("calls"))
			}
			if c.after == "-" {
				return
			}
			states := s.states()
			if got := states["kesl"]; got != c.state {
				t.Errorf("kesl is %q, want %q\n%s", got, c.state, out.output)
			}
			var found []string
			for _, f := range l.Match(s.look(l)) {
				found = append(found, f.Playbook+" "+string(f.Kind))
			}
			if got := strings.Join(found, " "); got != c.after {
				t.Errorf("found afterwards: %s, want %s\n%s", got, c.after, out.output)
			}
			if got := states["klnagent64"] != ""; got != c.agent {
				t.Errorf("the agent is there: %v, want %v", got, c.agent)
			}
		})
	}
}

// rewrite changes the database of dpkg, all of whose places must hold old.
func (s *sandbox) rewrite(old, new string) {
	s.t.Helper()
	text := s.get("var/lib/dpkg/status")
	if !strings.Contains(text, old) {
		s.t.Fatalf("the database does not hold %q:\n%s", old, text)
	}
	s.put("var/lib/dpkg/status", strings.ReplaceAll(text, old, new))
}

// TestRealDpkgForced: a playbook that says so removes a package that dpkg
// wants to be reinstalled, and the script's head says so too.
func TestRealDpkgForced(t *testing.T) {
	t.Parallel()
	s := dpkgIn(t)
	s.install(&shelf{dir: t.TempDir()}, keslDeb)
	s.rewrite("install ok installed", "install reinstreq half-installed")
	text := strings.Replace(embeddedText(t, "kesl"), "      names: [kesl-gui, kesl-gui-astra, kesl, kesl-astra]\n",
		"      names: [kesl-gui, kesl-gui-astra, kesl, kesl-astra]\n      force_reinstreq: true\n", 1)
	l := s.library(text)
	facts := s.look(l)
	script, err := l.Render(RenderInput{Facts: facts, Findings: l.Match(facts)})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(script.Text, "\n#   1. purge kesl-gui kesl-gui-astra kesl kesl-astra with dpkg --force-remove-reinstreq\n") {
		t.Errorf("the head does not say that dpkg is forced:\n%s", script.Text)
	}
	if out := s.run(allShells()[0], script.Text); out.exit != 0 || s.states()["kesl"] != "" {
		t.Errorf("exit %d, kesl is %q\n%s", out.exit, s.states()["kesl"], out.output)
	}
}

// TestRealDpkgForeign: a package of another architecture is removed by the
// name that dpkg has for it.
func TestRealDpkgForeign(t *testing.T) {
	t.Parallel()
	s := dpkgIn(t)
	s.install(&shelf{dir: t.TempDir()}, keslDeb)
	s.put("var/lib/dpkg/arch", "amd64\narm64\ni386\n")
	foreign := "i386"
	if native, err := exec.Command("dpkg", "--print-architecture").Output(); err == nil && strings.TrimSpace(string(native)) == foreign {
		foreign = "arm64"
	}
	s.rewrite("Architecture: all", "Architecture: "+foreign)
	l := s.library(embeddedText(t, "kesl"))
	facts := s.look(l)
	script, err := l.Render(RenderInput{Facts: facts, Findings: l.Match(facts)})
	if err != nil {
		t.Fatal(err)
	}
	if out := s.run(allShells()[0], script.Text); out.exit != 0 || s.states()["kesl"] != "" {
		t.Errorf("exit %d, kesl is %q, calls %q\n%s", out.exit, s.states()["kesl"], s.get("calls"), out.output)
	}
}
