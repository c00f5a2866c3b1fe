package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"oust/remediate"
	"oust/transports/lab"
)

// TestKilled kills oust with SIGKILL at random moments of an apply, and runs
// the same command again: no uninstaller runs twice, and no host is lost.
func TestKilled(t *testing.T) {
	t.Parallel()
	const rounds, hosts = 20, 10
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	for round := range rounds {
		lines, more := rnd.IntN(6*hosts), time.Duration(rnd.IntN(30))*time.Millisecond
		t.Run(fmt.Sprintf("after %d lines and %v", lines, more), func(t *testing.T) {
			fleet, dir := newLab(t, lab.Config{Hosts: hosts, Seed: uint64(round), Speed: 20})
			plan := filepath.Join(dir, "plan.json")
			must(t, 0, dir, "scan")
			must(t, 0, dir, "plan", "-o", plan)
			killAfter(t, dir, plan, lines, more)
			r := must(t, 0, dir, "apply", plan, "--json")
			t.Logf("resumed: %v", messages(t, r.Out)[0].Resumed)
			wholeAndOnce(t, fleet, dir)
		})
	}
}

// killAfter starts an apply and kills it some time after it has printed a
// number of lines. The time is random, not long: the moment falls anywhere
// between two lines.
func killAfter(t *testing.T, dir, plan string, lines int, more time.Duration) {
	t.Helper()
	c := command(t, dir, "apply", plan, "--json")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(out)
	for range lines {
		if !s.Scan() {
			break // it came to its end before
		}
	}
	<-time.After(more)
	_ = c.Process.Signal(syscall.SIGKILL)
	for s.Scan() {
	}
	_ = c.Wait()
}

// wholeAndOnce asks the hosts themselves: every product is gone, its
// uninstaller ran once, the store has an outcome for every host, and the
// ledger tells all of it.
func wholeAndOnce(t *testing.T, fleet *lab.Fleet, dir string) {
	t.Helper()
	for _, h := range fleet.Hosts() {
		truth, err := fleet.State(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		if len(truth.Installed)+len(truth.Files) > 0 {
			t.Errorf("%s still has %v %v", h.Name, truth.Installed, truth.Files)
		}
		if len(truth.Starts) != len(h.Products) || ranTwice(truth.Starts) {
			t.Errorf("%s: uninstallers of %v ran: %+v", h.Name, h.Products, truth.Starts)
		}
	}
	s := status(t, dir)
	if done := s.Standing[remediate.StandRemoved] + s.Standing[remediate.StandClear]; done != s.Hosts || failures(s) > 0 {
		t.Errorf("status: %+v", s)
	}
	must(t, 0, dir, "audit")
}
