package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// dialMany dials hosts web0 and so on at once, all at the place's address.
func dialMany(ctx context.Context, d transports.Dialer, target transports.Target, hosts int) []error {
	errs := make([]error, hosts)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			target := target
			target.Host = fmt.Sprint("web", i)
			conn, err := d.Dial(ctx, target)
			if err == nil {
				_ = conn.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errs
}

// TestLockOutOverSSH: of 200 hosts that are dialled at once with a wrong
// password, three are shown it.
func TestLockOutOverSSH(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, a := newPlace(t), &attempts{}
		passwordServer(p, a, true, true, askPassword(a))
		p.at(address, func(conn net.Conn) { // a third of the connections is silent
			p.mu.Lock()
			n := p.dials[address]
			p.mu.Unlock()
			if n%3 == 0 {
				silent(conn)
				return
			}
			p.server.serve(conn)
		})
		target := p.target()
		target.Credential.KeyFile, target.Credential.Password = "", transports.NewSecret(wrongPassword)
		d := transports.LockOut(transports.LockOutConfig{})(newDialer(t, p.config()))
		stopped := 0
		for _, err := range dialMany(t.Context(), d, target, 200) {
			switch {
			case errors.Is(err, transports.ErrStopped):
				stopped++
				if strings.Contains(err.Error(), wrongPassword) || !strings.Contains(err.Error(), "credential linux was refused by 3 hosts in a row") {
					t.Fatal(err)
				}
			case err == nil:
				t.Fatal("a wrong password logged in")
			}
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.passwords) != 3 || stopped == 0 {
			t.Errorf("%d logins reached hosts, and %d were stopped", len(a.passwords), stopped)
		}
	})
}

// TestLockOutLetsTheRightOneThrough: hosts that are silent before the login
// hold nobody up, and all others log in at once.
func TestLockOutLetsTheRightOneThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.at("192.0.2.3:22", silent)
		p.at("192.0.2.4:22", nil)
		d := transports.LockOut(transports.LockOutConfig{})(newDialer(t, p.config()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for _, dead := range []string{"192.0.2.3", "192.0.2.4"} {
			target := p.target()
			target.Address = dead
			wg.Go(func() { dialMany(ctx, d, target, 50) })
		}
		synctest.Wait()
		start := time.Now()
		for _, err := range dialMany(t.Context(), d, p.target(), 100) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
		wg.Wait()
	})
}

// TestTheWaitForOthersIsNotTheLogins: the clock of the login stands still
// while others are tried first.
func TestTheWaitForOthersIsNotTheLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, hung := newPlace(t), newPlace(t)
		hung.at(address, stalledLogin(t, hung))
		patient, brief := hung.config(), p.config()
		patient.Login, brief.Login = 25*time.Second, 15*time.Second
		g := transports.NewGuard(transports.LockOutConfig{Patience: time.Minute})
		slow, d := g.Dialer(newDialer(t, patient)), g.Dialer(newDialer(t, brief))
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, err := range dialMany(t.Context(), slow, hung.target(), 3) {
				if transports.ClassOf(err) != transports.Timeout {
					t.Errorf("a stalled login: %v", err)
				}
			}
		})
		synctest.Wait()
		start := time.Now()
		for _, err := range dialMany(t.Context(), d, p.target(), 5) {
			if err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != 25*time.Second {
			t.Errorf("waited %v, want 25s", took)
		}
		wg.Wait()
	})
}

// TestUnreadableKeyIsNoRefusal: nobody was asked.
func TestUnreadableKeyIsNoRefusal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	d := transports.LockOut(transports.LockOutConfig{})(newDialer(t, p.config()))
	target := p.target()
	target.Credential.KeyFile = p.dir + "/nothing"
	for range 5 {
		if _, err := d.Dial(t.Context(), target); transports.ClassOf(err) != transports.Auth || errors.Is(err, transports.ErrStopped) {
			t.Fatal(err)
		}
	}
	conn, err := d.Dial(t.Context(), p.target())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestBastionsCountOnce: a login that a bastion refuses is one, however many
// hosts stand behind it; after three the credential is not tried again.
func TestBastionsCountOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		tries := 0
		b.bastion.setup = func(c *xssh.ServerConfig) {
			c.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) {
				tries++
				return nil, errors.New("no")
			}
		}
		var told []string
		config := b.config(t)
		config.Guard = transports.NewGuard(transports.LockOutConfig{OnStop: func(name, user, why string) { told = append(told, name, user, why) }})
		d := config.Guard.Dialer(newDialer(t, config))
		for i := range 5 {
			for _, err := range dialMany(t.Context(), d, b.target(), 50) {
				if transports.ClassOf(err) != transports.Auth || errors.Is(err, transports.ErrStopped) != (i >= 3) {
					t.Fatalf("round %d: %v", i, err)
				}
			}
			if want := min(i+1, 3); tries != want {
				t.Errorf("round %d: %d logins reached the bastion, want %d", i, tries, want)
			}
			time.Sleep(time.Minute) // HopAgain
		}
		if len(told) != 3 || told[0] != "linux" || told[1] != "ops" ||
			!strings.Contains(told[2], "credential linux was refused 3 times in a row (bastion 192.0.2.9: user ops:") {
			t.Errorf("OnStop was told %q", told)
		}
	})
}

// TestStoppedBastion: without a guard before the dialer, bastions have one of
// their own.
func TestStoppedBastion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		refuseKeys(b.bastion)
		d := newDialer(t, b.config(t))
		for range 3 {
			_, _ = d.Dial(t.Context(), b.target()) // counted
			time.Sleep(time.Minute)
		}
		b.bastion.setup = nil
		_, err := d.Dial(t.Context(), b.target())
		if !errors.Is(err, transports.ErrStopped) || !strings.HasPrefix(err.Error(), "web1: bastion 192.0.2.9: login: credential linux was refused") {
			t.Error(err)
		}
	})
}
