package ssh

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/probe"
	"oust/transports"
	"oust/transports/transporttest/sshdlab"
)

// labConfig trusts the hosts of a lab.
func labConfig(lab *sshdlab.Lab) Config {
	return Config{KnownHosts: []string{lab.KnownHosts}, ConfigFile: ConfigNone}
}

// keygen runs ssh-keygen, whose files we have to read.
func keygen(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ssh-keygen", append([]string{"-q"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen %v: %v: %s", args, err, out)
	}
}

// startAgent runs a real ssh-agent that holds a key, and returns its socket.
func startAgent(t *testing.T, key string) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "agent")
	cmd := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for {
		add := exec.Command("ssh-add", "-q", key)
		add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		out, err := add.CombinedOutput()
		if err == nil {
			return socket
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 { // 2: no agent there yet
			t.Fatalf("ssh-add: %v: %s", err, out)
		}
	}
}

// TestLoginsRealSSHD logs in with what ssh-keygen and ssh-agent make.
func TestLoginsRealSSHD(t *testing.T) {
	t.Parallel()
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: 1, Packages: sshdlab.None})
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	const passphrase = "open sesame 漢字"
	keygen(t, "-t", "ed25519", "-N", passphrase, "-f", file("ed25519"))
	keygen(t, "-t", "rsa", "-b", "2048", "-N", "", "-f", file("rsa"))
	keygen(t, "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", passphrase, "-f", file("pem"))
	keygen(t, "-t", "ecdsa", "-N", "", "-f", file("ecdsa"))
	keygen(t, "-t", "ed25519", "-N", "", "-f", file("certified"))
	keygen(t, "-s", lab.UserCAFile, "-I", "ops", "-n", sshdlab.Ops, "-V", "+1h", file("certified.pub"))
	keygen(t, "-t", "ed25519", "-N", "", "-f", file("agent"))
	keygen(t, "-t", "ed25519", "-N", "", "-f", file("unknown"))
	for _, name := range []string{"ed25519", "rsa", "pem", "ecdsa", "agent"} {
		public, err := os.ReadFile(file(name + ".pub"))
		if err != nil {
			t.Fatal(err)
		}
		appendFile(t, filepath.Join(lab.Hosts[0].Root, "etc/oust-lab/keys"), string(public))
	}
	if err := os.Chmod(filepath.Join(lab.Hosts[0].Root, "etc/oust-lab/keys"), 0o644); err != nil {
		t.Fatal(err)
	}
	config := labConfig(lab)
	config.AgentSocket = startAgent(t, file("agent"))
	secret := transports.NewSecret
	for name, c := range map[string]struct {
		cred  transports.Credential
		class transports.Class
	}{
		"ed25519, encrypted":     {transports.Credential{KeyFile: file("ed25519"), KeyPassphrase: secret(passphrase)}, ""},
		"a wrong passphrase":     {transports.Credential{KeyFile: file("ed25519"), KeyPassphrase: secret("x")}, transports.Auth},
		"RSA":                    {transports.Credential{KeyFile: file("rsa")}, ""},
		"RSA, PEM, encrypted":    {transports.Credential{KeyFile: file("pem"), KeyPassphrase: secret(passphrase)}, ""},
		"ECDSA":                  {transports.Credential{KeyFile: file("ecdsa")}, ""},
		"certificate":            {transports.Credential{KeyFile: file("certified"), CertificateFile: file("certified-cert.pub")}, ""},
		"its key alone":          {transports.Credential{KeyFile: file("certified")}, transports.Auth},
		"agent":                  {transports.Credential{Agent: true}, ""},
		"password":               {transports.Credential{Password: secret(sshdlab.OpsPassword)}, ""},
		"a wrong password":       {transports.Credential{Password: secret("x")}, transports.Auth},
		"key, then the password": {transports.Credential{KeyFile: file("unknown"), Password: secret(sshdlab.OpsPassword)}, ""},
		"an unknown key":         {transports.Credential{KeyFile: file("unknown")}, transports.Auth},
	} {
		t.Run(name, func(t *testing.T) {
			target := labTarget(lab, sshdlab.Ops, "", transports.Secret{})
			c.cred.User, c.cred.Name = sshdlab.Ops, "linux"
			target.Credential = c.cred
			d := newDialer(t, config)
			conn, err := d.Dial(t.Context(), target)
			if transports.ClassOf(err) != c.class {
				t.Errorf("class %s: %v; want %s", transports.ClassOf(err), err, c.class)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
}

// TestKeyboardInteractiveRealSSHD: PAM asks, and is told once.
func TestKeyboardInteractiveRealSSHD(t *testing.T) {
	t.Parallel()
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: 1, Packages: sshdlab.None, KbdInteractive: true})
	target := labTarget(lab, sshdlab.Ops, "", transports.Secret{})
	target.Credential.KeyFile, target.Credential.Password = "", transports.NewSecret(sshdlab.OpsPassword)
	d := newDialer(t, labConfig(lab))
	if err := dialOf(d, t, target); err != nil {
		t.Error(err)
	}
	target.Credential.Password = transports.NewSecret("wrong")
	if err := dialOf(d, t, target); transports.ClassOf(err) != transports.Auth || !strings.Contains(err.Error(), "refused the login") {
		t.Errorf("class %s: %v", transports.ClassOf(err), err)
	}
	if n := strings.Count(lab.Log(0), "PAM: Authentication failure for ops"); n != 1 {
		t.Errorf("PAM was given the wrong password %d times:\n%s", n, lab.Log(0))
	}
}

// TestManyLoginsAtASmallSSHD: sshd drops what is more than MaxStartups, and
// every login gets through in the end.
func TestManyLoginsAtASmallSSHD(t *testing.T) {
	t.Parallel()
	const logins = 20
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: 1, Packages: sshdlab.None, MaxStartups: "2:100:2"})
	ssh := newDialer(t, labConfig(lab))
	var drops atomic.Int32
	counted := transports.DialerFunc(func(ctx context.Context, target transports.Target) (transports.Conn, error) {
		conn, err := ssh.Dial(ctx, target)
		if e, ok := errors.AsType[*transports.Error](err); ok && e.Temporary && strings.Contains(e.Error(), "MaxStartups") {
			drops.Add(1)
		}
		return conn, err
	})
	again, err := transports.Retry(transports.RetryConfig{Tries: 1000, Base: 20 * time.Millisecond, Cap: 200 * time.Millisecond, Total: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	dialer := again(counted)
	var all sync.WaitGroup
	for range logins {
		all.Go(func() {
			conn, err := dialer.Dial(t.Context(), labTarget(lab, sshdlab.Nopw, "", transports.Secret{}))
			if err != nil {
				t.Errorf("class %s: %v", transports.ClassOf(err), err)
				return
			}
			conn.Close()
		})
	}
	all.Wait()
	if drops.Load() == 0 {
		t.Error("nothing was dropped: the test showed nothing")
	}
}

// TestBastionsRealSSHD goes to the third host through the second through the
// first, by a file that OpenSSH reads too.
func TestBastionsRealSSHD(t *testing.T) {
	t.Parallel()
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: 3, Packages: sshdlab.None})
	config, dir := labConfig(lab), t.TempDir()
	config.KnownHosts, config.ConfigFile = nil, filepath.Join(dir, "config")
	port := lab.Hosts[0].Port
	text := "Host far\n HostName " + lab.Hosts[2].Addr + "\n ProxyJump outer,inner\n" +
		"Host outer\n HostName " + lab.Hosts[0].Addr + "\n User ops\n" +
		"Host inner\n HostName " + lab.Hosts[1].Addr + "\n User nopw\n" +
		"Host *\n User root\n IdentityFile " + lab.KeyFile + "\n UserKnownHostsFile " + lab.KnownHosts + "\n Port " + portText(port) + "\n"
	writeFile(t, config.ConfigFile, text)
	if out, err := exec.Command("ssh", "-F", config.ConfigFile, "-o", "BatchMode=yes", "far", "hostname").Output(); err != nil || string(out) != "deb-03\n" {
		t.Fatalf("OpenSSH: %q, %v", out, err)
	}
	d := newDialer(t, config)
	dial := func() transports.Conn {
		t.Helper()
		conn, err := d.Dial(t.Context(), transports.Target{Host: "far", Credential: transports.Credential{Name: "linux"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	conn := dial()
	if res, err := conn.Run(t.Context(), transports.Command{Line: "hostname"}); err != nil || string(res.Stdout) != "deb-03\n" {
		t.Errorf("%q, %v", res.Stdout, err)
	}
	if n := strings.Count(lab.Log(0), "Accepted publickey for ops"); n != 2 { // OpenSSH's and ours
		t.Errorf("%d logins at the first bastion, want 2", n)
	}

	lost := make(chan error, 1)
	go func() {
		_, err := conn.Run(t.Context(), transports.Command{Line: "echo up; sleep 600", Timeout: time.Minute})
		lost <- err
	}()
	lab.DropLogins(1)
	if err := <-lost; transports.ClassOf(err) != transports.LostContact {
		t.Errorf("the bastion's end: class %s: %v", transports.ClassOf(err), err)
	}
	if res, err := dial().Run(t.Context(), transports.Command{Line: "hostname"}); err != nil || string(res.Stdout) != "deb-03\n" {
		t.Errorf("after it: %q, %v", res.Stdout, err)
	}

	lab.Stop(2)
	_, err := d.Dial(t.Context(), transports.Target{Host: "far", Credential: transports.Credential{Name: "linux"}})
	if transports.ClassOf(err) != transports.Unreachable || !strings.Contains(err.Error(), "inner could not reach "+net.JoinHostPort(lab.Hosts[2].Addr, portText(port))) {
		t.Errorf("a host that is down: class %s: %v", transports.ClassOf(err), err)
	}
}

// TestProbeInAnyShell lets the real probe look as each kind of user: bash, fish
// and tcsh as login shells, a profile that prints, and a banner before all.
func TestProbeInAnyShell(t *testing.T) {
	t.Parallel()
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: 1})
	d := newDialer(t, labConfig(lab))
	for _, user := range []string{sshdlab.Root, sshdlab.Ops, sshdlab.Nopw, sshdlab.Fishy, sshdlab.Tcshy, sshdlab.Noisy} {
		for _, elevate := range []bool{false, true} {
			target := labTarget(lab, user, "sudo", transports.NewSecret(sshdlab.OpsPassword))
			conn, err := d.Dial(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			nonce := remediate.NewNonce()
			script := probe.Sh(remediate.Questions{Paths: []string{"/opt/kaspersky/kesl", "/no/'such' $path"}}, nonce)
			res, err := conn.Run(t.Context(), transports.Command{Line: remediate.ShLine, Stdin: script, Elevate: elevate})
			conn.Close()
			if err != nil || res.Exit != 0 {
				t.Errorf("%s: exit %d, %v: %s", user, res.Exit, err, res.Stderr)
				continue
			}
			facts, _, err := probe.Parse(res.Stdout, nonce)
			if err != nil {
				t.Errorf("%s: %v", user, err)
				continue
			}
			if facts.OS.ID != "debian" || len(facts.BootID) != 36 || len(facts.Paths) != 2 || len(facts.Packages) < 50 {
				t.Errorf("%s: %+v, boot %q, %d paths, %d packages", user, facts.OS, facts.BootID, len(facts.Paths), len(facts.Packages))
			}
			if (elevate || user == sshdlab.Root) && len(facts.Incomplete) > 0 {
				t.Errorf("%s as root: incomplete: %q", user, facts.Incomplete)
			}
		}
	}
}
