package ssh

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/transports"
)

// commandAt runs one command against a session handler in a bubble.
type commandAt struct {
	session func(t *testing.T, p *place, ch xssh.NewChannel)
	cmd     transports.Command
	class   transports.Class // "" for none
	op      string
	took    time.Duration
	exit    int
	// usable: the connection runs another command afterwards.
	usable bool
	words  string
}

func TestRunHostilePeers(t *testing.T) {
	minute := transports.Command{Line: "x", Timeout: time.Minute}
	for name, c := range map[string]commandAt{
		"no answer to the channel": {
			session: func(*testing.T, *place, xssh.NewChannel) {}, cmd: minute,
			class: transports.Timeout, op: opOpen, took: 15 * time.Second},
		"no answer to the channel in a short command": {
			session: func(*testing.T, *place, xssh.NewChannel) {}, cmd: transports.Command{Line: "x", Timeout: time.Second},
			class: transports.Timeout, op: opRun, took: time.Second},
		"no answer to exec": {session: acceptOnly, cmd: minute, class: transports.Timeout, op: opOpen, took: 15 * time.Second},
		"channel refused": {session: refuse(xssh.ConnectionFailed), cmd: minute,
			class: transports.Busy, op: opOpen, usable: true, words: "no room"},
		"channel forbidden": {session: refuse(xssh.Prohibited), cmd: minute,
			class: transports.Unsupported, op: opOpen, usable: true, words: "allows no sessions"},
		"exec refused":   {session: refuseExec, cmd: minute, class: transports.Unsupported, op: opRun, usable: true},
		"never ends":     {session: started(nil), cmd: minute, class: transports.Timeout, op: opRun, took: time.Minute, usable: true},
		"default time":   {session: started(nil), cmd: transports.Command{Line: "x"}, class: transports.Timeout, op: opRun, took: 2 * time.Minute, usable: true},
		"sends for ever": {session: started(sendForEver), cmd: minute, class: transports.Timeout, op: opRun, took: time.Minute, usable: true},
		"does not read stdin": {session: started(nil), cmd: transports.Command{Line: "x", Stdin: make([]byte, 8<<20), Timeout: time.Minute},
			class: transports.Timeout, op: opRun, took: time.Minute, usable: true},
		"closes without an exit code": {session: started(func(c xssh.Channel) { _ = c.Close() }), cmd: minute,
			class: transports.LostContact, op: opRun, words: "ended the session"},
		"output and no exit code": {session: started(func(c xssh.Channel) { _, _ = io.WriteString(c, "done"); _ = c.Close() }), cmd: minute,
			class: transports.LostContact, op: opRun},
		"drops": {session: func(_ *testing.T, p *place, ch xssh.NewChannel) { begin(ch); p.cut() }, cmd: minute,
			class: transports.LostContact, op: opRun, words: "connection was lost"},
		"drops before exec": {session: func(_ *testing.T, p *place, ch xssh.NewChannel) { p.cut() }, cmd: minute,
			class: transports.LostContact, op: opOpen, words: "connection was lost"},
		"exit code and drop": {session: func(_ *testing.T, p *place, ch xssh.NewChannel) {
			c, _, _ := begin(ch)
			end(c, 3)
			p.cut()
		}, cmd: minute, exit: 3},
		"exit code and no close": {session: started(func(c xssh.Channel) { _ = status(c, 4) }), cmd: minute,
			exit: 4, took: 5 * time.Second, usable: true},
		"output dribbles after the exit code": {session: started(func(c xssh.Channel) {
			_ = status(c, 5)
			for range 4 {
				time.Sleep(3 * time.Second)
				_, _ = io.WriteString(c, "x")
			}
		}), cmd: minute, exit: 5, took: 20 * time.Second, usable: true},
		"two exit codes":       {session: started(func(c xssh.Channel) { _ = status(c, 6); _ = status(c, 0); _ = c.Close() }), cmd: minute, exit: 6, usable: true},
		"a cut exit code":      {session: started(func(c xssh.Channel) { _, _ = c.SendRequest("exit-status", false, []byte{0}); _ = c.Close() }), cmd: minute, class: transports.LostContact, op: opRun},
		"many requests":        {session: started(askMuch), cmd: minute, exit: 7, usable: true},
		"a signal":             {session: started(dieBy("KILL")), cmd: minute, exit: 137, usable: true},
		"a signal of its own":  {session: started(dieBy("SIG@example.com")), cmd: minute, exit: 128, usable: true},
		"data of another kind": {session: started(func(c xssh.Channel) { _, _ = c.Write([]byte("x")); _ = status(c, 0); _ = c.Close() }), cmd: minute, usable: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.run(t) })
		})
	}
}

func (c commandAt) run(t *testing.T) {
	p := newPlace(t)
	first := true
	p.server.session = func(ch xssh.NewChannel) {
		if first {
			first = false
			c.session(t, p, ch)
			return
		}
		answer(ch)
	}
	conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
	if err != nil {
		t.Fatal(err)
	}
	defer time.Sleep(time.Minute) // for the host to see the end
	defer conn.Close()
	start := time.Now()
	res, err := conn.Run(t.Context(), c.cmd)
	if took := time.Since(start); took != c.took {
		t.Errorf("took %v, want %v", took, c.took)
	}
	switch e, _ := errors.AsType[*transports.Error](err); {
	case c.class == "" && err != nil:
		t.Errorf("error %v", err)
	case c.class == "" && res.Exit != c.exit:
		t.Errorf("exit %d, want %d", res.Exit, c.exit)
	case c.class != "" && e == nil:
		t.Errorf("error %v exit %d, want class %s", err, res.Exit, c.class)
	case c.class != "" && (e.Class != c.class || e.Op != c.op || !strings.Contains(e.Error(), c.words)):
		t.Errorf("class %s, op %s: %v; want %s, %s with %q", e.Class, e.Op, e, c.class, c.op, c.words)
	}
	if kept := len(res.Stdout) + len(res.Stderr); kept > transports.DefaultMaxOutput {
		t.Errorf("%d bytes were kept", kept)
	}
	if c.usable {
		res, err := conn.Run(t.Context(), transports.Command{Line: "cat", Stdin: []byte("more")})
		if err != nil || string(res.Stdout) != "more" {
			t.Errorf("the next command: %q, %v", res.Stdout, err)
		}
	}
}

// started returns a session that takes the command and does do.
func started(do func(xssh.Channel)) func(*testing.T, *place, xssh.NewChannel) {
	return func(_ *testing.T, _ *place, ch xssh.NewChannel) {
		c, requests, _ := begin(ch)
		go xssh.DiscardRequests(requests)
		if do != nil {
			do(c)
		}
	}
}

func acceptOnly(_ *testing.T, _ *place, ch xssh.NewChannel) { _, _, _ = ch.Accept() }

func refuse(reason xssh.RejectionReason) func(*testing.T, *place, xssh.NewChannel) {
	return func(_ *testing.T, _ *place, ch xssh.NewChannel) { _ = ch.Reject(reason, "open failed") }
}

func refuseExec(_ *testing.T, _ *place, ch xssh.NewChannel) {
	_, requests, err := ch.Accept()
	if err == nil {
		xssh.DiscardRequests(requests)
	}
}

// sendForEver writes until the channel is closed, a little at a time.
func sendForEver(c xssh.Channel) {
	for {
		if _, err := c.Write(bytes.Repeat([]byte("spam "), 1000)); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func status(c xssh.Channel, code int) error {
	_, err := c.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(code)))
	return err
}

// askMuch sends more requests than the library holds.
func askMuch(c xssh.Channel) {
	for range 100 {
		if _, err := c.SendRequest("keepalive@openssh.com", true, nil); err != nil {
			return
		}
	}
	end(c, 7)
}

func dieBy(signal string) func(xssh.Channel) {
	return func(c xssh.Channel) {
		_, _ = c.SendRequest("exit-signal", false, xssh.Marshal(struct {
			Name          string
			Core          bool
			Message, Lang string
		}{Name: signal}))
		_ = c.Close()
	}
}

// TestRunEndsEarly cancels and closes at each point of a command.
func TestRunEndsEarly(t *testing.T) {
	for name, session := range map[string]func(*testing.T, *place, xssh.NewChannel){
		"opening": func(*testing.T, *place, xssh.NewChannel) {}, "exec": acceptOnly,
		"running": started(nil), "sending": started(sendForEver),
	} {
		for _, how := range []string{"cancel", "deadline", "close"} {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPlace(t)
					p.server.session = func(ch xssh.NewChannel) { session(t, p, ch) }
					conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
					if err != nil {
						t.Fatal(err)
					}
					endEarly(t, conn, how)
					conn.Close()
					time.Sleep(time.Minute) // for the host to see the end
				})
			})
		}
	}
}

func endEarly(t *testing.T, conn transports.Conn, how string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	want := transports.LostContact
	switch how {
	case "cancel":
		time.AfterFunc(3*time.Second, cancel)
	case "deadline":
		want = transports.Timeout
		ctx, cancel = context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
	case "close":
		time.AfterFunc(3*time.Second, func() { conn.Close() })
	}
	start := time.Now()
	_, err := conn.Run(ctx, transports.Command{Line: "x", Stdin: make([]byte, 4<<20), Timeout: time.Minute})
	if transports.ClassOf(err) != want || time.Since(start) != 3*time.Second {
		t.Errorf("class %s after %v, want %s after 3s: %v", transports.ClassOf(err), time.Since(start), want, err)
	}
}

// TestSecondCommandAtOnceIsRefused: Run is not for concurrent use, and says so.
func TestSecondCommandAtOnceIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		first := make(chan error)
		go func() {
			_, err := conn.Run(t.Context(), transports.Command{Line: "hang", Timeout: time.Minute})
			first <- err
		}()
		synctest.Wait()
		if _, err := conn.Run(t.Context(), transports.Command{Line: "cat"}); transports.ClassOf(err) != transports.Internal {
			t.Errorf("the second command: %v", err)
		}
		if err := <-first; transports.ClassOf(err) != transports.Timeout {
			t.Errorf("the first command: %v", err)
		}
	})
}

// TestHostAsksForThings: a host that opens channels and floods requests is
// refused and does not disturb a command.
func TestHostAsksForThings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.at(address, func(conn net.Conn) {
			config := &xssh.ServerConfig{PublicKeyCallback: func(xssh.ConnMetadata, xssh.PublicKey) (*xssh.Permissions, error) { return nil, nil }}
			config.AddHostKey(p.server.keys[0])
			s, channels, requests, err := xssh.NewServerConn(conn, config)
			if err != nil {
				return
			}
			go xssh.DiscardRequests(requests)
			for range 50 {
				if ok, _, err := s.SendRequest("keepalive@openssh.com", true, nil); ok || err != nil {
					t.Errorf("request: %v, %v; want a refusal", ok, err)
				}
			}
			if _, _, err := s.OpenChannel("forwarded-tcpip", nil); err == nil {
				t.Error("the client let the host open a channel")
			}
			for ch := range channels {
				go answer(ch)
			}
		})
		conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if res, err := conn.Run(t.Context(), transports.Command{Line: "exit 9"}); err != nil || res.Exit != 9 {
			t.Errorf("exit %d, %v", res.Exit, err)
		}
	})
}
