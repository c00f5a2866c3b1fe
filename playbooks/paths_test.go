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
	} {
		if removalProblem(p) == "" {
			t.Errorf("%q would be removed", p)
		}
	}
	for _, p := range []string{"/opt/acme", "/var/opt/acme/widget", "/etc/acme.conf", "/usr/lib/acme", "/opt/a cme", "/opt/-rf", "/opt/$HOME", "/opt/акме"} {
		if bad := removalProblem(p); bad != "" {
			t.Errorf("%q may not be removed: %s", p, bad)
		}
	}
}
