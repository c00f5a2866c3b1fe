package sshdlab

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// login connects as a user with one way to log in, checking the host's key.
func login(t *testing.T, lab *Lab, i int, user string, auth ssh.AuthMethod) (*ssh.Client, error) {
	t.Helper()
	check, err := knownhosts.New(lab.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	h := lab.Hosts[i]
	client, err := ssh.Dial("tcp", h.endpoint(), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: check, Timeout: 10 * time.Second,
	})
	if err == nil {
		// No test hangs on a host that does not end a login.
		hungUp := time.AfterFunc(time.Minute, func() { client.Close() })
		t.Cleanup(func() {
			hungUp.Stop()
			client.Close()
		})
	}
	return client, err
}

func labKey(t *testing.T, lab *Lab) ssh.AuthMethod {
	t.Helper()
	data, err := os.ReadFile(lab.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return ssh.PublicKeys(signer)
}

func run(t *testing.T, client *ssh.Client, command, stdin string) (string, error) {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Stdin = strings.NewReader(stdin)
	out, err := s.CombinedOutput(command)
	return string(out), err
}

func TestUsersLogInAndBecomeRoot(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1, RPM: 1})
	key, password := labKey(t, lab), ssh.Password(OpsPassword)
	const id = "sudo -n id -u"
	tests := []struct {
		name, user string
		auth       ssh.AuthMethod
		command    string
		stdin      string
		want       string // "" means that the command must fail
	}{
		{"root by key", Root, key, "id -u", "", "0\n"},
		{"ops by key asks for a password", Ops, key, id, "", ""},
		{"ops by password", Ops, password, "sudo -S -p '' id -u", OpsPassword + "\n", "0\n"},
		{"ops with a wrong sudo password", Ops, key, "sudo -S -p '' id -u", "wrong\n", ""},
		{"nopw", Nopw, key, id, "", "0\n"},
		{"nosudo", Nosudo, key, id, "", ""},
		{"fishy", Fishy, key, "set x (id -u); echo $SHELL", "", "/usr/bin/fish\n"},
		{"tcshy", Tcshy, key, "set x = 1; echo $shell", "", "/bin/tcsh\n"},
		{"noisy", Noisy, key, "true", "", "a last line without its newline"},
	}
	for i, h := range lab.Hosts {
		for _, test := range tests {
			t.Run(h.Name+" "+test.name, func(t *testing.T) {
				client, err := login(t, lab, i, test.user, test.auth)
				if err != nil {
					t.Fatalf("login: %v\n%s", err, lab.Log(i))
				}
				got, err := run(t, client, test.command, test.stdin)
				if test.want == "" {
					if err == nil {
						t.Fatalf("%q worked and printed %q", test.command, got)
					}
					return
				}
				if err != nil || !strings.Contains(got, test.want) {
					t.Fatalf("%q printed %q, %v; want %q", test.command, got, err, test.want)
				}
			})
		}
	}
	if _, err := login(t, lab, 0, Root, password); err == nil {
		t.Error("root logged in with a password")
	}
}

func TestKeyboardInteractiveOnly(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1, KbdInteractive: true})
	if _, err := login(t, lab, 0, Ops, ssh.Password(OpsPassword)); err == nil {
		t.Error("password authentication is on")
	}
	answer := ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return slices.Repeat([]string{OpsPassword}, len(questions)), nil
	})
	if _, err := login(t, lab, 0, Ops, answer); err != nil {
		t.Errorf("keyboard-interactive: %v\n%s", err, lab.Log(0))
	}
}

func TestRemovalOfLabPackages(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1, RPM: 1, Packages: All})
	for i, h := range lab.Hosts {
		t.Run(h.Name, func(t *testing.T) {
			for _, name := range []string{"kesl", "kesl-gui", "klnagent64"} {
				if !lab.Installed(i, name) {
					t.Fatalf("%s is not installed at first", name)
				}
			}
			remove := map[Kind][]string{Deb: {"dpkg", "-P"}, RPM: {"rpm", "-e"}}[h.Kind]
			if out, exit := lab.Exec(i, append(remove, "kesl")...); exit == 0 {
				t.Fatalf("kesl went before kesl-gui, which needs it: %s", out)
			}
			if out, exit := lab.Exec(i, append(remove, "kesl-gui", "kesl", "klnagent64")...); exit != 0 {
				t.Fatalf("remove: exit code %d: %s", exit, out)
			}
			if lab.Installed(i, "kesl") {
				t.Error("kesl is still installed")
			}
			if n := lab.Uninstalls(i); n != 3 {
				t.Errorf("%d uninstallers counted, want 3", n)
			}
			_, err := os.Stat(filepath.Join(h.Root, "opt/kaspersky/kesl"))
			if !os.IsNotExist(err) {
				t.Errorf("/opt/kaspersky/kesl: %v, want it gone", err)
			}
			lab.Install(i, "kesl", "kesl-gui")
			if !lab.Installed(i, "kesl-gui") {
				t.Error("kesl-gui is not installed again")
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1, RPM: 1})
	exists := func(h Host, path string) bool {
		_, err := os.Lstat(filepath.Join(h.Root, path))
		return err == nil
	}
	for i, h := range lab.Hosts {
		remove := map[Kind]string{Deb: "dpkg -P kesl", RPM: "rpm -e kesl"}[h.Kind]
		tests := []struct {
			fault     string
			exit      int
			installed bool
			left      string // a path that exists afterwards
		}{
			{"postrm-fails", 1, h.Kind == RPM, ""},
			{Pretend, 0, true, "opt/kaspersky/kesl/bin/kesl-control"},
			{"leaves-residue", 0, false, "opt/kaspersky/kesl/lib64/libinterceptor.so"},
			{"postrm-fails@klnagent64", 0, false, ""},
			{"slow:0.01", 0, false, ""},
			{"hangs", 124, h.Kind == RPM, ""}, // dpkg calls it half-configured
		}
		for _, test := range tests {
			t.Run(h.Name+" "+test.fault, func(t *testing.T) {
				lab.SetFault(i)
				if !lab.Installed(i, "kesl") {
					lab.Install(i, "kesl")
				}
				lab.SetFault(i, test.fault)
				out, exit := lab.Exec(i, "timeout", "2", "sh", "-c", remove)
				if exit != test.exit {
					t.Errorf("exit code %d, want %d: %s", exit, test.exit, out)
				}
				if got := lab.Installed(i, "kesl"); got != test.installed {
					t.Errorf("installed: %v, want %v: %s", got, test.installed, out)
				}
				if test.left != "" && !exists(h, test.left) {
					t.Errorf("%s is gone", test.left)
				}
			})
		}
	}
}

func TestResidueThatCannotBeRemoved(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1})
	lab.SetFault(0, "keeps-residue")
	if out, exit := lab.Exec(0, "dpkg", "-P", "kesl"); exit != 0 {
		t.Fatalf("purge: exit code %d: %s", exit, out)
	}
	if out, exit := lab.Exec(0, "rm", "-rf", "/opt/kaspersky/kesl"); exit == 0 {
		t.Errorf("rm removed it: %s", out)
	}
}

func TestRemovalThatDropsTheNetwork(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1})
	lab.SetFault(0, "drops-network")
	client, err := login(t, lab, 0, Root, labKey(t, lab))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, client, "dpkg -P kesl", ""); err == nil {
		t.Errorf("the login outlived the removal: %s", out)
	}
	if _, err := login(t, lab, 0, Root, labKey(t, lab)); err != nil {
		t.Errorf("sshd takes no new login: %v", err)
	}
}

func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1})
	client, err := login(t, lab, 0, Ops, labKey(t, lab))
	if err != nil {
		t.Fatal(err)
	}
	lab.DropLogins(0)
	if err := client.Wait(); err == nil {
		t.Error("the login ended well")
	}
	lab.DropLogins(0) // none left

	thaw := lab.Freeze(0)
	conn, err := net.DialTimeout("tcp", lab.Hosts[0].endpoint(), time.Second)
	if err != nil {
		t.Fatalf("a frozen host refuses connections: %v", err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a frozen host said something: %d, %v", n, err)
	}
	thaw()
	if _, err := login(t, lab, 0, Ops, labKey(t, lab)); err != nil {
		t.Errorf("after thawing: %v", err)
	}

	lab.RefuseLogins(0)
	if _, err := login(t, lab, 0, Ops, labKey(t, lab)); err == nil {
		t.Error("a login was not refused")
	}
}

func TestPackageLockBlocks(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1, RPM: 1})
	release := lab.HoldPackageLock(0)
	if _, err := lab.Fleet.HoldPackageLock(0); err == nil {
		t.Error("the lock was had twice")
	}
	out, exit := lab.Exec(0, "dpkg", "-P", "kesl")
	if exit != 2 || !strings.Contains(out, "lock") {
		t.Errorf("dpkg: exit code %d, %q; want 2 and a word about the lock", exit, out)
	}
	if locks, _ := lab.Exec(0, "cat", "/proc/locks"); strings.Count(locks, "WRITE") < 2 {
		t.Errorf("/proc/locks of the host does not show them: %q", locks)
	}
	release()
	if out, exit := lab.Exec(0, "dpkg", "-P", "kesl"); exit != 0 {
		t.Errorf("after release: exit code %d: %s", exit, out)
	}

	release = lab.HoldPackageLock(1)
	if out, exit := lab.Exec(1, "timeout", "1", "rpm", "-e", "kesl"); exit == 0 || !lab.Installed(1, "kesl") {
		t.Errorf("rpm removed it under a lock: exit code %d: %s", exit, out)
	}
	release()
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 2})
	before := lab.Snapshot(0)
	client, err := login(t, lab, 0, Nopw, labKey(t, lab))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, client, "sudo -n dpkg -l kesl; cat /etc/passwd >/run/user-seen 2>/dev/null", ""); err != nil {
		t.Log(err)
	}
	if diff := before.Diff(lab.Snapshot(0)); len(diff) != 0 {
		t.Errorf("looking changed the host: %s", strings.Join(diff, "\n"))
	}
	lab.Restart(0)
	if diff := before.Diff(lab.Snapshot(0)); len(diff) != 0 {
		t.Errorf("a restart changed the disk: %s", strings.Join(diff, "\n"))
	}

	changes := []struct{ command, path string }{
		{"echo >>/etc/passwd", "etc/passwd"},
		{"chmod 600 /etc/group", "etc/group"},
		{"touch /etc/shells", "etc/shells"},
		{"chown ops /etc/bash.bashrc", "etc/bash.bashrc"},
		{"rm /opt/kaspersky/kesl/doc/README", "opt/kaspersky/kesl/doc/README"},
		{"rm -r /var/opt/kaspersky && mkdir /var/opt/kaspersky", "var/opt/kaspersky/kesl"},
		{"mkdir /srv/new", "srv/new"},
		{"ln -sf nowhere /etc/mtab", "etc/mtab"},
	}
	for _, change := range changes {
		before := lab.Snapshot(0)
		if out, exit := lab.Exec(0, "sh", "-c", change.command); exit != 0 {
			t.Fatalf("%s: %s", change.command, out)
		}
		diff := before.Diff(lab.Snapshot(0))
		if !slices.ContainsFunc(diff, func(line string) bool { return strings.HasPrefix(line, "+ "+change.path+" ") }) {
			t.Errorf("%q was not noticed: %q", change.command, diff)
		}
	}
}

func TestRestartAndChangedKey(t *testing.T) {
	t.Parallel()
	lab := Start(t, Options{Hosts: 1})
	bootID := func() string {
		out, _ := lab.Exec(0, "cat", "/proc/sys/kernel/random/boot_id")
		return out
	}
	first := bootID()
	lab.Exec(0, "sh", "-c", "echo kept >/srv/kept; echo lost >/run/lost")
	lab.Restart(0)
	if again := bootID(); again == first || len(again) != 37 {
		t.Errorf("boot ids %q and %q, want two different ones", first, again)
	}
	out, _ := lab.Exec(0, "cat", "/srv/kept", "/run/lost")
	if diff := cmp.Diff("kept\ncat: /run/lost: No such file or directory\n", out); diff != "" {
		t.Errorf("disk after restart (-want +got):\n%s", diff)
	}
	lab.Stop(0)
	if _, err := login(t, lab, 0, Root, labKey(t, lab)); err == nil {
		t.Error("a stopped host took a login")
	}
	if err := lab.Boot(0); err != nil {
		t.Fatal(err)
	}
	if _, err := login(t, lab, 0, Root, labKey(t, lab)); err != nil {
		t.Errorf("after booting again: %v", err)
	}
	lab.ChangeHostKey(0)
	_, err := login(t, lab, 0, Root, labKey(t, lab))
	if err == nil || !strings.Contains(err.Error(), "key mismatch") {
		t.Errorf("changed host key: %v, want a key mismatch", err)
	}
}

// TestNothingOutlivesAKill starts a lab in a second process, kills that with
// SIGKILL, and looks for its hosts and mounts.
func TestNothingOutlivesAKill(t *testing.T) {
	t.Parallel()
	if os.Getenv("OUST_LAB_CHILD") == "1" {
		lab := Start(t, Options{Hosts: 2})
		for _, h := range lab.Hosts {
			os.Stdout.WriteString("host " + h.endpoint() + "\n")
		}
		os.Stdout.WriteString("ready\n")
		select {}
	}
	if reason := Missing(); reason != "" {
		Start(t, Options{})
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestNothingOutlivesAKill$", "-test.v")
	cmd.Env = append(os.Environ(), "OUST_LAB_CHILD=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	endpoints := readUntilReady(t, stdout)
	if len(endpoints) != 2 {
		t.Fatalf("the child has the hosts %q", endpoints)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	// The lab's pipes end when the last of its processes is gone.
	for _, endpoint := range endpoints {
		awaitRefused(t, endpoint)
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), "oust-lab") {
		t.Errorf("mounts leak into the machine:\n%s", mounts)
	}
}
