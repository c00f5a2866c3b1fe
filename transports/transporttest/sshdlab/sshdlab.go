// Package sshdlab runs real hosts for tests: Debian and RPM file trees on
// overlay mounts, each in namespaces of its own with a real sshd on its own
// loopback address, and lab packages installed by the real dpkg and rpm.
//
// It needs root on a Debian machine and the roots that testdata/hosts/setup.sh
// builds. Where these lack, Start skips the test and says why; with the
// environment variable OUST_NO_SKIP=1 it fails instead. Forty hosts start in
// about two seconds. Nothing outlives the test process, even if it is killed:
// see testdata/hosts/keeper.sh.
package sshdlab

import (
	"net"
	"os"
	"strconv"
	"testing"
)

// OpsPassword is the password of every user of a host but root, who has none.
// Its characters are there to trip whoever quotes badly.
const OpsPassword = "oust lab $password"

// Users of every host. All of them log in with Lab.KeyFile, all but root also
// with OpsPassword.
const (
	Root   = "root"
	Ops    = "ops"    // sudo asks for the password
	Nopw   = "nopw"   // sudo asks nothing
	Nosudo = "nosudo" // not in sudoers
	Fishy  = "fishy"  // login shell fish; sudo asks nothing
	Tcshy  = "tcshy"  // login shell tcsh; sudo asks nothing
	Noisy  = "noisy"  // bashrc prints on stdout and stderr; sudo asks nothing
)

// Packages says which lab packages a host starts with.
type Packages string

// What can stand installed on a host. The zero value is KESL.
const (
	KESL Packages = "kesl"
	All  Packages = "all" // kesl, kesl-gui, klnagent64
	None Packages = "none"
)

// Kind is the package manager of a host.
type Kind string

// The kinds of hosts.
const (
	Deb Kind = "deb"
	RPM Kind = "rpm"
)

// Options says what lab to start. Its zero value has no hosts.
type Options struct {
	// Hosts is the number of Debian hosts, RPM that of hosts with rpm; they
	// stand in this order in Lab.Hosts. Together at most 250.
	Hosts, RPM int
	Packages   Packages
	// MaxStartups is sshd's setting of that name; "" means 1000:30:2000,
	// which drops nobody.
	MaxStartups string
	// KbdInteractive makes sshd take passwords by keyboard-interactive only.
	KbdInteractive bool
	// SSHD is appended to sshd_config, before the Match blocks that it may have.
	SSHD string
}

// Host is one host of a lab.
type Host struct {
	Name string
	// Addr is an address of 127.1.0.0/16, Port 22 unless this machine's own
	// sshd has taken that on all addresses.
	Addr string
	Port int
	// Root is a path by which the test reads and writes the host's file
	// tree, also while the host is down. Symbolic links in it that begin
	// with / lead out of it; /proc, /run and the like are empty there.
	Root string
	Kind Kind
}

// endpoint is the host's address and port in one.
func (h Host) endpoint() string { return net.JoinHostPort(h.Addr, strconv.Itoa(h.Port)) }

// Lab is a set of running hosts that ends with its test. Its methods fail the
// test when they cannot do their work; call them from the test's goroutine
// only. Fleet has the same abilities with errors.
type Lab struct {
	*Fleet
	t testing.TB
}

// Start starts the hosts and returns when all of them answer. They are stopped
// by t.Cleanup.
func Start(t testing.TB, o Options) *Lab {
	t.Helper()
	if reason := Missing(); reason != "" {
		if os.Getenv("OUST_NO_SKIP") == "1" {
			t.Fatalf("real hosts: %s (and OUST_NO_SKIP=1 forbids to skip)", reason)
		}
		t.Skipf("real hosts: %s", reason)
	}
	f, err := Open(o)
	if err != nil {
		t.Fatalf("real hosts: %v", err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("real hosts: %v", err)
		}
	})
	return &Lab{Fleet: f, t: t}
}

func (l *Lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// Exec runs a command as root inside a host, past sshd, and returns what it
// printed on both outputs and its exit code: the ground truth of a test.
func (l *Lab) Exec(i int, command ...string) (output string, exit int) {
	l.t.Helper()
	output, exit, err := l.Fleet.Exec(i, command...)
	l.must(err)
	return output, exit
}

// Stop cuts a host's power. Its disk stays.
func (l *Lab) Stop(i int) {
	l.t.Helper()
	l.must(l.Fleet.Stop(i))
}

// Restart cuts a host's power and boots it again: the disk stays, /run is
// empty, and the boot id is another.
func (l *Lab) Restart(i int) {
	l.t.Helper()
	l.must(l.Fleet.Restart(i))
}

// SetMinute sets how long a minute of a host's shutdown(8) lasts, in seconds; at
// first it is 60.
func (l *Lab) SetMinute(i, seconds int) {
	l.t.Helper()
	l.must(l.Fleet.SetMinute(i, seconds))
}

// LogOn has a person logged on to a host, as who(1) sees it, until the host
// restarts.
func (l *Lab) LogOn(i int) {
	l.t.Helper()
	l.must(l.Fleet.LogOn(i))
}

// Shutdowns lists the restarts that shutdown(8) and reboot(8) of a host were
// asked for.
func (l *Lab) Shutdowns(i int) []Shutdown {
	l.t.Helper()
	s, err := l.Fleet.Shutdowns(i)
	l.must(err)
	return s
}

// ChangeHostKey gives a host another host key, which Lab.KnownHosts does not
// have, by restarting it.
func (l *Lab) ChangeHostKey(i int) {
	l.t.Helper()
	l.must(l.Fleet.ChangeHostKey(i))
}

// Snapshot lists how a host's file tree differs from the image it stands on.
func (l *Lab) Snapshot(i int) Snapshot {
	l.t.Helper()
	s, err := l.Fleet.Snapshot(i)
	l.must(err)
	return s
}

// HoldPackageLock lets a process in the host hold the locks that dpkg and apt,
// or rpm, take, until release is called or the host stops.
func (l *Lab) HoldPackageLock(i int) (release func()) {
	l.t.Helper()
	release, err := l.Fleet.HoldPackageLock(i)
	l.must(err)
	return release
}

// SetFault says how removals on a host misbehave: see
// testdata/packages/README.md, and Pretend. No fault means that they behave.
func (l *Lab) SetFault(i int, faults ...string) {
	l.t.Helper()
	l.must(l.Fleet.SetFault(i, faults...))
}

// Install installs lab packages by name with dpkg or rpm.
func (l *Lab) Install(i int, packages ...string) {
	l.t.Helper()
	l.must(l.Fleet.Install(i, packages...))
}

// Uninstalls counts how often an uninstaller of the lab packages has been
// started on a host.
func (l *Lab) Uninstalls(i int) int {
	l.t.Helper()
	n, err := l.Fleet.Uninstalls(i)
	l.must(err)
	return n
}

// Installed reports whether the host's own package manager lists the package
// as installed.
func (l *Lab) Installed(i int, name string) bool {
	l.t.Helper()
	ok, err := l.Fleet.Installed(i, name)
	l.must(err)
	return ok
}

// RefuseLogins makes a host refuse Lab.KeyFile for every user, at once.
func (l *Lab) RefuseLogins(i int) {
	l.t.Helper()
	l.must(l.Fleet.RefuseLogins(i))
}

// DropLogins kills the sshd processes of all logins of a host, as a network
// driver that goes away would end them. New logins work.
func (l *Lab) DropLogins(i int) {
	l.t.Helper()
	l.must(l.Fleet.DropLogins(i))
}

// Freeze stops a host's sshd: the kernel still accepts connections, and nobody
// says a word on them, until thaw is called or the host stops.
func (l *Lab) Freeze(i int) (thaw func()) {
	l.t.Helper()
	thaw, err := l.Fleet.Freeze(i)
	l.must(err)
	return thaw
}
