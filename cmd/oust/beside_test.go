package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"oust/remediate/engine"
	"oust/remediate/schedule"
	"oust/transports/lab"
)

// TestBesideServe: many commands at the same time each get their turn beside a
// serve, and serving goes on after all of them.
func TestBesideServe(t *testing.T) {
	t.Parallel()
	const commands, each = 3, 5
	_, dir := newLab(t, lab.Config{Hosts: commands, Seed: 4})
	must(t, 0, dir, "scan")
	serve := command(t, dir, "serve", "--json")
	said, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if !lines.Scan() {
		t.Fatal("serve said nothing")
	}
	rest := make(chan string)
	go func() {
		var b strings.Builder
		for lines.Scan() {
			b.WriteString(lines.Text() + "\n")
		}
		rest <- b.String()
	}()
	var all sync.WaitGroup
	failed := make([]string, commands)
	for i, host := range []string{"lab-0001", "lab-0002", "lab-0003"} {
		all.Go(func() {
			for range each {
				r := oust(t, dir, "exempt", host, "--reason", "audit", "--approver", "CISO", "--until", "2999-12-31", "--json")
				if r.Code != 0 || !strings.HasPrefix(r.Out, `{"type":"exemption","host":"`+host) {
					failed[i] += r.Out + r.Err
				}
			}
		})
	}
	all.Go(func() { // what is checked grows meanwhile
		for range each {
			if r := oust(t, dir, "audit"); r.Code != 0 {
				t.Errorf("audit: exit code %d\n%s%s", r.Code, r.Out, r.Err)
			}
		}
	})
	all.Wait()
	handed := must(t, 0, dir, "report", "identify", "-o", filepath.Join(dir, "identify.html"), "--submit", "DHS", "--json")
	if !strings.Contains(handed.Out, `{"type":"submission","report":"identify","at":"`) {
		t.Errorf("the report was not recorded:\n%s", handed.Out)
	}
	for i, why := range failed {
		if why != "" {
			t.Errorf("command %d: %s", i, why)
		}
	}
	if r := oust(t, dir, "serve"); r.Code != exitUsage || !strings.Contains(r.Err, "is served already, by process") {
		t.Errorf("a second serve: exit code %d\n%s", r.Code, r.Err)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	told := <-rest
	_ = serve.Wait()
	if code := serve.ProcessState.ExitCode(); code != 0 && code != engine.ExitInterrupted {
		t.Errorf("serve ended with exit code %d\n%s", code, told)
	}
	if !strings.Contains(told, `{"type":"stood_back"}`) {
		t.Errorf("serve did not say that it stood back:\n%s", told)
	}
	messages(t, told)
	if _, err := askYieldOf(t.Context(), dir, func() {}); !errors.Is(err, errNobodyServes) {
		t.Errorf("after its end: %v", err)
	}
}

// TestYieldAnswers: the answer of a stranger is not taken for a serve's.
func TestYieldAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ say, want string }{
		{"yielded\n", ""}, {"\x1b[2Jgo away\n", "it answers something else"}, {"", "EOF"}, {strings.Repeat("x", 5000), "EOF"},
	} {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = bufio.NewReader(theirs).ReadString('\n')
			_, _ = io.WriteString(theirs, test.say)
			_ = theirs.Close()
		}()
		err := awaitYield(ours, func() {})
		_ = ours.Close()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.say, err)
		}
	}
}

// TestServeDisplay: the display of a run that lasts for weeks counts turns, not
// hosts that are left, and forgets what another command has cut short.
func TestServeDisplay(t *testing.T) {
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	p := newProgress(func() time.Time { return now })
	p.event(engine.RunStarted{Kind: serveKind, Hosts: 2})
	for range 5 {
		p.event(engine.HostStarted{Host: "a"})
		p.event(engine.HostLooked{Host: "a"})
	}
	p.event(engine.HostStarted{Host: "a"})
	p.event(stoodBack{})
	now = now.Add(50 * time.Hour)
	p.event(engine.Idle{Waiting: map[schedule.Work]int{schedule.WorkVerify: 2}})
	want := "serve  2 hosts  up 50h00m  0 running\n  5 turns so far: ok 5\n  nothing is due now: 2 to be looked at again"
	if got := strings.Join(p.draw(80), "\n"); got != want {
		t.Errorf("the display is\n%s\nwant\n%s", got, want)
	}
	var said strings.Builder
	plain := &plainReporter{out: io.Discard, err: &said, p: p}
	for _, n := range []int{2, 2, 1} {
		plain.Event(engine.Idle{Waiting: map[schedule.Work]int{schedule.WorkVerify: n}})
	}
	if n := strings.Count(said.String(), "\n"); n != 2 {
		t.Errorf("%d lines of idleness, want one for each change:\n%s", n, said.String())
	}
}

// TestExemptFlags: what would be half understood is refused.
func TestExemptFlags(t *testing.T) {
	t.Parallel()
	_, dir := newLab(t, lab.Config{Hosts: 2, Seed: 4})
	why := []string{"--reason", "audit", "--approver", "CISO"}
	for _, test := range []struct {
		want string
		args []string
	}{
		{"name the host", []string{"--end"}},
		{"name the host", why},
		{"--end goes without", []string{"lab-0001", "--end", "--until", "2026-12-31"}},
		{"at most 9998", append([]string{"lab-0001", "--until", "9999-12-31"}, why...)},
		{"is not a date", append([]string{"lab-0001", "--until", "31.12.2026"}, why...)},
		{"an exemption needs --reason, --approver, --until", []string{"lab-0001"}},
		{"did you mean lab-0001", append([]string{"lab-001", "--until", "2999-12-31"}, why...)},
	} {
		r := oust(t, dir, append([]string{"exempt"}, test.args...)...)
		if r.Code != exitUsage || !strings.Contains(r.Err, test.want) {
			t.Errorf("%v: exit code %d\n%s", test.args, r.Code, r.Err)
		}
	}
	must(t, 0, dir, append([]string{"exempt", "lab-0001", "--until", "2999-12-31"}, why...)...)
	edit(t, filepath.Join(dir, "hosts.csv"), "lab-0001,", "lab-1111,")
	r := must(t, 0, dir, "exempt", "lab-0001", "--end", "--json")
	if want := `{"type":"exemption_ended","host":"lab-0001"}`; strings.TrimSpace(r.Out) != want {
		t.Errorf("a host that has left the inventory: %s", r.Out)
	}
	r = must(t, 0, dir, "apply", "--resume", "--json")
	if want := `{"type":"resumed","held":false}`; strings.TrimSpace(r.Out) != want {
		t.Errorf("apply --resume --json: %s", r.Out)
	}
	if r := oust(t, dir, "apply", "--resume", "--dry-run"); r.Code != exitUsage {
		t.Errorf("a dry run has released a hold:\n%s%s", r.Out, r.Err)
	}
}
