package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/storetest"
	"oust/transports"
)

// oneAnswer is a host that gives one answer to every command, and keeps the
// last command.
type oneAnswer struct {
	got    transports.Command
	answer string
}

func (c *oneAnswer) Run(_ context.Context, cmd transports.Command) (transports.Result, error) {
	c.got = cmd
	return transports.Result{Stdout: []byte(c.answer)}, nil
}

func (c *oneAnswer) Close() error { return nil }

// TestLookByPlatform: each platform is asked in its own language, for its own
// playbooks, and told what may be wrong in its own words.
func TestLookByPlatform(t *testing.T) {
	e := deskEngine(t, storetest.NewMemory(time.Now), time.Now)
	for _, c := range []struct {
		platform    remediate.Platform
		line        string
		elevate     bool
		asks, spare string
		advice      string
	}{
		{remediate.Linux, remediate.ShLine, true, "/opt/kaspersky/kesl", "KasperskyLab", "check that /bin/sh works"},
		{remediate.PlatformUnknown, remediate.ShLine, true, "/opt/kaspersky/kesl", "KasperskyLab", "check that /bin/sh works"},
		{remediate.Windows, remediate.CmdLine, false, `HKLM\SOFTWARE\KasperskyLab\protected\KES`, "/opt/kaspersky", "check that this is a Windows host"},
	} {
		conn := &oneAnswer{answer: "something else"}
		_, err := e.probe(t.Context(), conn, remediate.Host{Name: "a", Platform: c.platform})
		if f := failed(err); f == nil || f.class != remediate.ClassUnsupported || !strings.Contains(f.detail, c.advice) {
			t.Errorf("%q: %v; want it to say %q", c.platform, err, c.advice)
		}
		script := string(conn.got.Stdin)
		if conn.got.Line != c.line || conn.got.Elevate != c.elevate || !strings.Contains(script, c.asks) || strings.Contains(script, c.spare) {
			t.Errorf("%q: ran %q, elevated: %v, with\n%s", c.platform, conn.got.Line, conn.got.Elevate, script)
		}
	}
	if _, err := e.probe(t.Context(), &oneAnswer{}, remediate.Host{Name: "a", Platform: "plan9"}); failed(err).class != remediate.ClassUnsupported {
		t.Errorf("a platform nobody knows: %v", err)
	}
}
