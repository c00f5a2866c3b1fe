package winrm

import (
	"context"
	"net"
	"testing"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// TestRequests counts what commands cost.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		server wsman.Config
	}{{"sealed over HTTP", wsman.Config{}}, {"over TLS", wsman.Config{TLS: serverTLS(t)}}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, test.server)
			d := newDialer(t, r.config())
			conn, err := d.Dial(t.Context(), r.target())
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				must(t, conn, "echo a", "in")
			}
			_ = conn.Close()
			_ = d.Close()
			for action, most := range map[string]int{"Create": 1, "Command": 5, "Send": 5, "Receive": 10, "Signal": 5, "Delete": 1} {
				if n := r.seen.count(action); n > most || n == 0 {
					t.Errorf("%d of %s, want 1 to %d", n, action, most)
				}
			}
			if requests, links := r.seen.all(); links != 1 || requests > 27 {
				t.Errorf("%d requests over %d connections, want at most 27 over 1", requests, links)
			}
		})
	}
}

// TestShellIsRenewed: a shell is given back before the host's quota of
// commands is used up, and one that has gone is made anew.
func TestShellIsRenewed(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{Operations: 3, Shells: 1})
	conn := r.dial(t, func(c *Config) { c.ShellCommands = 3 })
	for range 7 {
		must(t, conn, "echo a", "")
	}
	if n, gone := r.seen.count("Create"), r.seen.count("Delete"); n != 3 || gone != 2 {
		t.Errorf("%d shells made and %d deleted for 7 commands, want 3 and 2", n, gone)
	}
	r2 := newRig(t, wsman.Config{})
	other := r2.dial(t)
	must(t, other, "echo a", "")
	shellOf(other).id = "00000000-0000-4000-8000-000000000000"
	if res := must(t, other, "exit 6", ""); res.Exit != 6 || r2.seen.count("Create") != 2 {
		t.Errorf("exit %d with %d shells", res.Exit, r2.seen.count("Create"))
	}
}

// TestQuotaOfOwnCommands: where a host allows fewer commands than a shell was
// meant to run, a new shell takes over.
func TestQuotaOfOwnCommands(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{Operations: 2, Shells: 1})
	conn := r.dial(t)
	for range 5 {
		must(t, conn, "echo a", "")
	}
	if n := r.seen.count("Create"); n != 3 {
		t.Errorf("%d shells for 5 commands, want 3", n)
	}
}

// TestConnectionIsRenewed: a host may close a connection that is idle.
func TestConnectionIsRenewed(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	conn := r.dial(t)
	must(t, conn, "echo a", "")
	own := linkOf(conn)
	if err := own.raw.(*net.TCPConn).CloseRead(); err != nil { // reads as the host's end
		t.Fatal(err)
	}
	own.mu.Lock()
	own.last = time.Now().Add(-time.Minute)
	own.mu.Unlock()
	must(t, conn, "echo b", "")
	if _, links := r.seen.all(); links != 2 || r.seen.count("Create") != 1 {
		t.Errorf("%d connections, %d shells; want 2 and 1", links, r.seen.count("Create"))
	}
}

// TestLinkThatRests: a connection that has rested and is well is kept.
func TestLinkThatRests(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{TLS: serverTLS(t)})
	conn := r.dial(t)
	for range 3 {
		own := linkOf(conn)
		own.mu.Lock()
		own.last = time.Now().Add(-time.Minute)
		own.mu.Unlock()
		must(t, conn, "echo a", "")
	}
	if _, links := r.seen.all(); links != 1 {
		t.Errorf("%d connections, want 1", links)
	}
}

// TestOneCommandAtATime: a second one at the same time is refused.
func TestOneCommandAtATime(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, wsman.Config{Backend: wsman.Func(func(context.Context, wsman.Command) int {
		close(begun)
		<-release
		return 0
	})})
	conn := r.dial(t)
	done := make(chan error, 1)
	go func() {
		_, err := conn.Run(t.Context(), transports.Command{Line: "x", Timeout: time.Minute})
		done <- err
	}()
	<-begun
	_, err := conn.Run(t.Context(), transports.Command{Line: "y"})
	wantError(t, err, transports.Internal, "another command runs on this connection")
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func shellOf(c transports.Conn) *shell { return c.(*conn).shell }

func linkOf(c transports.Conn) *link { return c.(*conn).link }
