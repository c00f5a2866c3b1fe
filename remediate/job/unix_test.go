package job

import (
	"bytes"
	"context"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"oust/remediate"
)

// lab is a base folder of its own on this machine, and a shell for it.
type lab struct {
	t      *testing.T
	layout Layout
	name   string // of the shell
	shell  string // its path; runs the scripts as sshd would
	dir    string
	env    []string // what a login brings with it
}

// shells are those under which every script must do the same. The last is the
// interpreter of the simulated hosts, whose $! is no process id and which has
// no processes of its own to be killed.
var (
	realShells = []string{"dash", "bash", "busybox"}
	allShells  = append(slices.Clone(realShells), interpName)
)

// eachShell runs a test under each shell.
func eachShell(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	inShells(t, allShells, test)
}

// eachRealShell leaves the interpreter out: for what is about processes.
func eachRealShell(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	inShells(t, realShells, test)
}

// anyShell takes one shell, another for each test: for what rests on the file
// system and on processes, where the words of a shell make no difference.
func anyShell(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	if rounds(1) > 1 {
		inShells(t, realShells, test)
		return
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.Name()))
	i := int(h.Sum32()) % len(realShells)
	inShells(t, realShells[i:i+1], test)
}

func inShells(t *testing.T, names []string, test func(t *testing.T, l *lab)) {
	t.Helper()
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newLab(t, name))
		})
	}
}

// cannot skips a test, or fails it where OUST_NO_SKIP=1 forbids to skip.
func cannot(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("OUST_NO_SKIP") == "1" {
		t.Fatalf("%s (and OUST_NO_SKIP=1 forbids to skip)", reason)
	}
	t.Skip(reason)
}

func newLab(t *testing.T, shell string) *lab {
	t.Helper()
	if os.Getuid() != 0 {
		cannot(t, "not root: a job is root's")
	}
	dir := t.TempDir()
	boot := filepath.Join(dir, "boot_id")
	write(t, boot, "boot-1\n", 0o644)
	// Else the interpreter, when it is built to find races, sleeps a second at its end.
	l := &lab{t: t, name: shell, dir: dir, env: []string{"GORACE=atexit_sleep_ms=0"}}
	l.shell = l.find(shell)
	l.layout = Layout{
		BaseDir: filepath.Join(dir, "var/oust"), BootIDFile: boot, Shell: l.shell,
		SystemdDir: filepath.Join(dir, "no-systemd"),
	}
	return l
}

// find is the path of a shell, made if need be.
func (l *lab) find(shell string) string {
	l.t.Helper()
	if shell == interpName {
		self, err := os.Executable()
		if err != nil {
			l.t.Fatal(err)
		}
		link(l.t, self, l.path(interpName))
		return l.path(interpName)
	}
	found, err := exec.LookPath(shell)
	if err != nil {
		cannot(l.t, "no "+shell+" here")
	}
	if shell == "busybox" {
		link(l.t, found, l.path("ash"))
		return l.path("ash")
	}
	return found
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// path is a file of the lab's own, outside of the base folder.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) base(parts ...string) string {
	return filepath.Join(append([]string{l.layout.BaseDir}, parts...)...)
}

// command is how sshd runs a script: remediate.ShLine by the shell.
func (l *lab) command(ctx context.Context, script []byte) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.shell, "-c", `eval "$(cat)"`)
	cmd.Stdin = bytes.NewReader(script)
	cmd.Dir, cmd.Env = "/", append(os.Environ(), l.env...)
	return cmd
}

// run runs a script to its end and reads its report.
func (l *lab) run(script []byte, nonce remediate.Nonce) Report {
	l.t.Helper()
	r, err := ParseReport(l.output(script), nonce)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *lab) output(script []byte) []byte {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	cmd := l.command(ctx, script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		l.t.Fatalf("%v; stderr: %q; stdout: %q", err, stderr.String(), out)
	}
	return out
}

func (l *lab) launchScript(spec Spec) ([]byte, remediate.Nonce) {
	l.t.Helper()
	nonce := remediate.NewNonce()
	script, err := l.layout.Launch(spec, nonce)
	if err != nil {
		l.t.Fatal(err)
	}
	return script, nonce
}

func (l *lab) launch(spec Spec) Report {
	l.t.Helper()
	return l.run(l.launchScript(spec))
}

func (l *lab) join(id string) Report {
	l.t.Helper()
	nonce := remediate.NewNonce()
	script, err := l.layout.Join(id, nonce)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.run(script, nonce)
}

func (l *lab) clean(id string) Report {
	l.t.Helper()
	nonce := remediate.NewNonce()
	script, err := l.layout.Clean(id, nonce)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.run(script, nonce)
}

// spec is a job of the campaign "test" with that script.
func spec(script string) Spec {
	return Spec{
		ID: remediate.NewID(time.Now()), Campaign: "test", Controller: "laptop", Script: []byte(script),
	}
}

// await joins until the job has left a state; the host must get there.
func (l *lab) await(id string, leave ...State) Report {
	l.t.Helper()
	for range 600 {
		r := l.join(id)
		if !slices.Contains(leave, r.State) {
			return r
		}
	}
	l.t.Fatalf("%s is still in %v", id, leave)
	return Report{}
}

// awaitFile waits for a file that a job writes, and returns its text.
func (l *lab) awaitFile(path string) string {
	l.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if b, err := os.ReadFile(path); err == nil && bytes.HasSuffix(b, []byte("\n")) {
			return strings.TrimSpace(string(b))
		}
		time.Sleep(time.Millisecond) // another process's work: there is nothing to wait on
	}
	l.t.Fatalf("%s did not come", path)
	return ""
}

// reboot gives the host a new boot id.
func (l *lab) reboot() {
	l.t.Helper()
	old, err := os.ReadFile(l.layout.BootIDFile)
	if err != nil {
		l.t.Fatal(err)
	}
	write(l.t, l.layout.BootIDFile, "re"+string(old), 0o644)
}

func pid(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil || n < 2 {
		t.Fatalf("%q is no process id", text) // 0 and -1 would kill the test
	}
	return n
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// start runs a script in a session of its own, as sshd does.
func (l *lab) start(script []byte) *running {
	l.t.Helper()
	cmd := l.command(l.t.Context(), script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r := &running{cmd: cmd}
	cmd.Stdout = &r.out
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	return r
}

type running struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

// finish waits for the end and returns the output.
func (l *lab) finish(r *running) []byte {
	l.t.Helper()
	if err := r.cmd.Wait(); err != nil {
		l.t.Fatal(err)
	}
	return r.out.Bytes()
}

// kill ends the whole session's process group at once.
func (r *running) kill() {
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
	_ = r.cmd.Wait()
}

// waitFor is sh that waits until a file is there, or the test is over.
func waitFor(path string) string {
	return "until [ -e '" + path + "' ] || [ ! -d '" + filepath.Dir(path) + "' ]; do sleep 0.02; done\n"
}

// gate is sh that waits for open, or the end of the test. It waits on a pipe:
// to look again and again would cost more than all else in these tests.
func (l *lab) gate() string {
	l.t.Helper()
	if err := syscall.Mkfifo(l.path("gate"), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(l.open)
	return "read -r go <'" + l.path("gate") + "'\n"
}

// open lets all through who wait at the gate, or come to it.
func (l *lab) open() {
	pipe, err := os.OpenFile(l.path("gate"), os.O_RDWR, 0) // does not wait for a reader
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = pipe.Close() })
	if _, err := pipe.WriteString("go\ngo\n"); err != nil {
		l.t.Fatal(err)
	}
}

func readGlob(t *testing.T, pattern string) string {
	t.Helper()
	b, err := os.ReadFile(globOne(t, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// grepTree lists the files below a folder that hold text.
func grepTree(t *testing.T, root, text string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// grepProc lists the command lines and environments that hold text.
func grepProc(t *testing.T, text string) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"/proc/[0-9]*/cmdline", "/proc/[0-9]*/environ"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal("no processes in /proc", err)
		}
		for _, p := range paths {
			if b, err := os.ReadFile(p); err == nil && bytes.Contains(b, []byte(text)) {
				found = append(found, p)
			}
		}
	}
	return found
}
