package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"oust/playbooks"
	"oust/remediate"
	"oust/remediate/job"
	"oust/transports"
)

// verify looks at the host in a new session and closes the attempt.
func (t *hostTask) verify(ctx context.Context) (state, time.Duration) {
	e := t.a.e
	t.say("verify")
	// The job has ended; what is bounded now is the silence after it.
	if grace := e.Monotonic().Add(verifyGrace(e.Campaign.Timing)); t.silent.IsZero() && t.deadline.Before(grace) {
		t.deadline = grace
	}
	conn, err := e.dial(ctx, t.host)
	if err != nil {
		return t.lost(ctx, err, t.verify)
	}
	defer func() { _ = conn.Close() }()
	s, err := e.probe(ctx, conn, t.host)
	if err != nil {
		if mayMend(err) {
			return t.lost(ctx, err, t.verify)
		}
		return t.fail(ctx, err)
	}
	return t.judged(ctx, s, conn)
}

// judged ends the attempt by what a look has shown, or restarts the host. conn
// is a connection that can clean up, nil if there is none.
func (t *hostTask) judged(ctx context.Context, s *sight, conn transports.Conn) (state, time.Duration) {
	e := t.a.e
	if t.before == nil {
		var err error
		if t.before, err = e.keptSight(ctx, t.host); err != nil {
			t.a.fail(err)
			return nil, 0
		}
	}
	look := e.newLook(t.host, remediate.LookVerify, t.attempt.Run, s)
	look.Bare = e.bare(s, t.playbooks())
	rebooted := s.facts.BootID != "" && t.attempt.BootID != "" && s.facts.BootID != t.attempt.BootID
	o := t.pending // a host that was only asked whether it has been restarted
	if !t.restartOnly || rebooted {
		o = judge(verdict{exit: t.attempt.Exit, died: t.died || t.attempt.Exit == diedExit, rebooted: rebooted,
			result: t.attempt.Result, before: t.before, after: s})
		o = leftToPeople(o, e.Library, s.findings)
	}
	if o.Kind == remediate.OutcomeRebootPending {
		look.Complete = false // what a reboot has yet to finish is not clean
		return t.pendingOrRestart(ctx, o, s, &look)
	}
	if conn == nil {
		return t.closeWith(ctx, o, &look)
	}
	_, _ = t.close(ctx, o, &look)
	if t.attempt.Phase == remediate.PhaseClosed {
		t.clean(ctx, conn)
	}
	return nil, 0
}

// verifyGrace is how long a host may be silent after its job has ended.
func verifyGrace(t remediate.Timing) time.Duration { return 4 * t.Connect }

// tidy removes the folder of a closed attempt from its host.
func (t *hostTask) tidy(ctx context.Context) (state, time.Duration) {
	t.closed = true
	if t.attempt.Phase != remediate.PhaseClosed {
		return nil, 0
	}
	conn, err := t.a.e.dial(ctx, t.host)
	if err != nil {
		return nil, 0 // the next apply tries again
	}
	defer func() { _ = conn.Close() }()
	t.clean(ctx, conn)
	return nil, 0
}

// clean removes the attempt's folder. A failure is not the host's: the next
// apply tries again.
func (t *hostTask) clean(ctx context.Context, conn transports.Conn) {
	nonce := remediate.NewNonce()
	shell := shellOf(t.host.Platform)
	stdin, err := shell.scripts.Clean(t.attempt.ID, nonce)
	if err != nil || ctx.Err() != nil {
		return
	}
	res, err := conn.Run(ctx, transports.Command{
		Line: shell.line, Stdin: stdin, Elevate: shell.elevate, Timeout: t.a.e.Campaign.Timing.Probe,
	})
	if err == nil {
		err = job.ParseCleaned(res.Stdout, nonce)
	}
	if err != nil {
		t.a.e.Logger.Warn("the attempt's folder stays on the host for now",
			logHost, t.host.Name, logAttempt, t.attempt.ID, logError, t.a.mask.Replace(errorText(err)))
		return
	}
	if err := t.save(ctx, remediate.PhaseCleaned); err != nil {
		t.a.fail(err)
	}
}

// verdict is all that an outcome is judged from.
type verdict struct {
	exit int
	died bool
	// rebooted: the host has been started anew since the job began.
	rebooted bool
	result   string
	// before is nil where no look before the act is kept.
	before, after *sight
}

// judge decides an attempt's outcome. Facts come first: an exit code only
// explains why something is still there.
func judge(v verdict) remediate.Outcome {
	if f := v.after.incomplete(); f != nil {
		return f.outcome()
	}
	if len(v.after.findings) == 0 {
		return judgeGone(v)
	}
	found := products(v.after.findings)
	switch {
	case v.died:
		return remediate.Failed(remediate.ClassUninstaller, "the job ended without an exit code (was the host rebooted, or the job killed?); still there: "+found)
	case v.exit == remediate.ScriptBusy:
		return remediate.Failed(remediate.ClassBusy, why(v, "another installer held its lock"))
	case v.exit == remediate.ScriptProtected:
		return remediate.Failed(remediate.ClassProtected, why(v, "the product refused its removal"))
	case v.exit == remediate.ScriptUnsupported:
		return remediate.Failed(remediate.ClassUnsupported, why(v, "a tool that the script needs is not there"))
	case v.exit == remediate.ScriptReboot && !v.rebooted:
		return remediate.Outcome{Kind: remediate.OutcomeRebootPending, Detail: "until the reboot there is still: " + found}
	case v.exit != remediate.ScriptDone && v.exit != remediate.ScriptReboot:
		return remediate.Failed(remediate.ClassUninstaller, why(v, fmt.Sprintf("the script ended with exit code %d", v.exit)))
	case onlyResidue(v.after.findings):
		return remediate.Failed(remediate.ClassResidue, oneLine("left behind: "+evidence(v.after.findings)))
	case v.exit == remediate.ScriptReboot:
		return remediate.Failed(remediate.ClassStillPresent, oneLine("it was restarted, and there is still: "+evidence(v.after.findings)))
	default:
		return remediate.Failed(remediate.ClassStillPresent, oneLine("the uninstaller ended well; still there: "+evidence(v.after.findings)))
	}
}

// leftToPeople: what is still there was never the script's to remove, because
// its playbooks find and report.
func leftToPeople(o remediate.Outcome, l *playbooks.Library, still []remediate.Finding) remediate.Outcome {
	if o.Class != remediate.ClassStillPresent || slices.ContainsFunc(still, func(f remediate.Finding) bool {
		p, ok := l.Get(f.Playbook)
		return !ok || !p.ReportOnly()
	}) {
		return o
	}
	return remediate.Failed(remediate.ClassUnsupported, oneLine("what oust could remove is gone; left to a person: "+evidence(still)))
}

// judgeGone: nothing was found; only a reboot can stand in the way.
func judgeGone(v verdict) remediate.Outcome {
	switch reasons := newReasons(v); {
	case v.exit == remediate.ScriptReboot && !v.rebooted:
		return remediate.Outcome{Kind: remediate.OutcomeRebootPending, Detail: "the product asks for a reboot; verify after it"}
	case len(reasons) > 0:
		return remediate.Outcome{Kind: remediate.OutcomeRebootPending, Detail: oneLine("the removal asks for a reboot: " + strings.Join(reasons, "; "))}
	case v.died:
		return remediate.Outcome{Kind: remediate.OutcomeRemoved, Detail: "the job ended without an exit code, and nothing is left"}
	case v.exit != remediate.ScriptDone && v.exit != remediate.ScriptReboot:
		return remediate.Outcome{Kind: remediate.OutcomeRemoved, Detail: why(v, fmt.Sprintf("exit code %d", v.exit)) + "; nothing is left all the same"}
	}
	return remediate.Outcome{Kind: remediate.OutcomeRemoved}
}

// newReasons are reasons for a reboot that came with the removal.
func newReasons(v verdict) []string {
	if v.before == nil {
		return nil
	}
	var out []string
	for _, r := range v.after.facts.RebootPending {
		if !slices.Contains(v.before.facts.RebootPending, r) {
			out = append(out, r)
		}
	}
	return out
}

// why explains an exit code by the step that gave it.
func why(v verdict, otherwise string) string {
	steps, err := remediate.ParseStepResults(v.result)
	if err != nil || len(steps) == 0 {
		return otherwise
	}
	last := steps[len(steps)-1]
	return oneLine(fmt.Sprintf("%s: step %d of %s (%s) gave exit code %d", otherwise, last.Step, last.Playbook, last.What, last.Exit))
}

func onlyResidue(fs []remediate.Finding) bool {
	return !slices.ContainsFunc(fs, func(f remediate.Finding) bool { return f.Kind == remediate.FindProduct })
}

// evidence lists what was found, bounded for one line.
func evidence(fs []remediate.Finding) string {
	var parts []string
	for _, f := range fs {
		for _, ev := range f.Evidence {
			parts = append(parts, ev.Kind+" "+ev.Value)
		}
	}
	return strings.Join(parts, ", ")
}
