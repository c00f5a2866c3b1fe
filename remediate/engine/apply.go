package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"oust/remediate"
	"oust/remediate/schedule"
	"oust/transports"
)

// ApplyOptions are choices for one apply.
type ApplyOptions struct {
	// DryRun reaches every host, checks rights, disk, locks, pending reboot
	// and drift, and changes nothing on any host.
	DryRun bool
	// Resume releases a hold first: a person has looked, and has it go on.
	Resume bool
	// IgnoreWindows changes hosts outside their windows and on blackout days. The
	// run's record says so.
	IgnoreWindows bool
}

// LoweredWindows is what Run.Lowered says of a run that ignored windows.
const LoweredWindows = "ignore-windows"

// Apply carries out a plan on the hosts of the inventory. The plan is checked
// first (CheckPlan). An apply of the same plan that was interrupted is taken
// up again: hosts that had ended keep their outcome, jobs that were launched
// are joined. Jobs of other interrupted runs are joined before the first wave.
//
// A campaign that is held is not changed (*HeldError) unless opt.Resume. A
// host whose window is not open is deferred, and the waves after its own wait:
// the run then stays open, and the next Apply of the plan takes it up again.
//
// When stop is closed, no new host is taken and the running ones go on to
// their end. When ctx is cancelled, running steps end at once; jobs go on on
// their hosts, and the next Apply joins them. The error is a *RefusedError or
// *HeldError, or a failure of oust itself such as of its store; failed hosts are counted
// in the summary.
func (e *Engine) Apply(ctx context.Context, stop <-chan struct{}, plan *remediate.Plan, hosts []remediate.Host, opt ApplyOptions) (Summary, error) {
	a := &applying{e: e, plan: plan, dry: opt.DryRun, ignoreWindows: opt.IgnoreWindows, hosts: make(map[string]remediate.Host, len(hosts)), stop: stop}
	a.summary = newSummary("", a.kind(), len(plan.Hosts))
	if err := e.CheckPlan(ctx, plan); err != nil {
		return a.summary, err
	}
	for _, h := range hosts {
		a.hosts[h.Name] = h
	}
	if err := a.resolveSecrets(); err != nil {
		return a.summary, err
	}
	var err error
	if a.exempt, err = e.exemptions(ctx); err != nil {
		return a.summary, err
	}
	if opt.DryRun {
		return a.dryRun(ctx)
	}
	if err := a.admit(ctx, opt.Resume); err != nil {
		return a.summary, err
	}
	return a.carryOut(ctx)
}

// admit takes the person's yes: it releases a hold if that was asked for,
// refuses to go on under one, and records the approval.
func (a *applying) admit(ctx context.Context, resume bool) (err error) {
	e := a.e
	if resume {
		if err := e.Release(ctx); err != nil && !errors.Is(err, remediate.ErrNotFound) {
			return err
		}
	}
	held, _, err := e.hold(ctx)
	if err != nil {
		return err
	}
	if held == nil {
		err = e.approve(ctx, a.plan)
	} else if left, lerr := e.Store.OpenAttempts(ctx); lerr != nil || !slices.ContainsFunc(left, unsettled) {
		err = cmp.Or(lerr, error(&HeldError{Hold: *held}))
	} // else what runs on hosts is joined, and nothing is begun
	if err != nil {
		return err
	}
	if a.brake, err = e.newBrake(ctx, a.plan); err != nil {
		return err
	}
	a.gate, err = e.NewGate(ctx, a.ignoreWindows)
	return err
}

// unsettled reports whether an attempt has no outcome yet.
func unsettled(at remediate.Attempt) bool {
	return at.Phase != remediate.PhaseClosed && at.Phase != remediate.PhaseCleaned
}

// Release ends the hold that is in force, or returns remediate.ErrNotFound.
func (e *Engine) Release(ctx context.Context) error {
	return e.record(ctx, func(ctx context.Context) error { return e.Store.ReleaseHold(ctx, e.Now().UTC(), e.By) })
}

// applying is an apply under way.
type applying struct {
	e       *Engine
	plan    *remediate.Plan
	dry     bool
	hosts   map[string]remediate.Host
	secrets map[string]transports.Secret
	// mask takes the secrets out of what hosts print.
	mask *mask
	run  remediate.Run
	stop <-chan struct{}
	// brake and gate say whether, and when, hosts may be changed; nil in a dry
	// run. exempt are the hosts that may not.
	brake         *brake
	gate          *Gate
	exempt        map[string]remediate.Exemption
	ignoreWindows bool
	// serves: the hosts come from several approved plans, and waves says from
	// which.
	serves bool
	waves  map[string]schedule.WaveID
	// onFatal and total take failures of oust itself, and outcomes, of all runs
	// of a Serve; nil elsewhere.
	onFatal func(error)
	total   *serving

	mu      sync.Mutex
	summary Summary
	fatal   error
	// deferred counts the hosts of this wave whose window will open.
	deferred int
	// ended holds the hosts that had ended before an interruption.
	ended map[string]remediate.Outcome
}

func (a *applying) kind() string {
	if a.dry {
		return "dry-run"
	}
	return "apply"
}

// resolveSecrets gets the secrets, and what masks them, before any host is
// touched.
func (a *applying) resolveSecrets() error {
	a.secrets = make(map[string]transports.Secret, len(a.plan.Secrets))
	for _, name := range a.plan.Secrets {
		s, err := a.e.Secret(name)
		if errors.Is(err, ErrNoSecret) && a.e.optional(name) {
			continue
		}
		if err != nil {
			return fmt.Errorf("secret %q: %w", name, err)
		}
		a.secrets[name] = s
	}
	var err error
	a.mask, err = a.e.newMask(a.secrets)
	return err
}

// optional reports whether every playbook that asks for the secret can do
// without.
func (e *Engine) optional(name string) bool {
	for _, p := range e.Library.List() {
		for _, s := range p.Secrets {
			if s.Name == name && !s.Optional {
				return false
			}
		}
	}
	return true
}

// carryOut opens or resumes the run, joins what is open, and goes through the
// waves.
func (a *applying) carryOut(ctx context.Context) (Summary, error) {
	j, err := a.open(ctx)
	if err != nil {
		return a.summary, err
	}
	a.e.Sink.Event(RunStarted{
		Run: a.run.ID, Kind: a.kind(), Hosts: len(a.plan.Hosts), Resumed: j.resumed, Done: len(a.ended),
		Waves: a.plan.Waves, At: a.e.Now().UTC(),
	})
	a.joinEarlier(ctx, j.earlier)
	for w := 1; w <= len(a.plan.Waves) && (!a.halted() || a.runsIn(w, j.mine)) && ctx.Err() == nil && !stopped(a.stop); w++ {
		a.wave(ctx, w, j.mine)
		if a.deferred > 0 && ctx.Err() == nil {
			a.deferRest(w)
			break
		}
	}
	return a.finish(ctx)
}

// runsIn reports whether hosts of the wave, or of a later one, have attempts to
// be joined.
func (a *applying) runsIn(wave int, mine map[string]remediate.Attempt) bool {
	return slices.ContainsFunc(a.plan.Hosts, func(h remediate.PlanHost) bool {
		_, open := mine[h.Name]
		return open && h.Wave >= wave
	})
}

// deferRest lets the waves after w wait for its windows.
func (a *applying) deferRest(w int) {
	for _, size := range a.plan.Waves[w:] {
		a.summary.Outcomes[remediate.OutcomeDeferred] += size
	}
	a.e.Sink.Event(Deferred{Hosts: a.summary.Outcomes[remediate.OutcomeDeferred], Until: a.summary.Opens})
}

// wave takes the hosts of one wave to their ends.
func (a *applying) wave(ctx context.Context, wave int, mine map[string]remediate.Attempt) {
	size := a.plan.Waves[wave-1]
	var tasks []task
	for i := range a.plan.Hosts {
		ph := &a.plan.Hosts[i]
		if ph.Wave != wave {
			continue
		}
		if o, done := a.ended[ph.Name]; done {
			a.count(&hostTask{a: a, host: remediate.Host{Name: ph.Name}, wave: wave}, o)
			continue
		}
		tasks = append(tasks, a.newTask(ph, mine))
	}
	a.e.Sink.Event(WaveStarted{Wave: wave, Of: len(a.plan.Waves), Hosts: size})
	slices.SortStableFunc(tasks, func(x, y task) int { return cmp.Compare(y.(*hostTask).open(), x.(*hostTask).open()) })
	left, dropped := a.e.executor(a.halted).run(ctx, a.stop, tasks)
	// A limit ends what is new. Jobs that run on hosts are joined all the same.
	left = slices.DeleteFunc(left, func(t task) bool { return t.(*hostTask).open() == 0 })
	late, more := a.e.executor(a.broken).run(ctx, a.stop, left)
	for _, t := range slices.Concat(late, dropped, more) {
		a.interrupted(t.(*hostTask))
	}
}

// open is 1 for an attempt that an earlier process began, else 0.
func (t *hostTask) open() int {
	if t.began {
		return 1
	}
	return 0
}

// broken reports whether oust itself has failed.
func (a *applying) broken() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fatal != nil
}

func (a *applying) newTask(ph *remediate.PlanHost, mine map[string]remediate.Attempt) *hostTask {
	t := &hostTask{a: a, planned: ph, host: a.hosts[ph.Name], wave: ph.Wave}
	t.host.Name = ph.Name
	t.next = t.begin
	if at, ok := mine[ph.Name]; ok {
		t.attempt, t.began, t.next = at, true, t.rejoin
	}
	return t
}

// count adds an outcome to the summary and the guard.
func (a *applying) count(t *hostTask, o remediate.Outcome) {
	a.sum(func(s *Summary) { s.add(o) })
	if a.brake != nil {
		a.brake.record(a.waveOf(t), t.host.Name, o)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if o.Kind != remediate.OutcomeDeferred || t.opens.IsZero() {
		return
	}
	a.deferred++
	if a.summary.Opens.IsZero() || t.opens.Before(a.summary.Opens) {
		a.summary.Opens = t.opens
	}
}

// sum adds to the summary, and to that of a Serve.
func (a *applying) sum(add func(*Summary)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	add(&a.summary)
	if a.total != nil {
		a.total.count(add)
	}
}

// waveOf is the wave by whose share a host counts.
func (a *applying) waveOf(t *hostTask) schedule.WaveID {
	if a.serves {
		return a.waves[t.host.Name]
	}
	return schedule.WaveID{Plan: a.plan.ID, Number: t.wave}
}

// interrupted counts a host that a second Ctrl-C left in the middle.
func (a *applying) interrupted(t *hostTask) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.began {
		a.summary.Open++
	}
}

// fail ends the run for a failure of oust itself, such as of its store.
func (a *applying) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.onFatal != nil {
		a.onFatal(err)
	}
	if a.fatal == nil {
		a.fatal = err
		a.e.Logger.Error("the run cannot go on", logRun, a.run.ID, logError, err)
	}
}

// halted reports whether no new host may be taken.
func (a *applying) halted() bool {
	if a.broken() {
		return true
	}
	if a.brake == nil {
		return false
	}
	// A hold is recorded also while a person cancels.
	held, _, err := a.brake.on(context.Background(), a.run.ID, a.plan.ID)
	if err != nil {
		a.fail(err)
		return true
	}
	if held == nil {
		return false
	}
	if a.total != nil {
		a.total.tellHeld(held)
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.summary.Stopped == "" {
		a.summary.Stopped = held.Reason
		a.e.Sink.Event(RunStopped{Reason: held.Reason})
	}
	return true
}

// finish closes the run, unless it was interrupted: then it stays open and
// the next apply of this plan takes it up again.
func (a *applying) finish(ctx context.Context) (Summary, error) {
	a.halted() // a limit may have been passed by the very last host
	counted := 0
	for _, n := range a.summary.Outcomes {
		counted += n
	}
	missing := a.summary.Hosts - counted
	over := a.summary.Stopped != ""
	a.summary.Interrupted = a.fatal == nil && !over && missing > 0 || ctx.Err() != nil
	if missing > 0 {
		a.summary.Outcomes[remediate.OutcomeNotStarted] += missing - a.summary.Open
	}
	if !a.summary.Interrupted && a.fatal == nil && (over || a.deferred == 0) {
		if over {
			a.recordNotStarted(ctx)
		}
		run := a.run
		run.Ended, run.Exit, run.Note = a.e.Now().UTC(), a.summary.ExitCode(), a.summary.Stopped
		if err := a.e.record(ctx, func(ctx context.Context) error { return a.e.Store.EndRun(ctx, run) }); err != nil {
			a.fail(err)
		}
	}
	a.e.Sink.Event(RunEnded{Summary: a.summary, At: a.e.Now().UTC()})
	return a.summary, a.fatal
}

// recordNotStarted keeps an outcome for each host whose turn did not come.
func (a *applying) recordNotStarted(ctx context.Context) {
	seen := map[string]bool{}
	for at, err := range a.e.Store.RunAttempts(ctx, a.run.ID) {
		if err != nil {
			a.fail(err)
			return
		}
		seen[at.Host] = true
	}
	var tasks []task
	for i := range a.plan.Hosts {
		if ph := &a.plan.Hosts[i]; !seen[ph.Name] {
			tasks = append(tasks, &notStartedTask{a: a, host: ph.Name, detail: a.summary.Stopped})
		}
	}
	x := executor{hosts: recordAtOnce, perSite: recordAtOnce, active: recordAtOnce}
	x.run(ctx, nil, tasks)
}

// recordAtOnce is how many records are handed to the store side by side, so
// that it can put them into few transactions.
const recordAtOnce = 256

// dryRun looks at every host of the plan, all at once: nothing is changed, so
// there are no waves.
func (a *applying) dryRun(ctx context.Context) (Summary, error) {
	a.e.Sink.Event(RunStarted{Kind: a.kind(), Hosts: len(a.plan.Hosts), At: a.e.Now().UTC()})
	tasks := make([]task, 0, len(a.plan.Hosts))
	for i := range a.plan.Hosts {
		tasks = append(tasks, a.newTask(&a.plan.Hosts[i], nil))
	}
	left, dropped := a.e.executor(a.halted).run(ctx, a.stop, tasks)
	counted := 0
	for _, n := range a.summary.Outcomes {
		counted += n
	}
	if counted < a.summary.Hosts {
		a.summary.Outcomes[remediate.OutcomeNotStarted] += a.summary.Hosts - counted
	}
	a.summary.Interrupted = a.fatal == nil && (len(left)+len(dropped) > 0 || ctx.Err() != nil)
	a.e.Sink.Event(RunEnded{Summary: a.summary, At: a.e.Now().UTC()})
	return a.summary, a.fatal
}

// attemptRecord makes the record of an outcome that needed no job.
func (a *applying) attemptRecord(host string, o remediate.Outcome, now time.Time) remediate.Attempt {
	at := remediate.Attempt{
		ID: remediate.NewID(now), Run: a.run.ID, Host: host, Plan: a.plan.ID,
		Phase: remediate.PhaseCleaned, Started: now, Updated: now, Outcome: o,
	}
	if h, known := a.hosts[host]; known {
		at.Address = a.e.address(h)
	}
	return at
}
