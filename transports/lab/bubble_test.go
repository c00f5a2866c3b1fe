package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/job"
	"oust/remediate/probe"
	"oust/transports"
	"oust/transports/lab/windows"
)

// campaigner does by hand what the engine does with one host after the other.
type campaigner struct {
	fleet   *Fleet
	dialer  transports.Dialer
	library *playbooks.Library
	// before is put in front of a host's script.
	before map[string]string
}

func newCampaigner(t testing.TB, f *Fleet) *campaigner {
	t.Helper()
	library, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return &campaigner{fleet: f, dialer: f.Dialer(), library: library, before: map[string]string{}}
}

func (c *campaigner) windows(h HostInfo) bool { return c.fleet.winByName[h.Name] != nil }

// script runs a script on a host over a connection of its own.
func (c *campaigner) script(ctx context.Context, h HostInfo, text []byte, limit time.Duration) ([]byte, error) {
	user, line := "root", remediate.ShLine
	if c.windows(h) {
		user, line = "ops", remediate.CmdLine
	}
	conn, err := c.dialer.Dial(ctx, offlineTarget(h, user))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	r, err := conn.Run(ctx, transports.Command{Line: line, Stdin: text, Timeout: limit, MaxOutput: job.MaxReport})
	return r.Stdout, err
}

func (c *campaigner) look(ctx context.Context, h HostInfo) (*remediate.Facts, error) {
	n := remediate.NewNonce()
	text, err := probe.Sh(c.library.Questions(remediate.Linux), n), error(nil)
	if c.windows(h) {
		text, err = probe.Cmd(c.library.Questions(remediate.Windows), n)
	}
	if err != nil {
		return nil, err
	}
	out, err := c.script(ctx, h, text, 2*time.Minute)
	if err != nil {
		return nil, err
	}
	facts, _, err := probe.Parse(out, n)
	return facts, err
}

type scripts interface {
	Launch(job.Spec, remediate.Nonce) ([]byte, error)
	Join(string, remediate.Nonce) ([]byte, error)
	Clean(string, remediate.Nonce) ([]byte, error)
}

// remove looks at a host, removes what is found, and looks again. It says how
// the job ended and how many findings are left.
func (c *campaigner) remove(ctx context.Context, h HostInfo) (report job.Report, left int, err error) {
	facts, err := c.look(ctx, h)
	if err != nil {
		return report, 0, fmt.Errorf("look: %w", err)
	}
	findings := c.library.Match(facts)
	if len(findings) == 0 {
		return report, 0, nil
	}
	script, err := c.library.Render(playbooks.RenderInput{Facts: facts, Findings: findings, BusyWait: time.Minute})
	if err != nil {
		return report, 0, err
	}
	var all scripts = job.Layout{}
	if c.windows(h) {
		all = job.Windows{}
	}
	id, n := remediate.NewID(time.Unix(1_800_000_000, 0)), remediate.NewNonce()
	text, err := all.Launch(job.Spec{ID: id, Campaign: "c", Controller: "m", Wait: time.Minute, Script: []byte(c.before[h.Name] + script.Text)}, n)
	if err != nil {
		return report, 0, err
	}
	for wait := time.Second; report.State != job.StateEnded; wait = min(2*wait, 10*time.Minute) {
		out, err := c.script(ctx, h, text, time.Minute)
		if report, _ = job.ParseReport(out, n); report.State == job.StateEnded {
			break
		}
		if err != nil && wait > 5*time.Minute {
			return report, 0, fmt.Errorf("job %s: %w", id, err)
		}
		time.Sleep(wait)
		n = remediate.NewNonce()
		if text, err = all.Join(id, n); err != nil {
			return report, 0, err
		}
	}
	n = remediate.NewNonce()
	if text, err = all.Clean(id, n); err != nil {
		return report, 0, err
	}
	out, err := c.script(ctx, h, text, time.Minute)
	if err := errors.Join(err, job.ParseCleaned(out, n)); err != nil {
		return report, 0, fmt.Errorf("clean: %w", err)
	}
	if facts, err = c.look(ctx, h); err != nil {
		return report, 0, fmt.Errorf("second look: %w", err)
	}
	return report, len(c.library.Match(facts)), nil
}

// TestBubble: a fleet lives in simulated time. Hours of an uninstaller, and a
// day in which nothing happens, take no time, and no goroutine is left.
func TestBubble(t *testing.T) {
	start := time.Now()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Config{
			Hosts: 35, Windows: 15, Seed: 2, Clean: 0.1, Speed: 1, Offline: true,
			Faults:        FaultMix{{Fault: faultDrop, Hosts: 2}, {Fault: faultSlow, Hosts: 1}},
			WindowsFaults: FaultMix{{Fault: windows.FaultDrop, Hosts: 2}, {Fault: faultSlow, Hosts: 1}},
		})
		c := newCampaigner(t, f)
		hour := ""
		for _, h := range f.Hosts() {
			if hour == "" && h.Outcome == outcomeRemoved && h.Fault == "" {
				hour, c.before[h.Name] = h.Name, "sleep 3600\n"
			}
		}
		began := time.Now()
		var all sync.WaitGroup
		for _, h := range f.Hosts() {
			all.Go(func() {
				report, left, err := c.remove(t.Context(), h)
				if err != nil || left != 0 && h.Outcome == outcomeRemoved {
					t.Errorf("%+v: %v; %d findings are left, the job is %s %d\n%s", h, err, left, report.State, report.Exit, report.Log)
				}
				if took := time.Since(began); took > time.Hour != (h.Name == hour) {
					t.Errorf("%s took %v", h.Name, took)
				}
			})
		}
		all.Wait()
		time.Sleep(24 * time.Hour)
		for name, counts := range f.Counts() {
			for product, n := range counts {
				if n != 1 {
					t.Errorf("%s: the uninstaller of %s was started %d times", name, product, n)
				}
			}
		}
	})
	t.Logf("it took %v", time.Since(start))
}

// TestBubblePipes: who waits for a pipe does not keep the time from going on.
func TestBubblePipes(t *testing.T) {
	const big = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done >f; "
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, Config{Hosts: 1, Speed: 1, Offline: true})
		c, h := newCampaigner(t, f), f.Hosts()[0]
		for script, want := range map[string]string{
			"{ sleep 3600; echo a; } | cat":                                                            "a\n",
			"{ sleep 3600; echo a; } | { read x; echo \"$x\"; }":                                       "a\n",
			"{ sleep 60; echo a; sleep 60; echo b; } | while read x; do echo \"<$x>\"; done":           "<a>\n<b>\n",
			"{ sleep 60; echo a; } | sh -c 'sleep 120; cat'":                                           "a\n",
			"sleep 60 | { sleep 1; read x; echo \"[$x]\"; }":                                           "[]\n",
			big + "{ sleep 60; wc -c; } <f":                                                            "123000\n",
			big + "cat f | { sleep 60; wc -c; }":                                                       "123000\n",
			big + "cat f | { sleep 60; head -n 1; }":                                                   "0123456789012345678901234567890123456789\n",
			"sleep 7200 | cat & p=$!; sleep 60; kill $p; wait $p; echo $?":                             "143\n",
			"timeout 5 sh -c '{ sleep 60; echo a; } | cat' </dev/null; echo $?":                        "124\n",
			"{ timeout 5 cat; echo $?; } </dev/null":                                                   "0\n",
			"sleep 600 | { timeout 5 cat; echo $?; }":                                                  "124\n",
			"setsid -f sh -c 'sleep 90; echo late >/tmp/late'; sleep 100; cat /tmp/late; rm /tmp/late": "late\n",
		} {
			out, err := c.script(t.Context(), h, []byte(script), 3*time.Hour)
			if err != nil || string(out) != want {
				t.Errorf("%.60s: %v, %q, want %q", script, err, out, want)
			}
		}
		conn, err := c.dialer.Dial(t.Context(), offlineTarget(h, "root"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		for _, cmd := range []transports.Command{
			{Line: "sleep 60", Stdin: make([]byte, 1<<20)},
			{Line: remediate.ShLine, Stdin: []byte("while :; do echo 0123456789012345678901234567890123456789; done")},
		} {
			cmd.Timeout = 61 * time.Second
			_, err := conn.Run(t.Context(), cmd)
			if endless := cmd.Line != "sleep 60"; endless != (transports.ClassOf(err) == transports.Timeout) {
				t.Errorf("%s: %v", cmd.Line, err)
			}
		}
	})
}
