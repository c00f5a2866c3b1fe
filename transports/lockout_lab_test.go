package transports_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"oust/transports"
	"oust/transports/lab"
	"oust/transports/ssh"
	"oust/transports/winrm"
)

// counter is a log that counts the lines with a text.
type counter struct {
	text string
	n    atomic.Int32
}

func (c *counter) Write(p []byte) (int, error) {
	c.n.Add(int32(strings.Count(string(p), c.text)))
	return len(p), nil
}

// labFleet is a fleet of 200 hosts, with dialers for its Linux and its Windows
// hosts, and the count of passwords that were refused on the former.
func labFleet(t *testing.T) (fleet *lab.Fleet, unix, windows transports.Dialer, refused *counter) {
	t.Helper()
	refused = &counter{text: "login refused"}
	fleet, err := lab.Start(t.Context(), lab.Config{
		Hosts: 170, Windows: 30, Seed: 1, Logger: hclog.New(&hclog.LoggerOptions{Output: refused, Level: hclog.Debug}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fleet.Close() })
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(fleet.KnownHosts()), 0o600); err != nil {
		t.Fatal(err)
	}
	over, err := ssh.NewDialer(ssh.Config{KnownHosts: []string{known}, ConfigFile: ssh.ConfigNone, KeyExchange: time.Minute, Login: time.Minute, Knock: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = over.Close() })
	win, err := winrm.NewDialer(winrm.Config{Plain: true, Login: time.Minute, Knock: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = win.Close() })
	return fleet, over, win, refused
}

// TestLockOutOnTheLab: 200 hosts that are dialled at once with a wrong
// password, each kind with a credential of its own, see three logins of each.
func TestLockOutOnTheLab(t *testing.T) {
	fleet, unix, windows, refused := labFleet(t)
	byKind := transports.DialerFunc(func(ctx context.Context, target transports.Target) (transports.Conn, error) {
		if target.Credential.Name == "windows" {
			return windows.Dial(ctx, target)
		}
		return unix.Dial(ctx, target)
	})
	var mu sync.Mutex
	told := map[string]string{}
	d := transports.LockOut(transports.LockOutConfig{OnStop: func(name, _, why string) {
		mu.Lock()
		defer mu.Unlock()
		told[name] = why
	}})(byKind)
	var wg sync.WaitGroup
	var asked sync.Map // hosts that refused, by credential and name
	for _, h := range fleet.Hosts() {
		target := transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Credential: transports.Credential{
			Name: "linux", User: "ops", Password: transports.NewSecret("not-the-password"),
		}}
		if strings.HasPrefix(h.Name, "win-") {
			target.Credential.Name = "windows"
		}
		wg.Go(func() {
			_, err := d.Dial(t.Context(), target)
			if transports.ClassOf(err) != transports.Auth {
				t.Errorf("class %s: %v", transports.ClassOf(err), err)
			}
			if !errors.Is(err, transports.ErrStopped) {
				asked.Store(target.Credential.Name+" "+target.Host, true)
			}
		})
	}
	wg.Wait()
	count := map[string]int{}
	asked.Range(func(key, _ any) bool {
		name, _, _ := strings.Cut(key.(string), " ")
		count[name]++
		return true
	})
	if count["linux"] != 3 || count["windows"] != 3 {
		t.Errorf("hosts that were asked: %v, want 3 of each kind", count)
	}
	_ = fleet.Close() // all that the hosts have to log is logged
	if n := refused.n.Load(); n != 3 {
		t.Errorf("the Linux hosts have seen %d wrong passwords, want 3", n)
	}
	for _, name := range []string{"linux", "windows"} {
		if why := told[name]; !strings.HasPrefix(why, "credential "+name+" was refused by 3 hosts in a row (") || strings.Contains(why, "not-the-password") {
			t.Errorf("OnStop was told %q", why)
		}
	}
}

// TestKnockOnTheLab: no host logs a login, and all answer.
func TestKnockOnTheLab(t *testing.T) {
	fleet, unix, windows, refused := labFleet(t)
	var wg sync.WaitGroup
	for _, h := range fleet.Hosts() {
		target, d := transports.Target{Host: h.Name, Address: h.Address, Port: h.Port, Credential: transports.Credential{
			Name: "any", User: "ops", Password: transports.NewSecret("not-the-password"),
		}}, unix
		if strings.HasPrefix(h.Name, "win-") {
			d = windows
		}
		wg.Go(func() {
			if err := transports.Knock(t.Context(), d, target); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	_ = fleet.Close()
	if n := refused.n.Load(); n != 0 {
		t.Errorf("%d logins", n)
	}
}
