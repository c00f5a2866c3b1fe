package winrm

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/lab/cmdexe"
	"oust/transports/lab/windows"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest"
)

// TestConformance runs the suite on a simulated machine.
func TestConformance(t *testing.T) {
	image, err := windows.NewImage(windows.Releases()[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]wsman.Config{
		"sealed over HTTP": {}, "over TLS": {TLS: serverTLS(t), Bindings: wsman.BindingsStrict},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancel(context.Background())
			host, err := windows.New(ctx, windows.Config{Name: "WIN1", Image: image, Clock: wallClock{}, Shell: cmdexe.Run})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { host.Close(); end() })
			config.Backend = asAdministrator{host.Backend()}
			var logins atomic.Int32
			config.Logins = func(user, domain string) (transports.Secret, bool) {
				logins.Add(1)
				return testLogins(user, domain)
			}
			h := harness(t, newRig(t, config))
			h.Logins = func() int { return int(logins.Load()) }
			transporttest.Run(t, h)
		})
	}
}

func harness(t *testing.T, r *rig) transporttest.Harness {
	dialer := func(t *testing.T) transports.Dialer { return newDialer(t, r.config()) }
	h := transporttest.Harness{
		Shell: "cmd", Dialer: dialer, Target: r.target(), Log: r.log.String,
		Secrets: []transports.Secret{transports.NewSecret(testPassword), transports.NewSecret("wrong-1")},
		WrongPassword: func(t *testing.T) (transports.Dialer, transports.Target) {
			target := r.target()
			target.Credential.Password = transports.NewSecret("wrong-1")
			return dialer(t), target
		},
		RefusedPort: func(t *testing.T) (transports.Dialer, transports.Target) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			target := targetOf(l.Addr().(*net.TCPAddr).Port)
			_ = l.Close()
			return dialer(t), target
		},
		SilentPeer: func(t *testing.T) (transports.Dialer, transports.Target) {
			port, err := strconv.Atoi(listen(t, func(conn net.Conn) {
				_, _ = io.Copy(io.Discard, conn) // until the client has had enough
				_ = conn.Close()
			}))
			if err != nil {
				t.Fatal(err)
			}
			config := r.config()
			config.Handshake, config.Login = 50*time.Millisecond, 50*time.Millisecond
			return newDialer(t, config), targetOf(port)
		},
	}
	if r.caFile == "" {
		return h
	}
	h.UnknownKey = func(t *testing.T) (transports.Dialer, transports.Target) {
		config := r.config()
		config.CAFile = ""
		return newDialer(t, config), r.target()
	}
	h.ChangedKey = func(t *testing.T) (transports.Dialer, transports.Target) {
		config := r.config()
		config.CAFile, config.Fingerprints = "", []string{strings.Repeat("ab", 32)}
		return newDialer(t, config), r.target()
	}
	return h
}

// asAdministrator runs all commands as the simulated machine's administrator.
type asAdministrator struct{ wsman.Backend }

func (a asAdministrator) Start(ctx context.Context, c wsman.Command) (wsman.Process, error) {
	c.User = windows.Accounts()[0]
	return a.Backend.Start(ctx, c)
}

// wallClock is the real time.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	if !rest(ctx, d) {
		return ctx.Err()
	}
	return nil
}
