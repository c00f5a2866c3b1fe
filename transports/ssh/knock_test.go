package ssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oust/transports"
)

func TestKnock(t *testing.T) {
	for _, c := range []struct {
		name      string
		host      func(t *testing.T, p *place) func(net.Conn)
		class     transports.Class // empty: it answers
		op        string
		took      time.Duration
		temporary bool
		words     string
	}{
		{name: "a living host", host: func(_ *testing.T, p *place) func(net.Conn) { return p.server.serve }},
		{name: "a version and no more", host: fixed(says("SSH-2.0-x\r\n"))},
		{name: "a version in two parts, after a line", host: fixed(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "welcome\r\nSS")
			synctest.Wait()
			says("H-2.0-x\r\n")(conn)
		})},
		{name: "never answers", host: fixed(nil), class: transports.Unreachable, op: opConnect, took: 5 * time.Second, words: "no answer in 5s"},
		{name: "accepts and is silent", host: fixed(silent), class: transports.Timeout, op: opKeyExchange, took: 5 * time.Second, words: "said nothing for 5s"},
		{name: "a line and no more", host: fixed(says("please wait\r\n")), class: transports.Timeout, op: opKeyExchange, took: 5 * time.Second},
		{name: "drops at once", host: fixed(saysAndCloses("")), class: transports.Unreachable, op: opConnect, temporary: true, words: "MaxStartups"},
		{name: "bars this address", host: fixed(saysAndCloses("Not allowed at this time\r\n")), class: transports.Unreachable, op: opConnect, words: "PerSourcePenalties"},
		{name: "not SSH", host: fixed(says("HTTP/1.1 400 " + strings.Repeat("x", 600))), class: transports.Unsupported, op: opKeyExchange, words: "is it an SSH server?"},
		{name: "talks for ever", host: fixed(talksForEver), class: transports.Unsupported, op: opKeyExchange, words: "is it an SSH server?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				p.at(address, c.host(t, p))
				d := newDialer(t, p.config())
				start := time.Now()
				err := transports.Knock(t.Context(), d, p.target())
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				synctest.Wait()
				if n := p.server.logins.Load(); n != 0 {
					t.Errorf("%d logins", n)
				}
				if c.class == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e, ok := errors.AsType[*transports.Error](err)
				if !ok {
					t.Fatalf("error %v", err)
				}
				if e.Class != c.class || e.Op != c.op || e.Temporary != c.temporary || e.Host != "web1" || !strings.Contains(e.Error(), c.words) {
					t.Errorf("class %s, op %s, temporary %v: %v; want %s, %s, %v with %q",
						e.Class, e.Op, e.Temporary, e, c.class, c.op, c.temporary, c.words)
				}
			})
		})
	}
}

// TestKnockIsPolite: the host is told nothing, and the stream is ended.
func TestKnockIsPolite(t *testing.T) {
	p := newPlace(t)
	heard := make(chan string, 1)
	p.at(address, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "SSH-2.0-x\r\n")
		all, _ := io.ReadAll(bufio.NewReader(conn))
		heard <- string(all)
	})
	config := p.config()
	config.KnownHosts = []string{p.dir + "/none"} // the key is not looked at
	if err := transports.Knock(t.Context(), newDialer(t, config), p.target()); err != nil {
		t.Fatal(err)
	}
	if all := <-heard; all != "" {
		t.Errorf("the host was told %q", all)
	}
}

func TestKnockEndsWithContext(t *testing.T) {
	for name, host := range map[string]func(net.Conn){"connect": nil, "silence": silent} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				p.at(address, host)
				d := newDialer(t, p.config())
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				for range 2 { // the second begins with a context that has ended
					start := time.Now()
					err := transports.Knock(ctx, d, p.target())
					if !errors.Is(err, context.Canceled) || transports.ClassOf(err) != transports.Unreachable || time.Since(start) > time.Second {
						t.Errorf("after %v: %v of class %s", time.Since(start), err, transports.ClassOf(err))
					}
				}
			})
		})
	}
}

// TestKnockThroughABastion: hosts behind one share its login, and are told
// apart by what they say, not by what the bastion opens.
func TestKnockThroughABastion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		b.network.at("192.0.2.3:22", silent)
		d := newDialer(t, b.config(t))
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				target := b.target()
				target.Host = fmt.Sprint("web", i)
				if err := transports.Knock(t.Context(), d, target); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		dead := b.target()
		dead.Address = "192.0.2.3"
		start := time.Now()
		if err := transports.Knock(t.Context(), d, dead); transports.ClassOf(err) != transports.Timeout || time.Since(start) != 5*time.Second {
			t.Errorf("a silent host, after %v: %v", time.Since(start), err)
		}
		nobody := b.target()
		nobody.Address = "192.0.2.77"
		if err := transports.Knock(t.Context(), d, nobody); transports.ClassOf(err) != transports.Unreachable {
			t.Errorf("a closed port: %v", err)
		}
		if outer, inner := b.bastion.logins.Load(), b.server.logins.Load(); outer != 1 || inner != 0 {
			t.Errorf("%d logins at the bastion and %d behind it, want 1 and 0", outer, inner)
		}
	})
}

func TestKnockBadTargets(t *testing.T) {
	p := newPlace(t)
	target := p.target()
	target.Address = "a b"
	if err := transports.Knock(t.Context(), newDialer(t, p.config()), target); transports.ClassOf(err) != transports.Unsupported {
		t.Error(err)
	}
}

// TestKnockAtSSHD: a real sshd sees a client that left, and no login.
func TestKnockAtSSHD(t *testing.T) {
	s := startSSHD(t)
	d := newDialer(t, s.config())
	for range 20 {
		if err := transports.Knock(t.Context(), d, s.target()); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := d.Dial(t.Context(), s.target())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if res, err := conn.Run(t.Context(), transports.Command{Line: "true"}); err != nil || res.Exit != 0 {
		t.Fatal(res, err)
	}
	log := s.lab.Log(0)
	if n := strings.Count(log, "Accepted publickey"); n != 1 || strings.Contains(log, "Failed ") {
		t.Errorf("%d logins in the log of sshd, want the one after the knocks:\n%s", n, log)
	}
}
