package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"oust/remediate"
	"oust/transports/transporttest/sshdlab"
)

// realCampaign writes a campaign folder for real hosts.
func realCampaign(t *testing.T, l *sshdlab.Lab, credential string) string {
	t.Helper()
	dir := t.TempDir()
	yaml := fmt.Sprintf(`campaign: real
mandate: bod-17-01
issued: 2026-10-01
inventory: [hosts.csv]
playbooks: [kaspersky]
credentials:
  real: %s
defaults: {transport: ssh, credential: real, platform: linux}
ssh: {known_hosts: %s, host_keys: strict, config: none}
waves: [1, 5, 100%%]
stop: {failed: 100%%, failed_hosts: 100, unreachable: 100%%}
timing: {connect: 20s, poll: 1s, busy_wait: 2s, launch_wait: 30s}
`, strings.ReplaceAll(credential, "KEY", l.KeyFile), l.KnownHosts)
	hosts := "name,address,port\n"
	for _, h := range l.Hosts {
		hosts += fmt.Sprintf("%s,%s,%d\n", h.Name, h.Addr, h.Port)
	}
	for name, text := range map[string]string{"campaign.yaml": yaml, "hosts.csv": hosts} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const rootCredential = "{user: root, key: KEY}"

// TestFortyRealHosts is the whole way on forty real sshd hosts: once with all
// well, and once with a fault of each kind on six of them.
func TestFortyRealHosts(t *testing.T) {
	t.Parallel()
	l := sshdlab.Start(t, sshdlab.Options{Hosts: 40})
	t.Run("all well", func(t *testing.T) { fortyWell(t, l) })
	if err := l.Reset(); err != nil {
		t.Fatal(err)
	}
	t.Run("six faults", func(t *testing.T) { fortyFaulty(t, l) })
}

func fortyWell(t *testing.T, l *sshdlab.Lab) {
	dir := realCampaign(t, l, rootCredential)
	plan := filepath.Join(dir, "plan.json")
	must(t, 0, dir, "scan")
	if s := status(t, dir); s.Standing[remediate.StandPresent] != 40 {
		t.Fatalf("after scan: %+v", s)
	}
	must(t, 0, dir, "plan", "-o", plan)
	must(t, 0, dir, "apply", plan)
	for i, h := range l.Hosts {
		if out, exit := l.Exec(i, "dpkg-query", "-W", "-f", "${db:Status-Abbrev}", "kesl"); exit == 0 {
			t.Errorf("%s: dpkg still knows kesl: %s", h.Name, out)
		}
		if n := l.Uninstalls(i); n != 1 {
			t.Errorf("%s: the uninstaller ran %d times", h.Name, n)
		}
	}
	must(t, 0, dir, "verify")
	s := status(t, dir)
	if s.Standing[remediate.StandRemoved] != 40 || s.Hosts != 40 || failures(s) != 0 {
		t.Errorf("after apply: %+v", s)
	}

	before := snapshots(l)
	ends := endings(t, must(t, 0, dir, "apply", plan, "--json").Out)
	if n := count(ends, "nothing-to-do"); n != 40 {
		t.Errorf("second apply: %v", ends)
	}
	unchanged(t, l, before)
}

func fortyFaulty(t *testing.T, l *sshdlab.Lab) {
	dir := realCampaign(t, l, rootCredential)
	plan := filepath.Join(dir, "plan.json")
	must(t, 0, dir, "scan")
	must(t, 0, dir, "plan", "-o", plan)
	const changed, refused, down, locked, fails, pretends = 3, 9, 15, 21, 27, 33
	l.ChangeHostKey(changed)
	l.RefuseLogins(refused)
	l.Stop(down)
	defer l.HoldPackageLock(locked)()
	l.SetFault(fails, "postrm-fails")
	l.SetFault(pretends, sshdlab.Pretend)

	got := endings(t, must(t, 2, dir, "apply", plan, "--json").Out)
	want := map[string]string{}
	for _, h := range l.Hosts {
		want[h.Name] = "removed"
	}
	for i, class := range map[int]string{
		changed: "untrusted", refused: "auth", down: "unreachable", locked: "busy", fails: "uninstaller", pretends: "still-present",
	} {
		want[l.Hosts[i].Name] = "failed " + class
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endings (-want +got):\n%s", diff)
	}
	for i, h := range l.Hosts {
		if want[h.Name] == "removed" && l.Installed(i, "kesl") {
			t.Errorf("%s: called removed, and dpkg has kesl", h.Name)
		}
	}
	s := status(t, dir)
	for _, class := range []remediate.Class{"untrusted", "auth", "unreachable", "busy", "uninstaller", "still-present"} {
		if s.Failed[class] != 1 {
			t.Errorf("status: %d hosts of class %s, want 1", s.Failed[class], class)
		}
	}
	if failures(s) != 6 || s.Standing[remediate.StandRemoved] != 34 {
		t.Errorf("status: %+v", s)
	}
}

func count(ends map[string]string, end string) int {
	n := 0
	for e := range maps.Values(ends) {
		if e == end {
			n++
		}
	}
	return n
}

// snapshots takes down the tree of every host.
func snapshots(l *sshdlab.Lab) []sshdlab.Snapshot {
	out := make([]sshdlab.Snapshot, len(l.Hosts))
	for i := range l.Hosts {
		out[i] = l.Snapshot(i)
	}
	return out
}

func unchanged(t *testing.T, l *sshdlab.Lab, before []sshdlab.Snapshot) {
	t.Helper()
	for i, h := range l.Hosts {
		if diff := before[i].Diff(l.Snapshot(i)); len(diff) > 0 {
			t.Errorf("%s was changed:\n%s", h.Name, strings.Join(diff, "\n"))
		}
	}
}

// TestLookingChangesNothing compares whole file trees: scan, verify and a dry
// run leave a host as it was, as root and by sudo, with dpkg and with rpm.
func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	for name, credential := range map[string]string{
		"root":                 rootCredential,
		"sudo":                 "{user: nopw, key: KEY, become: sudo}",
		"sudo with a password": "{user: ops, key: KEY, become: sudo, become_password: 'env:OUST_TEST_PASSWORD'}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := sshdlab.Start(t, sshdlab.Options{Hosts: 2, RPM: 1, Packages: sshdlab.All})
			dir := realCampaign(t, l, credential)
			plan := filepath.Join(dir, "plan.json")
			before := snapshots(l)
			look := func(want int, args ...string) result {
				t.Helper()
				c := command(t, dir, args...)
				c.Env = append(c.Env, "OUST_TEST_PASSWORD="+sshdlab.OpsPassword)
				var out, errOut bytes.Buffer
				c.Stdout, c.Stderr = &out, &errOut
				if err := c.Run(); c.ProcessState == nil || c.ProcessState.ExitCode() != want {
					t.Fatalf("oust %v: %v\n%s\n%s", args, err, &out, &errOut)
				}
				return result{Out: out.String()}
			}
			look(0, "scan")
			look(0, "plan", "-o", plan)
			ends := endings(t, look(0, "apply", plan, "--dry-run", "--json").Out)
			if count(ends, "ready") != 3 {
				t.Errorf("dry run: %v", ends)
			}
			look(2, "verify")
			unchanged(t, l, before)
			if n := l.Uninstalls(0) + l.Uninstalls(1) + l.Uninstalls(2); n != 0 {
				t.Errorf("%d uninstallers ran", n)
			}
		})
	}
}

// TestStaleHostIsUntouched: a host that has changed since the plan ends stale
// and keeps every file as it was; a host that has moved is not even dialled.
func TestStaleHostIsUntouched(t *testing.T) {
	t.Parallel()
	l := sshdlab.Start(t, sshdlab.Options{Hosts: 3})
	dir := realCampaign(t, l, rootCredential)
	plan := filepath.Join(dir, "plan.json")
	must(t, 0, dir, "scan")
	must(t, 0, dir, "plan", "-o", plan)
	l.Install(0, "klnagent64")
	edit(t, filepath.Join(dir, "hosts.csv"), l.Hosts[1].Name+","+l.Hosts[1].Addr, l.Hosts[1].Name+","+l.Hosts[2].Addr)
	before := snapshots(l)
	r := must(t, 2, dir, "apply", plan, "--json")
	want := map[string]string{l.Hosts[0].Name: "stale", l.Hosts[1].Name: "stale", l.Hosts[2].Name: "removed"}
	if diff := cmp.Diff(want, endings(t, r.Out)); diff != "" {
		t.Errorf("endings (-want +got):\n%s\n%s", diff, r.Out)
	}
	for i := range 2 {
		if diff := before[i].Diff(l.Snapshot(i)); len(diff) > 0 {
			t.Errorf("%s was changed:\n%s", l.Hosts[i].Name, strings.Join(diff, "\n"))
		}
	}
}
