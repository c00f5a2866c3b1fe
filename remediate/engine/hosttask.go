package engine

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sourcegraph/conc/panics"

	"oust/remediate"
	"oust/remediate/job"
)

// hostTask is one host's way through an apply:
//
//	begin ─► (look, compare with the plan) ─► launch ─► join ... ─► verify ─► closed
//	rejoin ─► join, for an attempt that an earlier process launched
//
// Each state does its part and names the next one; a state that waits is
// called again later by the executor.
type hostTask struct {
	a       *applying
	host    remediate.Host
	planned *remediate.PlanHost // nil for attempts of earlier runs
	wave    int
	// earlier is true for an attempt that this run only settles.
	earlier bool
	// restartOnly is true for a host that waits for a restart; attempt is then
	// the one that said so, and pending its outcome.
	restartOnly bool
	// reopened: something else has been recorded since, so that a host which
	// waits still has to be recorded as such again.
	reopened bool

	attempt remediate.Attempt
	// began is true once the attempt's intent is in the store.
	began bool
	// died is true when the job ended without saying so.
	died  bool
	start time.Time
	// By Config.Monotonic: deadline is for the job, from its launch; silent is
	// since when the host has not answered, zero if it does.
	deadline, silent time.Time
	tries            int
	// launches counts the launches of this process; launchErr is how the last
	// one broke off.
	launches  int
	launchErr error
	before    *sight // the look before the act, nil after a re-join
	warnings  []string
	closed    bool
	// pending is the outcome if the host is not restarted, pendingLook what it
	// rests on, and bootBefore the boot that the restart ends.
	pending      remediate.Outcome
	pendingLook  *remediate.Look
	bootBefore   string
	bootPoll     time.Duration // between looks for the next boot
	restartError error
	opens        time.Time // when the window of a deferred host opens next
	next         state
}

// state is one step; it returns the next one, nil at the end.
type state func(ctx context.Context) (next state, wait time.Duration)

func (t *hostTask) site() string { return t.host.Site }

// step implements task.
func (t *hostTask) step(ctx context.Context) (time.Duration, bool) {
	if t.start.IsZero() {
		t.start = t.a.e.Now()
		t.a.e.Sink.Event(HostStarted{Host: t.host.Name, At: t.start.UTC()})
	}
	next, wait := t.next(ctx)
	if next == nil {
		if !t.closed && ctx.Err() != nil {
			t.a.interrupted(t)
		}
		return 0, false
	}
	t.next = next
	return wait, true
}

// panicked implements task: the panic is this host's failure and no other's.
func (t *hostTask) panicked(ctx context.Context, p *panics.Recovered) {
	t.a.e.Logger.Error("panic while working on a host", logHost, t.host.Name, logAttempt, t.attempt.ID, logError, p.String())
	t.close(ctx, remediate.Failed(remediate.ClassInternal, oneLine(fmt.Sprintf("panic: %v", p.Value))), nil)
}

func (t *hostTask) say(step string) {
	t.a.e.Sink.Event(HostStep{Host: t.host.Name, Step: step})
}

// fail closes the host with an error, unless the error is only that a person
// has cancelled.
func (t *hostTask) fail(ctx context.Context, err error) (state, time.Duration) {
	if ctx.Err() != nil {
		return nil, 0
	}
	f := failed(err)
	t.a.e.Logger.Warn("host failed", logHost, t.host.Name, logAttempt, t.attempt.ID, logClass, f.class, logError, t.a.mask.Replace(errorText(err)))
	return t.close(ctx, f.outcome(), nil)
}

// close records the outcome and ends the task. look is what it rests on.
func (t *hostTask) close(ctx context.Context, o remediate.Outcome, look *remediate.Look) (state, time.Duration) {
	if t.closed {
		return nil, 0
	}
	t.closed = true
	a, e := t.a, t.a.e
	o.Detail = a.mask.Replace(o.Detail)
	if !a.dry && o.Kind != remediate.OutcomeDeferred && o.Kind != remediate.OutcomeExempt {
		if err := t.recordOutcome(ctx, o, look); err != nil {
			a.fail(err)
			return nil, 0
		}
	}
	if look != nil && look.Bare == "" && a.brake != nil {
		a.brake.bare(t.host.Name, false) // whether it stays so, a later look says
	}
	if t.earlier {
		if a.brake != nil {
			a.brake.record(a.waveOf(t), t.host.Name, o)
		}
		e.Sink.Event(HostJoined{Host: t.host.Name, Attempt: t.attempt.ID, Run: t.attempt.Run, Outcome: o})
		return nil, 0
	}
	a.count(t, o)
	if look != nil && look.Bare != "" {
		t.warnings = append(t.warnings, look.Bare)
		a.sum(func(s *Summary) { s.Bare++ })
	}
	e.Sink.Event(HostEnded{
		Host: t.host.Name, Attempt: t.attempt.ID, Wave: t.wave, Outcome: o,
		Warnings: t.warnings, Took: e.since(t.start), At: e.Now().UTC(),
	})
	return nil, 0
}

func (t *hostTask) recordOutcome(ctx context.Context, o remediate.Outcome, look *remediate.Look) error {
	e := t.a.e
	now := e.Now().UTC()
	at := t.attempt
	if !t.began {
		at = t.a.attemptRecord(t.host.Name, o, now)
		at.Started, at.Playbooks = t.start.UTC(), t.playbooks()
		if at.BootID = t.attempt.BootID; t.restartOnly && t.bootBefore != "" {
			at.BootID = t.bootBefore // the boot in which it waits, or waited
		}
		t.attempt.ID = at.ID
	} else {
		at.Phase, at.Updated, at.Outcome = remediate.PhaseClosed, now, o
	}
	if err := e.record(ctx, func(ctx context.Context) error { return e.Store.CloseAttempt(ctx, at, look) }); err != nil {
		return err
	}
	t.attempt = at
	return nil
}

// save writes how far the attempt has come.
func (t *hostTask) save(ctx context.Context, phase remediate.Phase) error {
	t.attempt.Phase, t.attempt.Updated = phase, t.a.e.Now().UTC()
	return t.a.e.record(ctx, func(ctx context.Context) error { return t.a.e.Store.SaveAttempt(ctx, t.attempt) })
}

// takeReport writes what an ended job left.
func (t *hostTask) takeReport(ctx context.Context, r job.Report) error {
	mask := t.a.mask
	t.attempt.Exit, t.attempt.Result, t.attempt.Log = r.Exit, mask.Replace(r.Result), mask.log(r.Log)
	// The boot in which it ran: the host may have been restarted since it ended.
	if boot := cmp.Or(strings.TrimPrefix(r.BeganIn, "-"), r.BootID); boot != "" {
		t.attempt.BootID = boot
	}
	return t.save(ctx, remediate.PhaseEnded)
}
