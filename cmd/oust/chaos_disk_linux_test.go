package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"oust/remediate"
	"oust/transports/lab"
)

// smallDisk moves a campaign folder to a file system of its own that is soon
// full.
func smallDisk(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		reason := "a small file system cannot be mounted (run as root): " + err.Error()
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	if err := os.CopyFS(filepath.Join(dir, "campaign"), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"lab_key", "windows_password"} {
		if err := os.Chmod(filepath.Join(dir, "campaign", secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fill takes all the room that is left, and says how to give it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	_ = f.Close()
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// during runs a command, does something when the first host's job has been
// launched, and returns what it printed after that.
func during(t *testing.T, dir string, do func(), args ...string) result {
	t.Helper()
	c := command(t, dir, args...)
	var errOut strings.Builder
	c.Stderr = &errOut
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	done := false
	for s := bufio.NewScanner(pipe); s.Scan(); {
		if done {
			out.WriteString(s.Text() + "\n")
		}
		if !done && strings.Contains(s.Text(), `"step":"launch"`) {
			done = true
			do()
		}
	}
	_ = c.Wait()
	if !done {
		t.Fatalf("no job was launched: %s", errOut.String())
	}
	return result{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// diskLab is a campaign on a small disk, planned.
func diskLab(t *testing.T) (fleet *lab.Fleet, disk, dir, plan string) {
	t.Helper()
	fleet, from := newLab(t, lab.Config{Hosts: 20, Windows: 4, Seed: 8, Speed: 20})
	edit(t, filepath.Join(from, "campaign.yaml"), "waves: [1, 5, 25%, 100%]", "waves: [4, 4, 4, 100%]\nconcurrency: {hosts: 4}")
	disk = smallDisk(t, from)
	dir = filepath.Join(disk, "campaign")
	plan = filepath.Join(t.TempDir(), "plan.json")
	must(t, 0, dir, "scan")
	must(t, 0, dir, "plan", "-o", plan)
	return fleet, disk, dir, plan
}

// started counts the hosts on which an uninstaller has run.
func started(fleet *lab.Fleet) int { return len(fleet.Counts()) }

// TestDiskFullUnderTheStore: no new host is touched when the store cannot be
// written any more, oust says what to do, and the same command goes on when
// there is room.
func TestDiskFullUnderTheStore(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"apply", "serve"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			fullDisk(t, command)
		})
	}
}

// TestReadOnlyDisk: oust touches nothing where it cannot record it. The kernel
// lets no file system become read-only while a store on it is open.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	fleet, disk, dir, plan := diskLab(t)
	remount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("", disk, "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(unix.MS_RDONLY)
	for _, args := range [][]string{{"apply", plan}, {"serve", "--once"}, {"scan"}} {
		if r := must(t, 1, dir, args...); !strings.Contains(r.Err, "read-only file system") || !strings.Contains(r.Err, storeName) {
			t.Errorf("oust %v: %s", args, r.Err)
		}
	}
	if n := started(fleet); n != 0 {
		t.Errorf("%d hosts were touched", n)
	}
	must(t, 0, dir, "status") // is only read
	remount(0)
	must(t, 2, dir, "apply", plan) // Windows hosts wait for a restart
	labTruth(t, fleet, dir)
}

// fullDisk fills the disk under a command, and gives the room back.
func fullDisk(t *testing.T, name string) {
	t.Helper()
	fleet, disk, dir, plan := diskLab(t)
	args := []string{"apply", plan, "--json"}
	if name == "serve" {
		// A window that is shut lets an apply approve and do nothing.
		edit(t, filepath.Join(dir, "campaign.yaml"), "stop:", "windows: [{days: [mon], start: '00:00', length: 1m, sites: [nowhere]}]\nstop:")
		oust(t, dir, "apply", plan)
		edit(t, filepath.Join(dir, "campaign.yaml"), "windows: [{days: [mon], start: '00:00', length: 1m, sites: [nowhere]}]\n", "")
		args = []string{"serve", "--json"}
	}
	var free func()
	r := during(t, dir, func() { free = fill(t, disk) }, args...)
	touched, begun := started(fleet), 0
	for _, m := range messages(t, r.Out) {
		if m.Type == "host_step" && m.Step == "launch" {
			begun++
		}
	}
	if r.Code != 1 || !strings.Contains(r.Err, "make room") {
		t.Errorf("exit code %d: %s", r.Code, r.Err)
	}
	if begun > 4 {
		t.Errorf("%d hosts were begun on a disk that takes nothing", begun)
	}
	free()
	must(t, 2, dir, "apply", plan) // Windows hosts wait for a restart
	attempts, starts := labTruth(t, fleet, dir)
	t.Logf("%d hosts touched when the disk broke, %d launches after it; %d attempts, %d uninstallers started in the end", touched, begun, attempts, starts)
	if s := status(t, dir); s.Standing[remediate.StandRemoved] == 0 {
		t.Errorf("status: %+v", s)
	}
}
