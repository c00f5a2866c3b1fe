package probe_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/remediate/probe"
)

// plain is a host that every look can read. Situations add to it or put
// another file of the same name in its place.
const plain = `
-- root/etc/os-release --
ID=debian
VERSION_ID="12"
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
-- root/proc/sys/kernel/random/boot_id --
f1dd6f02-8da5-4343-a47e-9f73ae530aed
-- root/proc/uptime --
100.25 50.00
-- root/proc/locks --
-- says/uname --
Linux 6.1.0-28-amd64 x86_64
-- says/date --
1733304301
-- says/id --
uid=0(root) gid=0(root) groups=0(root)
-- says/df --
Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/vda1         41921540 2986416  38935124       8% /
`

const dpkg = `
-- root/var/lib/dpkg/status --
Package: bash
-- says/dpkg-query -W -f --
bash	5.2.15-2+b7	amd64	install ok installed
`

// noPackages is what a look says that saw no package manager.
const noPackages = "no package manager that oust knows (dpkg, rpm, apk, pkgutil)"

// TestIncomplete: a host that cannot answer is never taken for one that has
// nothing. Each situation runs the real script.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host string
		want []string
	}{
		"all is well":           {plain + dpkg, nil},
		"no package manager":    {plain, []string{noPackages}},
		"rpm without database":  {plain + "-- says/rpm --\n", []string{noPackages}},
		"rpm's own folder only": {plain + "-- root/var/lib/rpm/.keep --\n-- says/rpm --\n", []string{noPackages}},
		"database without rpm": {
			plain + "-- root/var/lib/rpm/rpmdb.sqlite --\n",
			[]string{"rpm could not list its packages (exit code 127)", "rpm printed 1 line(s) that name no package", "list no package at all"},
		},
		"database without dpkg": {
			plain + "-- root/var/lib/dpkg/status --\nPackage: bash\n",
			[]string{"dpkg could not list its packages (exit code 127)", "dpkg printed 1 line(s)", "list no package at all"},
		},
		"both, and rpm's database is empty": {plain + dpkg + "-- root/root/.rpmdb/rpmdb.sqlite --\n-- says/rpm -qa --\n", nil},
		"empty database": {
			plain + "-- root/var/lib/rpm/Packages --\n-- says/rpm -qa --\n", []string{"the package managers list no package at all"},
		},
		"dpkg fails half-way": {
			plain + dpkg + "-- exits/dpkg-query --\n2\n", []string{"dpkg could not list its packages (exit code 2)"},
		},
		"dpkg warns": {
			plain + "-- root/var/lib/dpkg/status --\n-- bin/dpkg-query --\n#!/bin/sh\n" +
				"echo \"dpkg-query: warning: parsing file '/var/lib/dpkg/status' near line 3 package 'x':\" >&2\n" +
				"echo \" missing 'description' field\" >&2\nprintf 'x\\t1\\tall\\tinstall ok installed\\n'\n",
			nil,
		},
		"rpm skips a header": {
			plain + "-- root/var/lib/rpm/Packages --\n-- bin/rpm --\n#!/bin/sh\nprintf 'bash\\t5-1\\tx86_64\\tV\\n'\n" +
				"echo 'error: rpmdbNextIterator: skipping h#     261 region trailer: BAD' >&2\n",
			[]string{`rpm printed 1 line(s) that name no package, the first "error: rpmdbNextIterator: skipping`},
		},
		"a lock of rpm is stuck": {
			plain + dpkg + "-- root/var/lib/rpm/Packages --\n-- bin/rpm --\n#!/bin/sh\nprintf 'bash\\t5-1\\tx86_64\\tV\\n'\nkill -9 $$\n",
			[]string{"rpm did not list its packages in time and was ended"},
		},
		"apk's database cannot be read": {
			plain + "-- root/lib/apk/db/installed/.keep --\n",
			[]string{"apk could not list its packages (exit code 2)", "apk printed 1 line(s)", "list no package at all"},
		},
		"no boot id": {
			strings.Replace(plain, "f1dd6f02-8da5-4343-a47e-9f73ae530aed\n", "", 1) + dpkg,
			[]string{"the host does not tell its boot id and uptime"},
		},
		"no /proc": {
			strings.NewReplacer("root/proc/", "root/gone/").Replace(plain) + dpkg,
			[]string{"the host does not tell its boot id and uptime"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := parseStandin(t, c.host).facts(t).Incomplete
			if len(got) != len(c.want) {
				t.Fatalf("incomplete: %q\nwant %q", got, c.want)
			}
			for i := range c.want {
				if !strings.Contains(got[i], c.want[i]) {
					t.Errorf("incomplete: %q\nwant %q", got[i], c.want[i])
				}
			}
		})
	}
}

// TestRPMIsNotAskedWithoutDatabase: an rpm that is asked without a database
// makes one.
func TestRPMIsNotAskedWithoutDatabase(t *testing.T) {
	t.Parallel()
	h := parseStandin(t, plain+dpkg+"-- bin/rpm --\n#!/bin/sh\n>\"$HOME/asked\"\n")
	if got := h.facts(t).Incomplete; got != nil {
		t.Errorf("incomplete: %q", got)
	}
	if _, err := os.Stat(filepath.Join(h.root, "root/asked")); !os.IsNotExist(err) {
		t.Errorf("rpm was asked: %v", err)
	}
}

// TestBounded: what does not end by itself is ended, with and without a
// timeout(1), and the look goes on.
func TestBounded(t *testing.T) {
	t.Parallel()
	for name, seconds := range map[string]string{"timeout": "0.1", "perl": "1"} {
		if _, err := exec.LookPath(name); err != nil {
			continue // macOS has no timeout
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := parseStandin(t, plain+dpkg+"-- root/var/lib/rpm/Packages --\n-- bin/rpm --\n#!/bin/sh\nprintf 'bash\\t5-1\\tx86_64\\tV\\n'\nexec cat \"$HOME/fifo\"\n")
			if err := syscall.Mkfifo(filepath.Join(h.root, "root/fifo"), 0o600); err != nil {
				t.Fatal(err)
			}
			h.edit = func(s string) string { return strings.Replace(s, "bounded 40 rpm", "bounded "+seconds+" rpm", 1) }
			if name == "perl" {
				_ = os.Remove(filepath.Join(h.bin, "timeout"))
			}
			facts := h.facts(t)
			if want := []string{"rpm did not list its packages in time and was ended"}; !slices.Equal(facts.Incomplete, want) {
				t.Errorf("incomplete: %q, want %q", facts.Incomplete, want)
			}
			if len(facts.Packages) == 0 || facts.Packages[0].Manager != remediate.ManagerDpkg || len(facts.FreeSpace) != 1 {
				t.Errorf("the look is not whole: %+v", facts)
			}
		})
	}
}

// TestPaths asks for all kinds of things that can stand at a path, under
// names that shells stumble over.
func TestPaths(t *testing.T) {
	t.Parallel()
	h := parseStandin(t, plain+dpkg)
	dir := filepath.Join(h.root, "data")
	mkdir(t, filepath.Join(dir, "folder"))
	write(t, filepath.Join(dir, "file"), nil, 0o644)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"folder", "nowhere"} {
		if err := os.Symlink(link, filepath.Join(dir, "to-"+link)); err != nil {
			t.Fatal(err)
		}
	}
	want := []remediate.PathFact{}
	for name, kind := range map[string]remediate.PathKind{
		"folder": remediate.PathDir, "file": remediate.PathFile, "fifo": remediate.PathOther,
		"to-folder": remediate.PathLink, "to-nowhere": remediate.PathLink, "gone": remediate.PathAbsent,
		"gone/below": remediate.PathAbsent, "file/below": remediate.PathAbsent, "to-nowhere/below": remediate.PathAbsent,
	} {
		want = append(want, remediate.PathFact{Path: filepath.Join(dir, name), Kind: kind})
	}
	for _, name := range []string{"a b", "it's", `"quoted"`, "$(id)", "`id`", "a\nb", "a\tb", "*", "-n", `\n`, "ä", "\xff", "%s", "!x", "~", "&;|"} {
		write(t, filepath.Join(dir, name), nil, 0o644)
		want = append(want, remediate.PathFact{Path: filepath.Join(dir, name), Kind: remediate.PathFile})
	}
	for _, p := range want {
		h.ask = append(h.ask, p.Path)
	}
	// The answers' paths keep the tree's own place here.
	script := pathLine.ReplaceAllLiteralString(string(probe.Sh(remediate.Questions{Paths: h.ask}, nonce)), "PATH='"+h.bin+"'; export PATH")
	out := output(t, exec.CommandContext(t.Context(), "/bin/sh", "-c", `eval "$(cat)"`), script)
	facts, _, err := probe.Parse(out, nonce)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, facts.Paths); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDenied looks as a user who may not search a folder, nor read another.
func TestDenied(t *testing.T) {
	t.Parallel()
	h := parseStandin(t, plain+dpkg+"-- root/opt/shut/kesl/file --\n-- root/opt/open/file --\n-- root/etc/systemd/system/a.service --\n")
	h.ask = []string{"/opt/open/gone", "/opt/shut", "/opt/shut/kesl", "/opt/shut/kesl/deep/file"}
	for _, dir := range []string{"opt/shut", "etc/systemd/system"} {
		dir = filepath.Join(h.root, dir)
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	}
	if os.Getuid() == 0 {
		// root may do everything: look as nobody.
		for dir := h.root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		h.user = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	facts := h.facts(t)
	want := []remediate.PathFact{
		{Path: "/opt/open/gone", Kind: remediate.PathAbsent}, {Path: "/opt/shut", Kind: remediate.PathDir},
		{Path: "/opt/shut/kesl", Kind: remediate.PathDenied}, {Path: "/opt/shut/kesl/deep/file", Kind: remediate.PathDenied},
	}
	if diff := cmp.Diff(want, facts.Paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"/etc/systemd/system may not be read as root",
		"/opt/shut/kesl may not be looked at as root",
		"/opt/shut/kesl/deep/file may not be looked at as root",
	}, facts.Incomplete); diff != "" {
		t.Errorf("incomplete (-want +got):\n%s", diff)
	}
}
