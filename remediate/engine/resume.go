package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sourcegraph/conc/panics"

	"oust/remediate"
)

// joins is what earlier runs left open.
type joins struct {
	resumed bool
	// mine are this run's own open attempts, by host.
	mine map[string]remediate.Attempt
	// earlier are attempts whose folder may still be on its host: of other
	// runs, or of this one with its outcome recorded.
	earlier []remediate.Attempt
}

// open begins a run, or takes up the one of this plan that was interrupted.
func (a *applying) open(ctx context.Context) (joins, error) {
	j := joins{mine: map[string]remediate.Attempt{}}
	a.ended = map[string]remediate.Outcome{}
	run, err := a.e.Store.OpenRun(ctx, a.kind(), a.plan.ID)
	switch {
	case err == nil:
		a.run, j.resumed = run, true
		if a.ignoreWindows && run.Lowered != LoweredWindows {
			a.run.Lowered = LoweredWindows
			if err := a.e.record(ctx, func(ctx context.Context) error { return a.e.Store.LowerRun(ctx, run.ID, LoweredWindows) }); err != nil {
				return j, err
			}
		}
		for at, err := range a.e.Store.RunAttempts(ctx, run.ID) {
			if err != nil {
				return j, fmt.Errorf("read the interrupted run: %w", err)
			}
			if at.Phase == remediate.PhaseClosed || at.Phase == remediate.PhaseCleaned {
				a.ended[at.Host] = at.Outcome
			}
		}
	case errors.Is(err, remediate.ErrNotFound):
		a.run = remediate.Run{ID: remediate.NewID(a.e.Now()), Kind: a.kind(), Plan: a.plan.ID, Started: a.e.Now().UTC(), By: a.e.By}
		if a.ignoreWindows {
			a.run.Lowered = LoweredWindows
		}
		if err := a.e.record(ctx, func(ctx context.Context) error { return a.e.Store.BeginRun(ctx, a.run) }); err != nil {
			return j, err
		}
	default:
		return j, fmt.Errorf("look for an interrupted run: %w", err)
	}
	a.summary.Run = a.run.ID
	pending, err := a.e.Store.OpenAttempts(ctx)
	if err != nil {
		return j, fmt.Errorf("read open attempts: %w", err)
	}
	for _, at := range pending {
		if at.Run == a.run.ID && at.Phase != remediate.PhaseClosed {
			j.mine[at.Host] = at
			continue
		}
		j.earlier = append(j.earlier, at)
	}
	return j, nil
}

// joinEarlier settles what earlier runs left on hosts, before the first wave.
func (a *applying) joinEarlier(ctx context.Context, earlier []remediate.Attempt) {
	if len(earlier) == 0 {
		return
	}
	a.e.Sink.Event(WaveStarted{Wave: 0, Of: len(a.plan.Waves), Hosts: len(earlier)})
	tasks := make([]task, 0, len(earlier))
	for _, at := range earlier {
		h, known := a.hosts[at.Host]
		if !known {
			a.e.Logger.Warn("an earlier attempt's host is not in the inventory any more",
				logHost, at.Host, logAttempt, at.ID)
			continue
		}
		tasks = append(tasks, a.settle(h, at))
	}
	a.e.executor(a.halted).run(ctx, a.stop, tasks)
}

// settle makes the task that takes an attempt of another run to its end.
func (a *applying) settle(h remediate.Host, at remediate.Attempt) *hostTask {
	t := &hostTask{a: a, host: h, attempt: at, began: true, earlier: true}
	t.next = t.rejoin
	return t
}

// notStartedTask records that a host's turn did not come.
type notStartedTask struct {
	a            *applying
	host, detail string
}

func (t *notStartedTask) site() string { return "" }

func (t *notStartedTask) step(ctx context.Context) (time.Duration, bool) {
	o := remediate.Outcome{Kind: remediate.OutcomeNotStarted, Detail: t.detail}
	at := t.a.attemptRecord(t.host, o, t.a.e.Now().UTC())
	err := t.a.e.record(ctx, func(ctx context.Context) error { return t.a.e.Store.CloseAttempt(ctx, at, nil) })
	if err != nil {
		t.a.fail(err)
	}
	return 0, false
}

func (t *notStartedTask) panicked(_ context.Context, p *panics.Recovered) { t.a.fail(p.AsError()) }
