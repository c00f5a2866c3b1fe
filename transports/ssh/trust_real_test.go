package ssh

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

func portText(port int) string { return strconv.Itoa(port) }

// TestTrustRealSSHD: known_hosts files that OpenSSH's tools made or changed
// mean to us what they mean to OpenSSH's ssh.
func TestTrustRealSSHD(t *testing.T) {
	t.Parallel()
	s := startSSHD(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	keygen(t, "-t", "ed25519", "-N", "", "-f", file("ca"))
	keygen(t, "-s", file("ca"), "-I", "web1", "-h", "-n", s.addr, "-V", "+1h", s.file("ssh_host_ed25519_key.pub"))
	s.configure(t, "HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub")
	own := strings.TrimSpace(knownLineOf(s.addr, s.hostKey.PublicKey()))
	name := "[" + s.addr + "]:" + portText(sshdPort)
	read := func(path string) string {
		raw, err := readBounded(path, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(raw))
	}
	authority, key := read(file("ca.pub")), keyText(s.hostKey.PublicKey())
	hash := func(t *testing.T, known string) { keygen(t, "-H", "-f", known) }
	for title, c := range map[string]struct {
		known string
		bend  func(t *testing.T, known string)
		class transports.Class
	}{
		"plain":                      {own, nil, ""},
		"hashed by ssh-keygen -H":    {own, hash, ""},
		"another key, hashed":        {name + " " + keyText(newSigner(t).PublicKey()), hash, transports.Untrusted},
		"unknown":                    {"", nil, transports.Untrusted},
		"removed by ssh-keygen -R":   {own, func(t *testing.T, known string) { keygen(t, "-R", name, "-f", known) }, transports.Untrusted},
		"@cert-authority":            {"@cert-authority 127.1.* " + authority, nil, ""},
		"@cert-authority, one port":  {"@cert-authority [" + s.addr + "]:* " + authority, nil, ""},
		"@cert-authority, elsewhere": {"@cert-authority 192.0.2.* " + authority, nil, transports.Untrusted},
		"@revoked authority":         {"@cert-authority * " + authority + "\n@revoked * " + authority, nil, transports.Untrusted},
		"@revoked key":               {own + "\n@revoked * " + key, nil, transports.Untrusted},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			config := s.config()
			config.KnownHosts = []string{filepath.Join(t.TempDir(), "known_hosts")}
			writeFile(t, config.KnownHosts[0], c.known+"\n")
			if c.bend != nil {
				c.bend(t, config.KnownHosts[0])
			}
			if err := dialOf(newDialer(t, config), t, s.target()); transports.ClassOf(err) != c.class {
				t.Errorf("class %s: %v; want %s", transports.ClassOf(err), err, c.class)
			}
			if err := openSSH(s, config.KnownHosts[0]); (err == nil) != (c.class == "") {
				t.Errorf("OpenSSH says %v", err)
			}
		})
	}
}

// openSSH logs in with OpenSSH's own client.
func openSSH(s *sshd, known string) error {
	out, err := exec.Command("ssh", "-F", "none", "-o", "UserKnownHostsFile="+known, "-o", "GlobalKnownHostsFile=none",
		"-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o", "BatchMode=yes", "-i", s.keyFile,
		"-p", portText(sshdPort), "root@"+s.addr, "true").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// TestAcceptedKeyRealSSHD: what accept-new records, OpenSSH takes.
func TestAcceptedKeyRealSSHD(t *testing.T) {
	t.Parallel()
	s := startSSHD(t)
	config := s.config()
	config.KnownHosts, config.HostKeys = []string{filepath.Join(t.TempDir(), "known_hosts")}, HostKeysAcceptNew
	var said string
	config.OnNewKey = func(_, _, print string) { said = print }
	if err := dialOf(newDialer(t, config), t, s.target()); err != nil {
		t.Fatal(err)
	}
	if want := fingerprint(s.hostKey.PublicKey()); said != want || !strings.HasSuffix(want, xssh.FingerprintSHA256(s.hostKey.PublicKey())) {
		t.Errorf("said %q, want %q", said, want)
	}
	if err := openSSH(s, config.KnownHosts[0]); err != nil {
		t.Errorf("OpenSSH does not take the line: %v", err)
	}
}
