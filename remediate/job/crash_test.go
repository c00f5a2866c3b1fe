package job

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"oust/remediate"
)

// counter is a script that counts its runs in a file.
func counter(path string) string { return "echo run >>'" + path + "'\n" }

func runs(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(b), "run\n")
}

// rounds is n, or more where OUST_TEST_ROUNDS says by how much to multiply it:
// the tests of races and crashes find more the longer they look.
func rounds(n int) int {
	if by, err := strconv.Atoi(os.Getenv("OUST_TEST_ROUNDS")); err == nil && by > 0 {
		return n * by
	}
	return n
}

func TestManyLaunchesOfOneAttemptRunItOnce(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		s := spec(counter(l.path("count")))
		states := l.concurrently(rounds(10), func(int) Spec { return s })
		for i, r := range states {
			if r.State != StateEnded && r.State != StateRunning {
				t.Errorf("launch %d: %+v", i, r)
			}
		}
		if r := l.await(s.ID, StateRunning); r.State != StateEnded {
			t.Errorf("%+v", r)
		}
		if n := runs(t, l.path("count")); n != 1 {
			t.Errorf("it ran %d times", n)
		}
		if dirs, _ := filepath.Glob(l.base(s.ID, "l-*")); len(dirs) != 1 {
			t.Errorf("folders of launches that lost are left: %q", dirs)
		}
	})
}

// concurrently launches n specs at once and returns their reports.
func (l *lab) concurrently(n int, spec func(i int) Spec) []Report {
	l.t.Helper()
	out := make([]Report, n)
	var wg sync.WaitGroup
	for i := range n {
		script, nonce := l.launchScript(spec(i))
		wg.Go(func() {
			cmd := l.command(l.t.Context(), script)
			text, err := cmd.Output()
			if err == nil {
				out[i], err = ParseReport(text, nonce)
			}
			if err != nil {
				l.t.Errorf("launch %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	return out
}

// exclusive is a script that notices when another runs at the same time.
func exclusive(dir string) string {
	return "mkdir '" + dir + "/in' || { : >'" + dir + "/overlap'; exit 1; }\n" +
		"sleep 0.02\nrmdir '" + dir + "/in'\n"
}

func TestOneAttemptAtATime(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		first := spec("echo up >'" + l.path("up") + "'\n" + l.gate())
		first.Campaign = "the first's campaign"
		script, nonce := l.launchScript(first)
		running := l.start(script)
		l.awaitFile(l.path("up"))

		second := spec(counter(l.path("count")))
		second.Secrets = map[string]string{"x": "not-for-long"}
		r := l.launch(second)
		want := "attempt " + first.ID + " of campaign the first's campaign"
		if r.State != StateLocked || r.LockOwner != first.ID || r.LockedBy != want {
			t.Errorf("%+v", r)
		}
		if found := grepTree(t, l.base(), "not-for-long"); len(found) > 0 {
			t.Errorf("a locked attempt left its secret in %q", found)
		}
		if r := l.clean(second.ID); r.State != StateCleaned {
			t.Errorf("clean of the locked: %+v", r)
		}
		if r := l.clean(first.ID); r.State != StateRunning {
			t.Errorf("clean of the running: %+v", r)
		}
		l.open()
		if r, err := ParseReport(l.finish(running), nonce); err != nil || r.State != StateEnded {
			t.Errorf("%+v, %v", r, err)
		}
		if n := runs(t, l.path("count")); n != 0 {
			t.Errorf("the locked script ran %d times", n)
		}
		if r := l.launch(spec(counter(l.path("count")))); r.State != StateEnded {
			t.Errorf("the lock was not released: %+v", r)
		}
	})
}

func TestManyAttemptsNeverOverlap(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		l.crowd(rounds(6))
	})
}

// crowd launches n attempts at once: at least one must run, and never two.
func (l *lab) crowd(n int) {
	l.t.Helper()
	ended := 0
	for i, r := range l.concurrently(n, func(int) Spec { return spec(exclusive(l.dir)) }) {
		switch {
		case r.State == StateEnded && r.Exit == 0:
			ended++
		case r.State != StateLocked:
			l.t.Errorf("attempt %d: %+v", i, r)
		}
	}
	if ended == 0 || exists(l.path("overlap")) {
		l.t.Errorf("%d of %d ran; overlap: %v", ended, n, exists(l.path("overlap")))
	}
	if exists(l.base("lock")) {
		l.t.Error("the lock is left behind")
	}
}

func TestLaunchersKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range rounds(5) {
			count := l.path(fmt.Sprint("count", i))
			s := spec("sleep 0.01\n" + counter(count))
			for range 3 {
				script, _ := l.launchScript(s)
				running := l.start(script)
				time.Sleep(time.Duration(rng.IntN(25_000)) * time.Microsecond) // the moment is the test
				running.kill()
			}
			if r := l.launchUntilEnded(s); r.State != StateEnded {
				t.Fatalf("%+v", r)
			}
			if n := runs(t, count); n != 1 {
				t.Fatalf("after kills it ran %d times", n)
			}
			if r := l.clean(s.ID); r.State != StateCleaned {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// launchUntilEnded does what a controller does after a crash.
func (l *lab) launchUntilEnded(s Spec) Report {
	l.t.Helper()
	var r Report
	for range 100 {
		if r = l.launch(s); r.State != StatePrepared && r.State != StateRunning {
			return r
		}
	}
	return r
}

func TestTheJobOutlivesItsSession(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		s := spec("echo up >'" + l.path("up") + "'\n" + l.gate() + counter(l.path("count")) + "exit 7")
		script, nonce := l.launchScript(s)
		running := l.start(script)
		l.awaitFile(l.path("up"))
		running.kill()
		if r, err := ParseReport(running.out.Bytes(), nonce); err != nil || r.State != StateAccepted {
			t.Errorf("cut off: %+v, %v", r, err)
		}
		if r := l.join(s.ID); r.State != StateRunning || r.PID < 2 {
			t.Errorf("join: %+v", r)
		}
		if r := l.launch(s); r.State != StateRunning {
			t.Errorf("a second launch: %+v", r)
		}
		l.open()
		if r := l.await(s.ID, StateRunning); r.State != StateEnded || r.Exit != 7 {
			t.Errorf("after its end: %+v", r)
		}
		if n := runs(t, l.path("count")); n != 1 {
			t.Errorf("it ran %d times", n)
		}
	})
}

// killed launches a job with a secret, and kills its processes while it
// runs: the job itself, or with both its script too.
func (l *lab) killed(both bool) (s Spec, script int) {
	l.t.Helper()
	s = spec("echo half\necho $$ >'" + l.path("pid") + "'\n" + l.gate())
	s.Secrets = map[string]string{"x": "left-behind"}
	_ = os.Remove(l.path("pid"))
	text, _ := l.launchScript(s)
	running := l.start(text)
	script = pid(l.t, l.awaitFile(l.path("pid")))
	job := l.join(s.ID).PID
	if job < 2 {
		l.t.Fatalf("the job has process id %d", job)
	}
	if both {
		_ = syscall.Kill(script, syscall.SIGSTOP) // its end must not be seen by the job
	}
	_ = syscall.Kill(job, syscall.SIGKILL)
	if both {
		_ = syscall.Kill(script, syscall.SIGKILL)
	}
	l.finish(running)
	return s, script
}

func TestAKilledJobHasDied(t *testing.T) {
	t.Parallel()
	eachRealShell(t, func(t *testing.T, l *lab) {
		s, _ := l.killed(true)
		r := l.await(s.ID, StateRunning)
		if r.State != StateDied || r.Detail != "the job is gone and left no exit code" || string(r.Log) != "half\n" {
			t.Errorf("%+v", r)
		}
		if found := grepTree(t, l.base(), "left-behind"); len(found) > 0 {
			t.Errorf("the secret is still in %q", found)
		}
		if r := l.launch(s); r.State != StateDied {
			t.Errorf("launching it again: %+v", r)
		}
		l.crowd(2)
		if r := l.clean(s.ID); r.State != StateCleaned || exists(l.base(s.ID)) {
			t.Errorf("clean: %+v", r)
		}
	})
}

// An uninstaller whose job was killed is still an uninstaller at work.
func TestAScriptWithoutItsJobStillHoldsTheHost(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		s, script := l.killed(false)
		if r := l.join(s.ID); r.State != StateRunning {
			t.Errorf("join: %+v", r)
		}
		if r := l.launch(spec("exit 0")); r.State != StateLocked || r.LockOwner != s.ID {
			t.Errorf("another attempt: %+v", r)
		}
		if r := l.clean(s.ID); r.State != StateRunning {
			t.Errorf("clean: %+v", r)
		}
		_ = syscall.Kill(script, syscall.SIGKILL)
		if r := l.await(s.ID, StateRunning); r.State != StateDied {
			t.Errorf("after its end: %+v", r)
		}
		if r := l.launch(spec("exit 0")); r.State != StateEnded {
			t.Errorf("another attempt after its end: %+v", r)
		}
	})
}

func TestARebootEndsAJobAndItsLock(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		s := spec("echo up >'" + l.path("up") + "'\n" + l.gate())
		script, _ := l.launchScript(s)
		running := l.start(script)
		l.awaitFile(l.path("up"))
		l.reboot() // the processes live on, as if their numbers were taken by others
		r := l.join(s.ID)
		if r.State != StateDied || r.BeganIn != "boot-1" || r.BootID != "reboot-1" ||
			r.Detail != "the host was started again before the job ended" {
			t.Errorf("%+v", r)
		}
		l.crowd(2)
		if r := l.clean(s.ID); r.State != StateCleaned {
			t.Errorf("clean: %+v", r)
		}
		l.open()
		_ = running.cmd.Wait()
	})
}

func TestCleanReleasesTheLockOfADeadJob(t *testing.T) {
	t.Parallel()
	anyShell(t, func(t *testing.T, l *lab) {
		s, _ := l.killed(true)
		l.await(s.ID, StateRunning)
		if !exists(l.base("lock")) {
			t.Fatal("the killed job holds no lock")
		}
		if r := l.clean(s.ID); r.State != StateCleaned || exists(l.base()) {
			t.Errorf("%+v", r)
		}
	})
}

// Locks as crashes and people may leave them.
func TestLocksLeftBehindAreTakenOver(t *testing.T) {
	t.Parallel()
	gone := remediate.NewID(time.Now())
	tests := map[string]func(t *testing.T, l *lab){
		"its folder was removed by hand": func(t *testing.T, l *lab) {
			link(t, gone+"/claim", l.base("lock"))
		},
		"a taker died at it": func(t *testing.T, l *lab) {
			mkdir(t, l.base(gone))
			link(t, gone+"/claim", l.base("lock"))
			link(t, "boot-0 12 34", l.base(gone, "broken.1"))
			link(t, "boot-1 2147483646 34", l.base(gone, "broken.2"))
		},
		"its claim points nowhere": func(t *testing.T, l *lab) {
			mkdir(t, l.base(gone))
			link(t, "l-000000000000/started", l.base(gone, "claim"))
			link(t, gone+"/claim", l.base("lock"))
		},
		"its start was written in part": func(t *testing.T, l *lab) {
			mkdir(t, l.base(gone, "l-1"))
			write(t, l.base(gone, "l-1/started"), "l-1 boot-1 1 17000", 0o600)
			link(t, "l-1/started", l.base(gone, "claim"))
			link(t, gone+"/claim", l.base("lock"))
		},
		"its process number has been given to another": func(t *testing.T, l *lab) {
			mkdir(t, l.base(gone, "l-1"))
			write(t, l.base(gone, "l-1/started"), fmt.Sprintf("l-1 boot-1 %d 1700000000 %s 1\nc\nc\n.\n", os.Getpid(), gone), 0o600)
			link(t, "l-1/started", l.base(gone, "claim"))
			link(t, gone+"/claim", l.base("lock"))
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachShell(t, func(t *testing.T, l *lab) {
				mkdir(t, l.base())
				prepare(t, l)
				l.crowd(1)
			})
			anyShell(t, func(t *testing.T, l *lab) { // of several, one takes it
				mkdir(t, l.base())
				prepare(t, l)
				l.crowd(rounds(4))
			})
		})
	}
}

func TestADamagedLockIsReported(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, l *lab) {
		mkdir(t, l.base())
		link(t, "../../etc/claim", l.base("lock"))
		s := spec(counter(l.path("count")))
		r := l.launch(s)
		if r.State != StateRefused || r.Refusal != RefusedStorage || r.Detail != l.base("lock")+" is damaged" {
			t.Errorf("%+v", r)
		}
		if n := runs(t, l.path("count")); n != 0 {
			t.Errorf("it ran %d times", n)
		}
	})
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}
