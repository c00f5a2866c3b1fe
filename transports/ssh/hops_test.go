package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// behind is a target that only a bastion can reach: each has a network of its
// own. The client reaches the bastion at 192.0.2.9.
type behind struct {
	*place
	bastion *server
	outside *network
	jump    string
	t       testing.TB
}

const bastionAddress = "192.0.2.9:22"

func newBehind(t testing.TB) *behind {
	t.Helper()
	b := &behind{place: newPlace(t), bastion: newServer(t), outside: newNetwork(), jump: "192.0.2.9", t: t}
	b.bastion.forward = forwardInto(b.network)
	b.outside.at(bastionAddress, b.bastion.serve)
	b.knows(t, "192.0.2.9", b.bastion.keys[0].PublicKey())
	return b
}

func forwardInto(n *network) func(string) (net.Conn, error) {
	return func(address string) (net.Conn, error) { return n.DialContext(context.Background(), "tcp", address) }
}

// config is the dialer's; lines are added to the ssh_config file.
func (b *behind) config(t testing.TB, lines ...string) Config {
	t.Helper()
	file := filepath.Join(b.dir, "config")
	writeFile(t, file, "Host web*\n ProxyJump "+b.jump+"\n"+strings.Join(lines, "\n")+"\n")
	config := b.place.config()
	config.ConfigFile, config.DialContext = file, b.outside.DialContext
	return config
}

func (b *behind) dial(t testing.TB, d *Dialer) transports.Conn {
	t.Helper()
	conn, err := d.Dial(t.Context(), b.target())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestThroughABastion(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	d := newDialer(t, b.config(t))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			target := b.target()
			target.Host = fmt.Sprint("web", i)
			conn, err := d.Dial(t.Context(), target)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if res, err := conn.Run(t.Context(), transports.Command{Line: "cat", Stdin: []byte("x")}); err != nil || string(res.Stdout) != "x" {
				t.Errorf("%q, %v", res.Stdout, err)
			}
		})
	}
	wg.Wait()
	if outer, inner := b.bastion.logins.Load(), b.server.logins.Load(); outer != 1 || inner != 50 {
		t.Errorf("%d logins at the bastion, %d behind it; want 1 and 50", outer, inner)
	}
}

func TestThroughAChain(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	second, middle := newServer(t), newNetwork()
	middle.at("10.0.0.2:2200", second.serve)
	b.knows(t, "[10.0.0.2]:2200", second.keys[0].PublicKey())
	b.bastion.forward, second.forward = forwardInto(middle), forwardInto(b.network)
	b.jump = "192.0.2.9,inner"
	d := newDialer(t, b.config(t, "Host inner", " HostName 10.0.0.2", " Port 2200"))
	for range 2 {
		conn := b.dial(t, d)
		if res, err := conn.Run(t.Context(), transports.Command{Line: "exit 4"}); err != nil || res.Exit != 4 {
			t.Errorf("exit %d, %v", res.Exit, err)
		}
		conn.Close()
	}
	if first, then := b.bastion.logins.Load(), second.logins.Load(); first != 1 || then != 1 {
		t.Errorf("%d and %d logins at the bastions, want 1 and 1", first, then)
	}
}

// refuseKeys makes a server refuse every key.
func refuseKeys(s *server) {
	s.setup = func(c *xssh.ServerConfig) {
		c.PublicKeyCallback = func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) { return nil, errors.New("no") }
	}
}

// TestBastionThatFails: the error is of the host, names the bastion, and has
// the class of what went wrong there.
func TestBastionThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bend  func(b *behind)
		class transports.Class
		words string
		took  time.Duration
		tries int // connections to the bastion that five dials make
	}{
		"refuses the connection": {func(b *behind) { b.outside = newNetwork() }, transports.Unreachable,
			"web1: bastion 192.0.2.9: connect: connection refused", 0, 5},
		"never answers": {func(b *behind) { b.outside.at(bastionAddress, nil) }, transports.Unreachable,
			"web1: bastion 192.0.2.9: connect: no answer in 10s", 10 * time.Second, 5},
		"is silent": {func(b *behind) { b.outside.at(bastionAddress, silent) }, transports.Timeout,
			"web1: bastion 192.0.2.9: key exchange: connected, and the host said nothing", 15 * time.Second, 5},
		"has another key": {func(b *behind) { b.bastion.keys = []xssh.Signer{newSigner(b.t)} }, transports.Untrusted,
			"web1: bastion 192.0.2.9: key exchange: the host key of 192.0.2.9 has changed", 0, 1},
		"refuses the login": {func(b *behind) { refuseKeys(b.bastion) }, transports.Auth,
			"web1: bastion 192.0.2.9: login: user ops", 0, 1},
		"forbids forwarding": {func(b *behind) { b.bastion.forward = nil }, transports.Unreachable,
			"does the bastion's sshd allow TCP forwarding?", 0, 1},
		"cannot reach the host": {func(b *behind) { b.at(address, nil); b.bastion.forward = forwardInto(newNetwork()) }, transports.Unreachable,
			"web1: connect: 192.0.2.9 could not reach 192.0.2.2:22", 0, 1},
		"finds a silent host": {func(b *behind) { b.at(address, silent) }, transports.Timeout,
			"web1: key exchange: connected, and the host said nothing", 15 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBehind(t)
				c.bend(b)
				var tries atomic.Int32
				config := b.config(t)
				config.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					tries.Add(1)
					return b.outside.DialContext(ctx, network, address)
				}
				d := newDialer(t, config)
				for range 5 {
					start := time.Now()
					_, err := d.Dial(t.Context(), b.target())
					if transports.ClassOf(err) != c.class || !strings.Contains(err.Error(), c.words) || !strings.HasPrefix(err.Error(), "web1: ") {
						t.Errorf("class %s: %v; want %s with %q", transports.ClassOf(err), err, c.class, c.words)
					}
					if took := time.Since(start); took != c.took {
						t.Errorf("took %v, want %v", took, c.took)
					}
				}
				if n := int(tries.Load()); n != c.tries {
					t.Errorf("%d connections to the bastion, want %d", n, c.tries)
				}
			})
		})
	}
}

// TestRefusedBastionIsTriedAgain: but not for every host, for accounts lock.
func TestRefusedBastionIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		refuseKeys(b.bastion)
		d := newDialer(t, b.config(t))
		if _, err := d.Dial(t.Context(), b.target()); transports.ClassOf(err) != transports.Auth {
			t.Fatalf("class %s: %v", transports.ClassOf(err), err)
		}
		b.bastion.setup = nil
		time.Sleep(59 * time.Second)
		if _, err := d.Dial(t.Context(), b.target()); transports.ClassOf(err) != transports.Auth {
			t.Errorf("within a minute: %v", err)
		}
		time.Sleep(time.Second)
		b.dial(t, d).Close()
	})
}

// TestBastionIsKeptAndGivenBack: as long as a host uses it, and a while more.
func TestBastionIsKeptAndGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		d := newDialer(t, b.config(t))
		use := b.dial(t, d)
		time.Sleep(time.Hour)
		b.dial(t, d).Close()
		use.Close()
		time.Sleep(29 * time.Second)
		b.dial(t, d).Close()
		if n := b.bastion.logins.Load(); n != 1 {
			t.Errorf("%d logins at a bastion that was in use", n)
		}
		time.Sleep(31 * time.Second)
		b.dial(t, d).Close()
		if n := b.bastion.logins.Load(); n != 2 {
			t.Errorf("%d logins at a bastion that was given back, want 2", n)
		}
	})
}

func TestBastionDies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		d := newDialer(t, b.config(t))
		conn := b.dial(t, d)
		time.AfterFunc(3*time.Second, b.outside.cut)
		start := time.Now()
		_, err := conn.Run(t.Context(), transports.Command{Line: "hang", Timeout: time.Hour})
		if transports.ClassOf(err) != transports.LostContact || time.Since(start) != 3*time.Second {
			t.Errorf("class %s after %v: %v", transports.ClassOf(err), time.Since(start), err)
		}
		conn.Close()
		b.dial(t, d).Close()
		if n := b.bastion.logins.Load(); n != 2 {
			t.Errorf("%d logins at the bastion, want 2", n)
		}
	})
}

// TestSilentBastionIsLost: all behind it end, also those that only wait.
func TestSilentBastionIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		var f *freezer
		b.outside.at(bastionAddress, func(conn net.Conn) {
			f = newFreezer(conn)
			b.bastion.serve(f)
		})
		d := newDialer(t, b.config(t))
		conn := b.dial(t, d)
		f.freeze()
		_, err := conn.Run(t.Context(), transports.Command{Line: "hang", Timeout: time.Hour})
		if class := transports.ClassOf(err); class != transports.Timeout && class != transports.LostContact {
			t.Errorf("class %s: %v", class, err)
		}
		conn.Close()
		time.Sleep(2 * time.Minute)
		f.Conn.Close()
		close(f.closed)
	})
}

// TestWaitForABastionEnds: one host gives up, another gets through.
func TestWaitForABastionEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		b.outside.at(bastionAddress, func(conn net.Conn) {
			time.Sleep(5 * time.Second)
			b.bastion.serve(conn)
		})
		d := newDialer(t, b.config(t))
		patient := make(chan error, 1)
		go func() {
			conn, err := d.Dial(t.Context(), b.target())
			if err == nil {
				conn.Close()
			}
			patient <- err
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := d.Dial(ctx, b.target())
		if transports.ClassOf(err) != transports.Timeout || time.Since(start) != 3*time.Second {
			t.Errorf("class %s after %v: %v", transports.ClassOf(err), time.Since(start), err)
		}
		if err := <-patient; err != nil {
			t.Errorf("the patient one: %v", err)
		}
	})
}

func TestClosedDialerEndsBastions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t)
		d := newDialer(t, b.config(t))
		conn := b.dial(t, d)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Run(t.Context(), transports.Command{Line: "exit 0"}); transports.ClassOf(err) != transports.LostContact {
			t.Errorf("a command after close: %v", err)
		}
		if _, err := d.Dial(t.Context(), b.target()); transports.ClassOf(err) != transports.LostContact {
			t.Errorf("a dial after close: %v", err)
		}
		conn.Close()
	})
}

// TestBastionGetsNoSecretOfTheHost: a bastion with a user or key of its own is
// not shown the password of the host behind it.
func TestBastionGetsNoSecretOfTheHost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		jump  string
		lines []string
		shown int
	}{
		"the same user":  {"192.0.2.9", nil, 1},
		"its own user":   {"jump@192.0.2.9", nil, 0},
		"user by config": {"192.0.2.9", []string{"Host 192.0.2.9", " User jump"}, 0},
		"its own key":    {"192.0.2.9", []string{"Host 192.0.2.9", " IdentityFile ~/jump"}, 0},
		"the same, said": {"ops@192.0.2.9", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBehind(t)
			writeKey(t, filepath.Join(b.dir, "jump"), "")
			var shown atomic.Int32
			b.bastion.setup = func(c *xssh.ServerConfig) {
				c.PublicKeyCallback = nil
				c.PasswordCallback = func(xssh.ConnMetadata, []byte) (*xssh.Permissions, error) {
					shown.Add(1)
					return nil, errors.New("no")
				}
			}
			b.jump = c.jump
			target := b.target()
			target.Credential.Password = transports.NewSecret(rightPassword)
			if _, err := newDialer(t, b.config(t, c.lines...)).Dial(t.Context(), target); transports.ClassOf(err) != transports.Auth {
				t.Errorf("class %s: %v", transports.ClassOf(err), err)
			}
			if n := int(shown.Load()); n != c.shown {
				t.Errorf("the password was shown %d times, want %d", n, c.shown)
			}
		})
	}
}

// TestBastionWithItsOwnKey logs in to each with the key meant for it.
func TestBastionWithItsOwnKey(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	own := writeKey(t, filepath.Join(b.dir, "jump"), "").PublicKey()
	onlyKey(&place{server: b.bastion}, own)
	b.jump = "jump"
	b.dial(t, newDialer(t, b.config(t, "Host jump", " HostName 192.0.2.9", " User jump", " IdentityFile ~/jump"))).Close()
}

// TestBastionLostSinceLastUsed: that a shared connection has died shows when it
// is used; the host behind it does not pay for that.
func TestBastionLostSinceLastUsed(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	var last net.Conn
	b.outside.at(bastionAddress, func(c net.Conn) { last = c; b.bastion.serve(c) })
	forward, calls := b.bastion.forward, 0
	b.bastion.forward = func(address string) (net.Conn, error) {
		if calls++; calls == 2 || calls > 3 {
			_ = last.Close()
			return nil, errors.New("gone")
		}
		return forward(address)
	}
	d := newDialer(t, b.config(t))
	b.dial(t, d).Close()
	conn := b.dial(t, d) // over a second login, after the first one's end
	defer conn.Close()
	if n := b.bastion.logins.Load(); n != 2 {
		t.Errorf("%d logins at the bastion, want 2", n)
	}
	// A bastion that dies each time is tried once more, and no oftener.
	_, err := d.Dial(t.Context(), b.target())
	if e, ok := errors.AsType[*transports.Error](err); !ok || e.Class != transports.Unreachable || !e.Temporary || calls != 5 {
		t.Errorf("%v after %d streams", err, calls)
	}
}
