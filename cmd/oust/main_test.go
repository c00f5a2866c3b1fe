package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"oust/transports/lab"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"oust": func() { os.Exit(mainExit()) }})
}

// leakChecked looks for goroutines that outlive the tests of this process.
type leakChecked struct{ m *testing.M }

// atOnce is how many tests run side by side: most of them wait for hosts.
const atOnce = "6"

// noRest has a program that the race detector watches end without the second's
// rest that it would take, for some tests start a hundred.
const noRest = "atexit_sleep_ms=0"

// Run implements testscript.TestingM.
func (l leakChecked) Run() int {
	_ = flag.Set("test.parallel", atOnce)
	_ = os.Setenv("GORACE", noRest)
	for name, password := range winePasswords {
		_ = os.Setenv(name, password)
	}
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		_, _ = os.Stderr.WriteString("goroutines outlive the tests: " + err.Error() + "\n")
		return 1
	}
	return code
}

// patience bounds any one command of a test.
const patience = 5 * time.Minute

// result is how a command ended.
type result struct {
	Code     int
	Out, Err string
}

// command makes the program, as a process of its own, in a campaign folder.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, "oust", append([]string{"-C", dir}, args...)...)
	c.Env = append(os.Environ(), "HOME="+dir, "SSH_AUTH_SOCK=")
	return c
}

// oust runs the program to its end.
func oust(t *testing.T, dir string, args ...string) result {
	t.Helper()
	c := command(t, dir, args...)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatalf("oust %v: %v", args, err)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// must runs the program and wants an exit code.
func must(t *testing.T, want int, dir string, args ...string) result {
	t.Helper()
	r := oust(t, dir, args...)
	if r.Code != want {
		t.Fatalf("oust %s: exit code %d, want %d\n%s\n%s", strings.Join(args, " "), r.Code, want, r.Out, r.Err)
	}
	return r
}

// status is what 'oust status --json' says.
func status(t *testing.T, dir string) statusMessage {
	t.Helper()
	var m statusMessage
	r := must(t, 0, dir, "status", "--json")
	if err := json.Unmarshal([]byte(r.Out), &m); err != nil {
		t.Fatalf("status --json: %v\n%s", err, r.Out)
	}
	return m
}

// failures counts the hosts with a failure of any class.
func failures(s statusMessage) int {
	n := 0
	for _, of := range s.Failed {
		n += of
	}
	return n
}

// message is any line of --json.
type message struct {
	Type    string         `json:"type"`
	Host    string         `json:"host"`
	Outcome string         `json:"outcome"`
	Class   string         `json:"class"`
	Detail  string         `json:"detail"`
	Step    string         `json:"step"`
	Resumed bool           `json:"resumed"`
	Failed  map[string]int `json:"failed"`
}

// messages reads the lines of --json.
func messages(t *testing.T, out string) []message {
	t.Helper()
	var all []message
	for line := range strings.Lines(out) {
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Type == "" {
			t.Fatalf("not a typed line: %q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

// endings says how each host ended, as "outcome" or "failed class".
func endings(t *testing.T, out string) map[string]string {
	t.Helper()
	ends := map[string]string{}
	for _, m := range messages(t, out) {
		if m.Type != "host_ended" {
			continue
		}
		if _, twice := ends[m.Host]; twice {
			t.Errorf("%s ended twice", m.Host)
		}
		ends[m.Host] = strings.TrimSpace(m.Outcome + " " + m.Class)
	}
	return ends
}

// newLab serves simulated hosts and gives the folder of their campaign.
func newLab(t *testing.T, c lab.Config) (*lab.Fleet, string) {
	t.Helper()
	if c.Speed == 0 {
		c.Speed = 100
	}
	fleet, err := lab.Start(context.WithoutCancel(t.Context()), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fleet.Close(); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(t.TempDir(), "campaign")
	if err := fleet.WriteCampaign(dir); err != nil {
		t.Fatal(err)
	}
	timing(t, dir, "connect", "10s")
	timing(t, dir, "job", "3m")
	return fleet, dir
}

// timing sets a time of a campaign. The lab's own are short, so that a host
// which hangs holds nobody up. They are real time, and what a simulated host
// does takes the processor of the test's machine, which may have other work:
// where none hangs, there is no need for such haste.
func timing(t *testing.T, dir, name, value string) {
	t.Helper()
	if err := setTiming(dir, name, value); err != nil {
		t.Fatal(err)
	}
}

func setTiming(dir, name, value string) error {
	path := filepath.Join(dir, "campaign.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	was := regexp.MustCompile(`(\ntiming: \{.*\b` + name + `: )[0-9a-z]+`)
	if !was.Match(text) {
		return fmt.Errorf("%s has no timing.%s:\n%s", path, name, text)
	}
	return os.WriteFile(path, was.ReplaceAll(text, []byte("${1}"+value)), 0o600)
}

// edit replaces text in a file of a campaign folder.
func edit(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s has no %q:\n%s", path, from, text)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
}
