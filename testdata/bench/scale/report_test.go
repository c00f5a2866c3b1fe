package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"oust/testdata/bench/machine"
)

func TestTable(t *testing.T) {
	rows := []row{{command: "scan", wall: 20 * time.Second, use: machine.Use{CPU: 25 * time.Second, Memory: 150 << 20}, labCPU: 40 * time.Second}}
	got := table(settings{hosts: 5000}, 2*time.Second, machine.Use{Memory: 100 << 20}, rows)
	for _, want := range []string{"| scan | 20.00 s | 250 | 150 MiB | 5.00 ms | 8.00 ms |\n", "ready after 2.00 s and held 100 MiB"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %q", got, want)
		}
	}
}

func TestCPUTime(t *testing.T) {
	if got := cpuTime(os.Getpid()); got < 0 || got > time.Hour {
		t.Errorf("cpu time %v", got)
	}
	if got := cpuTime(-1); got != 0 {
		t.Errorf("cpu time of no process: %v", got)
	}
	if machine.Describe() == "" {
		t.Error("no machine")
	}
}
