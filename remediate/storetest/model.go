package storetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"oust/remediate"
)

// testModel lets chance use a store and the model side by side: each call is
// taken or refused by both, and everything that can be read is the same.
func testModel(t *testing.T, open Open) {
	chances(t, Rounds(25))
	rapid.Check(t, func(r *rapid.T) {
		p := &pair{real: open(t), model: NewMemory(func() time.Time { return epoch }), ctx: t.Context()}
		defer func() {
			if err := p.real.Close(); err != nil {
				r.Errorf("close: %v", err)
			}
		}()
		r.Repeat(map[string]func(*rapid.T){
			"look": func(r *rapid.T) {
				l := drawLook(r)
				p.both(r, func(s remediate.Store) error { return s.SaveLook(p.ctx, l) })
			},
			"begin": func(r *rapid.T) {
				a := drawAttempt(r)
				p.both(r, func(s remediate.Store) error { return s.BeginAttempt(p.ctx, a) })
			},
			"save": func(r *rapid.T) {
				a := drawAttempt(r)
				p.both(r, func(s remediate.Store) error { return s.SaveAttempt(p.ctx, a) })
			},
			"close":   p.close,
			"run":     p.run,
			"compare": p.compare,
		})
		p.compare(r)
	})
}

// chances sets how often rapid tries, unless the command line does.
func chances(t *testing.T, n int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f == nil || f.Value.String() != f.DefValue {
		return
	}
	if err := flag.Set(f.Name, strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
}

// pair is a store under test and the model.
type pair struct {
	real, model remediate.Store
	ctx         context.Context
}

// both makes a call on both and compares whether it was taken.
func (p *pair) both(r *rapid.T, call func(remediate.Store) error) {
	real, model := call(p.real), call(p.model)
	if (real == nil) != (model == nil) || errors.Is(real, remediate.ErrNotFound) != errors.Is(model, remediate.ErrNotFound) {
		r.Fatalf("the store says %v, the model %v", real, model)
	}
}

func (p *pair) close(r *rapid.T) {
	a := drawAttempt(r)
	var l *remediate.Look
	if rapid.Bool().Draw(r, "with look") {
		drawn := drawLook(r)
		drawn.Host = a.Host
		l = &drawn
	}
	p.both(r, func(s remediate.Store) error { return s.CloseAttempt(p.ctx, a, l) })
}

func (p *pair) run(r *rapid.T) {
	run := remediate.Run{
		ID: drawOf(r, "run", "run0", "run1", "run2"), Kind: drawOf(r, "kind", "scan", "apply"), Plan: drawOf(r, "plan", "", "plan1"),
		Started: drawTime(r), Ended: drawTime(r), Exit: rapid.IntRange(0, 2).Draw(r, "exit"),
	}
	if rapid.Bool().Draw(r, "begin") {
		p.both(r, func(s remediate.Store) error { return s.BeginRun(p.ctx, run) })
		return
	}
	p.both(r, func(s remediate.Store) error { return s.EndRun(p.ctx, run) })
}

// compare reads everything from both.
func (p *pair) compare(r *rapid.T) {
	if diff := cmp.Diff(p.view(p.model), p.view(p.real)); diff != "" {
		r.Fatalf("store and model differ (-model +store):\n%s", diff)
	}
}

func (p *pair) view(s remediate.Store) map[string]any {
	v := map[string]any{}
	note := func(key string, value any, err error) {
		if err != nil && !errors.Is(err, remediate.ErrNotFound) {
			value = err.Error()
		}
		v[key] = value
	}
	for state, err := range s.HostStates(p.ctx) {
		note("state "+state.Host, state, err)
	}
	for _, host := range hosts {
		n := 0
		for l, err := range s.HostLooks(p.ctx, host) {
			note(fmt.Sprint("look ", host, n), l, err)
			n++
		}
		for a, err := range s.HostAttempts(p.ctx, host) {
			note(fmt.Sprint("attempt ", host, n), a, err)
			n++
		}
	}
	list, err := s.OpenAttempts(p.ctx)
	note("open", list, err)
	for _, kind := range []string{"scan", "apply"} {
		for _, plan := range []string{"", "plan1"} {
			run, err := s.OpenRun(p.ctx, kind, plan)
			note("open "+kind+plan, run, err)
		}
	}
	return v
}

var hosts = []string{"web1", "web2", "web10"}

func drawOf[T any](r *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(r, label) }

func drawTime(r *rapid.T) time.Time { return at(rapid.IntRange(0, 9).Draw(r, "minute")) }

func drawLook(r *rapid.T) remediate.Look {
	l := look(drawOf(r, "host", hosts...),
		drawOf(r, "kind", remediate.LookScan, remediate.LookVerify, remediate.LookPrecheck), drawTime(r))
	if rapid.Bool().Draw(r, "found") {
		l.Findings = []remediate.Finding{kesl(rapid.StringN(0, 4, -1).Draw(r, "version"))}
	}
	l.Complete = rapid.Bool().Draw(r, "complete")
	l.Raw = []byte(drawOf(r, "raw", "one", "two", ""))
	if l.RawDigest = ""; len(l.Raw) == 0 {
		l.Raw = nil
	}
	if rapid.IntRange(0, 3).Draw(r, "fails") == 0 {
		l = failedLook(l.Host, l.At, drawOf(r, "class", append(remediate.Classes(), "odd")...), drawOf(r, "detail", "", "why"))
	}
	return l
}

func drawAttempt(r *rapid.T) remediate.Attempt {
	n := rapid.IntRange(0, 4).Draw(r, "attempt")
	a := intent(fmt.Sprint("a", n), hosts[n%len(hosts)], at(n/2))
	if rapid.IntRange(0, 9).Draw(r, "moved") == 0 {
		a.Host = "web2"
	}
	a.Phase = drawOf(r, "phase", append(phases, "")...)
	a.Updated, a.Exit = drawTime(r), rapid.IntRange(0, 60).Draw(r, "exit")
	a.Result = drawOf(r, "result", "", "1 ok\n")
	a.Log = drawOf(r, "log", nil, []byte("log\n"), []byte("another log\n"))
	a.Outcome = remediate.Outcome{
		Kind:  drawOf(r, "outcome", remediate.Outcomes()...),
		Class: drawOf(r, "outcome class", "", "", remediate.ClassBusy, remediate.ClassUnreachable, remediate.ClassUninstaller),
	}
	if a.Outcome.Kind == remediate.OutcomeFailed && rapid.Bool().Draw(r, "sane") {
		a.Outcome.Class = remediate.ClassAuth
	}
	return a
}
