package job

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oust/remediate"
)

// refused launches and expects nothing to have run.
func (l *lab) refused(why Refusal, detail string) {
	l.t.Helper()
	s := spec(counter(l.path("count")))
	s.Secrets = map[string]string{"x": "secret-of-the-refused"}
	r := l.launch(s)
	if r.State != StateRefused || r.Refusal != why || !strings.Contains(r.Detail, detail) {
		l.t.Errorf("%+v; want refused for %s: %s", r, why, detail)
	}
	if n := runs(l.t, l.path("count")); n != 0 {
		l.t.Errorf("it ran %d times", n)
	}
	if found := grepTree(l.t, l.dir, "secret-of-the-refused"); len(found) > 0 {
		l.t.Errorf("the secret is in %q", found)
	}
}

func TestTheBaseFolderMustBeRootsAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(t *testing.T, base string)
		want    string
	}{
		"a link": {func(t *testing.T, base string) {
			mkdir(t, base+".real")
			link(t, base+".real", base)
		}, " is a link"},
		"a dangling link": {func(t *testing.T, base string) { link(t, base+".real", base) }, " is a link"},
		"another's": {func(t *testing.T, base string) {
			mkdir(t, base)
			if err := os.Chown(base, 65534, 0); err != nil {
				t.Fatal(err)
			}
		}, " belongs to user id 65534, not to root"},
		"writable by its group": {func(t *testing.T, base string) {
			mkdir(t, base)
			if err := os.Chmod(base, 0o770); err != nil {
				t.Fatal(err)
			}
		}, " can be written by others than root (drwxrwx---"},
		"writable by all": {func(t *testing.T, base string) {
			mkdir(t, base)
			if err := os.Chmod(base, 0o1703); err != nil {
				t.Fatal(err)
			}
		}, " can be written by others than root (drwx"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachRealShell(t, func(t *testing.T, l *lab) {
				mkdir(t, filepath.Dir(l.base()))
				tt.prepare(t, l.base())
				l.refused(RefusedBase, l.base()+tt.want)
				id := spec("").ID
				for _, r := range []Report{l.join(id), l.clean(id)} {
					if r.State != StateRefused || r.Refusal != RefusedBase {
						t.Errorf("%+v", r)
					}
				}
			})
		})
	}
}

func TestAFileInPlaceOfTheBaseFolder(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		mkdir(t, filepath.Dir(l.base()))
		write(t, l.base(), "", 0o600)
		l.refused(RefusedStorage, "File exists")
	})
}

func TestABaseFolderOthersCanReadIsClosed(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		mkdir(t, l.base())
		if err := os.Chmod(l.base(), 0o755); err != nil {
			t.Fatal(err)
		}
		s := spec("exit 0")
		if r := l.launch(s); r.State != StateEnded {
			t.Errorf("%+v", r)
		}
		if info, err := os.Stat(l.base()); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	})
}

// mount puts a file system of its own under the base folder.
func (l *lab) mount(fs, options string) {
	l.t.Helper()
	mkdir(l.t, l.base())
	if out, err := exec.Command("mount", "-t", fs, "-o", options, fs, l.base()).CombinedOutput(); err != nil {
		cannot(l.t, fmt.Sprintf("no mount here: %v: %s", err, out))
	}
	l.t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", l.base()).CombinedOutput(); err != nil {
			l.t.Errorf("umount: %v: %s", err, out)
		}
	})
}

func TestAFullDiskRefusesTheJob(t *testing.T) {
	t.Parallel()
	// From no room for a folder to no room for the last byte of a script.
	for _, pages := range []int{0, 1, 3, 6} {
		t.Run(fmt.Sprint(pages, " pages left"), func(t *testing.T) {
			t.Parallel()
			eachRealShell(t, func(t *testing.T, l *lab) {
				l.mount("tmpfs", "size=64k,mode=700")
				write(t, l.base("filler"), strings.Repeat("x", 65536-pages*4096), 0o600)
				s := spec(counter(l.path("count")) + strings.Repeat("# a comment that fills the disk\n", 1000))
				r := l.launch(s)
				if r.State != StateRefused || r.Refusal != RefusedStorage || r.Detail == "" {
					t.Errorf("%+v", r)
				}
				if n := runs(t, l.path("count")); n != 0 {
					t.Errorf("it ran %d times", n)
				}
				if err := os.Truncate(l.base("filler"), 0); err != nil {
					t.Fatal(err)
				}
				if r := l.launch(s); r.State != StateEnded || runs(t, l.path("count")) != 1 {
					t.Errorf("with room: %+v", r)
				}
			})
		})
	}
}

func TestAFullDiskSaysSo(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		l.mount("tmpfs", "nr_inodes=3,mode=700")
		write(t, l.base("filler"), "", 0o600)
		l.refused(RefusedStorage, "No space left on device")
	})
}

func TestAReadOnlyDiskSaysSo(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		l.mount("tmpfs", "ro,mode=700")
		l.refused(RefusedStorage, "Read-only file system")
	})
}

func TestWithoutRootNothingIsDone(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		// The folders of tests are closed to others.
		for dir := l.dir; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		s := spec(counter(l.path("count")))
		for name, make := range map[string]func(remediate.Nonce) ([]byte, error){
			"launch": func(n remediate.Nonce) ([]byte, error) { return l.layout.Launch(s, n) },
			"join":   func(n remediate.Nonce) ([]byte, error) { return l.layout.Join(s.ID, n) },
			"clean":  func(n remediate.Nonce) ([]byte, error) { return l.layout.Clean(s.ID, n) },
		} {
			nonce := remediate.NewNonce()
			script, err := make(nonce)
			if err != nil {
				t.Fatal(err)
			}
			cmd := l.command(t.Context(), script)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			r, err := ParseReport(out, nonce)
			if err != nil || r.State != StateRefused || r.Refusal != RefusedPrivilege ||
				r.Detail != "the job needs root, and runs as user id 65534" {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
		if exists(l.base()) || exists(l.path("count")) {
			t.Error("something was done")
		}
	})
}

// A shell whose printf is a command would show secrets on a command line.
func TestAShellWithoutPrintfIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, "bash")
	s := spec(counter(l.path("count")))
	s.Secrets = map[string]string{"x": "secret-of-the-refused"}
	script, nonce := l.launchScript(s)
	// bash can be told to go without, as mksh and old ash do.
	r := l.run(append([]byte("enable -n printf\n"), script...), nonce)
	if r.State != StateRefused || r.Refusal != RefusedShell || r.Detail != "the shell has no printf of its own" {
		t.Errorf("%+v", r)
	}
	if exists(l.base()) || exists(l.path("count")) {
		t.Error("something was done")
	}
}

func TestCleanFollowsNoLinks(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		kept := l.path("kept")
		mkdir(t, kept)
		write(t, kept+"/file", "kept", 0o600)

		s := spec("ln -s '" + kept + "' \"$OUST_DIR/out\"; exit 0")
		if r := l.launch(s); r.State != StateEnded {
			t.Fatalf("%+v", r)
		}
		other := spec("").ID
		link(t, kept, l.base(other))
		r := l.clean(other)
		if r.State != StateRefused || r.Refusal != RefusedBase || r.Detail != l.base(other)+" is a link" {
			t.Errorf("%+v", r)
		}
		if r := l.join(other); r.State != StateRefused {
			t.Errorf("join: %+v", r)
		}
		if r := l.clean(s.ID); r.State != StateCleaned || exists(l.base(s.ID)) {
			t.Errorf("%+v", r)
		}
		if !exists(kept + "/file") {
			t.Error("what a link points to was removed")
		}
		if !exists(l.base()) {
			t.Error("a base folder that is not empty was removed")
		}
	})
}

func TestCleanLeavesOtherAttemptsAlone(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		a, b := spec("exit 1"), spec("exit 2")
		l.launch(a)
		l.launch(b)
		l.clean(a.ID)
		if r := l.join(b.ID); r.State != StateEnded || r.Exit != 2 {
			t.Errorf("%+v", r)
		}
		// Another's lock is not this one's to remove.
		c := spec("echo up >'" + l.path("up") + "'\n" + l.gate())
		script, _ := l.launchScript(c)
		running := l.start(script)
		l.awaitFile(l.path("up"))
		l.clean(b.ID)
		if r := l.launch(spec("exit 0")); r.State != StateLocked {
			t.Errorf("%+v", r)
		}
		l.open()
		l.finish(running)
	})
}

func TestCleanSaysWhyAFolderStays(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		s := spec("exit 0")
		l.launch(s)
		mkdir(t, l.base(s.ID, "mounted"))
		if out, err := exec.Command("mount", "--bind", l.dir, l.base(s.ID, "mounted")).CombinedOutput(); err != nil {
			cannot(t, fmt.Sprintf("no mount here: %v: %s", err, out))
		}
		if err := syscall.Mount("", l.base(s.ID, "mounted"), "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		nonce := remediate.NewNonce()
		script, err := l.layout.Clean(s.ID, nonce)
		if err != nil {
			t.Fatal(err)
		}
		out := l.output(script)
		if err := syscall.Unmount(l.base(s.ID, "mounted"), syscall.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
		if err := ParseCleaned(out, nonce); err == nil || !strings.HasPrefix(err.Error(), "clean: refused: rm: ") {
			t.Errorf("%v", err)
		}
		if r := l.clean(s.ID); r.State != StateCleaned {
			t.Errorf("%+v", r)
		}
	})
}

func TestLogsAreBounded(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		line := "a line of the log that is always the same.....\n" // 48 bytes
		write(t, l.path("much"), strings.Repeat(line, 30_000), 0o600)
		s := spec("echo first; cat '" + l.path("much") + "'; printf 'last\\377'")
		script, nonce := l.launchScript(s)
		out := l.output(script)
		r, err := ParseReport(out, nonce)
		if err != nil || r.State != StateEnded || !r.LogTruncated {
			t.Fatalf("%v, truncated %v, %v", r.State, r.LogTruncated, err)
		}
		if len(out) > MaxReport || len(r.Log) > MaxLog+len(logCut) || len(r.Log) < maxTail {
			t.Errorf("%d bytes of log in %d bytes", len(r.Log), len(out))
		}
		if !bytes.HasPrefix(r.Log, []byte(logCut)) || !bytes.HasSuffix(r.Log, []byte(line+"last\xff")) {
			t.Errorf("log: %.80q ... %q", r.Log, r.Log[len(r.Log)-60:])
		}
	})
}

func TestLogsThatGrowForEverAreCutOnTheDisk(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		write(t, l.path("much"), strings.Repeat("0123456789abcde\n", 1<<16), 0o600) // 1 MiB
		s := spec("echo first\nn=0\nuntil [ -s \"$OUST_DIR/log.head\" ]; do\n" +
			"[ $n -ge 8 ] || cat '" + l.path("much") + "'\nn=$((n+1))\nsleep 0.05\ndone\n" +
			"sleep 0.2\necho last\n")
		r := l.launch(s)
		if r.State != StateEnded || !r.LogTruncated {
			t.Fatalf("%v, truncated %v", r.State, r.LogTruncated)
		}
		if !bytes.HasPrefix(r.Log, []byte("first\n0123")) || !bytes.HasSuffix(r.Log, []byte("last\n")) ||
			!bytes.Contains(r.Log, []byte(logCut)) {
			t.Errorf("log: %.80q ... %.80q", r.Log, r.Log[max(0, len(r.Log)-80):])
		}
		if n := len(readGlob(t, l.base(s.ID, "l-*/log"))); n > maxKept {
			t.Errorf("%d bytes are kept on the host", n)
		}
	})
}

// What a script prints can be anything, even frame lines of older runs.
func TestLogsOfAnyBytes(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		old := remediate.NewNonce()
		var text []byte
		for c := range 256 {
			text = append(text, byte(c))
		}
		text = append(text, fmt.Sprintf("\n@%s begin job 1\n@%s section state\nstate running\n@%s end\n@ end\nno newline", old, old, old)...)
		write(t, l.path("bytes"), string(text), 0o600)
		r := l.launch(spec("cat '" + l.path("bytes") + "'; cat '" + l.path("bytes") + "' >\"$OUST_DIR/result\""))
		if r.State != StateEnded || !bytes.Equal(r.Log, text) || r.Result != string(text) || r.LogTruncated {
			t.Errorf("%v: %q", r.State, r.Log)
		}
	})
}

// A daemon that an uninstaller starts keeps the script's output open.
func TestADaemonThatStaysDoesNotHoldTheJob(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		r := l.launch(spec("setsid sh -c 'echo $$ >" + l.path("daemon") + "; exec sleep 600' &\n" + waitFor(l.path("daemon")) + "echo done\n"))
		if r.State != StateEnded || string(r.Log) != "done\n" {
			t.Errorf("%+v", r)
		}
		if err := syscall.Kill(pid(t, l.awaitFile(l.path("daemon"))), syscall.SIGKILL); err != nil {
			t.Errorf("the daemon was ended with the job: %v", err)
		}
	})
}

// A folder that others need is made for others, too.
func TestFoldersAboveTheBaseAreOpen(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		if r := l.launch(spec("exit 0")); r.State != StateEnded {
			t.Errorf("%+v", r)
		}
		for path, want := range map[string]os.FileMode{filepath.Dir(l.base()): 0o755, l.base(): 0o700} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
			}
		}
	})
}

// Where nothing may be executed, sh still reads scripts.
func TestADiskWithoutExecution(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		l.mount("tmpfs", "noexec,nosuid,nodev,mode=700")
		if r := l.launch(spec("exit 3")); r.State != StateEnded || r.Exit != 3 {
			t.Errorf("%+v", r)
		}
	})
}
