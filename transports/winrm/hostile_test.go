package winrm

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"oust/transports"
	"oust/transports/lab/wsman"
)

// TestFaults has a server fail in each way it knows, and looks for the class
// and the words, and that nothing is taken for an exit code.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault     string
		line      string
		class     transports.Class
		temporary bool
		words     []string
	}{
		{wsman.FaultShellsQuota, "echo a", transports.Busy, true, []string{"win1: open shell:", "fault 2150859173", "MaxShellsPerUser"}},
		{wsman.FaultOperationsQuota, "echo a", transports.Busy, true, []string{"win1: run:", "fault 2150859174", "MaxConcurrentOperationsPerUser"}},
		{wsman.FaultAccessDenied, "echo a", transports.Privilege, false, []string{"open shell", "fault 5: Access is denied.", "Administrators"}},
		{wsman.FaultShellKilled, "wait", transports.LostContact, false, []string{"run", "fault 2150858843", "restart of the WinRM service"}},
		{wsman.FaultNoExitCode, "echo a", transports.LostContact, false, []string{"without an exit code"}},
		{wsman.FaultNotXML, "echo a", transports.LostContact, false, []string{"not XML"}},
		{wsman.FaultReceive, "echo a", transports.LostContact, false, []string{"fault 995"}},
		{wsman.FaultSend, "cat", transports.LostContact, false, []string{"fault 995"}},
		{wsman.FaultReset, "echo a", transports.LostContact, false, []string{"the connection was lost"}},
		{wsman.FaultStripSealing, "echo a", transports.Untrusted, false, []string{"not sealed", "someone may stand between"}},
	} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, wsman.Config{})
			conn := r.dial(t)
			must(t, conn, "echo before", "")
			// A shell that is new tells faults of Create.
			forgetShell(conn)
			r.inject(t, test.fault, 0)
			res, err := conn.Run(t.Context(), transports.Command{Line: test.line, Stdin: []byte("in"), Timeout: time.Minute})
			e := wantError(t, err, test.class, test.words...)
			if e.Temporary != test.temporary || res.Exit == 0 {
				t.Errorf("temporary %t, exit %d", e.Temporary, res.Exit)
			}
			r.Heal()
			res, err = conn.Run(t.Context(), transports.Command{Line: "echo again"})
			if usable := test.class == transports.Busy; usable != (err == nil) {
				t.Errorf("the next command: exit %d, %v", res.Exit, err)
			}
		})
	}
}

// TestSignalFault: what the host says to the end of a command that has ended
// does not change how it did.
func TestSignalFault(t *testing.T) {
	t.Parallel()
	r := newRig(t, wsman.Config{})
	r.inject(t, wsman.FaultSignal, 0)
	conn := r.dial(t)
	for range 2 {
		if res := must(t, conn, "both", ""); res.Exit != 3 {
			t.Errorf("exit %d, want 3", res.Exit)
		}
	}
	if !strings.Contains(r.log.String(), "a command could not be ended") {
		t.Error("the log does not tell of the fault")
	}
}

// TestSilence: a host that has stopped answering is lost when its time and the
// grace have passed, or when the command's time has.
func TestSilence(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{wsman.FaultDead, wsman.FaultStall} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, wsman.Config{})
			r.inject(t, fault, 0)
			patience := func(c *Config) { c.Operation, c.Grace = leastOperation, 10*time.Millisecond }
			conn := r.dial(t, patience)
			_, err := conn.Run(t.Context(), transports.Command{Line: "wait", Timeout: time.Minute})
			wantError(t, err, transports.LostContact, "the host stopped answering")
			_, err = conn.Run(t.Context(), transports.Command{Line: "echo a"})
			wantError(t, err, transports.LostContact, "the host stopped answering")

			conn = r.dial(t, func(c *Config) { c.Operation, c.Grace = time.Hour, time.Hour })
			_, err = conn.Run(t.Context(), transports.Command{Line: "wait", Timeout: time.Millisecond})
			wantError(t, err, transports.Timeout, "no end in 1ms")
		})
	}
}

// TestCancel: a cancelled call returns at once, whatever the host does.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", wsman.FaultDead, wsman.FaultStall} {
		begun := make(chan struct{}, 100)
		r := newRig(t, wsman.Config{Backend: wsman.Func(func(ctx context.Context, c wsman.Command) int {
			begun <- struct{}{}
			return toy(ctx, c)
		})})
		if fault != "" {
			r.inject(t, fault, 0)
		}
		conn := r.dial(t, func(c *Config) { c.Operation, c.Grace = time.Hour, time.Hour })
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-begun; cancel() }()
		_, err := conn.Run(ctx, transports.Command{Line: "wait", Timeout: time.Hour})
		wantError(t, err, transports.LostContact, "context canceled")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v is not context.Canceled", err)
		}
	}
}

// TestTimeout: a command that takes too long is ended on the host, its output
// is kept, and the connection goes on.
func TestTimeout(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 10)
	r := newRig(t, wsman.Config{Backend: wsman.Func(func(ctx context.Context, c wsman.Command) int {
		exit := toy(ctx, c)
		ended <- context.Cause(ctx)
		return exit
	})})
	conn := r.dial(t)
	for _, line := range []string{"wait", "flood"} {
		res, err := conn.Run(t.Context(), transports.Command{Line: line, Timeout: 500 * time.Millisecond, MaxOutput: 1000})
		wantError(t, err, transports.Timeout, "no end in 500ms")
		if len(res.Stdout) == 0 || len(res.Stdout) > 1000 || res.Exit == 0 {
			t.Errorf("%s: %d bytes of output, exit %d", line, len(res.Stdout), res.Exit)
		}
		if why := <-ended; !errors.Is(why, wsman.ErrTerminated) {
			t.Errorf("%s ended by %v", line, why)
		}
		if res := must(t, conn, "exit 5", ""); res.Exit != 5 {
			t.Errorf("after %s: exit %d", line, res.Exit)
		}
		<-ended
	}
	if _, links := r.seen.all(); links != 1 || r.seen.count("Signal") != 4 || r.seen.count("Delete") != 2 {
		t.Errorf("%d connections, %d Signals, %d Deletes; want 1, 4 and 2", links, r.seen.count("Signal"), r.seen.count("Delete"))
	}
}

// TestQuiet: a command may say nothing for as long as it likes, and the host
// is not asked in a hurry.
func TestQuiet(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	r := newRig(t, wsman.Config{Backend: wsman.Func(func(_ context.Context, c wsman.Command) int {
		<-release
		return 7
	})})
	r.seen.heard = make(chan string, 100)
	conn := r.dial(t, func(c *Config) { c.Operation = leastOperation })
	go func() {
		for n := 0; n < 3; {
			if <-r.seen.heard == "Receive" {
				n++
			}
		}
		close(release)
	}()
	if res := must(t, conn, "quiet", ""); res.Exit != 7 {
		t.Errorf("exit %d, want 7", res.Exit)
	}
	if n := r.seen.count("Receive"); n > 4 {
		t.Errorf("%d Receives", n)
	}
}

// TestCloseDuringCommand: Close ends a command under way, and its shell.
func TestCloseDuringCommand(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan error, 1)
	r := newRig(t, wsman.Config{Backend: wsman.Func(func(ctx context.Context, _ wsman.Command) int {
		close(begun)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return 1
	})})
	d := newDialer(t, r.config())
	conn, err := d.Dial(t.Context(), r.target())
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-begun; _ = conn.Close() }()
	_, err = conn.Run(t.Context(), transports.Command{Line: "wait", Timeout: time.Hour})
	wantError(t, err, transports.LostContact, "the connection was closed here")
	_ = d.Close()
	if why := <-ended; !errors.Is(why, wsman.ErrShellGone) {
		t.Errorf("the command ended by %v", why)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	_, err = conn.Run(t.Context(), transports.Command{Line: "echo a"})
	wantError(t, err, transports.LostContact, "the connection was closed here")
}

// TestPeersThatSayNothing: each stage of a dial has its own time.
func TestPeersThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		plain bool
		op    string
	}{{"TLS", false, "TLS handshake"}, {"login", true, "login"}} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer far.Close()
			go func() { // takes everything, and says nothing
				for buf := make([]byte, 1024); ; {
					if _, err := far.Read(buf); err != nil {
						return
					}
				}
			}()
			d := newDialer(t, Config{Plain: test.plain, DialContext: func(context.Context, string, string) (net.Conn, error) { return near, nil }})
			start := time.Now()
			_, err := d.Dial(t.Context(), targetOf(0))
			wantError(t, err, transports.Timeout, "win1: "+test.op, "no answer for")
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("%s: took %v", test.name, took)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = d.Dial(ctx, targetOf(0))
			wantError(t, err, transports.Unreachable, "context canceled")
		})
	}
}

// TestProxiesThatSayNothing: a proxy has the time of the connection, also
// where its stream knows no deadlines.
func TestProxiesThatSayNothing(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "socks5"} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer far.Close()
			go func() { _, _ = io.Copy(io.Discard, far) }()
			d := newDialer(t, Config{
				Proxy:       scheme + "://proxy:1",
				DialContext: func(context.Context, string, string) (net.Conn, error) { return channel{near}, nil },
			})
			start := time.Now()
			_, err := d.Dial(t.Context(), targetOf(0))
			wantError(t, err, transports.Unreachable, "no answer in 10s")
			if took := time.Since(start); took != 10*time.Second {
				t.Errorf("%s: took %v", scheme, took)
			}
		})
	}
}

// TestConnectErrors: why there is no connection, in words.
func TestConnectErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err       error
		class     transports.Class
		temporary bool
		words     string
	}{
		{syscall.ECONNREFUSED, transports.Unreachable, false, "winrm quickconfig"},
		{syscall.EHOSTUNREACH, transports.Unreachable, false, "no route to host"},
		{syscall.EMFILE, transports.Internal, false, "too many open files"},
		{syscall.ECONNRESET, transports.Unreachable, true, "connection reset"},
		{&net.DNSError{IsNotFound: true}, transports.Unreachable, false, "no such name"},
		{&net.DNSError{IsTimeout: true}, transports.Unreachable, true, "the name server did not answer"},
		{errors.New("odd"), transports.Unreachable, false, "odd"},
	} {
		d := newDialer(t, Config{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, test.err }})
		_, err := d.Dial(t.Context(), targetOf(0))
		if e := wantError(t, err, test.class, test.words); e.Temporary != test.temporary {
			t.Errorf("%v: temporary %t", test.err, e.Temporary)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		d := newDialer(t, Config{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }})
		_, err := d.Dial(t.Context(), targetOf(0))
		wantError(t, err, transports.Unreachable, "no answer in 10s (127.0.0.1:5986)")
	})
}

// forgetShell has the next command make a new shell.
func forgetShell(c transports.Conn) {
	own := c.(*conn)
	own.forget(own.shell)
}
