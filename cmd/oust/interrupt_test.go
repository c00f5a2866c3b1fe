package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oust/transports/lab"
)

// interrupt runs an apply, sends it signals when that many hosts have launched
// their job, and returns all lines and the exit code. Two signals of the same
// number could melt into one on their way.
func interrupt(t *testing.T, dir, plan string, launched int, signals ...os.Signal) (out string, code int) {
	t.Helper()
	c := command(t, dir, "apply", plan, "--json")
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for s := bufio.NewScanner(pipe); s.Scan(); {
		b.WriteString(s.Text() + "\n")
		if !strings.Contains(s.Text(), `"step":"launch"`) {
			continue
		}
		if launched--; launched == 0 {
			for _, sig := range signals {
				if err := c.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	_ = c.Wait()
	return b.String(), c.ProcessState.ExitCode()
}

// interruptedLab is a lab whose products take a moment to go, and its plan.
func interruptedLab(t *testing.T) (fleet *lab.Fleet, dir, plan string) {
	t.Helper()
	fleet, dir = newLab(t, lab.Config{Hosts: 12, Seed: 3, Speed: 5})
	edit(t, filepath.Join(dir, "campaign.yaml"), "waves: [1, 5, 25%, 100%]", "waves: [3, 100%]")
	plan = filepath.Join(dir, "plan.json")
	must(t, 0, dir, "scan")
	must(t, 0, dir, "plan", "-o", plan)
	return fleet, dir, plan
}

// TestInterruptedOnce: the hosts that had begun come to their end, no other is
// begun, and the same command does the rest.
func TestInterruptedOnce(t *testing.T) {
	t.Parallel()
	fleet, dir, plan := interruptedLab(t)
	out, code := interrupt(t, dir, plan, 1, os.Interrupt)
	if code != 130 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	begun := map[string]bool{}
	for _, m := range messages(t, out) {
		if m.Type == "host_started" {
			begun[m.Host] = true
		}
	}
	ends := endings(t, out)
	if len(begun) == 0 || len(begun) > 3 || len(ends) != len(begun) || count(ends, "removed") != len(begun) {
		t.Errorf("begun %v, ended %v", begun, ends)
	}
	rest := endings(t, must(t, 0, dir, "apply", plan, "--json").Out)
	for host := range begun {
		if rest[host] != "" {
			t.Errorf("%s had ended and was taken again: %s", host, rest[host])
		}
	}
	wholeAndOnce(t, fleet, dir)
}

// TestInterruptedTwice: oust ends at once; the jobs go on on their hosts and
// are joined by the same command.
func TestInterruptedTwice(t *testing.T) {
	t.Parallel()
	fleet, dir, plan := interruptedLab(t)
	out, code := interrupt(t, dir, plan, 3, os.Interrupt, syscall.SIGTERM)
	if code != 130 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	r := must(t, 0, dir, "apply", plan, "--json")
	if !messages(t, r.Out)[0].Resumed {
		t.Errorf("the run was not taken up again:\n%s", r.Out)
	}
	wholeAndOnce(t, fleet, dir)
}
