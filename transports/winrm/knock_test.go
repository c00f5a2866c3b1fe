package winrm

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// TestKnock: a listener answers without a login, and its certificate is not
// judged.
func TestKnock(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]wsman.Config{"HTTP": {}, "TLS": {TLS: serverTLS(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logins atomic.Int32
			config.Logins = func(user, domain string) (transports.Secret, bool) {
				logins.Add(1)
				return testLogins(user, domain)
			}
			r := newRig(t, config)
			stranger := r.config()
			stranger.CAFile = ""
			for _, c := range []Config{r.config(), stranger} {
				if err := transports.Knock(t.Context(), newDialer(t, c), r.target()); err != nil {
					t.Error(err)
				}
			}
			if requests, _ := r.seen.all(); requests != 0 || logins.Load() != 0 {
				t.Errorf("%d requests of an account, %d logins", requests, logins.Load())
			}
		})
	}
}

// answers is a peer that gives one answer to each request.
func answers(t *testing.T, text string) transports.Target {
	t.Helper()
	port, err := strconv.Atoi(listen(t, func(conn net.Conn) {
		defer conn.Close()
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, text)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	return targetOf(port)
}

func TestKnockAtOtherServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		class transports.Class
		words string
	}{
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", transports.Unsupported, "win1: knock: the host answers 404 Not Found; there is no WinRM on this port"},
		{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", transports.Unsupported, "403"},
		{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", transports.Busy, "503"},
		{"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", transports.LostContact, "502"},
		{"220 mail.example ESMTP\r\n", transports.Unsupported, "is it WinRM that listens on this port?"},
		{"", transports.LostContact, "win1: knock: "},
	} {
		err := transports.Knock(t.Context(), newDialer(t, Config{Plain: true}), answers(t, c.text))
		wantError(t, err, c.class, c.words)
	}
}

func TestKnockSilence(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{true, false} {
		t.Run(fmt.Sprint("plain ", plain), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDialer(t, Config{Plain: plain, DialContext: func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					go func() { _, _ = io.Copy(io.Discard, far) }() // until near is closed
					return channel{near}, nil
				}})
				start := time.Now()
				err := transports.Knock(t.Context(), d, targetOf(0))
				wantError(t, err, transports.Timeout, "no answer for 5s")
				if took := time.Since(start); took != 5*time.Second {
					t.Errorf("took %v", took)
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start = time.Now()
				for range 2 {
					err = transports.Knock(ctx, d, targetOf(0))
					wantError(t, err, transports.Unreachable, "context canceled")
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("took %v after cancel", took)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		d := newDialer(t, Config{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }})
		err := transports.Knock(t.Context(), d, targetOf(0))
		wantError(t, err, transports.Unreachable, "no answer in 5s (127.0.0.1:5986)")
	})
	target := targetOf(0)
	target.Address = "a b"
	wantError(t, transports.Knock(t.Context(), newDialer(t, Config{}), target), transports.Unsupported, "not a name or an IP address")
}

// TestKnockThroughProxies: knocks go the way of dials.
func TestKnockThroughProxies(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	for scheme, serve := range map[string]func(*testing.T, net.Conn){"http": serveConnect, "socks5": serveSocks} {
		served := make(chan struct{}, 10)
		port := listen(t, func(conn net.Conn) { served <- struct{}{}; serve(t, conn) })
		config := r.config()
		config.Proxy = scheme + "://user:pass-word@127.0.0.1:" + port
		if err := transports.Knock(t.Context(), newDialer(t, config), r.target()); err != nil || len(served) != 1 {
			t.Errorf("%s: %v, %d connections to the proxy", scheme, err, len(served))
		}
	}
}
