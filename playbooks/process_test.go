package playbooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// outerNamespace tells the inner run of TestProcessStep which process
// namespace it must not be in.
const outerNamespace = "OUST_TEST_OUTER_NAMESPACE"

func pidNamespace() string {
	link, _ := os.Readlink("/proc/self/ns/pid")
	return link
}

// ownNamespace reports whether this process runs in a process namespace that
// TestProcessStep made, from where no other process can be reached.
func ownNamespace() bool {
	outer, inner := os.Getenv(outerNamespace), pidNamespace()
	return outer != "" && inner != "" && outer != inner
}

// TestProcessStep ends processes, so it runs itself again in a process
// namespace of its own and looks there that nothing else has ended.
func TestProcessStep(t *testing.T) {
	if ownNamespace() {
		for _, c := range processCases {
			t.Run(c.name, func(t *testing.T) {
				for _, sh := range allShells() {
					t.Run(sh.name, func(t *testing.T) { c.run(t, sh) })
				}
			})
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--pid", "--fork", "--kill-child", "--mount", "--mount-proc"}
	if err := exec.Command("unshare", append(args, "true")...).Run(); err != nil {
		t.Skipf("needs root and unshare: %v", err)
	}
	cmd := exec.Command("unshare", append(args, self, "-test.run=^TestProcessStep$", "-test.v")...)
	cmd.Env = append(os.Environ(), outerNamespace+"="+pidNamespace())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestProcessStep/by_path/mvdan") {
		t.Errorf("in its own namespace: %v\n%s", err, out)
	}
}

type processCase struct {
	name, start string
	verdict     string
	step        string
}

var processCases = []processCase{
	{"by path", `exec "$0" 600`, "ok", "paths: [/opt/acme/widget/bin/oust-test-sleep]"},
	{"by name", `exec "$0" 600`, "ok", "names: [oust-test-sleep]"},
	{"the second of several", `exec "$0" 600`, "ok", "paths: [/opt/acme/none, /opt/acme/widget/bin/oust-test-sleep], names: [oust-test-none]"},
	{"ignores SIGTERM", `trap "" TERM; exec "$0" 600`, "ok", "paths: [/opt/acme/widget/bin/oust-test-sleep]"},
	{"is not there", "", "absent", "paths: [/opt/acme/widget/bin/oust-test-sleep], names: [oust-test-sleep]"},
}

func (c processCase) run(t *testing.T, sh shell) {
	need(t, sh.name)
	s := newSandbox(t)
	program := s.copyOf("sleep", "opt/acme/widget/bin/oust-test-sleep")
	// The same program from another place, and another of nearly the same name.
	neighbours := []*exec.Cmd{
		s.start(s.copyOf("sleep", "opt/other/bin/oust-test-sleeq"), `exec "$0" 601`),
		s.start("/bin/sh", `"$0" -c 'read -r x'; :`),
	}
	var target *exec.Cmd
	if c.start != "" {
		target = s.start(program, c.start)
	}
	out := s.run(sh, s.renderSteps(steps("  - process: {"+c.step+", grace: 1s}\n  - file: {path: /opt/acme/widget}\n", "")))
	if out.exit != 0 || out.steps[0].Verdict != c.verdict {
		t.Errorf("exit %d, first step %+v\n%s", out.exit, out.steps[0], out.output)
	}
	if target != nil {
		_ = target.Wait() // how it ended is what the next lines look at
		if status := target.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
			t.Errorf("the process ended by itself: %v", status)
		}
	}
	for _, n := range neighbours {
		if err := n.Process.Signal(syscall.Signal(0)); err != nil {
			t.Errorf("a neighbour, %v, was ended: %v", n.Args, err)
		}
	}
}

// copyOf puts a copy of a program into the sandbox.
func (s *sandbox) copyOf(program, to string) string {
	s.t.Helper()
	from, err := exec.LookPath(program)
	if err != nil {
		s.t.Fatal(err)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(to)
	full := filepath.Join(s.root, to)
	if err := os.WriteFile(full, data, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(full, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return full
}

// start runs a shell with the program as $0 and, where the shell becomes the
// program, waits until it has.
func (s *sandbox) start(program, text string) *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command("/bin/sh", "-c", text, program)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	link := filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "exe")
	for strings.Contains(text, "exec") {
		if to, err := os.Readlink(link); err != nil || to == program {
			break
		}
	}
	return cmd
}

// TestProcessCall: paths and names are told apart, and grace is in seconds.
func TestProcessCall(t *testing.T) {
	s := newSandbox(t)
	script := s.renderSteps(steps("  - process: {paths: [/opt/acme/widget/bin/w], names: [w-d], grace: 90s}\n"+
		"  - process: {names: [x-d]}\n  - file: {path: /opt/acme/widget}\n", ""))
	for _, want := range []string{
		"\nend_processes 90 " + s.root + "/opt/acme/widget/bin/w '--' w-d\n",
		"\nend_processes 10 '--' x-d\n",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("the script does not hold %q", want)
		}
	}
}
