package playbooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"oust/remediate"
)

// removeScript calls remove_tree with one word.
func removeScript(t interface{ Fatal(...any) }, path string) string {
	var b strings.Builder
	for _, name := range []string{"base", "file"} {
		text, err := preludes.ReadFile("prelude/" + name + ".sh")
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	quoted, err := QuoteSh(path)
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString("\nleftover 1 acme/widget 'remove it'\nremove_tree " + quoted + "\nexit 0\n")
	return b.String()
}

// TestRemoveRace: a folder above the path becomes a link after it was looked at,
// and before rm runs: what the link points to stays.
func TestRemoveRace(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		if sh.name == "busybox" {
			t.Skip("its rm is its own, and nothing can step in before it")
		}
		s := newSandbox(t)
		for _, f := range []string{"var/lib/acme/widget/x", "precious/widget/data"} {
			s.file(f)
		}
		rm, err := exec.LookPath("rm")
		if err != nil {
			t.Fatal(err)
		}
		parent := filepath.Join(s.root, "var/lib/acme")
		s.tool("rm", "mv '"+parent+"' '"+parent+".was'; ln -s '"+filepath.Join(s.root, "precious")+"' '"+parent+"'; exec "+rm+` "$@"`)
		out := s.run(sh, removeScript(t, parent+"/widget"))
		if !s.exists("precious/widget/data") || s.exists("var/lib/acme.was/widget") {
			t.Errorf("what the link points to was removed, or what was meant was not\n%s", out.output)
		}
	})
}

// TestRemoveRaceBefore: the link is there before the shell goes into the folder.
func TestRemoveRaceBefore(t *testing.T) {
	each(t, func(t *testing.T, sh shell) {
		s := newSandbox(t)
		s.file("precious/widget/data")
		if err := os.MkdirAll(filepath.Join(s.root, "var/lib"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(s.root, "precious"), filepath.Join(s.root, "var/lib/acme")); err != nil {
			t.Fatal(err)
		}
		// As if linked had looked too early.
		script := strings.Replace(removeScript(t, s.root+"/var/lib/acme/widget"), "elif linked", "elif false && linked", 1)
		out := s.run(sh, script)
		if !s.exists("precious/widget/data") || len(out.steps) != 1 || out.steps[0].Verdict != remediate.StepFailed || !strings.Contains(out.steps[0].What, "not where it should be") {
			t.Errorf("steps %+v\n%s", out.steps, out.output)
		}
	})
}

// TestRemoveOnlyThat: whatever stands in a path, remove_tree removes that one
// path or nothing, never through a link, and never what a pattern or a step up
// in it means. A path steps up once at most, so that not even a fault here
// leaves the sandbox.
func TestRemoveOnlyThat(t *testing.T) {
	need(t, "dash")
	piece := rapid.SampledFrom([]string{"/a", "/b", "/link", "/*", "/?", "/w w", "/$HOME", "/$(id)", "/'q'", "/\"", "/-rf", "/;ls", "/\\", "/a\nb", "/.", "//", "/"})
	rapid.Check(t, func(r *rapid.T) {
		s := newSandbox(t)
		name := "/top/own" + strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(r, "pieces"), "")
		if rapid.Bool().Draw(r, "step up") {
			name += "/.." + piece.Draw(r, "after it")
		}
		kept := []string{"top/x", "top/own/a/b/x", "top/own/b/x", "top/own/*/x", "precious/a/x", "precious/x"}
		for _, f := range kept {
			s.file(f)
		}
		if err := os.Symlink(filepath.Join(s.root, "precious"), filepath.Join(s.root, "top/own/link")); err != nil {
			r.Fatal(err)
		}
		full := s.root + name
		plain := filepath.Clean(full) == full && strings.Count(name, "/link/") == 0
		s.run(dashShell(), removeScript(r, full))
		for _, f := range kept {
			meant := plain && strings.HasPrefix(s.root+"/"+f, full+"/")
			if s.exists(f) == meant {
				r.Fatalf("%q: %s is there: %v, meant to be removed: %v", name, f, s.exists(f), meant)
			}
		}
	})
}

func dashShell() shell {
	for _, sh := range allShells() {
		if sh.name == "dash" {
			return sh
		}
	}
	panic("dash is not among the shells")
}
