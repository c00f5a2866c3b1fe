package lab

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"oust/transports"
	"oust/transports/lab/windows"
)

// TestDirectFaults: what a host does wrong has the class that it has over a
// wire, at the login and before it.
func TestDirectFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Config{Hosts: 1, Windows: 1, Speed: 1, Offline: true})
		d := f.Dialer()
		linux, windows := f.Hosts()[0], f.Hosts()[1]
		for _, c := range []struct {
			host         HostInfo
			fault        string
			dial, knock  transports.Class
			least, atAll time.Duration // how long the login takes
		}{
			{linux, "", "", "", 0, 0},
			{linux, faultRefused, transports.Unreachable, transports.Unreachable, 0, 0},
			{linux, faultSilent, transports.Timeout, transports.Timeout, answerTime, answerTime},
			{linux, faultHostKey, transports.Untrusted, "", 0, 0},
			{linux, faultLogin, transports.Auth, "", 0, 0},
			{linux, faultSlow, "", "", time.Second, 2 * time.Second},
			{windows, "", "", "", 0, 0},
			{windows, faultRefused, transports.Unreachable, transports.Unreachable, 0, 0},
			{windows, faultSilent, transports.Timeout, transports.Timeout, answerTime, answerTime},
			{windows, faultCertificate, transports.Untrusted, "", 0, 0},
			{windows, faultLogin, transports.Auth, "", 0, 0},
			{windows, faultSlow, "", "", time.Second, 2 * time.Second},
		} {
			if err := f.SetFault(c.host.Name, c.fault); err != nil {
				t.Fatal(err)
			}
			target := offlineTarget(c.host, "ops")
			start := time.Now()
			conn, err := d.Dial(t.Context(), target)
			if took := time.Since(start); transports.ClassOf(err) != c.dial || took < c.least || took > c.atAll {
				t.Errorf("%s %s: %v after %v", c.host.Name, c.fault, err, took)
			}
			if err == nil {
				_ = conn.Close()
			}
			start = time.Now()
			if err := transports.Knock(t.Context(), d, target); transports.ClassOf(err) != c.knock || time.Since(start) > knockTime {
				t.Errorf("%s %s: knock: %v after %v", c.host.Name, c.fault, err, time.Since(start))
			}
		}
		if _, err := d.Dial(t.Context(), transports.Target{Host: "none"}); transports.ClassOf(err) != transports.Unreachable {
			t.Errorf("a host that there is not: %v", err)
		}
		if _, err := d.Dial(t.Context(), offlineTarget(linux, "")); transports.ClassOf(err) != transports.Auth {
			t.Errorf("nobody: %v", err)
		}
		_ = f.SetFault(linux.Name, faultSilent)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := transports.Knock(ctx, d, offlineTarget(linux, "root")); transports.ClassOf(err) != transports.Timeout {
			t.Errorf("a context that ends: %v", err)
		}
	})
}

// TestDirectRestart: a host that starts again cuts its connections, cannot be
// reached, and is back as another boot.
func TestDirectRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Config{Hosts: 1, Windows: 1, Speed: 1, Offline: true})
		d := f.Dialer()
		for _, c := range []struct{ user, line string }{{"root", "sleep 3600"}, {"ops", "waitfor never"}} {
			h := f.Hosts()[0]
			if c.user == "ops" {
				h = f.Hosts()[1]
			}
			before, err := f.State(h.Name)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := d.Dial(t.Context(), offlineTarget(h, c.user))
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error)
			go func() {
				_, err := conn.Run(t.Context(), transports.Command{Line: c.line, Timeout: time.Hour})
				ended <- err
			}()
			synctest.Wait()
			go func() { _ = f.Reboot(h.Name) }()
			if err := <-ended; transports.ClassOf(err) != transports.LostContact {
				t.Errorf("%s: the command: %v", h.Name, err)
			}
			_ = conn.Close()
			if _, err := d.Dial(t.Context(), offlineTarget(h, c.user)); transports.ClassOf(err) != transports.Unreachable {
				t.Errorf("%s: during the restart: %v", h.Name, err)
			}
			time.Sleep(time.Minute)
			if conn, err = d.Dial(t.Context(), offlineTarget(h, c.user)); err != nil {
				t.Fatal(err)
			}
			if r, err := conn.Run(t.Context(), transports.Command{Line: "hostname"}); err != nil || len(r.Stdout) == 0 {
				t.Errorf("%s: %v %q", h.Name, err, r.Stdout)
			}
			_ = conn.Close()
			if after, err := f.State(h.Name); err != nil || after.BootID == before.BootID || after.Address != before.Address {
				t.Errorf("%s: %v, boot id %s", h.Name, err, after.BootID)
			}
		}
	})
}

// TestDirectWindowsFaults: what the WinRM service does wrong in mid-uninstall
// loses the launch, and the job goes on.
func TestDirectWindowsFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Config{Windows: 7, Seed: 3, Speed: 1, Offline: true})
		c := newCampaigner(t, f)
		for i, fault := range []string{"", windows.FaultDrop, "shell-killed", "no-exit-code", "not-xml", "stall", "quota"} {
			h := f.Hosts()[i]
			if err := f.SetFault(h.Name, fault); err != nil {
				t.Fatal(err)
			}
			lost := &losses{Dialer: f.Dialer(), lost: map[transports.Class]int{}}
			c.dialer = lost
			report, left, err := c.remove(t.Context(), h)
			if fault == "quota" {
				if transports.ClassOf(err) != transports.Busy {
					t.Errorf("quota: %v", err)
				}
				continue
			}
			if err != nil || left != 0 {
				t.Errorf("%s: %v, %d left, %+v", fault, err, left, report)
			}
			if want := min(len(fault), 1); lost.lost[transports.LostContact] != want || len(lost.lost) != want {
				t.Errorf("%s: lost %v", fault, lost.lost)
			}
			for product, n := range f.Counts()[h.Name] {
				if n != 1 {
					t.Errorf("%s: the uninstaller of %s was started %d times", fault, product, n)
				}
			}
		}
	})
}

// losses counts the commands whose end is not known.
type losses struct {
	transports.Dialer
	lost map[transports.Class]int
}

type lossesConn struct {
	transports.Conn
	*losses
}

func (l *losses) Dial(ctx context.Context, target transports.Target) (transports.Conn, error) {
	conn, err := l.Dialer.Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	return lossesConn{conn, l}, nil
}

func (l lossesConn) Run(ctx context.Context, cmd transports.Command) (transports.Result, error) {
	r, err := l.Conn.Run(ctx, cmd)
	if err != nil {
		l.lost[transports.ClassOf(err)]++
	}
	return r, err
}
