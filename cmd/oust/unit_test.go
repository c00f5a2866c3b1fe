package main

import (
	"os"
	"strings"
	"testing"

	"oust/remediate"
	"oust/transports/ssh"
)

// TestUnitPaths: odd paths come out of systemd's own reading as they were.
func TestUnitPaths(t *testing.T) {
	unit, err := unitText(`/opt/$x/oust`, `/srv/a b/100%/c$d"e`, "/root/.ssh")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`ExecStart="/opt/$x/oust" -C "/srv/a b/100%%/c$$d\"e" --log-level`,
		`ReadWritePaths="/srv/a b/100%%/c$d\"e"` + "\n", `ReadWritePaths="-/root/.ssh"` + "\n", `Description=oust: campaign c$d"e` + "\n",
	} {
		if !strings.Contains(unit, want) {
			t.Errorf("the unit has no %s:\n%s", want, unit)
		}
	}
	if _, err := unitText("/oust", "/a\n[Service]\nExecStart=/bin/sh", ""); err == nil {
		t.Error("a path with a line break has got into the unit")
	}
}

// TestUnitKnownHosts: a service that may add host keys may write their file.
func TestUnitKnownHosts(t *testing.T) {
	t.Setenv("HOME", "/home/ops")
	for _, test := range []struct {
		s    remediate.SSHSettings
		want string
	}{
		{remediate.SSHSettings{}, ""},
		{remediate.SSHSettings{HostKeys: ssh.HostKeysAcceptNew}, "/home/ops/.ssh"},
		{remediate.SSHSettings{HostKeys: ssh.HostKeysAcceptNew, KnownHosts: []string{"/etc/oust/known_hosts", "/x/y"}}, "/etc/oust"},
	} {
		if got := writtenKnownHosts(remediate.Campaign{Dir: "/c", SSH: test.s}); got != test.want {
			t.Errorf("%+v: %q, want %q", test.s, got, test.want)
		}
	}
}

// TestHome: a process without HOME finds the home of its user.
func TestHome(t *testing.T) {
	want, err := os.UserHomeDir()
	if err != nil || want == "" {
		t.Skip("this user has no home")
	}
	t.Setenv("HOME", "")
	setHome()
	if got := os.Getenv("HOME"); got == "" {
		t.Error("there is no HOME still")
	}
}
