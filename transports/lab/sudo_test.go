package lab

import (
	"strings"
	"testing"
)

// TestSudo: who may become root, and what sudo says; the conformance suite
// has the rest.
func TestSudo(t *testing.T) {
	f, h := oneHost(t, "debian")
	password := f.Password().Reveal()
	for _, c := range []struct {
		account, line, stdin, out, err string
		exit                           int
	}{
		{"deploy", "sudo -n -- /bin/sh -c 'id -u; cat'", "in", "0\nin", "", 0},
		{"deploy", "sudo -S -p ask: -- id -u", "", "0\n", "", 0},
		{"ops", "sudo -n true", "", "", "a password is required", 1},
		{"ops", "sudo true", "", "", "a terminal is required", 1},
		{"ops", "sudo -S -p ask: -- /bin/sh -c 'id -u; cat'", password + "\nrest", "0\nrest", "ask:", 0},
		{"ops", "sudo -S id -u", "wrong\n" + password + "\n", "0\n", "[sudo] password for ops: Sorry, try again.\n", 0},
		{"ops", "sudo -S id -u", "a\nb\nc\n", "", "3 incorrect password attempts", 1},
		{"ops", "sudo -S id -u", "", "", "no password was provided", 1},
		{"ops", "sudo -S id -u", "a\n", "", "1 incorrect password attempt", 1},
		{"guest", "sudo -S id -u", password + "\n", "", "guest is not in the sudoers file.", 1},
		{"guest", "sudo -n id -u", "", "", "a password is required", 1},
		{"root", "sudo -n id -un", "", "root\n", "", 0},
		{"deploy", "sudo -n sh -c 'exit 9'", "", "", "", 9},
		{"deploy", "sudo -n none", "", "", "none: command not found", 1},
		{"deploy", "sudo -u ops id", "", "", "knows root only", 1},
		{"deploy", "sudo", "", "", "a command is needed", 1},
		{"deploy", "sudo -k", "", "", "", 0},
		{"deploy", "sudo -Z id", "", "", "invalid option", 1},
		{"deploy", "sudo -n env", "", "HOME=/root", "", 0},
	} {
		got := remote(t, dial(t, f, h, c.account), c.line, c.stdin)
		if got.Exit != c.exit || !strings.Contains(got.Out, c.out) || !strings.Contains(got.Err, c.err) {
			t.Errorf("%s: %s: %+v\nwant %q, %q, exit %d", c.account, c.line, got, c.out, c.err, c.exit)
		}
		if strings.Contains(got.Out+got.Err, password) {
			t.Errorf("%s: %s: prints the password", c.account, c.line)
		}
	}
}

func TestID(t *testing.T) {
	_, h := oneHost(t, "debian")
	for account, want := range map[string]string{
		"root":   "uid=0(root) gid=0(root) groups=0(root)\n0\nroot\n0\n",
		"ops":    "uid=1000(ops) gid=1000(ops) groups=1000(ops),27(sudo)\n1000\nops\n1000\n",
		"deploy": "uid=1001(deploy) gid=1001(deploy) groups=1001(deploy)\n1001\ndeploy\n1001\n",
	} {
		if got := runAs(t, h, account, "id; id -u; id -un; id -g"); got.Out != want {
			t.Errorf("%s: %+v, want %q", account, got, want)
		}
	}
	runSteps(t, h, []step{{"id none", "id: 'none': no such user\n", 1}, {"id -u ops", "1000\n", 0}})
}
