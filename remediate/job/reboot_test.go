package job

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oust/remediate"
)

// rebootLab is a lab on which nothing can restart this machine: its PATH has
// links to single programs and stand-ins for what restarts a host, and its
// processes may not call reboot(2).
type rebootLab struct {
	*lab
	bin string
}

// machinePrograms are those of this machine that the scripts may run.
var machinePrograms = []string{
	"sh", "cat", "ls", "rm", "mv", "ln", "mkdir", "chmod", "id", "stat", "grep", "date", "readlink", "setsid", "nohup", "head", "tail", "wc",
}

func newRebootLab(t *testing.T, l *lab) *rebootLab {
	t.Helper()
	r := &rebootLab{l, l.path("bin")}
	mkdir(t, r.bin)
	mkdir(t, l.path("run"))
	l.layout.Path, l.layout.RunDir = r.bin, l.path("run")
	for _, name := range machinePrograms {
		found, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		link(t, found, filepath.Join(r.bin, name))
	}
	if err := syscall.Mkfifo(l.path("hold"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		pipe, err := os.OpenFile(l.path("hold"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = pipe.WriteString("go\ngo\n")
		defer pipe.Close()
		r.awaitRestarter()
	})
	// What waits for a restart that has been asked for waits for the test's end.
	r.program("sleep", "case $1 in 0.1) exec /bin/sleep 0.02 ;; 1) exec /bin/sleep 1 ;; 120) read -r go <'"+l.path("hold")+"' ;; *) printf 'sleep %s\\n' \"$1\" >>'"+l.path("asked")+"' ;; esac")
	r.program("who", "cat '"+l.path("who")+"'")
	write(t, l.path("who"), "", 0o644)
	return r
}

// awaitRestarter waits for the end of the process that restarts the host, if one
// lives.
func (r *rebootLab) awaitRestarter() {
	mark, err := os.Readlink(r.path("run/oust-restart"))
	if err != nil {
		return
	}
	fields := strings.Fields(mark)
	for range 10_000 {
		if stat, err := os.ReadFile("/proc/" + fields[1] + "/stat"); err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(time.Millisecond) // another process's end: there is nothing to wait on
	}
	r.t.Error("the process that restarts the host has not ended")
}

// program makes a stand-in; record makes one that notes its arguments.
func (r *rebootLab) program(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.bin, name)
	_ = os.Remove(path)
	write(r.t, path, "#!/bin/sh\n"+text+"\n", 0o755)
}

func (r *rebootLab) record(name, more string) {
	r.t.Helper()
	r.program(name, "{ printf '"+name+"'; printf ' <%s>' \"$@\"; echo; } >>'"+r.path("asked")+"'\n"+more)
}

// asked is what the stand-ins were called with.
func (r *rebootLab) asked() string {
	b, err := os.ReadFile(r.path("asked"))
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *rebootLab) reboot(spec RebootSpec) RebootReport {
	r.t.Helper()
	nonce := remediate.NewNonce()
	script, err := r.layout.Reboot(spec, nonce)
	if err != nil {
		r.t.Fatal(err)
	}
	plain := r.command(r.t.Context(), script)
	cmd := exec.CommandContext(r.t.Context(), "setpriv", append([]string{"--bounding-set=-sys_boot", "--inh-caps=-sys_boot", plain.Path}, plain.Args[1:]...)...)
	cmd.Stdin, cmd.Dir, cmd.Env = plain.Stdin, plain.Dir, plain.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		r.t.Fatalf("%v; stderr: %q; stdout: %q", err, stderr.String(), out)
	}
	report, err := ParseReboot(out, nonce)
	if err != nil {
		r.t.Fatalf("%v in %q", err, out)
	}
	return report
}

func eachRebootShell(t *testing.T, test func(t *testing.T, r *rebootLab)) {
	t.Helper()
	eachShell(t, func(t *testing.T, l *lab) { test(t, newRebootLab(t, l)) })
}

// bootOne is a restart of the labs' boot.
var bootOne = RebootSpec{BootID: "boot-1", Delay: 90 * time.Second, Message: `Save "it" $now; it's 5% 再起動`}

const somebody = "mia      pts/0        2026-03-02 09:30 (10.0.0.7)\nroot     tty1         2026-03-02 09:31\n"

// TestRebootAtOnce: nobody is logged on. The answer comes first.
func TestRebootAtOnce(t *testing.T) {
	t.Parallel()
	for tool, want := range map[string]string{
		"shutdown":  "sleep 5\nshutdown <-r> <now> <" + bootOne.Message + ">\n",
		"reboot":    "sleep 5\nreboot <>\n",
		"systemctl": "sleep 5\nsystemctl <reboot>\n",
	} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			eachRebootShell(t, func(t *testing.T, r *rebootLab) {
				r.record(tool, "echo >'"+r.path("done")+"'")
				got := r.reboot(bootOne)
				if got != (RebootReport{State: RebootScheduled, BootID: "boot-1"}) {
					t.Errorf("%+v", got)
				}
				r.awaitFile(r.path("done"))
				if r.asked() != want {
					t.Errorf("asked:\n%swant:\n%s", r.asked(), want)
				}
				if again := r.reboot(bootOne); again.State != RebootPending {
					t.Errorf("the second: %+v", again)
				}
				if r.asked() != want {
					t.Errorf("the second asked:\n%s", r.asked())
				}
			})
		})
	}
}

// TestRebootWithPeople: they get whole minutes and the message as it is.
func TestRebootWithPeople(t *testing.T) {
	t.Parallel()
	eachRebootShell(t, func(t *testing.T, r *rebootLab) {
		write(t, r.path("who"), somebody, 0o644)
		// One that stays until the time has come, as sysvinit's does.
		r.record("shutdown", "echo >'"+r.path("done")+"'; read -r go <'"+r.path("hold")+"'")
		got := r.reboot(bootOne)
		if got != (RebootReport{State: RebootScheduled, BootID: "boot-1", Users: 2, Delay: 2 * time.Minute}) {
			t.Errorf("%+v", got)
		}
		r.awaitFile(r.path("done"))
		if want := "sleep 0\nshutdown <-r> <+2> <" + bootOne.Message + ">\n"; r.asked() != want {
			t.Errorf("asked:\n%swant:\n%s", r.asked(), want)
		}
		if again := r.reboot(bootOne); again.State != RebootPending {
			t.Errorf("the second: %+v", again)
		}
	})
}

// TestRebootBySystemd: its shutdown returns at once, and logind's note is what
// tells of a restart that is planned.
func TestRebootBySystemd(t *testing.T) {
	t.Parallel()
	eachRebootShell(t, func(t *testing.T, r *rebootLab) {
		r.layout.SystemdDir = r.path("run/systemd/system")
		mkdir(t, r.layout.SystemdDir)
		mkdir(t, r.path("run/systemd/shutdown"))
		note := r.path("run/systemd/shutdown/scheduled")
		write(t, r.path("who"), "USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n", 0o644)
		r.program("loginctl", `case $1 in
list-sessions) printf '     1 1000 mia   seat0 tty2\n c2  120 gdm seat0 tty1\n    7    0 root\n    9 1001 ole\n' ;;
show-session) case $2 in
1) printf 'Class=user\nState=active\nTTY=tty2\nSeat=seat0\nDisplay=:0\n' ;;
c2) printf 'Class=greeter\nState=online\nTTY=tty1\nSeat=seat0\nDisplay=\n' ;;
7) printf 'Class=user\nState=active\nTTY=\nSeat=\nDisplay=\n' ;;
9) printf 'Class=user\nState=closing\nTTY=pts/3\nSeat=\nDisplay=\n' ;;
esac ;; esac`)
		r.record("shutdown", "printf 'USEC=%s000000\\nWARN_WALL=1\\nMODE=reboot\\n' $(($(date +%s) + 3600)) >'"+note+"'; echo 'Shutdown scheduled' >&2")
		spec := bootOne
		spec.Delay, spec.Message = time.Hour, "--no-wall"
		got := r.reboot(spec)
		if got != (RebootReport{State: RebootScheduled, BootID: "boot-1", Users: 1, Delay: time.Hour}) {
			t.Errorf("%+v", got)
		}
		want := "shutdown <-r> <+60> < --no-wall>\n"
		if r.asked() != want {
			t.Errorf("asked:\n%swant:\n%s", r.asked(), want)
		}
		if again := r.reboot(spec); again.State != RebootPending || again.Delay < time.Minute || again.Delay > time.Hour || r.asked() != want {
			t.Errorf("the second: %+v", again)
		}
		write(t, note, "USEC=4102444800000000\nMODE=poweroff\n", 0o644)
		if got := r.reboot(spec); got.State != RebootRefused || !strings.Contains(got.Detail, "poweroff in ") || r.asked() != want {
			t.Errorf("before a poweroff: %+v", got)
		}
		for _, text := range []string{"USEC=99999999999000000\nMODE=dry-reboot\n", "MODE=reboot\n", ""} {
			write(t, note, text, 0o644)
			r.record("shutdown", "echo 'Failed to schedule shutdown: Access denied' >&2; exit 1")
			if got := r.reboot(spec); got.State != RebootRefused || got.Refusal != RefusedTool || got.Detail != "Failed to schedule shutdown: Access denied" {
				t.Errorf("after %q: %+v", text, got)
			}
		}
	})
}

// TestRebootIsRefused: nothing is asked for.
func TestRebootIsRefused(t *testing.T) {
	t.Parallel()
	eachRebootShell(t, func(t *testing.T, r *rebootLab) {
		if got := r.reboot(bootOne); got.State != RebootRefused || got.Refusal != RefusedTool || got.Detail != "the host has neither shutdown nor reboot" {
			t.Errorf("without a tool: %+v", got)
		}
		r.record("shutdown", "")
		if got := r.reboot(RebootSpec{BootID: "boot-0"}); got.State != RebootOver || got.BootID != "boot-1" {
			t.Errorf("in another boot: %+v", got)
		}
		write(t, r.path("run/shutdown.pid"), "1\n", 0o644)
		if got := r.reboot(bootOne); got.State != RebootPending {
			t.Errorf("while another's shutdown waits: %+v", got)
		}
		write(t, r.path("run/shutdown.pid"), "4194305\n", 0o644) // more than any process has
		s := spec("echo up >'" + r.path("up") + "'\n" + r.gate())
		script, _ := r.launchScript(s)
		running := r.start(script)
		r.awaitFile(r.path("up"))
		got := r.reboot(bootOne)
		if got.State != RebootRefused || got.Refusal != RefusedBusy || got.Detail != "attempt "+s.ID+" of campaign test runs" || got.BootID != "boot-1" {
			t.Errorf("while a job runs: %+v", got)
		}
		r.open()
		r.finish(running)
		if r.asked() != "" {
			t.Errorf("asked:\n%s", r.asked())
		}
		// A job that has ended, and one that died in another boot, keep nothing up.
		if got := r.reboot(bootOne); got.State != RebootScheduled {
			t.Errorf("after the job: %+v", got)
		}
	})
}

// TestRebootToolComplains: where a tool stays until the time has come, its
// first words are waited for.
func TestRebootToolComplains(t *testing.T) {
	t.Parallel()
	eachRebootShell(t, func(t *testing.T, r *rebootLab) {
		write(t, r.path("who"), somebody, 0o644)
		r.record("shutdown", "echo 'shutdown: you must be root to do that!'; exit 1")
		got := r.reboot(bootOne)
		if got.State != RebootRefused || got.Refusal != RefusedTool || got.Detail != "shutdown: you must be root to do that!" || got.Users != 2 {
			t.Errorf("%+v", got)
		}
		r.record("shutdown", "read -r go <'"+r.path("hold")+"'")
		if got := r.reboot(bootOne); got.State != RebootScheduled {
			t.Errorf("the second: %+v", got)
		}
	})
}

func TestRebootSpecs(t *testing.T) {
	t.Parallel()
	good := RebootSpec{BootID: "boot-1", Delay: MaxRebootDelay, Message: strings.Repeat("é", mostMessage)}
	nonce := remediate.NewNonce()
	if _, err := Reboot(good, nonce); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*RebootSpec){
		"no boot":          func(s *RebootSpec) { s.BootID = "" },
		"an unknown boot":  func(s *RebootSpec) { s.BootID = "-" },
		"a strange boot":   func(s *RebootSpec) { s.BootID = "a b" },
		"a long boot":      func(s *RebootSpec) { s.BootID = strings.Repeat("a", maxBootID+1) },
		"a past delay":     func(s *RebootSpec) { s.Delay = -1 },
		"a long delay":     func(s *RebootSpec) { s.Delay++ },
		"two lines":        func(s *RebootSpec) { s.Message = "a\nb" },
		"an escape":        func(s *RebootSpec) { s.Message = "\x1b[2J" },
		"no UTF-8":         func(s *RebootSpec) { s.Message = "\xff" },
		"a long message":   func(s *RebootSpec) { s.Message += "e" },
		"a line separator": func(s *RebootSpec) { s.Message = "a\u2028b" },
	} {
		spec := good
		change(&spec)
		if out, err := Reboot(spec, nonce); err == nil || out != nil {
			t.Errorf("%s: taken by sh", name)
		}
	}
	if _, err := Reboot(good, "x"); err == nil {
		t.Error("a bad nonce was taken")
	}
}
