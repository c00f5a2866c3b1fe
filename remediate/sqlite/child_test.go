package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// childVar tells the test binary to act as another process that uses the
// store at a path: "hold" or "write", a colon, the path.
const childVar = "OUST_STORE_CHILD"

func TestMain(m *testing.M) {
	if act, ok := os.LookupEnv(childVar); ok {
		if err := errors.Join(loadSigned(), child(act)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if err := runSigned(m); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(act string) error {
	if path, ok := cut(act, "hold:"); ok {
		return hold(path)
	}
	if path, ok := cut(act, "write:"); ok {
		return writeForEver(path)
	}
	return fmt.Errorf("unknown act %q", act)
}

func cut(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || s[:len(prefix)] != prefix {
		return "", false
	}
	return s[len(prefix):], true
}

// hold keeps the store open until its standard input ends.
func hold(path string) error {
	s, err := sqlite.Open(context.Background(), path, signed)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1)) // ends with the parent
	return s.Close()
}

// writeForEver records outcomes from many goroutines and prints the id of
// each as soon as the store has said that it is on disk.
func writeForEver(path string) error {
	fmt.Println("started")
	s, err := sqlite.Open(context.Background(), path, signed)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 50 {
		go func() {
			for {
				id := remediate.NewID(time.Now())
				if err := outcome(s, id); err != nil {
					failed <- err
				}
				fmt.Println(id) // one write, straight to the pipe
			}
		}()
	}
	return <-failed
}

// outcome records an attempt on a host of the attempt's name, its looks, its
// log, a reboot, and its end.
func outcome(s remediate.Store, id string) error {
	ctx := context.Background()
	a := remediate.Attempt{ID: id, Run: "run1", Host: id, Phase: remediate.PhaseIntended, Started: time.Now()}
	if err := s.BeginAttempt(ctx, a); err != nil {
		return err
	}
	if err := s.BeginReboot(ctx, remediate.Reboot{Host: id, BootID: "boot1", Attempt: id}, 1); err != nil {
		return err
	}
	a.Phase, a.Log, a.Outcome = remediate.PhaseClosed, []byte("log of "+id), remediate.Outcome{Kind: remediate.OutcomeRemoved}
	raw := []byte("raw text of " + id)
	return s.CloseAttempt(ctx, a, &remediate.Look{
		Host: id, Kind: remediate.LookVerify, At: time.Now(), Raw: raw, RawDigest: remediate.Digest(raw), Complete: true,
	})
}

// process is a child that prints lines.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

// start runs the test binary as a child; the test kills it at its end.
func start(t *testing.T, act string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+act)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &process{cmd: cmd, lines: bufio.NewScanner(stdout)}
}

// read returns at most n lines.
func (p *process) read(n int) []string {
	var out []string
	for len(out) < n && p.lines.Scan() {
		out = append(out, p.lines.Text())
	}
	return out
}

// kill ends the child with SIGKILL and returns the lines that it had written
// and nobody had read.
func (p *process) kill(t *testing.T) []string {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rest := p.read(1 << 30)
	_ = p.cmd.Wait() // "signal: killed"
	return rest
}
