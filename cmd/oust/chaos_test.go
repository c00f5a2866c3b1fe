package main

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"oust/remediate"
	"oust/remediate/sqlite"
)

// chaos kills oust at random points of a campaign, and starts it again, until
// nothing is left to do.
type chaos struct {
	dir, plan string
	rnd       *rand.Rand
	// lines and pause bound the point of a kill: so many lines of output, and
	// so long after the last of them.
	lines int
	pause time.Duration
	// approved: an apply has come so far that serve may go on with the plan.
	approved bool
	settled  bool
	tally
}

// tally counts what chaos did.
type tally struct {
	kills, lives int
}

// totals adds up the tallies of tests that run side by side.
type totals struct {
	mu sync.Mutex
	tally
	campaigns, hosts, attempts, starts int
}

func (x *totals) add(c *chaos, hosts, attempts, starts int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.campaigns++
	x.kills, x.lives = x.kills+c.kills, x.lives+c.lives
	x.hosts, x.attempts, x.starts = x.hosts+hosts, x.attempts+attempts, x.starts+starts
}

func (x *totals) log(t *testing.T) {
	t.Helper()
	t.Logf("%d kills in %d campaigns of %d hosts in all; oust started %d times; %d attempts, %d uninstallers started",
		x.kills, x.campaigns, x.hosts, x.lives, x.attempts, x.starts)
}

// rage lets oust live and die until the campaign is settled, or it was killed
// often enough.
func (c *chaos) rage(t *testing.T, kills int) {
	t.Helper()
	for c.kills < kills && !c.settled {
		name, args := "apply", []string{"apply", c.plan, "--json"}
		if n := c.rnd.IntN(10); c.approved && n >= 3 {
			name, args = "serve", []string{"serve", "--json"}
			if n == 9 {
				name, args = "retry", []string{"retry", "--json"}
			}
		}
		c.life(t, name, args...)
	}
}

// settle lets oust live to its own end, until no attempt is open.
func (c *chaos) settle(t *testing.T) {
	t.Helper()
	for range 4 {
		for _, args := range [][]string{{"apply", c.plan}, {"serve", "--once"}} {
			c.lives++
			if r := oust(t, c.dir, args...); r.Code != 0 && r.Code != 2 {
				t.Fatalf("oust %v: exit code %d\n%s\n%s", args, r.Code, r.Out, r.Err)
			}
		}
		if len(openAttempts(t, c.dir)) == 0 {
			return
		}
	}
	t.Errorf("attempts without an end: %+v", openAttempts(t, c.dir))
}

// life is one process. A serve that has nothing more to do is stopped as a
// service is.
func (c *chaos) life(t *testing.T, name string, args ...string) {
	t.Helper()
	c.lives++
	cmd := command(t, c.dir, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s, idle := bufio.NewScanner(out), false
	read := func() bool {
		if !s.Scan() {
			return false
		}
		var m message
		if json.Unmarshal(s.Bytes(), &m) == nil {
			c.approved = c.approved || name == "apply" && m.Type == "run_started"
			idle = idle || m.Type == "idle"
		}
		return true
	}
	for left := c.rnd.IntN(c.lines); left > 0 && !idle && read(); left-- {
	}
	if idle && name == "serve" {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	} else {
		<-time.After(time.Duration(c.rnd.Int64N(int64(c.pause))))
		_ = cmd.Process.Signal(syscall.SIGKILL)
	}
	for read() {
	}
	_ = cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && status.Signal() == syscall.SIGKILL:
		c.kills++
	case cmd.ProcessState.ExitCode() == 0, cmd.ProcessState.ExitCode() == 2:
		c.settled = c.approved
	default:
		t.Errorf("oust %v: ended by itself with exit code %d", args, cmd.ProcessState.ExitCode())
	}
}

// readStore opens a campaign's store beside whoever writes it.
func readStore(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.OpenReadOnly(t.Context(), filepath.Join(dir, storeName), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openAttempts(t *testing.T, dir string) []remediate.Attempt {
	t.Helper()
	s := readStore(t, dir)
	defer func() { _ = s.Close() }()
	open, err := s.OpenAttempts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// record is what the store says of one host.
type record struct {
	remediate.HostState
	attempts []string
}

// records reads the store, and holds that each attempt has an end.
func records(t *testing.T, dir string) (of map[string]record, attempts int) {
	t.Helper()
	s := readStore(t, dir)
	defer func() { _ = s.Close() }()
	of = map[string]record{}
	for st, err := range s.HostStates(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		of[st.Host] = record{HostState: st}
	}
	for host, r := range of {
		for at, err := range s.HostAttempts(t.Context(), host) {
			if err != nil {
				t.Fatal(err)
			}
			attempts++
			if slices.Contains(r.attempts, at.ID) {
				t.Errorf("%s: attempt %s is there twice", host, at.ID)
			}
			r.attempts = append(r.attempts, at.ID)
			if at.Outcome.Kind == "" || at.Phase != remediate.PhaseCleaned {
				t.Errorf("%s: attempt %s stands %s with outcome %q", host, at.ID, at.Phase, at.Outcome.Kind)
			}
		}
		of[host] = r
	}
	return of, attempts
}
