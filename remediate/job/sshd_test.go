package job

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"oust/remediate"
	"oust/transports"
	"oust/transports/ssh"
	"oust/transports/transporttest/sshdlab"
)

// remote is a real host, reached as the engine reaches it.
type remote struct {
	*sshdlab.Lab
	t      *testing.T
	i      int
	dialer transports.Dialer
	target transports.Target
}

// TestRealHosts runs jobs on real sshd hosts: what is told of other shells is
// true of Debian's login, sudo and setsid, too.
func TestRealHosts(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, h *remote){
		"one round trip":               realRoundTrip,
		"the connection drops":         realDrop,
		"the controller leaves":        realLeave,
		"the power is cut":             realPowerCut,
		"two campaigns at once":        realTwo,
		"secrets while a job runs":     realSecrets,
		"an uninstaller cuts the line": realCut,
		"a restart with nobody there":  realRestart,
		"a restart with a person":      realRestartWarned,
	}
	lab := sshdlab.Start(t, sshdlab.Options{Hosts: len(tests)})
	dialer, err := ssh.NewDialer(ssh.Config{KnownHosts: []string{lab.KnownHosts}, ConfigFile: ssh.ConfigNone})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialer.Close() })
	i := 0
	for name, test := range tests {
		h := lab.Hosts[i]
		r := &remote{Lab: lab, i: i, dialer: dialer, target: transports.Target{
			Host: h.Name, Address: h.Addr, Port: h.Port,
			Credential: transports.Credential{
				User: sshdlab.Ops, KeyFile: lab.KeyFile, Become: "sudo", BecomePassword: transports.NewSecret(sshdlab.OpsPassword),
			},
		}}
		i++
		t.Run(name, func(t *testing.T) {
			r.t = t
			test(t, r)
			if exists(filepath.Join(h.Root, "var/lib/oust")) {
				t.Error("the job's folder is left on the host")
			}
		})
	}
}

// path is a file of the host in a folder that no snapshot looks at, as the
// host and as this process name it.
func (r *remote) path(name string) (host, here string) {
	r.Exec(r.i, "mkdir", "-p", "/dev/oust-test")
	return "/dev/oust-test/" + name, filepath.Join(r.Hosts[r.i].Root, "dev/oust-test", name)
}

// gated is a job that says it is up, waits, and counts that it ran.
func (r *remote) gated() Spec {
	r.t.Helper()
	gate, here := r.path("gate")
	if err := syscall.Mkfifo(here, 0o600); err != nil {
		r.t.Fatal(err)
	}
	up, _ := r.path("up")
	count, _ := r.path("count")
	return spec("echo up >" + up + "; read -r go <" + gate + "; echo run >>" + count + "; exit 7")
}

func (r *remote) awaitUp() {
	r.t.Helper()
	_, here := r.path("up")
	(&lab{t: r.t}).awaitFile(here)
}

func (r *remote) open() {
	r.t.Helper()
	_, here := r.path("gate")
	pipe, err := os.OpenFile(here, os.O_RDWR, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = pipe.Close() })
	if _, err := pipe.WriteString("go\n"); err != nil {
		r.t.Fatal(err)
	}
}

func (r *remote) dial() transports.Conn {
	r.t.Helper()
	conn, err := r.dialer.Dial(r.t.Context(), r.target)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// send runs a script as root and returns what came back.
func (r *remote) send(ctx context.Context, conn transports.Conn, script []byte, patience time.Duration) (transports.Result, error) {
	return conn.Run(ctx, transports.Command{Line: remediate.ShLine, Stdin: script, Elevate: true, Timeout: patience})
}

// ask runs a script that ends, over a connection of its own.
func (r *remote) ask(make func(remediate.Nonce) ([]byte, error)) Report {
	r.t.Helper()
	nonce := remediate.NewNonce()
	script, err := make(nonce)
	if err != nil {
		r.t.Fatal(err)
	}
	conn := r.dial()
	defer conn.Close()
	res, err := r.send(r.t.Context(), conn, script, time.Minute)
	if err != nil {
		r.t.Fatal(err)
	}
	report, err := ParseReport(res.Stdout, nonce)
	if err != nil {
		r.t.Fatalf("%v; stderr: %s", err, res.Stderr)
	}
	return report
}

func (r *remote) launch(s Spec) Report {
	r.t.Helper()
	return r.ask(func(n remediate.Nonce) ([]byte, error) { return Launch(s, n) })
}

func (r *remote) join(id string) Report {
	r.t.Helper()
	return r.ask(func(n remediate.Nonce) ([]byte, error) { return Join(id, n) })
}

func (r *remote) clean(id string) {
	r.t.Helper()
	if c := r.ask(func(n remediate.Nonce) ([]byte, error) { return Clean(id, n) }); c.State != StateCleaned {
		r.t.Errorf("clean: %+v", c)
	}
}

// await joins until the job has left a state.
func (r *remote) await(id string, leave State) Report {
	r.t.Helper()
	for range 100 {
		if got := r.join(id); got.State != leave {
			return got
		}
	}
	r.t.Fatalf("%s is still %s", id, leave)
	return Report{}
}

// ran is how often the script of gated went through.
func (r *remote) ran() int {
	r.t.Helper()
	_, here := r.path("count")
	return runs(r.t, here)
}

// broken is a launch that is under way when something happens to it.
type broken struct {
	nonce remediate.Nonce
	ended chan struct{}
	out   []byte
	err   error
}

func (r *remote) begin(ctx context.Context, s Spec, patience time.Duration) *broken {
	r.t.Helper()
	b := &broken{nonce: remediate.NewNonce(), ended: make(chan struct{})}
	script, err := Launch(s, b.nonce)
	if err != nil {
		r.t.Fatal(err)
	}
	conn := r.dial()
	go func() {
		defer close(b.ended)
		res, err := r.send(ctx, conn, script, patience)
		b.out, b.err = res.Stdout, err
		if err == nil || transports.ClassOf(err) != transports.Timeout {
			_ = conn.Close()
		}
	}()
	return b
}

// accepted checks what a launch knew when it was broken off.
func (r *remote) accepted(b *broken, class transports.Class) {
	r.t.Helper()
	<-b.ended
	got, err := ParseReport(b.out, b.nonce)
	if transports.ClassOf(b.err) != class || err != nil || got.State != StateAccepted {
		r.t.Errorf("launch: %v of class %s; report %+v, %v", b.err, transports.ClassOf(b.err), got, err)
	}
}

func realRoundTrip(t *testing.T, r *remote) {
	before := r.Snapshot(r.i)
	s := spec("echo out; echo err >&2; id -u; exit 20")
	got := r.launch(s)
	if got.State != StateEnded || got.Exit != 20 || string(got.Log) != "out\nerr\n0\n" {
		t.Errorf("%+v", got)
	}
	if again := r.launch(s); again.State != StateEnded || again.Started != got.Started {
		t.Errorf("a second launch: %+v", again)
	}
	r.clean(s.ID)
	if after := r.join(s.ID); after.State != StateAbsent {
		t.Errorf("after clean: %+v", after)
	}
	diff := slices.DeleteFunc(before.Diff(r.Snapshot(r.i)), func(line string) bool {
		return strings.HasPrefix(line, "+ var/lib d") // when its list was last changed
	})
	if len(diff) > 0 {
		t.Errorf("something is left on the host:\n%s", strings.Join(diff, "\n"))
	}
}

func realDrop(t *testing.T, r *remote) {
	s := r.gated()
	b := r.begin(t.Context(), s, time.Minute)
	r.awaitUp()
	r.DropLogins(r.i)
	r.accepted(b, transports.LostContact)
	r.finishGated(s)
}

// finishGated finds the job again, lets it end, and clears it away.
func (r *remote) finishGated(s Spec) {
	r.t.Helper()
	if got := r.join(s.ID); got.State != StateRunning {
		r.t.Errorf("join: %+v", got)
	}
	if got := r.launch(s); got.State != StateRunning {
		r.t.Errorf("a second launch: %+v", got)
	}
	r.open()
	if got := r.await(s.ID, StateRunning); got.State != StateEnded || got.Exit != 7 {
		r.t.Errorf("its end: %+v", got)
	}
	if n := r.ran(); n != 1 {
		r.t.Errorf("it ran %d times", n)
	}
	r.clean(s.ID)
}

// realLeave: the time to wait is over, and then the controller goes away.
func realLeave(t *testing.T, r *remote) {
	s := r.gated()
	b := r.begin(t.Context(), s, 2*time.Second)
	r.awaitUp()
	r.accepted(b, transports.Timeout)
	r.finishGated(s)
}

func realPowerCut(t *testing.T, r *remote) {
	s := r.gated()
	s.Secrets = map[string]string{"password": "known-to-the-dead"}
	b := r.begin(t.Context(), s, time.Minute)
	r.awaitUp()
	r.Restart(r.i)
	r.accepted(b, transports.LostContact)
	r.open() // nobody comes any more
	got := r.join(s.ID)
	if got.State != StateDied || got.BootID == got.BeganIn || got.Detail != "the host was started again before the job ended" {
		t.Errorf("join: %+v", got)
	}
	if found := grepTree(t, filepath.Join(r.Hosts[r.i].Root, "var/lib/oust"), "known-to-the-dead"); len(found) > 0 {
		t.Errorf("after the join the secret is in %q", found)
	}
	if got := r.launch(s); got.State != StateDied {
		t.Errorf("a second launch: %+v", got)
	}
	other := spec("exit 0")
	if got := r.launch(other); got.State != StateEnded {
		t.Errorf("the lock of the dead holds: %+v", got)
	}
	if n := r.ran(); n != 0 {
		t.Errorf("it ran %d times", n)
	}
	r.clean(s.ID)
	r.clean(other.ID)
}

func realTwo(t *testing.T, r *remote) {
	first, second := r.gated(), spec("exit 0")
	first.Campaign, first.Controller = "first campaign", "one laptop"
	second.Campaign, second.Controller = "second campaign", "another laptop"
	b := r.begin(t.Context(), first, 2*time.Second)
	r.awaitUp()
	got := r.launch(second)
	if got.State != StateLocked || got.LockOwner != first.ID || !strings.Contains(got.LockedBy, "first campaign") {
		t.Errorf("the second: %+v", got)
	}
	r.accepted(b, transports.Timeout)
	r.finishGated(first)
	third := spec("exit 0")
	if got := r.launch(third); got.State != StateEnded {
		t.Errorf("the third: %+v", got)
	}
	r.clean(second.ID)
	r.clean(third.ID)
}

func realSecrets(t *testing.T, r *remote) {
	const secret = `Kq7 "very" $secret Zx9`
	s := r.gated()
	s.Secrets = map[string]string{"kaspersky": secret}
	b := r.begin(t.Context(), s, 2*time.Second)
	r.awaitUp()
	for what, script := range map[string]string{
		"an argument list": "cat /proc/[0-9]*/cmdline", "an environment": "cat /proc/[0-9]*/environ",
	} {
		out, _ := r.Exec(r.i, "sh", "-c", script)
		for _, hidden := range []string{secret, "Kq7", sshdlab.OpsPassword} {
			if strings.Contains(out, hidden) {
				t.Errorf("a secret can be seen in %s", what)
			}
		}
	}
	base := filepath.Join(r.Hosts[r.i].Root, "var/lib/oust")
	if found := grepTree(t, base, "Kq7"); len(found) != 1 || !strings.HasSuffix(found[0], "/secrets/kaspersky") {
		t.Errorf("the secret is in %q", found)
	}
	r.accepted(b, transports.Timeout)
	r.finishGated(s)
}

// realCut: the uninstaller itself ends every connection of the host.
func realCut(t *testing.T, r *remote) {
	s := spec("dpkg -P kesl")
	r.SetFault(r.i, "drops-network")
	b := r.begin(t.Context(), s, time.Minute)
	<-b.ended
	got, err := ParseReport(b.out, b.nonce)
	if err != nil || (got.State != StateAccepted && got.State != StateEnded) {
		t.Errorf("launch: %+v, %v, %v", got, err, b.err)
	}
	if got := r.await(s.ID, StateRunning); got.State != StateEnded || got.Exit != 0 {
		t.Errorf("its end: %+v", got)
	}
	if r.Installed(r.i, "kesl") || r.Uninstalls(r.i) != 1 {
		t.Errorf("kesl is installed: %v; the uninstaller ran %d times", r.Installed(r.i, "kesl"), r.Uninstalls(r.i))
	}
	r.clean(s.ID)
}
