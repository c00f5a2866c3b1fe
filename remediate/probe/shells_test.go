package probe_test

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"mvdan.cc/sh/v3/syntax"

	"oust/remediate"
	"oust/remediate/probe"
)

// TestShells runs the script over one host in every shell that is here and
// may be a host's /bin/sh. All print the same bytes.
func TestShells(t *testing.T) {
	t.Parallel()
	linux := [][]string{
		{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"mksh"}, {"ksh"}, {"yash"}, {"posh"}, {"zsh", "--emulate", "sh"},
	}
	for name, shells := range map[string][][]string{
		"ubuntu-24.04": linux,
		"macos-14":     {{"dash"}, {"bash", "--posix"}, {"zsh", "--emulate", "sh"}}, // see macOS's sh(1)
	} {
		archive, err := txtar.ParseFile(testdata + "/byhand/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		want := read(t, testdata+"/byhand/"+name+".txt")
		for _, shell := range shells {
			if _, err := exec.LookPath(shell[0]); err != nil {
				continue
			}
			t.Run(name+" "+shell[0], func(t *testing.T) {
				t.Parallel()
				h := newStandin(t, archive)
				h.real(t, "printf") // mksh and posh have none built in
				h.real(t, "echo")
				h.shell = shell
				if got := bytes.TrimPrefix(h.look(t), []byte("\n")); !bytes.Equal(got, want) {
					t.Errorf("it prints\n%s", got)
				}
			})
		}
	}
}

// TestBusybox runs the script on busybox alone, as on Alpine: its shell and
// its own df, id, date, stat and grep.
func TestBusybox(t *testing.T) {
	t.Parallel()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return // not every machine has one; those of the lab's setup do
	}
	archive, err := txtar.ParseFile(testdata + "/byhand/alpine-3.20.txtar")
	if err != nil {
		t.Fatal(err)
	}
	archive.Files = deleteFiles(archive.Files, "says/")
	h := newStandin(t, archive)
	for _, applet := range []string{"busybox", "uname", "id", "date", "df", "stat", "grep", "timeout", "true", "cat"} {
		write(t, h.bin+"/"+applet+".new", []byte("#!/bin/sh\nexec "+busybox+" "+applet+" \"$@\"\n"), 0o755)
		rename(t, h.bin+"/"+applet+".new", h.bin+"/"+applet)
	}
	h.shell = []string{busybox, "sh"}
	facts := h.facts(t)
	if len(facts.Incomplete) > 0 || len(facts.Packages) != 5 || len(facts.FreeSpace) == 0 || facts.HostTime.IsZero() {
		t.Errorf("facts: %+v", facts)
	}
}

func deleteFiles(files []txtar.File, prefix string) (kept []txtar.File) {
	for _, f := range files {
		if !strings.HasPrefix(f.Name, prefix) {
			kept = append(kept, f)
		}
	}
	return kept
}

// TestLoginShells starts the look as a transport does: a login shell gets the
// command line, and the script comes on standard input.
func TestLoginShells(t *testing.T) {
	t.Parallel()
	script := string(probe.Sh(remediate.Questions{Paths: []string{"/", "/it's gone"}, Services: []string{"a@b", "cron"}}, nonce))
	for _, login := range []string{"sh", "bash", "zsh", "mksh", "fish", "tcsh", "csh"} {
		at, err := exec.LookPath(login)
		if err != nil {
			continue
		}
		t.Run(login, func(t *testing.T) {
			t.Parallel()
			out := output(t, exec.CommandContext(t.Context(), at, "-c", remediate.ShLine), script)
			facts, _, err := probe.Parse(out, nonce)
			if err != nil || len(facts.Paths) != 2 || len(facts.Running) != 2 {
				t.Errorf("facts %+v, error %v", facts, err)
			}
		})
	}
}

// TestScriptWritesNothing reads the script: what it redirects goes nowhere
// but to /dev/null and to its own output, and it calls what only looks.
func TestScriptWritesNothing(t *testing.T) {
	t.Parallel()
	script := string(probe.Sh(remediate.Questions{Paths: []string{"/a"}, Services: []string{"a"}}, nonce))
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(script), "look.sh")
	if err != nil {
		t.Fatal(err)
	}
	looks := regexp.MustCompile(`^(ask_paths|ask_services|apps|bounded|command|copy|date|defaults|df|dpkg-query|echo|exec|export|frame|grep|have|id|list|` +
		`look_at|names|perl|pkgutil|printf|read|return|rpm|rpm_database|set|shift|stat|sudo|sw_vers|sysctl|systemctl|timeout|uname|units_run|unset|break|continue|\[|:)$`)
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Redirect:
			to := n.Word.Lit()
			if n.Op != syntax.RdrIn && to != "/dev/null" && !(n.Op == syntax.DplOut && to == "1") {
				t.Errorf("%s: it writes to %q", n.Pos(), to)
			}
		case *syntax.CallExpr:
			if len(n.Args) > 0 && n.Args[0].Lit() != "" && !looks.MatchString(n.Args[0].Lit()) {
				t.Errorf("%s: it calls %s", n.Pos(), n.Args[0].Lit())
			}
		}
		return true
	})
}
