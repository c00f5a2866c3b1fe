package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oust/transports/lab"
)

// serving starts 'oust serve' and returns when it has nothing more to do. next
// waits until a line of its output has that text, and fails the test if it
// ends before.
func serving(t *testing.T, dir string) (c *exec.Cmd, next func(text string)) {
	t.Helper()
	c = command(t, dir, "serve", "--json")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(out)
	next = func(text string) {
		t.Helper()
		for s.Scan() {
			if strings.Contains(s.Text(), text) {
				return
			}
		}
		t.Fatalf("serve ended before it said %s", text)
	}
	next(`"type":"idle"`)
	return c, next
}

// TestServeStandsBack: a second serve is told who has the campaign, other
// commands work beside it, and a socket that a killed serve has left is
// replaced; so it is in a folder with a name too long for a socket.
func TestServeStandsBack(t *testing.T) {
	t.Parallel()
	for name, deep := range map[string]string{"short": "", "long": strings.Repeat("long/", 30)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fleet, err := lab.Start(t.Context(), lab.Config{Hosts: 5, Seed: 3, Speed: 100})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = fleet.Close() }()
			dir := filepath.Join(t.TempDir(), deep, "campaign")
			if err := fleet.WriteCampaign(dir); err != nil {
				t.Fatal(err)
			}
			standsBack(t, fleet, dir)
		})
	}
}

func standsBack(t *testing.T, fleet *lab.Fleet, dir string) {
	t.Helper()
	killed, _ := serving(t, dir)
	_ = killed.Process.Kill()
	_ = killed.Wait()
	if _, err := os.Lstat(filepath.Join(dir, controlName)); err != nil {
		t.Fatalf("the killed serve has left no socket: %v", err)
	}

	c, next := serving(t, dir)
	if r := must(t, 1, dir, "serve"); !strings.Contains(r.Err, "process") || !strings.Contains(r.Err, "served already") {
		t.Errorf("a second serve: %s", r.Err)
	}
	plan := filepath.Join(t.TempDir(), "plan.json")
	beside := [][]string{
		{"scan"}, {"plan", "-o", plan}, {"apply", plan}, {"retry"}, {"verify"},
		{"exempt", fleet.Hosts()[0].Name, "--reason", "audit", "--approver", "J. Doe", "--until", "2099-12-31"},
	}
	for _, args := range beside {
		must(t, 0, dir, args...)
		next(`"type":"idle"`) // it goes on
		must(t, 0, dir, "status")
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	next(`"type":"run_ended"`)
	if err := c.Wait(); err != nil {
		t.Errorf("serve, stopped by SIGTERM: %v", err)
	}
	must(t, 0, dir, "serve", "--once")
	removedOnce(t, fleet)
	t.Logf("1 kill, %d commands beside serve", len(beside))
}

// removedOnce asks the hosts themselves.
func removedOnce(t *testing.T, fleet *lab.Fleet) {
	t.Helper()
	for _, h := range fleet.Hosts() {
		truth, err := fleet.State(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		if len(truth.Installed) > 0 || ranTwice(truth.Starts) || len(truth.Starts) != len(h.Products) {
			t.Errorf("%s: has %v, started %+v", h.Name, truth.Installed, truth.Starts)
		}
	}
}

// TestServeUnit: systemd takes the unit that is printed.
func TestServeUnit(t *testing.T) {
	t.Parallel()
	_, dir := newLab(t, lab.Config{Hosts: 1})
	unit := must(t, 0, dir, "serve", "--unit").Out
	if !strings.Contains(unit, dir) || !strings.Contains(unit, "serve") {
		t.Errorf("the unit:\n%s", unit)
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here")
		return
	}
	path := filepath.Join(t.TempDir(), "oust-lab.service")
	if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), verify, "verify", path).CombinedOutput()
	if strings.Contains(string(out), "oust-lab.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
