package lab

import (
	"strings"
	"testing"
	"time"
)

// step is a script on a host and what it must print on both streams.
type step struct {
	script, want string
	exit         int
}

// runSteps runs scripts one after the other, as root. A want that begins with
// "..." need only be in what is printed.
func runSteps(t *testing.T, h *host, steps []step) {
	t.Helper()
	for _, s := range steps {
		got := run(t, h, s.script)
		printed := got.Out + got.Err
		part, partly := strings.CutPrefix(s.want, "...")
		if got.Exit != s.exit || !partly && printed != s.want || partly && !strings.Contains(printed, part) {
			t.Errorf("%s\nexit %d, prints %q\nwant exit %d, %q", s.script, got.Exit, printed, s.exit, s.want)
		}
	}
}

// status asks dpkg for the state of the products.
const status = "dpkg-query -W -f '${binary:Package} ${Status}\\n' kesl kesl-gui klnagent64 2>/dev/null; true"

func TestDpkgQuery(t *testing.T) {
	_, h := oneHost(t, "debian", kesl)
	runSteps(t, h, []step{
		{"dpkg-query -W kesl bash", "kesl\t12.1.0-1508\nbash\t5.2.15-2+b8\n", 0},
		{`dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${Status}\n' kesl`, "kesl\t12.1.0-1508\tamd64\tinstall ok installed\n", 0},
		{`dpkg-query -W -f '${db:Status-Abbrev}${Package} ${Maintainer}\n' 'kes*'`, "ii kesl AO Kaspersky Lab <lab@oust.invalid>\n", 0},
		{"dpkg-query -W none kesl", "kesl\t12.1.0-1508\ndpkg-query: no packages found matching none\n", 1},
		{"dpkg -l kesl | grep ^ii", "...ii  kesl           12.1.0-1508", 0},
		{"dpkg -s kesl", "...\nStatus: install ok installed\n", 0},
		{"dpkg -s none", "...package 'none' is not installed and no information is available", 1},
		{"dpkg -L kesl", "...\n/opt/kaspersky/kesl/libexec/kesl\n", 0},
		{"grep -c ^Package: /var/lib/dpkg/status; dpkg-query -W | wc -l", "187\n187\n", 0},
		{"dpkg --print-architecture", "amd64\n", 0},
		{"dpkg", "dpkg: error: need an action option\n", 2},
		{"dpkg --no-such-option", "...unrecognized option", 2},
	})
}

// TestDpkgStates: remove leaves configuration and data, purge takes them too.
func TestDpkgStates(t *testing.T) {
	_, h := oneHost(t, "debian", kesl, keslGUI, klnagent)
	leftovers := "for p in /opt/kaspersky/kesl /etc/opt/kaspersky/kesl /var/opt/kaspersky/kesl /var/log/kaspersky/kesl /opt/kaspersky; do [ -e $p ] && echo $p; done; true"
	runSteps(t, h, []step{
		{"dpkg --remove kesl", "...kesl-gui depends on kesl.\n", 1},
		{status, "kesl install ok installed\nkesl-gui install ok installed\nklnagent64 install ok installed\n", 0},
		{"dpkg --remove kesl kesl-gui", "...Removing kesl-gui (12.1.0-1508) ...\nRemoving kesl (12.1.0-1508) ...\n", 0},
		{status, "kesl deinstall ok config-files\nkesl-gui deinstall ok config-files\nklnagent64 install ok installed\n", 0},
		{leftovers, "/etc/opt/kaspersky/kesl\n/var/opt/kaspersky/kesl\n/var/log/kaspersky/kesl\n/opt/kaspersky\n", 0},
		{"dpkg --remove kesl", "...only the config\n files of which are on the system", 0},
		{"dpkg --purge kesl", "...Purging configuration files for kesl", 0},
		{"dpkg --purge kesl-gui:amd64 none", "...ignoring request to remove none which isn't installed", 0},
		{status, "klnagent64 install ok installed\n", 0},
		{leftovers, "/opt/kaspersky\n", 0},
		{"dpkg --purge klnagent64", "...Purging", 0},
		{leftovers + "; ls /var/opt /etc/opt; dpkg --purge klnagent64", "...ignoring request to remove klnagent64 which isn't installed", 0},
		{"dpkg --purge", "...needs at least one package name", 2},
	})
	want := map[string]int{"kesl": 1, "kesl-gui": 1, "klnagent64": 1}
	if got := h.fleet.Counts()["lab-0001"]; len(got) != 3 || got["kesl"] != want["kesl"] {
		t.Errorf("uninstallers started: %v, want %v", got, want)
	}
	if got := runAs(t, h, "deploy", "dpkg --purge bash"); got.Exit != 2 || !strings.Contains(got.Err, "superuser privilege") {
		t.Errorf("dpkg by a user: %+v", got)
	}
}

// TestDpkgScriptFails: the package stays half-installed, and the next try
// starts over.
func TestDpkgScriptFails(t *testing.T) {
	f, h := oneHostWith(t, Config{}, lot{kind: kindNamed(t, "ubuntu"), products: setOf(kesl, klnagent), fault: faultUninstaller})
	runSteps(t, h, []step{
		{"dpkg --purge kesl klnagent64", "...\n installed kesl package post-removal script subprocess returned error exit status 1\nErrors were encountered while processing:\n kesl\n", 1},
		{status, "kesl purge ok half-installed\n", 0},
	})
	if err := f.SetFault("lab-0001", ""); err != nil {
		t.Fatal(err)
	}
	runSteps(t, h, []step{{"dpkg --purge kesl", "...Purging", 0}, {status, "", 0}})
	if got := f.Counts()["lab-0001"]["kesl"]; got != 2 {
		t.Errorf("the uninstaller of kesl was started %d times, want 2", got)
	}
}

func TestRPM(t *testing.T) {
	for _, kind := range []string{"rhel", "sles"} {
		_, h := oneHost(t, kind, kesl, keslGUI, klnagent)
		runSteps(t, h, []step{
			{"rpm -q kesl none", "kesl-12.1.0-1508.x86_64\npackage none is not installed\n", 1},
			{"rpm -q --qf '=%{NAME}\\n' kesl a b", "=kesl\npackage a is not installed\npackage b is not installed\n", 2},
			{"rpm -q --qf '%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{VENDOR}\\n' kesl", "kesl\t12.1.0-1508\tx86_64\tAO Kaspersky Lab\n", 0},
			{"rpm -q --qf '%{EPOCH}%%%|EPOCH?{e}:{n}|' kesl", "(none)%n", 0},
			{"rpm -q --qf '%{NAME' kesl", "error: incorrect format: missing } after %{\n", 1},
			{"rpm -qa | grep -c -e kesl -e klnagent", "3\n", 0},
			{"rpm -e none kesl", "error: package none is not installed\n", 1},
			{"rpm -e kesl", "error: Failed dependencies:\n\tkesl is needed by (installed) kesl-gui-12.1.0-1508.x86_64\n", 1},
			{"rpm -q kesl kesl-gui klnagent64 | grep -c not", "0\n", 1},
			{"rpm -e kesl kesl-gui", "", 0},
			{"rpm -q kesl kesl-gui klnagent64 | grep -c not", "2\n", 0},
			{"[ -e /opt/kaspersky/kesl ] || ls /var/opt/kaspersky/kesl/private /etc/opt/kaspersky/kesl", "/var/opt/kaspersky/kesl/private:\nstorage.db\n\n/etc/opt/kaspersky/kesl:\nkesl.ini\n", 0},
			{"rpm", "...rpm: ", 1},
		})
		if got := runAs(t, h, "deploy", "rpm -e klnagent64"); got.Exit != 1 || !strings.Contains(got.Err, "Permission denied") {
			t.Errorf("rpm by a user: %+v", got)
		}
	}
}

// TestRPMScriptFails: rpm leaves the package as it is and goes on.
func TestRPMScriptFails(t *testing.T) {
	_, h := oneHostWith(t, Config{}, lot{kind: kindNamed(t, "rhel"), products: setOf(kesl, klnagent), fault: faultUninstaller})
	runSteps(t, h, []step{
		{"rpm -e kesl klnagent64", "...error: %preun(kesl-12.1.0-1508.x86_64) scriptlet failed, exit status 1\nerror: kesl-12.1.0-1508.x86_64: erase failed\n", 1},
		{"rpm -q kesl klnagent64; [ -e /opt/kaspersky/kesl/libexec/kesl ] && systemctl is-enabled kesl", "kesl-12.1.0-1508.x86_64\npackage klnagent64 is not installed\nenabled\n", 0},
	})
}

// TestUninstallerFaults: what lies and what leaves residue, by both managers.
func TestUninstallerFaults(t *testing.T) {
	for kind, remove := range map[string]string{"debian": "dpkg --purge kesl >/dev/null", "sles": "rpm -e kesl"} {
		_, h := oneHostWith(t, Config{}, lot{kind: kindNamed(t, kind), products: setOf(kesl), fault: faultLies})
		runSteps(t, h, []step{
			{remove + "; systemctl is-active kesl; ls /etc/opt/kaspersky/kesl /opt/kaspersky/kesl/bin", "active\n/etc/opt/kaspersky/kesl:\nkesl.ini\n\n/opt/kaspersky/kesl/bin:\nkesl-control\n", 0},
		})
		if h.packageNamed("kesl") == nil {
			t.Errorf("%s: the package is gone", kind)
		}
		for _, p := range []*product{kesl, klnagent} {
			_, h = oneHostWith(t, Config{}, lot{kind: kindNamed(t, kind), products: setOf(p), fault: faultResidue})
			runSteps(t, h, []step{
				{strings.ReplaceAll(remove, "kesl", p.name), "", 0},
				{"rm -rf /opt/kaspersky 2>&1", "rm: cannot remove '" + p.residue + "': Operation not permitted\n", 1},
				{"mv " + p.residue + " /tmp; echo x >" + p.residue + "; chmod 777 " + p.residue + "; ls " + p.residue, "..." + p.residue + "\n", 0},
			})
			if h.packageNamed(p.name) != nil {
				t.Errorf("%s: the package is still there", kind)
			}
		}
	}
}

// TestPackageLock: who holds the lock is named, as the package manager and as
// /proc say it, and what wants it fails.
func TestPackageLock(t *testing.T) {
	f, h := oneHostWith(t, Config{}, lot{kind: kindNamed(t, "debian"), products: setOf(kesl), fault: faultLock})
	runSteps(t, h, []step{
		{"ps -e -o comm= | grep unatt", "unattended-upgr\n", 0},
		{"dpkg --purge kesl", "...dpkg frontend lock was locked by another process with pid 1201\n", 2},
		{"DPKG_FRONTEND_LOCKED=1 dpkg --purge kesl", "...dpkg database lock was locked by another process", 2},
		{"i=$(stat -c %i /var/lib/dpkg/lock); grep -c \":$i 0 EOF\" /proc/locks", "1\n", 0},
		{status, "kesl install ok installed\n", 0},
		{"kill 1201; dpkg --purge kesl", "...Purging", 0},
	})
	if len(f.Counts()["lab-0001"]) != 1 {
		t.Errorf("counts: %v", f.Counts())
	}
	f, h = oneHostWith(t, Config{}, lot{kind: kindNamed(t, "sles"), products: setOf(kesl), fault: faultLock})
	runSteps(t, h, []step{
		{"rpm -e kesl", "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)\n", 1},
		{"rpm -q kesl; i=$(stat -c %i /usr/lib/sysimage/rpm/.rpm.lock); grep -c \":$i 0 EOF\" /proc/locks", "kesl-12.1.0-1508.x86_64\n1\n", 0},
	})
	if err := f.SetFault("lab-0001", ""); err != nil {
		t.Fatal(err)
	}
	runSteps(t, h, []step{{"rpm -e kesl; grep -c POSIX /proc/locks", "0\n", 1}})
}

// TestLockBetweenTwo: one package manager at a time, and its lock ends with it.
func TestLockBetweenTwo(t *testing.T) {
	_, h := oneHostWith(t, Config{Speed: 1000}, lot{kind: kindNamed(t, "debian"), products: setOf(kesl, klnagent), fault: faultHangs})
	runSteps(t, h, []step{
		{"dpkg --purge kesl >/dev/null & p=$!; until grep -q POSIX /proc/locks; do sleep 1; done; dpkg --purge klnagent64; echo $?; kill -KILL $p; wait $p; echo $?", "...dpkg frontend lock was locked", 0},
		{"dpkg --purge klnagent64", "...Purging", 0},
		{status, "kesl purge ok half-installed\n", 0},
	})
}

// TestUninstallTakesTime: an uninstaller takes its host's time, which is the
// same each time.
func TestUninstallTakesTime(t *testing.T) {
	_, a := oneHost(t, "debian", kesl)
	_, b := oneHost(t, "debian", kesl)
	if a.duration(kesl) != b.duration(kesl) || a.duration(kesl) < kesl.takes/2 || a.duration(kesl) > 2*kesl.takes {
		t.Errorf("the uninstaller takes %v and %v", a.duration(kesl), b.duration(kesl))
	}
	before := a.now()
	run(t, a, "dpkg --purge kesl")
	if took := a.now().Sub(before); took < a.duration(kesl) {
		t.Errorf("it took %v of the host's time, want %v", took.Round(time.Second), a.duration(kesl))
	}
}
