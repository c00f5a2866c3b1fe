package playbooks

import "testing"

// TestOwned: a path is the product's own by a whole word in it.
func TestOwned(t *testing.T) {
	cases := []struct {
		name string
		owns []string
		path string
		want bool
	}{
		{"acme/widget", nil, "/var/lib/widget", true},
		{"acme/widget", nil, "/opt/ACME/other", true},
		{"acme/widget", nil, "/opt/acme64/x", true},
		{"acme/widget", nil, "/etc/acme-tools.conf", true},
		{"acme/widget", nil, "/etc/com.acme.x", true},
		{"acme/widget", nil, "/var/lib/acmeist", false},
		{"acme/widget", nil, "/var/lib/pacme/acmex/acme", true},
		{"acme/widget", nil, "/var/lib/übacme", false},
		{"acme/widget", nil, "/var/lib/mysql", false},
		{"x/ab", nil, "/opt/x/ab", false},
		{"x/ab", []string{"xab"}, "/opt/xab", true},
		{"acme/agent", nil, "/opt/datadog-agent", false},
		{"common/server", nil, "/opt/common/server", false},
		{"acme/lib", nil, "/usr/local/lib/x", false},
		{"acme/widget", nil, `C:\Program Files\Acme`, true},
		{"acme/widget", nil, `D:\Tools\widget`, true},
		{"acme/widget", nil, `HKLM\SYSTEM\CurrentControlSet\Services\widget`, true},
		{"acme/x", []string{"files", "program"}, `C:\Program Files (x86)\Other`, false},
		{"acme/x", []string{"common", "shared"}, `%ProgramFiles%\Common Files\Microsoft Shared\Other`, false},
	}
	for _, c := range cases {
		if got := (&Playbook{Name: c.name, Owns: c.owns}).owned(c.path); got != c.want {
			t.Errorf("%s owns %s: %v, want %v", c.name, c.path, got, c.want)
		}
	}
}

// TestRemovalProblem: what no playbook may remove, whatever it owns.
func TestRemovalProblem(t *testing.T) {
	for _, p := range []string{
		"", "/", "//", "/.", "/..", "/opt", "/opt/", "/usr", "/etc", "/home", "/acme", "/opt/..", "/opt/acme/..", "/opt/./acme",
		"/opt//acme", "/opt/acme/", "opt/acme", "~/acme", "$HOME/acme", "/opt/acme*", "/opt/acm?", "/opt/[a]cme", `/opt/a\cme`,
		"/opt/acme\n", "/opt/acme\x00", "/opt/\xff", "/opt/a\u202ecme", "/usr/lib", "/usr/local", "/var/lib", "/var/lib/dpkg",
		"/etc/systemd", "/etc/systemd/system", "/Library/Application Support", "/private/var/db", "/PRIVATE/VAR", "/opt/acme ",
		"/etc/passwd", "/boot/grub", "/usr/share", "/usr/lib/x86_64-linux-gnu", "/home/acme", "/Users/acme", "/bin/bash", "/usr/sbin/sshd", "/usr/bin/python3.12",
	} {
		if removalProblem(p) == "" {
			t.Errorf("%q would be removed", p)
		}
	}
	for _, p := range []string{"/opt/acme", "/var/opt/acme/widget", "/etc/acme.conf", "/usr/lib/acme", "/usr/lib/x86_64-linux-gnu/acme", "/usr/bin/acme", "/home/acme/x", "/opt/a cme", "/opt/-rf", "/opt/$HOME", "/opt/акме"} {
		if bad := removalProblem(p); bad != "" {
			t.Errorf("%q may not be removed: %s", p, bad)
		}
	}
}

// TestWindowsRemovalProblem: the same for Windows.
func TestWindowsRemovalProblem(t *testing.T) {
	t.Parallel()
	for _, p := range []string{
		`C:\Program Files`, `%ProgramFiles%`, `C:\Acme`, `%ProgramFiles%\Windows Mail`, `C:\Program Files (x86)\Common Files`, `C:\Windows.old\Acme`,
		`C:\PROGRA~1\ACME~1`, `%ProgramFiles%\ACMESO~2`, `C:\Users\acme\x`, `%SystemDrive%\Users\*\AppData\Local\Acme`, `%SystemRoot%\acme`, `%Public%\acme\x`,
	} {
		if windowsRemovalProblem(p) == "" {
			t.Errorf("%q would be removed", p)
		}
	}
	for _, p := range []string{`C:\Acme\Widget`, `%ProgramFiles%\Acme`, `C:\Program Files\Acme (x86) & Co ~ 100^!`, `%ProgramData%\Acme\Widget`} {
		if bad := windowsRemovalProblem(p); bad != "" {
			t.Errorf("%q may not be removed: %s", p, bad)
		}
	}
}
