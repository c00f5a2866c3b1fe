package probe_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"oust/remediate"
	"oust/remediate/probe"
)

// nonce is the nonce of every look in these tests and in testdata.
const nonce remediate.Nonce = "0123456789abcdef0123456789abcdef"

// standin is a host that is not there: a tree of files below root, and
// programs that say what they are told to. The real script of a look runs
// over it; its absolute paths are led into the tree.
type standin struct {
	root string
	bin  string // the programs
	ask  []string
	// services are those that the look is asked for.
	services []string
	// shell runs the script instead of /bin/sh; user does, if not nil; edit
	// changes the script before it runs.
	shell []string
	user  *syscall.Credential
	edit  func(script string) string
}

// newStandin makes a host from an archive:
//
//	root/PATH        a file of the tree
//	links            a line "TARGET PATH" for each link in the tree
//	says/NAME ARGS   what a program prints when its arguments begin with ARGS
//	exits/NAME       the exit code with which it ends; 0 if there is no such file
//	bin/NAME         a program, as a shell script
//	ask              the paths that the look is asked for, a line each
//	services         the services that it is asked for, a line each
func newStandin(t *testing.T, archive *txtar.Archive) *standin {
	t.Helper()
	dir := t.TempDir()
	h := &standin{root: filepath.Join(dir, "root"), bin: filepath.Join(dir, "bin")}
	says := map[string][]txtar.File{}
	exits := map[string]string{}
	mkdir(t, filepath.Join(h.root, "root"))
	mkdir(t, h.bin)
	for _, f := range archive.Files {
		kind, name, _ := strings.Cut(f.Name, "/")
		switch kind {
		case "root":
			write(t, filepath.Join(h.root, name), f.Data, 0o644)
		case "says":
			program, _, _ := strings.Cut(name, " ")
			says[program] = append(says[program], txtar.File{Name: name, Data: f.Data})
		case "exits":
			exits[name] = strings.TrimSpace(string(f.Data))
		case "bin":
			write(t, filepath.Join(h.bin, name), f.Data, 0o755)
		case "ask":
			h.ask = slices.DeleteFunc(strings.Split(string(f.Data), "\n"), func(s string) bool { return s == "" })
		case "services":
			h.services = strings.Fields(string(f.Data))
		case "links":
		default:
			t.Fatalf("archive: what is %s?", f.Name)
		}
	}
	for _, f := range archive.Files {
		if f.Name == "links" {
			h.link(t, string(f.Data))
		}
	}
	for program, texts := range says {
		h.program(t, program, texts, cmp.Or(exits[program], "0"))
	}
	// What the script needs for its own work is real.
	for _, program := range []string{"cat", "grep", "timeout", "perl"} {
		h.real(t, program)
	}
	return h
}

// parseStandin makes a host from the text of an archive.
func parseStandin(t *testing.T, text string) *standin {
	t.Helper()
	return newStandin(t, txtar.Parse([]byte(text)))
}

func (h *standin) link(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		target, path, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			t.Fatalf("links: %q", line)
		}
		path = filepath.Join(h.root, path)
		mkdir(t, filepath.Dir(path))
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
}

// program writes a program that answers by its arguments.
func (h *standin) program(t *testing.T, name string, says []txtar.File, exit string) {
	t.Helper()
	// The longest arguments come first.
	slices.SortFunc(says, func(a, b txtar.File) int { return cmp.Compare(len(b.Name), len(a.Name)) })
	var b strings.Builder
	b.WriteString("#!/bin/sh\ncase \"$*\" in\n")
	for i, s := range says {
		file := filepath.Join(h.bin, ".says", name+strconv.Itoa(i))
		write(t, file, s.Data, 0o644)
		args := strings.TrimSpace(strings.TrimPrefix(s.Name, name))
		fmt.Fprintf(&b, "'%s'*) cat '%s'; exit %s ;;\n", h.below(args), file, exit)
	}
	fmt.Fprintf(&b, "esac\necho \"%s: what is $*?\" >&2\nexit 1\n", name)
	write(t, filepath.Join(h.bin, name), []byte(b.String()), 0o755)
}

func (h *standin) real(t *testing.T, program string) {
	t.Helper()
	at, err := exec.LookPath(program)
	if err != nil {
		return
	}
	if err := os.Symlink(at, filepath.Join(h.bin, program)); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

var (
	absolute = regexp.MustCompile(`(^|[ \t"'(=-])(/(?:Applications|Library|Users|etc|lib|opt|proc|root|run|usr/lib|usr/local/lib|usr/share|var)\b)`)
	pathLine = regexp.MustCompile(`(?m)^PATH=.*$`)
)

// below leads the absolute paths of a text into the tree.
func (h *standin) below(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = absolute.ReplaceAllStringFunc(line, func(s string) string {
			at := strings.IndexByte(s, '/')
			return s[:at] + h.root + s[at:]
		})
	}
	return strings.Join(lines, "\n")
}

// look runs the look and returns what it prints.
func (h *standin) look(t *testing.T) []byte {
	t.Helper()
	return h.run(t, string(probe.Sh(h.questions(), nonce)))
}

func (h *standin) questions() remediate.Questions {
	return remediate.Questions{Paths: h.ask, Services: h.services}
}

// run runs a script of a look, or of a part of one.
func (h *standin) run(t *testing.T, script string) []byte {
	t.Helper()
	if h.edit != nil {
		script = h.edit(script)
	}
	script = h.below(script)
	if n := len(pathLine.FindAllString(script, -1)); n != 1 {
		t.Fatalf("the script has %d lines that set PATH", n)
	}
	script = pathLine.ReplaceAllLiteralString(script, "PATH='"+h.bin+"'; export PATH")
	args := append(slices.Clone(h.shell), "-c", `eval "$(cat)"`)
	if len(h.shell) == 0 {
		args = append([]string{"/bin/sh"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = []string{"HOME=" + filepath.Join(h.root, "root"), "PATH=" + h.bin}
	if h.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: h.user}
	}
	return bytes.ReplaceAll(output(t, cmd, script), []byte(h.root), nil)
}

// facts is look, parsed.
func (h *standin) facts(t *testing.T) *remediate.Facts {
	t.Helper()
	facts, _, err := probe.Parse(h.look(t), nonce)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

// output runs a command that says nothing on stderr.
func output(t *testing.T, cmd *exec.Cmd, stdin string) []byte {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.Bytes())
	}
	if stderr.Len() > 0 {
		t.Errorf("%v says on stderr:\n%s", cmd.Args, stderr.Bytes())
	}
	return out.Bytes()
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file string, data []byte, perm os.FileMode) {
	t.Helper()
	mkdir(t, filepath.Dir(file))
	if err := os.WriteFile(file, data, perm); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
