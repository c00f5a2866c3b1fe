package main

import (
	"os/exec"
	"strings"
	"testing"

	"oust/transports/lab"
)

func TestConnectionLimit(t *testing.T) {
	for files, want := range map[uint64]int{0: 0, 10: 1, 67: 1, 68: 2, 256: 96, 1024: 480, 1 << 62: 1 << 20} {
		if got := connectionLimit(files); got != want {
			t.Errorf("connectionLimit(%d) = %d, want %d", files, got, want)
		}
	}
}

// TestFewOpenFiles: 90 hosts are looked at with 80 open files allowed.
func TestFewOpenFiles(t *testing.T) {
	t.Parallel()
	_, dir := newLab(t, lab.Config{Hosts: 90, Seed: 2})
	c := command(t, dir, "scan")
	limited := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ulimit -n 80 && exec "$@"`, "sh")
	c.Args = append(limited.Args, append([]string{c.Path}, c.Args[1:]...)...)
	c.Path = limited.Path
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "present             90") {
		t.Errorf("%v\n%s", err, out)
	}
}
