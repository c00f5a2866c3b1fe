package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oust/remediate"
	"oust/remediate/job"
	"oust/transports"
)

// pendingOrRestart ends an attempt that waits for a restart, or restarts the
// host where that may be done now. s is the look that says so.
func (t *hostTask) pendingOrRestart(ctx context.Context, o remediate.Outcome, s *sight, look *remediate.Look) (state, time.Duration) {
	ok, why := t.mayRestart()
	switch {
	case t.earlier && !t.restartOnly, stopped(t.a.stop):
		return t.closeWith(ctx, o, look) // somebody else's restart, or nobody's now
	case t.restartOnly && !t.reopened && (!ok || s.facts.BootID == ""):
		return t.stillPending(ctx, look)
	case !ok:
		o.Detail = oneLine(o.Detail + "; " + why)
		return t.closeWith(ctx, o, look)
	case s.facts.BootID == "":
		o.Detail = oneLine(o.Detail + "; the host tells no boot id, so that its restart could not be seen: a person restarts it")
		return t.closeWith(ctx, o, look)
	}
	t.pending, t.pendingLook, t.bootBefore = o, look, s.facts.BootID
	return t.restart, 0
}

// mayRestart reports whether the host may be restarted now; else why not.
func (t *hostTask) mayRestart() (ok bool, why string) {
	now := t.a.e.Now()
	if x, exempt := t.a.exempt[t.host.Name]; exempt && x.Holds(now) {
		return false, "it is exempt, and not restarted"
	}
	if t.a.halted() {
		return false, "its restart waits: the campaign is held"
	}
	ok, _, why = t.a.gate.mayRestart(t.host, t.playbooks(), now)
	return ok, why
}

// stillPending keeps the look at a host that waits for a restart as before.
func (t *hostTask) stillPending(ctx context.Context, look *remediate.Look) (state, time.Duration) {
	t.closed = true
	if err := t.a.e.record(ctx, func(ctx context.Context) error { return t.a.e.Store.SaveLook(ctx, *look) }); err != nil {
		t.a.fail(err)
	}
	return nil, 0
}

// closeWith closes the attempt and cleans up after it.
func (t *hostTask) closeWith(ctx context.Context, o remediate.Outcome, look *remediate.Look) (state, time.Duration) {
	_, _ = t.close(ctx, o, look)
	if t.attempt.Phase != remediate.PhaseClosed {
		return nil, 0
	}
	return t.tidy, 0
}

// giveUpRestart closes the attempt as waiting for a restart.
func (t *hostTask) giveUpRestart(ctx context.Context, why string) (state, time.Duration) {
	o := t.pending
	o.Detail = oneLine(o.Detail + "; " + why)
	return t.closeWith(ctx, o, t.pendingLook)
}

// restartLooks is how often a host is looked at in the time that people are
// given: somebody may restart it before.
const restartLooks = 10

// restart asks the host to restart. The budget is charged before.
func (t *hostTask) restart(ctx context.Context) (state, time.Duration) {
	e := t.a.e
	r := remediate.Reboot{Host: t.host.Name, BootID: t.bootBefore, Attempt: t.attempt.ID, At: e.Now().UTC()}
	err := e.record(ctx, func(ctx context.Context) error { return e.Store.BeginReboot(ctx, r, e.Campaign.Reboot.Budget) })
	switch {
	case errors.Is(err, remediate.ErrBudget):
		return t.giveUpRestart(ctx, fmt.Sprintf("it was restarted %d times already, as often as reboot.budget allows: a person looks at it", e.Campaign.Reboot.Budget))
	case err != nil:
		t.a.fail(err)
		return nil, 0
	case ctx.Err() != nil:
		return nil, 0
	}
	t.say("restart")
	delay, err := t.askRestart(ctx)
	if f, ok := errors.AsType[*failure](err); ok {
		return t.giveUpRestart(ctx, f.detail)
	}
	if ctx.Err() != nil {
		return nil, 0
	}
	// A connection that broke off says nothing: the boot id decides.
	t.deadline = e.Monotonic().Add(delay + e.Campaign.Reboot.Wait)
	t.restartError = err
	t.bootPoll = max(e.Campaign.Timing.Poll, delay/restartLooks)
	return t.awaitBoot, t.bootPoll
}

// askRestart runs the restart's script. A *failure means that the host will
// not; any other error that it is not known.
func (t *hostTask) askRestart(ctx context.Context) (delay time.Duration, err error) {
	e := t.a.e
	conn, err := e.dial(ctx, t.host)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	nonce := remediate.NewNonce()
	shell := shellOf(t.host.Platform)
	set := e.Campaign.Reboot
	stdin, err := shell.scripts.Reboot(job.RebootSpec{BootID: t.bootBefore, Delay: set.Delay, Message: set.Message}, nonce)
	if err != nil {
		return 0, &failure{class: remediate.ClassInternal, detail: oneLine(err.Error()), err: err}
	}
	res, err := conn.Run(ctx, transports.Command{
		Line: shell.line, Stdin: stdin, Elevate: shell.elevate, Timeout: e.Campaign.Timing.Probe,
	})
	if err != nil {
		return set.Delay, err // it may have begun
	}
	r, err := job.ParseReboot(res.Stdout, nonce)
	switch {
	case err != nil:
		return set.Delay, fmt.Errorf("restart: %w; the host said: %s", err, oneLine(string(res.Stderr)))
	case r.State == job.RebootRefused:
		return 0, &failure{class: remediate.ClassUnsupported, detail: oneLine("the host would not restart: " + r.Detail)}
	case r.State == job.RebootPending:
		return set.Delay, nil
	}
	return r.Delay, nil // scheduled, or over already
}

// awaitBoot waits until the host shows another boot id, and judges it anew.
func (t *hostTask) awaitBoot(ctx context.Context) (state, time.Duration) {
	e := t.a.e
	t.say("wait for its restart")
	s, err := t.lookAgain(ctx)
	if ctx.Err() != nil {
		return nil, 0
	}
	late := !e.Monotonic().Before(t.deadline)
	switch {
	case err != nil && (late || !mayMend(err)):
		return t.closeWith(ctx, remediate.Failed(remediate.ClassLostContact, oneLine(fmt.Sprintf(
			"it has not come back since it was told to restart: %s", failed(err).detail))), nil)
	case err != nil || s.facts.BootID == t.bootBefore && !late:
		return t.awaitBoot, t.bootPoll
	case s.facts.BootID == t.bootBefore || s.facts.BootID == "":
		why := "it was told to restart, and did not"
		if t.restartError != nil {
			why += ": " + failed(t.restartError).detail
		}
		return t.giveUpRestart(ctx, why)
	}
	err = e.record(ctx, func(ctx context.Context) error {
		return e.Store.EndReboot(ctx, t.host.Name, t.bootBefore, e.Now().UTC())
	})
	if err != nil {
		t.a.fail(err)
		return nil, 0
	}
	return t.judged(ctx, s, nil)
}

// lookAgain looks at the host in a session of its own.
func (t *hostTask) lookAgain(ctx context.Context) (*sight, error) {
	conn, err := t.a.e.dial(ctx, t.host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	return t.a.e.probe(ctx, conn, t.host)
}

// resumeRestart is the first state of a host whose attempt was closed as
// waiting for a restart: attempt is that one's record.
func (t *hostTask) resumeRestart(ctx context.Context) (state, time.Duration) {
	t.say("look")
	s, err := t.lookAgain(ctx)
	if err != nil {
		return t.notSeen(ctx, err)
	}
	return t.judged(ctx, s, nil)
}

// notSeen keeps that a host which waits for a restart could not be looked at.
// It waits on: that it did not answer says nothing of its restart.
func (t *hostTask) notSeen(ctx context.Context, err error) (state, time.Duration) {
	if ctx.Err() != nil {
		return nil, 0
	}
	t.closed = true
	e, f := t.a.e, failed(err)
	f.detail = t.a.mask.Replace(f.detail)
	look := e.failedLook(t.host, remediate.LookVerify, t.a.run.ID, f)
	if err := e.record(ctx, func(ctx context.Context) error { return e.Store.SaveLook(ctx, look) }); err != nil {
		t.a.fail(err)
		return nil, 0
	}
	t.a.sum(func(s *Summary) { s.Failed[f.class]++ })
	e.Sink.Event(HostLooked{Host: t.host.Name, Standing: remediate.StandPresent, Class: f.class, Detail: f.detail, Took: e.since(t.start), At: look.At})
	return nil, 0
}

// playbooks names those whose products this task removes.
func (t *hostTask) playbooks() []string {
	if t.planned != nil {
		return PlaybookNames(t.planned.Findings)
	}
	return t.attempt.Playbooks
}
