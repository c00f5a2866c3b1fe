package ssh

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"oust/transports"
)

// TestTunnel: many streams go through one login at the bastion, and their end
// gives it back.
func TestTunnel(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	b.network.at("10.0.0.9:5986", func(conn net.Conn) {
		_, _ = io.Copy(conn, conn)
		_ = conn.Close()
	})
	d := newDialer(t, b.config(t))
	dial, err := d.Tunnel("192.0.2.9", b.target().Credential)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			conn, err := dial(t.Context(), "tcp", "10.0.0.9:5986")
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			word := fmt.Sprint("word", i)
			got := make([]byte, len(word))
			if _, err := io.WriteString(conn, word); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != word {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := b.bastion.logins.Load(); n != 1 {
		t.Errorf("%d logins at the bastion, want 1", n)
	}
}

func TestTunnelErrors(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	d := newDialer(t, b.config(t))
	for _, jump := range []string{"", "none", "a b", "192.0.2.9:0"} {
		if _, err := d.Tunnel(jump, b.target().Credential); err == nil {
			t.Errorf("%q was taken for a bastion", jump)
		}
	}
	dial, err := d.Tunnel("192.0.2.9", b.target().Credential)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t.Context(), "tcp", "10.9.9.9:1"); transports.ClassOf(err) != transports.Unreachable {
		t.Errorf("nothing there: %v", err)
	}
	refused := newBehind(t)
	refuseKeys(refused.bastion)
	d = newDialer(t, refused.config(t))
	if dial, err = d.Tunnel("192.0.2.9", refused.target().Credential); err != nil {
		t.Fatal(err)
	}
	_, err = dial(t.Context(), "tcp", "10.0.0.9:5986")
	if e, ok := errors.AsType[*transports.Error](err); !ok || e.Class != transports.Auth || !strings.Contains(e.Op, "bastion 192.0.2.9") {
		t.Errorf("a bastion that refuses the login: %v", err)
	}
}
