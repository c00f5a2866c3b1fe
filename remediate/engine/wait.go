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

// rejoin is the first state of an attempt that an earlier process began.
func (t *hostTask) rejoin(ctx context.Context) (state, time.Duration) {
	e := t.a.e
	if t.planned != nil {
		if reason := t.moved(); reason != "" {
			return t.close(ctx, remediate.Failed(remediate.ClassLostContact, "a job was begun before the interruption, and "+reason+
				"; another machine is not asked about it: look at the host, then scan and plan again"), nil)
		}
	}
	if reason := e.elsewhere(t.attempt, t.host); reason != "" {
		return t.leave(ctx, reason)
	}
	// The job's time has gone on while nobody looked, which only the clock of the
	// records tells; one more look is owed.
	ran := max(0, e.Now().Sub(t.attempt.Started))
	t.deadline = e.Monotonic().Add(max(e.Campaign.Timing.Job-ran, 2*e.Campaign.Timing.Connect))
	switch t.attempt.Phase {
	case remediate.PhaseEnded:
		return t.verify(ctx)
	case remediate.PhaseClosed:
		return t.tidy(ctx)
	default:
		return t.join(ctx)
	}
}

// leave ends an attempt that was begun at another address: what stands at the
// host's address now is not asked about it, and keeps what it has.
func (t *hostTask) leave(ctx context.Context, reason string) (state, time.Duration) {
	if t.attempt.Phase == remediate.PhaseClosed {
		t.a.e.Logger.Warn("the folder of an earlier attempt is not cleaned", logHost, t.host.Name, logAttempt, t.attempt.ID, logDetail, reason)
		t.closed = true
		return nil, 0
	}
	return t.close(ctx, remediate.Failed(remediate.ClassLostContact, "a job was begun before, and "+reason+
		"; another machine is not asked about it: look at the host, then scan and plan again"), nil)
}

// join looks at the job on the host.
func (t *hostTask) join(ctx context.Context) (state, time.Duration) {
	t.say("join")
	conn, err := t.a.e.dial(ctx, t.host)
	if err != nil {
		return t.lost(ctx, err, t.join)
	}
	defer func() { _ = conn.Close() }()
	nonce := remediate.NewNonce()
	shell := shellOf(t.host.Platform)
	stdin, err := shell.scripts.Join(t.attempt.ID, nonce)
	if err != nil {
		return t.fail(ctx, err)
	}
	res, err := conn.Run(ctx, transports.Command{
		Line: shell.line, Stdin: stdin, Elevate: shell.elevate,
		Timeout: t.a.e.Campaign.Timing.Probe, MaxOutput: job.MaxReport,
	})
	if err != nil {
		return t.lost(ctx, err, t.join)
	}
	report, err := job.ParseReport(res.Stdout, nonce)
	if err != nil {
		return t.lost(ctx, fmt.Errorf("join: %w; the host said: %s", err, oneLine(t.a.mask.Replace(string(res.Stderr)))), t.join)
	}
	t.silent, t.tries = time.Time{}, 0
	return t.reported(ctx, report)
}

// reported decides what the state of the job means.
func (t *hostTask) reported(ctx context.Context, r job.Report) (state, time.Duration) {
	switch r.State {
	case job.StateEnded:
		return t.ended(ctx, r)
	case job.StateDied:
		t.died = true
		r.Exit = diedExit
		return t.ended(ctx, r)
	case job.StateRunning, job.StateAccepted:
		return t.stillRunning(ctx)
	case job.StateLocked:
		return t.locked(ctx, r)
	case job.StateRefused:
		next, wait := t.fail(ctx, &failure{class: refusedClass(r), detail: oneLine("launch: " + r.Detail)})
		if r.Refusal == job.RefusedScheduler {
			return t.tidy, 0 // what was written is of no use
		}
		return next, wait
	case job.StateAbsent, job.StatePrepared:
		return t.notThere(ctx, r)
	}
	return t.fail(ctx, fmt.Errorf("join: the host reports state %q", r.State))
}

// diedExit is the exit code of a job that did not live to give one.
const diedExit = -1

func (t *hostTask) ended(ctx context.Context, r job.Report) (state, time.Duration) {
	if err := t.takeReport(ctx, r); err != nil {
		t.a.fail(err)
		return nil, 0
	}
	t.silent, t.tries = time.Time{}, 0
	return t.verify, 0
}

func (t *hostTask) stillRunning(ctx context.Context) (state, time.Duration) {
	e := t.a.e
	if t.attempt.Phase == remediate.PhaseIntended || t.attempt.Phase == remediate.PhaseLaunched {
		if err := t.save(ctx, remediate.PhaseRunning); err != nil {
			t.a.fail(err)
			return nil, 0
		}
	}
	if left := t.deadline.Sub(e.Monotonic()); left > 0 {
		return t.join, min(e.Campaign.Timing.Poll, left)
	}
	if t.earlier && !t.a.serves {
		return nil, 0 // stays open, for the next run
	}
	return t.close(ctx, remediate.Failed(remediate.ClassTimeout, fmt.Sprintf(
		"the uninstaller still runs after %s; it was left running: look at the host, and apply or verify again later", e.Campaign.Timing.Job)), nil)
}

// locked: another attempt has the host; this one has run nothing.
func (t *hostTask) locked(ctx context.Context, r job.Report) (state, time.Duration) {
	_, _ = t.close(ctx, remediate.Failed(remediate.ClassBusy,
		oneLine("another attempt has this host: "+r.LockedBy)), nil)
	return t.tidy, 0
}

// notThere: the host knows nothing of the job, or it was never started.
func (t *hostTask) notThere(ctx context.Context, r job.Report) (state, time.Duration) {
	switch {
	case r.State == job.StateAbsent && t.confirmed() && r.BootID != t.attempt.BootID:
		// A boot leaves the folder where it is.
		return t.close(ctx, remediate.Failed(remediate.ClassLostContact,
			"the host knows nothing of its job, and was started since: it is another machine, or was set up anew; scan and plan again"), nil)
	case r.State == job.StateAbsent && t.confirmed():
		// It was there. Whoever removed the folder, the product decides.
		t.died = true
		return t.ended(ctx, job.Report{State: job.StateDied, Exit: diedExit, Result: r.Result})
	case t.earlier:
		_, _ = t.close(ctx, remediate.Outcome{Kind: remediate.OutcomeNotStarted, Detail: "the run was interrupted before its start"}, nil)
		return t.tidy, 0
	case t.launches >= launchTries:
		f := &failure{class: remediate.ClassUnsupported, detail: "the host took the job each time and did not start it"}
		if t.launchErr != nil {
			f = failed(t.launchErr)
		}
		f.detail = oneLine(fmt.Sprintf("nothing was started in %d launches: %s", t.launches, f.detail))
		_, _ = t.fail(ctx, f)
		return t.tidy, 0
	default:
		return t.begin, 0
	}
}

// confirmed reports whether the host has ever said that it has the job.
func (t *hostTask) confirmed() bool {
	return t.attempt.Phase == remediate.PhaseLaunched || t.attempt.Phase == remediate.PhaseRunning
}

// launchTries bounds the launches of one attempt by one process: a host may
// answer every question and still break off each launch.
const launchTries = 3

// lost waits for a host that does not answer while a job may run there. A
// class that waiting does not mend ends it.
func (t *hostTask) lost(ctx context.Context, err error, again state) (state, time.Duration) {
	if ctx.Err() != nil {
		return nil, 0
	}
	e := t.a.e
	now := e.Monotonic()
	if t.silent.IsZero() {
		t.silent = now
		// A call that broke off may have used up the job's time: the host is
		// asked again all the same.
		if soon := now.Add(verifyGrace(e.Campaign.Timing)); t.deadline.Before(soon) {
			t.deadline = soon
		}
	}
	// Nobody waits long for an attempt of an earlier run: it stays open.
	if now.Before(t.deadline) && mayMend(err) && (!t.earlier || t.tries < earlierTries) {
		t.say("wait")
		t.tries++
		wait := min(time.Second<<min(t.tries-1, 10), e.Campaign.Timing.Poll)
		return again, min(wait, t.deadline.Sub(now))
	}
	if t.earlier {
		e.Logger.Warn("an earlier attempt could not be joined", logHost, t.host.Name, logAttempt, t.attempt.ID, logError, t.a.mask.Replace(errorText(err)))
		return nil, 0
	}
	f := failed(err)
	switch f.class {
	case remediate.ClassUnreachable, remediate.ClassTimeout, remediate.ClassLostContact, remediate.ClassBusy:
		f = &failure{class: remediate.ClassLostContact, err: err, detail: oneLine(fmt.Sprintf(
			"no contact for %s after the launch: %s", now.Sub(t.silent).Round(time.Second), f.detail))}
	}
	return t.fail(ctx, f)
}

// earlierTries bounds the tries to join an attempt of an earlier run, so that
// a host that is off does not hold up the first wave.
const earlierTries = 2

// mayMend reports whether the same call may work later by itself. The host
// answered a moment ago, so that even a refused connection may be sshd
// restarting or a network coming back.
func mayMend(err error) bool {
	switch transports.ClassOf(err) {
	case transports.Unreachable, transports.Timeout, transports.LostContact, transports.Busy:
		return true
	case transports.Internal:
		_, ours := errors.AsType[*transports.Error](err)
		return !ours // an unreadable report
	}
	return false
}

// refusedClass is the class of a host that would not take the job.
func refusedClass(r job.Report) remediate.Class {
	if r.Refusal == job.RefusedPrivilege {
		return remediate.ClassPrivilege
	}
	return remediate.ClassUnsupported
}
