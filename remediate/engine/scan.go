package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sourcegraph/conc/panics"

	"oust/remediate"
)

// Scan looks at every host and records facts and findings. It returns when
// all hosts have been looked at, or stop is closed and running looks have
// ended, or ctx is cancelled. A host that cannot be looked at is counted
// under its class and does not fail the scan.
func (e *Engine) Scan(ctx context.Context, stop <-chan struct{}, hosts []remediate.Host) (Summary, error) {
	return e.lookAll(ctx, stop, hosts, remediate.LookScan)
}

// Verify looks again at every host, in new sessions. Hosts that are not clean
// are counted in Summary.Dirty.
func (e *Engine) Verify(ctx context.Context, stop <-chan struct{}, hosts []remediate.Host) (Summary, error) {
	return e.lookAll(ctx, stop, hosts, remediate.LookVerify)
}

// looking is a scan or verify under way.
type looking struct {
	e    *Engine
	kind remediate.LookKind
	run  remediate.Run

	mu      sync.Mutex
	summary Summary
	fatal   error
	// brake is told of hosts that nothing protects; nil in a run by itself.
	brake *brake
	// total counts the looks of all runs of a Serve; nil elsewhere.
	total *serving
}

func (e *Engine) lookAll(ctx context.Context, stop <-chan struct{}, hosts []remediate.Host, kind remediate.LookKind) (Summary, error) {
	run := remediate.Run{ID: remediate.NewID(e.Now()), Kind: string(kind), Started: e.Now().UTC(), By: e.By}
	l := &looking{e: e, kind: kind, run: run, summary: newSummary(run.ID, run.Kind, len(hosts))}
	if err := e.record(ctx, func(ctx context.Context) error { return e.Store.BeginRun(ctx, run) }); err != nil {
		return l.summary, err
	}
	e.Sink.Event(RunStarted{Run: run.ID, Kind: run.Kind, Hosts: len(hosts), At: e.Now().UTC()})
	tasks := make([]task, len(hosts))
	for i, h := range hosts {
		tasks[i] = &lookTask{l: l, host: h}
	}
	left, dropped := e.executor(l.failedForGood).run(ctx, stop, tasks)
	if n := len(left) + len(dropped); n > 0 {
		l.summary.Outcomes[remediate.OutcomeNotStarted] = n
		l.summary.Interrupted = l.fatal == nil
	}
	l.summary.Interrupted = l.summary.Interrupted || ctx.Err() != nil
	run.Ended, run.Exit = e.Now().UTC(), l.summary.ExitCode()
	if err := e.record(ctx, func(ctx context.Context) error { return e.Store.EndRun(ctx, run) }); err != nil && l.fatal == nil {
		l.fatal = err
	}
	e.Sink.Event(RunEnded{Summary: l.summary, At: run.Ended})
	return l.summary, l.fatal
}

// executor makes an executor with the campaign's limits.
func (e *Engine) executor(halted func() bool) executor {
	return executor{
		hosts: e.Campaign.Limits.Hosts, perSite: e.Campaign.Limits.PerSite,
		active: min(e.Connections, e.Campaign.Limits.Hosts), halted: halted,
	}
}

func (l *looking) failedForGood() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal != nil
}

// lookTask looks at one host.
type lookTask struct {
	l     *looking
	host  remediate.Host
	start time.Time
}

func (t *lookTask) site() string { return t.host.Site }

func (t *lookTask) step(ctx context.Context) (time.Duration, bool) {
	t.start = t.l.e.Now()
	t.l.e.Sink.Event(HostStarted{Host: t.host.Name, At: t.start.UTC()})
	s, err := t.look(ctx)
	if err != nil {
		if ctx.Err() != nil {
			t.l.mu.Lock()
			defer t.l.mu.Unlock()
			t.l.summary.Outcomes[remediate.OutcomeNotStarted]++
			return 0, false
		}
		t.end(ctx, t.l.e.failedLook(t.host, t.l.kind, t.l.run.ID, failed(err)))
		return 0, false
	}
	look := t.l.e.newLook(t.host, t.l.kind, t.l.run.ID, s)
	if err := t.weigh(ctx, s, &look); err != nil {
		t.l.fail(err)
		return 0, false
	}
	if f := s.incomplete(); f != nil {
		look.Class, look.Detail = f.class, f.detail
	}
	t.end(ctx, look)
	return 0, false
}

func (t *lookTask) look(ctx context.Context) (*sight, error) {
	conn, err := t.l.e.dial(ctx, t.host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	return t.l.e.probe(ctx, conn, t.host)
}

func (t *lookTask) panicked(ctx context.Context, p *panics.Recovered) {
	t.l.e.Logger.Error("panic while looking", logHost, t.host.Name, logError, p.String())
	f := &failure{class: remediate.ClassInternal, detail: oneLine(fmt.Sprintf("panic: %v", p.Value))}
	t.end(ctx, t.l.e.failedLook(t.host, t.l.kind, t.l.run.ID, f))
}

// weigh adds to a look what only the host's past tells: a product that waits
// for a restart is not gone before it, and a host that has lost its product is
// protected or is not.
func (t *lookTask) weigh(ctx context.Context, s *sight, look *remediate.Look) error {
	e := t.l.e
	st, err := e.Store.HostState(ctx, t.host.Name)
	if err != nil {
		return fmt.Errorf("read the host: %w", err)
	}
	if st.Last.Kind == "" || st.Standing == remediate.StandUnseen {
		return nil
	}
	at, err := e.waitingAttempt(ctx, t.host.Name, s)
	if err != nil {
		return err
	}
	if at != nil {
		look.Complete = false
	}
	removed, err := e.removedFrom(ctx, t.host.Name)
	if err != nil {
		return err
	}
	look.Bare = e.bare(s, removed)
	return nil
}

// waitingAttempt is the host's last attempt if it waits for a restart that,
// as far as a look tells, has not been; or nil.
func (e *Engine) waitingAttempt(ctx context.Context, host string, s *sight) (*remediate.Attempt, error) {
	at, err := e.pendingAttempt(ctx, host)
	if at == nil || err != nil || at.BootID != s.facts.BootID && at.BootID != "" {
		return nil, err
	}
	return at, nil
}

// pendingAttempt is the newest attempt that has ended waiting for a restart, or
// nil. Only one that found nothing afterwards answers it: a host that could not
// be reached since, or was left alone, waits still.
func (e *Engine) pendingAttempt(ctx context.Context, host string) (*remediate.Attempt, error) {
	var last *remediate.Attempt
	var closed time.Time
	for at, err := range e.Store.HostAttempts(ctx, host) {
		if err != nil {
			return nil, fmt.Errorf("read the attempts: %w", err)
		}
		when := closedAt(at)
		if when.Before(closed) {
			continue // begun later, and ended before
		}
		switch at.Outcome.Kind {
		case remediate.OutcomeRebootPending:
			last, closed = &at, when
		case remediate.OutcomeRemoved, remediate.OutcomeNothingToDo:
			last, closed = nil, when
		}
	}
	return last, nil
}

// closedAt is when the attempt was given its outcome.
func closedAt(at remediate.Attempt) time.Time {
	for _, entry := range at.Journal {
		if entry.Phase == remediate.PhaseClosed || entry.Phase == remediate.PhaseCleaned {
			return entry.At
		}
	}
	return at.Updated
}

// fail ends the run for a failure of oust itself.
func (l *looking) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total != nil {
		l.total.fail(err)
	}
	if l.fatal == nil {
		l.fatal = err
	}
}

// end records the look and counts it.
func (t *lookTask) end(ctx context.Context, look remediate.Look) {
	e := t.l.e
	var state remediate.HostState
	err := e.record(ctx, func(ctx context.Context) (err error) {
		if err = e.Store.SaveLook(ctx, look); err != nil {
			return err
		}
		state, err = e.Store.HostState(ctx, t.host.Name)
		return err
	})
	if err != nil {
		t.l.fail(err)
		return
	}
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if t.l.brake != nil && look.Class == "" {
		t.l.brake.bare(t.host.Name, look.Bare != "" && look.At.Sub(state.BareSince) >= bareGrace)
	}
	count := func(s *Summary) {
		switch {
		case look.Class != "":
			s.Failed[look.Class]++
			return
		case t.l.kind == remediate.LookVerify && remediate.Counts(look.Findings):
			s.Dirty++
		}
		s.Standings[state.Standing]++
	}
	count(&t.l.summary)
	if t.l.total != nil {
		t.l.total.count(count)
	}
	if look.Class != "" {
		e.Logger.Warn("look failed", logHost, t.host.Name, logClass, look.Class, logDetail, look.Detail)
	}
	e.Sink.Event(HostLooked{
		Host: t.host.Name, Standing: state.Standing, OS: look.OS, Findings: look.Findings,
		Class: look.Class, Detail: look.Detail, Bare: look.Bare, Took: e.since(t.start), At: look.At,
	})
}
