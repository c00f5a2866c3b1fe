package playbooks

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"oust/remediate"
)

// sandbox is where a rendered script may run in a test. Scripts remove
// folders, so nothing runs here that names a path outside the sandbox: the
// playbooks' paths are moved below it before they are parsed, and run refuses
// a script that would still touch another place. The tools that scripts call
// are always stand-ins.
type sandbox struct {
	t    *testing.T
	root string // stands for /
	bin  string // the stand-ins
	job  string // OUST_DIR
	// extra are more variables of the script's environment.
	extra []string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	dir, err := os.MkdirTemp("", "oust-sandbox-") //nolint:usetesting // t.TempDir's name holds the test's; YAML and shells read it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	s := &sandbox{t: t, root: filepath.Join(dir, "root"), bin: filepath.Join(dir, "bin"), job: filepath.Join(dir, "job")}
	for _, d := range []string{s.root, s.bin, s.job} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range standIns {
		s.tool(tool, "exit 127")
	}
	return s
}

// standIns are the tools that a script could reach on the machine that runs
// the test; each exists in the sandbox, by default as if it were missing.
var standIns = []string{"dpkg", "dpkg-query", "rpm", "systemctl"}

// tool writes a stand-in. In its text $ROOT is the sandbox.
func (s *sandbox) tool(name, text string) {
	s.t.Helper()
	text = "#!/bin/sh\nROOT='" + s.root + "'\n" + text + "\n"
	if err := os.WriteFile(filepath.Join(s.bin, name), []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

var systemPath = regexp.MustCompile(`(^|[ \[{,])/(opt|var|etc|usr)/`)

// library parses playbooks after moving their paths into the sandbox.
func (s *sandbox) library(texts ...string) *Library {
	s.t.Helper()
	var list []*Playbook
	for _, text := range texts {
		moved := systemPath.ReplaceAllString(text, "${1}"+s.root+"/${2}/")
		list = append(list, mustParse(s.t, moved))
	}
	l, err := newLibrary(list, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// file makes a file, and the folders above it, in the sandbox.
func (s *sandbox) file(name string) {
	s.t.Helper()
	full := filepath.Join(s.root, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte("x"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sandbox) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(s.root, name))
	return err == nil
}

// outcome is what a run of a script came to.
type outcome struct {
	exit   int
	steps  []remediate.StepResult
	output string
}

// verdicts is "step verdict exit" for each result line.
func (o outcome) verdicts() []string {
	var out []string
	for _, r := range o.steps {
		out = append(out, r.Verdict)
	}
	return out
}

// shell is one way to run a script.
type shell struct {
	name string
	run  func(s *sandbox, script string, out *bytes.Buffer) (int, error)
}

func allShells() []shell {
	return []shell{
		{"dash", external("dash")},
		{"bash", external("bash", "--posix")},
		{"busybox", external("busybox", "ash")},
		{"mvdan", interpreted},
	}
}

// need skips a test where a tool is not on this machine; with OUST_NO_SKIP=1
// that is a failure.
func need(t testing.TB, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil || tool == "mvdan" {
		return
	}
	if os.Getenv("OUST_NO_SKIP") == "1" {
		t.Fatal(tool + " is not on this machine (and OUST_NO_SKIP=1 forbids to skip)")
	}
	t.Skip(tool + " is not on this machine")
}

// each runs a test under every shell that is here.
func each(t *testing.T, test func(t *testing.T, sh shell)) {
	for _, sh := range allShells() {
		t.Run(sh.name, func(t *testing.T) {
			need(t, sh.name)
			t.Parallel()
			test(t, sh)
		})
	}
}

// run runs a script in the sandbox. What it removes must lie below the root.
func (s *sandbox) run(sh shell, script string) outcome {
	s.t.Helper()
	s.confined(script)
	var out bytes.Buffer
	exit, err := sh.run(s, script, &out)
	if err != nil {
		s.t.Fatalf("run: %v\n%s", err, out.String())
	}
	result, err := os.ReadFile(filepath.Join(s.job, "result"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	steps, err := remediate.ParseStepResults(string(result))
	if err != nil {
		s.t.Fatal(err)
	}
	return outcome{exit: exit, steps: steps, output: out.String()}
}

// confined fails the test if a call in the script names a path elsewhere.
func (s *sandbox) confined(script string) {
	s.t.Helper()
	for _, line := range strings.Split(script, "\n") {
		if strings.HasPrefix(line, "end_processes ") && !ownNamespace() {
			s.t.Fatal("a script that ends processes runs in a process namespace of its own only")
		}
		for _, call := range []string{"remove_tree ", "remove_empty ", "end_processes "} {
			args, ok := strings.CutPrefix(line, call)
			if !ok {
				continue
			}
			for _, word := range strings.Fields(strings.ReplaceAll(args, "'", "")) {
				if strings.HasPrefix(word, "/") && !strings.HasPrefix(word, s.root+"/") {
					s.t.Fatalf("the script would touch %s, outside the sandbox: %s", word, line)
				}
			}
		}
	}
}

func (s *sandbox) env() []string {
	return append(append(os.Environ(), "OUST_DIR="+s.job, "PATH="+s.bin+":"+os.Getenv("PATH")), s.extra...)
}

const testDeadline = 30 * time.Second

// external runs the script as the job does, in a real shell. Functions call
// the stand-ins, because busybox prefers its own applets to the PATH.
func external(argv ...string) func(*sandbox, string, *bytes.Buffer) (int, error) {
	return func(s *sandbox, script string, out *bytes.Buffer) (int, error) {
		if argv[0] == "busybox" {
			for _, tool := range []string{"dpkg", "rpm"} {
				script = tool + "() { '" + filepath.Join(s.bin, tool) + "' \"$@\"; }\n" + script
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), testDeadline)
		defer cancel()
		cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], "-c", `eval "$(cat)"`)...)
		cmd.Env, cmd.Dir = s.env(), s.root
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script), out, out
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode(), nil
		}
		return 0, err
	}
}

// interpreted runs the script in mvdan.cc/sh, as the simulated lab does.
func interpreted(s *sandbox, script string, out *bytes.Buffer) (int, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "script")
	if err != nil {
		return 0, err
	}
	r, err := interp.New(interp.StdIO(nil, out, out), interp.Dir(s.root),
		interp.Env(expand.ListEnviron(s.env()...)), interp.CallHandler(missingBuiltins))
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), testDeadline)
	defer cancel()
	err = r.Run(ctx, file)
	if status, ok := errors.AsType[interp.ExitStatus](err); ok {
		return int(status), nil
	}
	return 0, err
}

// missingBuiltins stands in for builtins that the interpreter lacks.
func missingBuiltins(_ context.Context, args []string) ([]string, error) {
	switch args[0] {
	case "umask":
		return []string{"true"}, nil
	case "kill":
		return append([]string{"/bin/kill"}, args[1:]...), nil
	}
	return args, nil
}
