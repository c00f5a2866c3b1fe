package ssh

import (
	"context"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"oust/remediate"
	"oust/remediate/job"
	"oust/remediate/probe"
	"oust/transports"
	"oust/transports/lab/cmdexe"
	"oust/transports/lab/windows"
	"oust/transports/lab/wsman"
	"oust/transports/transporttest"
)

// newWindows is a simulated Windows host behind an SSH server that hands
// commands to cmd, as OpenSSH does there.
func newWindows(t *testing.T) *place {
	t.Helper()
	image, err := windows.NewImage(windows.Releases()[0], windows.KES)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	host, err := windows.New(ctx, windows.Config{Name: "WIN1", Image: image, Clock: realTime{}, Shell: cmdexe.Run})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(); stop() })
	p := newPlace(t)
	p.server.session = func(ch xssh.NewChannel) {
		c, requests, line := begin(ch)
		if c == nil {
			return
		}
		life, over := context.WithCancel(ctx)
		go func() { xssh.DiscardRequests(requests); over() }()
		process, err := host.Backend().Start(life, wsman.Command{
			User: windows.Accounts()[0], Line: line, Stdin: c, Stdout: c, Stderr: c.Stderr(), Shell: wsman.Shell{CodePage: 437},
		})
		if err != nil {
			end(c, 1)
			return
		}
		code, _ := process.Wait()
		end(c, code)
	}
	return p
}

type realTime struct{}

func (realTime) Now() time.Time { return time.Now() }

func (realTime) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestWindowsHostConformance: commands of a Windows host over SSH keep the
// contract.
func TestWindowsHostConformance(t *testing.T) {
	p := newWindows(t)
	transporttest.Run(t, transporttest.Harness{
		Shell: "cmd", Target: p.target(),
		Dialer: func(t *testing.T) transports.Dialer { return newDialer(t, p.config()) },
	})
}

// TestWindowsHostOverSSH: the look and the job of a Windows host are the same
// over SSH as over WinRM.
func TestWindowsHostOverSSH(t *testing.T) {
	p := newWindows(t)
	conn, err := newDialer(t, p.config()).Dial(t.Context(), p.target())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := func(stdin []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		res, err := conn.Run(t.Context(), transports.Command{Line: remediate.CmdLine, Stdin: stdin, Timeout: time.Minute})
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, res.Stdout, res.Stderr)
		}
		return res.Stdout
	}
	nonce := remediate.NewNonce()
	facts, _, err := probe.Parse(run(probe.Cmd(remediate.Questions{}, nonce)), nonce)
	if err != nil || !facts.Privilege.Root || len(facts.Windows.Uninstall) == 0 || len(facts.Incomplete) > 0 {
		t.Errorf("look: %+v, %v", facts, err)
	}
	id := remediate.NewID(time.Now())
	report, err := job.ParseReport(run(job.Windows{}.Launch(job.Spec{
		ID: id, Campaign: "c", Controller: "m", Wait: time.Minute, Script: []byte("@echo off\r\n>>\"%OUST_DIR%\\log\" echo hello\r\nexit /b 20\r\n"),
	}, nonce)), nonce)
	if err != nil || report.State != job.StateEnded || report.Exit != 20 || report.BootID != facts.BootID {
		t.Errorf("launch: %+v, %v", report, err)
	}
	if err := job.ParseCleaned(run(job.Windows{}.Clean(id, nonce)), nonce); err != nil {
		t.Error(err)
	}
}
