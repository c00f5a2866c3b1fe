package lab

import (
	"strings"
	"testing"
)

func TestSystemctl(t *testing.T) {
	_, h := oneHost(t, "debian", kesl, klnagent)
	runSteps(t, h, []step{
		{"systemctl is-active kesl.service; systemctl is-enabled kesl", "active\nenabled\n", 0},
		{"systemctl list-unit-files --type=service --no-legend --no-pager --plain | grep kesl", "kesl.service                   enabled    enabled\n", 0},
		{"systemctl list-units --type=service --no-legend --plain | grep -c kesl; systemctl list-units --type=socket", "1\n", 0},
		{"pkill -f kaspersky/kesl; systemctl is-active kesl; echo $?; ps -e -o args= | grep -c kesl/libexec", "inactive\n3\n0\n", 1},
		{"systemctl start kesl; systemctl is-active kesl; ps -e -o args= | grep -c kesl/libexec", "active\n1\n", 0},
		{"systemctl --no-ask-password stop kesl.service && systemctl --no-ask-password disable kesl.service; systemctl is-active kesl; systemctl is-enabled kesl", "inactive\ndisabled\n", 1},
		{"systemctl show -p ActiveState,LoadState kesl none; systemctl show -p LoadState --value none", "LoadState=loaded\nActiveState=inactive\nLoadState=not-found\nActiveState=inactive\nnot-found\n", 0},
		{"systemctl mask --now kesl; systemctl start kesl; echo $?; systemctl unmask kesl; systemctl is-enabled kesl", "1\nenabled\nFailed to start kesl.service: Unit kesl.service is masked.\n", 0},
		{"systemctl stop none", "Failed to stop none.service: Unit none.service not loaded.\n", 5},
		{"systemctl disable none", "...Unit file none.service does not exist.", 1},
		{"systemctl is-enabled none", "...No such file or directory", 1},
		{"systemctl status none", "...could not be found", 4},
		{"systemctl status ssh", "...Active: active (running)", 0},
		{"systemctl -q is-active ssh && systemctl is-system-running", "running\n", 0},
		{"systemctl daemon-reload; systemctl frob", "Unknown command verb frob.\n", 1},
		{"systemctl --state=failed list-units", "...unrecognized option", 1},
		{"service kesl start; systemctl is-active kesl", "active\n", 0},
		{"dpkg --purge kesl >/dev/null; systemctl stop kesl; echo $?; systemctl list-unit-files | grep -c kesl", "...5\n0\n", 1},
	})
	if got := runAs(t, h, "ops", "systemctl stop klnagent64"); got.Exit != 4 || !strings.Contains(got.Err, "Interactive authentication required") {
		t.Errorf("systemctl by a user: %+v", got)
	}
	if got := run(t, h, "systemctl is-active klnagent64"); got.Exit != 0 {
		t.Errorf("a user has stopped a service: %+v", got)
	}
}

func TestOpenRC(t *testing.T) {
	_, h := oneHost(t, "alpine")
	runSteps(t, h, []step{
		{"systemctl stop x", "sh: systemctl: not found\n", 127},
		{"rc-service crond status; rc-service crond stop; rc-service crond status; echo $?; service crond start; rc-service crond status", " * status: started\n * status: stopped\n3\n * status: started\n", 0},
		{"rc-service none stop", "...does not exist", 1},
		{"[ -d /run/systemd/system ] || grep -c ^P: /lib/apk/db/installed", "76\n", 0},
	})
}

func TestSystemdRun(t *testing.T) {
	_, h := oneHostWith(t, Config{Speed: 1000}, lot{kind: kindNamed(t, "rhel")})
	runSteps(t, h, []step{
		{"systemd-run --quiet --collect --wait --unit=job --property=KillMode=process sh -c 'exit 3'; echo $?", "3\n", 0},
		{"systemd-run --unit=a sh -c 'echo $HOME $X >/tmp/out' x; systemd-run -q --wait --pipe -E X=1 sh -c 'echo [$HOME] $X; echo err >&2'", "[] 1\nRunning as unit: a.service\nerr\n", 0},
		{"systemd-run -u long sleep 1000000; systemctl is-active long; systemctl list-units | grep -c ^long; systemd-run -u long true; echo $?", "active\n1\n1\nRunning as unit: long.service\nFailed to start transient service unit: Unit long.service was already loaded or has a fragment file.\n", 0},
		{"systemctl stop long; systemctl is-active long; systemd-run -q --wait -u long true", "inactive\n", 0},
		{"systemd-run -q -u ssh true", "", 0},
		{"systemd-run -q -u sshd true", "...already loaded", 1},
		{"systemd-run none", "...Failed to find executable none", 1},
		{"systemd-run --scope true", "...does not know --scope", 1},
		{"systemd-run", "...Command line to execute required", 1},
	})
	if got := runAs(t, h, "deploy", "systemd-run true"); got.Exit != 1 {
		t.Errorf("systemd-run by a user: %+v", got)
	}
}

// TestDetached: what was detached outlives its session and its connection,
// and nothing else does.
func TestDetached(t *testing.T) {
	for _, kind := range []string{"debian", "alpine"} {
		f, h := oneHostWith(t, Config{Speed: 1000}, lot{kind: kindNamed(t, kind)})
		detach := "setsid sh -c 'sleep 300; echo $PPID >/tmp/setsid' & nohup sh -c 'sleep 300; echo done >/tmp/nohup' >/dev/null 2>&1 &"
		if kind == "debian" {
			detach += "\nsystemd-run -q sh -c 'sleep 300; echo done >/tmp/systemd'"
		}
		client := dial(t, f, h, "root")
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		s.Stdin = strings.NewReader(detach + "\nsh -c 'sleep 300; echo not >/tmp/plain' &\necho started; sleep 1000000")
		if err := s.Start(shLine); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 7)); err != nil {
			t.Fatal(err)
		}
		_ = client.Close()
		want := "/tmp/nohup\n/tmp/setsid\n"
		if kind == "debian" {
			want += "/tmp/systemd\n"
		}
		got := run(t, h, "n=0; until [ $(ls /tmp | wc -l) -ge 2 ] && sleep 300 || [ $n -gt 100 ]; do sleep 60; n=$((n + 1)); done; ls -d /tmp/*; cat /tmp/setsid")
		if got.Out != want+"1\n" {
			t.Errorf("%s: left in /tmp: %+v, want %q", kind, got, want)
		}
	}
}

// TestReboot: jobs die, the boot id changes, /run is empty, and what is enabled
// runs again.
func TestReboot(t *testing.T) {
	f, h := oneHostWith(t, Config{Speed: 1000}, lot{kind: kindNamed(t, "debian"), products: setOf(kesl, klnagent)})
	client := dial(t, f, h, "root")
	before := run(t, h, "cat /proc/sys/kernel/random/boot_id").Out
	runSteps(t, h, []step{
		{"echo x >/run/mark; mkdir /run/d; echo kept >/root/f; systemctl stop klnagent64; systemctl disable --now kesl", "", 0},
		{"systemd-run -q -u job sh -c 'sleep 100000; echo not >/root/job'; systemctl is-active job", "active\n", 0},
		{"[ $(sysctl -n kernel.random.boot_id) = $(cat /proc/sys/kernel/random/boot_id) ]", "", 0},
	})
	if err := f.Reboot("lab-0001"); err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(); err == nil {
		t.Error("the connection outlived the reboot")
	}
	if after := run(t, h, "cat /proc/sys/kernel/random/boot_id").Out; after == before || len(after) != 37 {
		t.Errorf("boot id %q after the reboot, %q before", after, before)
	}
	runSteps(t, h, []step{
		{"ls /run; cat /root/f; ls /root", "lock\nsystemd\nuser\nkept\nf\n", 0},
		{"systemctl is-active job klnagent64 kesl", "inactive\nactive\ninactive\n", 3},
		{"read -r up rest </proc/uptime; [ ${up%.*} -lt 100000 ] && echo young; ps -e -o pid=,comm= | grep -c sleep", "young\n0\n", 1},
	})
	if a := remote(t, dial(t, f, h, "root"), "id -u", ""); a.Out != "0\n" {
		t.Errorf("a login after the reboot: %+v", a)
	}
	if a := runAs(t, h, "ops", "/sbin/reboot"); a.Exit != 1 {
		t.Errorf("a user may reboot: %+v", a)
	}
}

// TestRebootByScript: a script may restart its host.
func TestRebootByScript(t *testing.T) {
	f, h := oneHostWith(t, Config{Speed: 1000}, lot{kind: kindNamed(t, "rhel")})
	before, err := f.State("lab-0001")
	if err != nil {
		t.Fatal(err)
	}
	client := dial(t, f, h, "root")
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run("/bin/sh -c 'shutdown -r now; sleep 1000000'"); err == nil {
		t.Error("the command outlived the reboot")
	}
	_ = client.Wait()
	waitFor(t, func() bool {
		after, err := f.State("lab-0001")
		return err == nil && after.BootID != before.BootID
	})
}
