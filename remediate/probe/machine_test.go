package probe_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/probe"
)

// TestThisMachine looks at the machine that the tests run on and compares
// with what it says when asked directly.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // the look at macOS is tried on a stand-in
	}
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `eval "$(cat)"`)
	cmd.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin", "LANG=de_DE.UTF-8", "LANGUAGE=de"}
	before := time.Now()
	out := output(t, cmd, string(probe.Sh(remediate.Questions{Paths: []string{"/proc/self/exe", "/nowhere at all"}, Services: []string{"no-such-service"}}, nonce)))
	facts, _, err := probe.Parse(out, nonce)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := facts.OS.Kernel+" "+facts.OS.Arch, said(t, "uname", "-r", "-m"); got != want {
		t.Errorf("kernel and architecture %q, uname says %q", got, want)
	}
	if got, want := facts.BootID, strings.TrimSpace(string(read(t, "/proc/sys/kernel/random/boot_id"))); got != want {
		t.Errorf("boot id %q, the kernel says %q", got, want)
	}
	if off := facts.HostTime.Sub(before); off < -2*time.Second || facts.HostTime.After(time.Now()) {
		t.Errorf("host time %v is off by %v", facts.HostTime, off)
	}
	if facts.Uptime <= 0 || facts.Privilege.UID != os.Getuid() || facts.Privilege.Root != (os.Getuid() == 0) || len(facts.FreeSpace) == 0 {
		t.Errorf("facts: uptime %v, %+v, %+v", facts.Uptime, facts.Privilege, facts.FreeSpace)
	}
	if diff := cmp.Diff([]remediate.PathFact{
		{Path: "/proc/self/exe", Kind: remediate.PathLink}, {Path: "/nowhere at all", Kind: remediate.PathAbsent},
	}, facts.Paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if state := facts.Runs("no-such-service"); len(facts.Running) != 1 || state == remediate.ServiceRunning || state == remediate.ServiceStopped {
		t.Errorf("a service that is not there: %+v", facts.Running)
	}
	compareDpkg(t, facts)
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("the look left %v in the home folder, error %v", left, err)
	}
}

// compareDpkg counts by dpkg -l, which prints another form than the look asks
// for.
func compareDpkg(t *testing.T, facts *remediate.Facts) {
	t.Helper()
	if _, err := exec.LookPath("dpkg"); err != nil {
		return
	}
	var want, got []string
	for line := range strings.Lines(said(t, "dpkg", "-l", "--no-pager") + "\n") {
		f := strings.Fields(line)
		if len(f) > 4 && len(f[0]) == 2 && f[0][1] == 'i' {
			name, _, _ := strings.Cut(f[1], ":")
			want = append(want, name+" "+f[2]+" "+f[3])
		}
	}
	for _, p := range facts.Packages {
		if p.Manager == remediate.ManagerDpkg && p.Status == remediate.PackageInstalled {
			got = append(got, p.Name+" "+p.Version+" "+p.Arch)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-dpkg -l, +look):\n%s", diff)
	}
}

// said is what a program prints, without line ends around it.
func said(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "COLUMNS=500")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// TestLookChangesNothing compares a host's whole tree before and after.
func TestLookChangesNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rhel-9", "macos-14"} {
		h := parseStandin(t, string(read(t, testdata+"/byhand/"+name+".txtar")))
		before := tree(t, h.root)
		h.look(t)
		if diff := cmp.Diff(before, tree(t, h.root)); diff != "" {
			t.Errorf("%s: the look changed files (-before +after):\n%s", name, diff)
		}
	}
}

// tree is a line for each file below a folder.
func tree(t *testing.T, root string) (lines []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := path + " " + info.Mode().String() + " " + info.ModTime().String()
		if info.Mode().IsRegular() {
			line += " " + strconv.Quote(string(read(t, path)))
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
