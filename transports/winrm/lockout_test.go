package winrm

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// TestLockOut: of 60 hosts that are dialled at once with a wrong password,
// three check it, whichever way it is shown.
func TestLockOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		auth   string
		config wsman.Config
	}{
		{authNTLM, wsman.Config{}},
		{authNTLM, wsman.Config{TLS: serverTLS(t)}},
		{authBasic, wsman.Config{TLS: serverTLS(t), Basic: true, NTLM: true}},
	} {
		t.Run(fmt.Sprint(c.auth, " TLS ", c.config.TLS != nil), func(t *testing.T) {
			t.Parallel()
			var checked atomic.Int32
			c.config.Logins = func(user, domain string) (transports.Secret, bool) {
				checked.Add(1)
				return testLogins(user, domain)
			}
			r := newRig(t, c.config)
			d := transports.LockOut(transports.LockOutConfig{})(newDialer(t, r.config()))
			target := r.target()
			target.Credential.Auth, target.Credential.Password = c.auth, transports.NewSecret("wrong-1")
			var wg sync.WaitGroup
			for i := range 60 {
				target := target
				target.Host = fmt.Sprint("win", i)
				wg.Go(func() {
					_, err := d.Dial(t.Context(), target)
					e := wantError(t, err, transports.Auth)
					if errors.Is(err, transports.ErrStopped) {
						wantError(t, err, transports.Auth, target.Host+": login: credential windows was refused by 3 hosts in a row (")
					} else if e.NoLogin {
						t.Errorf("no login: %v", err)
					}
				})
			}
			wg.Wait()
			if n := checked.Load(); n != 3 {
				t.Errorf("%d hosts checked the password, want 3", n)
			}
		})
	}
}

// TestLaterLoginsCount: input of some size takes a second login, which is
// guarded like the first.
func TestLaterLoginsCount(t *testing.T) {
	t.Parallel()
	var changed atomic.Bool
	var checked atomic.Int32
	r := newRig(t, wsman.Config{Logins: func(user, domain string) (transports.Secret, bool) {
		checked.Add(1)
		if changed.Load() {
			return transports.NewSecret("another"), true
		}
		return testLogins(user, domain)
	}})
	d := transports.LockOut(transports.LockOutConfig{})(newDialer(t, r.config()))
	input := make([]byte, 200_000)
	cat := func() error {
		conn, err := d.Dial(t.Context(), r.target())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		changed.Store(checked.Load() > 2)
		_, err = conn.Run(t.Context(), transports.Command{Line: "cat", Stdin: input, Timeout: time.Minute})
		changed.Store(false)
		return err
	}
	if err := cat(); err != nil {
		t.Fatal(err)
	}
	wantError(t, cat(), transports.Auth, "the host refused the login")
	if n := checked.Load(); n != 4 {
		t.Errorf("%d logins, want two for each command", n)
	}
	changed.Store(true)
	for i := range 4 {
		_, err := d.Dial(t.Context(), r.target())
		if wantError(t, err, transports.Auth); errors.Is(err, transports.ErrStopped) != (i >= 2) {
			t.Errorf("dial %d: %v", i, err)
		}
	}
}
