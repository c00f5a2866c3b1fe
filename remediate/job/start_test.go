package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tools makes a PATH of chosen commands of this machine.
func (l *lab) tools(names ...string) {
	l.t.Helper()
	dir := l.path("bin")
	mkdir(l.t, dir)
	for _, name := range append(names, "cat", "mkdir", "rmdir", "rm", "ln", "ls", "head", "tail", "wc", "date",
		"sleep", "readlink", "chmod", "id", "ps", "kill", "sh", "env") {
		for _, from := range []string{"/usr/bin", "/bin"} {
			if exists(filepath.Join(from, name)) {
				link(l.t, filepath.Join(from, name), filepath.Join(dir, name))
				break
			}
		}
	}
	l.layout.Path = dir
}

// tool puts a script of our own into the PATH.
func (l *lab) tool(name, text string) {
	l.t.Helper()
	write(l.t, filepath.Join(l.layout.Path, name), "#!/bin/sh\n"+text, 0o755)
}

// systemd makes the host look as if systemd ran, with a systemd-run that
// notes its arguments and does what text says.
func (l *lab) systemd(text string) {
	l.t.Helper()
	l.tools("setsid")
	l.layout.SystemdDir = l.dir
	l.tool("systemd-run", `echo "$@" >>'`+l.path("calls")+"'\n"+text)
}

// detached starts what stands behind the options, without a session.
const detached = `while case $1 in --*) true ;; *) false ;; esac; do shift; done
env -i GORACE="$GORACE" /usr/bin/setsid "$@" </dev/null >/dev/null 2>&1 &
`

func (l *lab) calls() []string {
	l.t.Helper()
	b, err := os.ReadFile(l.path("calls"))
	if err != nil {
		l.t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), l.base(), "BASE")
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func TestStartingAJob(t *testing.T) {
	t.Parallel()
	const (
		modern = "--quiet --collect --wait "
		unit   = "--unit=oust-ID --property=KillMode=process SHELL BASE/ID/LAUNCH/job"
	)
	tests := map[string]struct {
		prepare func(l *lab)
		calls   []string
		leader  bool // is the job the leader of a session?
	}{
		"systemd": {
			func(l *lab) { l.systemd(detached + "wait $!\n") },
			[]string{modern + unit}, true,
		},
		// systemd 219 of RHEL 7 knows neither --collect nor --wait.
		"an old systemd": {
			func(l *lab) {
				l.systemd("case $* in *--collect* | *--wait*) echo unrecognized option >&2; exit 1 ;; esac\n" + detached)
			},
			[]string{modern + unit, unit}, true,
		},
		"a systemd that gives up before the job ends": {
			func(l *lab) {
				l.systemd(detached + "until [ -h '" + l.base() + "'/*/claim ] || [ ! -d '" + l.dir + "' ]; do sleep 0.01; done; exit 1\n")
			},
			[]string{modern + unit}, true,
		},
		"a systemd that does not start it": {
			func(l *lab) { l.systemd("exit 1\n") },
			[]string{modern + unit, unit}, true,
		},
		"setsid": {func(l *lab) { l.tools("setsid") }, nil, true},
		"nohup":  {func(l *lab) { l.tools("nohup") }, nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachRealShell(t, func(t *testing.T, l *lab) {
				tt.prepare(l)
				// The sixth field behind the name is the session (proc(5)).
				s := spec("read -r line </proc/$PPID/stat; set -- ${line##*) }\n" +
					"echo \"$4 $PPID\" >'" + l.path("session") + "'\n" +
					"[ ! -t 0 ] && [ ! -t 1 ] && exit 9")
				r := l.launch(s)
				if r.State != StateEnded || r.Exit != 9 {
					t.Fatalf("%+v", r)
				}
				session, job, _ := strings.Cut(l.awaitFile(l.path("session")), " ")
				if (session == job) != tt.leader {
					t.Errorf("session %s, job %s", session, job)
				}
				if tt.calls == nil {
					return
				}
				launch := filepath.Base(filepath.Dir(globOne(t, l.base(s.ID, "l-*/job"))))
				want := strings.NewReplacer("ID", s.ID, "SHELL", l.shell, "LAUNCH", launch).Replace(strings.Join(tt.calls, "\n"))
				if got := strings.Join(l.calls(), "\n"); got != want {
					t.Errorf("systemd-run was called with\n%s\nnot\n%s", got, want)
				}
			})
		})
	}
}

// With no way to see the end, the launch ends with the session.
func TestWaitingEndsWithTheSession(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		l.systemd("case $* in *--wait*) exit 1 ;; esac\n" + detached)
		s := spec("echo up >'" + l.path("up") + "'\n" + l.gate() + "exit 4")
		script, _ := l.launchScript(s)
		cmd := l.command(t.Context(), script)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		l.awaitFile(l.path("up"))
		if err := stdout.Close(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it must end although the job goes on
		if r := l.join(s.ID); r.State != StateRunning {
			t.Errorf("%+v", r)
		}
		l.open()
		if r := l.await(s.ID, StateRunning); r.State != StateEnded || r.Exit != 4 {
			t.Errorf("%+v", r)
		}
	})
}

func globOne(t *testing.T, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) != 1 {
		t.Fatalf("%s: %q, %v", pattern, paths, err)
	}
	return paths[0]
}
