package windows

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/probe"
	"oust/transports/lab/cmdexe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quickClock is a clock whose sleepers wait a moment of real time, and on
// which the time they slept has passed.
type quickClock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
	// speed is how many times faster than real time it runs.
	speed float64
}

func newClock() *quickClock {
	return &quickClock{now: time.Date(2026, 3, 2, 9, 30, 15, 0, time.UTC), speed: 1000}
}

func (c *quickClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *quickClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(time.Duration(float64(d) / c.speed))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept += d
	return nil
}

type machine struct {
	*Host
	t     *testing.T
	clock *quickClock
}

func newMachine(t *testing.T, change func(*Config), products ...*Product) *machine {
	t.Helper()
	im, err := NewImage(Releases()[0], products...)
	if err != nil {
		t.Fatal(err)
	}
	clock := newClock()
	c := Config{Name: "LAB-0001", Image: im, Clock: clock, Shell: cmdexe.Run, Uptime: 50 * time.Hour}
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h, err := New(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); h.Close() })
	return &machine{h, t, clock}
}

type result struct {
	out, err string
	exit     int
}

// as runs a command of cmd /c as an account.
func (m *machine) as(user, line string) result {
	m.t.Helper()
	s, err := m.Session(user)
	if err != nil {
		m.t.Fatal(err)
	}
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	exit := cmdexe.Run(ctx, s.Config(strings.NewReader(""), &out, &errs), "/c "+line)
	return result{out.String(), errs.String(), exit}
}

// script feeds lines to a cmd that reads its standard input, as oust does.
func (m *machine) script(user string, text []byte) string {
	m.t.Helper()
	s, err := m.Session(user)
	if err != nil {
		m.t.Fatal(err)
	}
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	_ = cmdexe.Run(ctx, s.Config(bytes.NewReader(text), &out, &out), "/c "+remediate.CmdLine)
	return out.String()
}

func (m *machine) facts(user string, q remediate.Questions) *remediate.Facts {
	m.t.Helper()
	n := remediate.NewNonce()
	text, err := probe.Cmd(q, n)
	if err != nil {
		m.t.Fatal(err)
	}
	out := m.script(user, text)
	f, _, err := probe.Parse([]byte(out), n)
	if err != nil {
		m.t.Fatalf("%v in\n%s", err, out)
	}
	return f
}

func library(t *testing.T) *playbooks.Library {
	t.Helper()
	l, err := playbooks.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return l
}
