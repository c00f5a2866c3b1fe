package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// serveVariable makes the test program serve hosts, as the program itself does
// with -serve.
const serveVariable = "OUST_SCALE_SERVE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveVariable); dir != "" {
		os.Args = []string{"scale", "-serve", dir, "-windows", "3"}
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// TestServe: a process serves Windows hosts, says when the campaign is there,
// and ends in good order when it is interrupted.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "fleet")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 7)
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "serving" {
		t.Errorf("it says %q: %v", said, err)
	}
	hosts, err := os.ReadFile(filepath.Join(dir, "hosts.csv"))
	if n := strings.Count(string(hosts), ",windows,winrm,"); err != nil || n != 3 {
		t.Errorf("%d hosts: %v", n, err)
	}
	_ = cmd.Process.Signal(os.Interrupt)
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
